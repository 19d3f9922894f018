"""Three lines of Python: files, pictures or tensors in, a video out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

from musedance_core import BeatGrid, Guidance, InputError, MuseDancePipeline, Waveform
from musedance_core.audio.beats import regular_grid
from musedance_core.audio.waveform import load_waveform
from musedance_core.dance.rig import Rig, write_rig
from musedance_core.diffusion import compositing
from musedance_core.media.video import read_video
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer

ASSETS = Path(__file__).parents[1] / "assets"
CHICK, SONG = ASSETS / "sticker-chick.png", ASSETS / "demo-song.ogg"
BEATS = [0.0, 0.5, 1.0, 1.5, 2.0]


@pytest.fixture(scope="module")
def pipe(written: Path) -> MuseDancePipeline:
    return MuseDancePipeline.from_pretrained(written, device="cpu")


@pytest.fixture(scope="module")
def square(model: MuseDance, tokenizer: Tokenizer) -> MuseDancePipeline:
    """A model that plans no dance, and makes 12 square frames a second."""
    torch.manual_seed(0)
    other = MuseDance(replace(model.config, rig=None, choreographer=None))
    other.load_state_dict(
        {
            name: weight
            for name, weight in model.state_dict().items()
            if name.split(".")[0] not in ("rig", "choreographer")
        }
    )
    return MuseDancePipeline(other, tokenizer)


@pytest.fixture(scope="module")
def song() -> Waveform:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8000 * 3)).astype(np.float32)
    return Waveform(noise, 8000)


def test_files_in_and_a_video_with_sound_out(pipe: MuseDancePipeline, tmp_path: Path) -> None:
    target = tmp_path / "dance.mp4"
    options = {"seconds": 1.2, "steps": 1, "beats": BEATS, "size": 64}
    pipe(CHICK, SONG, "the sticker hops", **options).save(target)
    frames, fps = read_video(target)
    assert frames.shape == (29, 3, 64, 64) and fps == 24
    assert load_waveform(target).seconds == pytest.approx(29 / 24, abs=0.05)


def test_a_dance_video_has_length_beats_audio_and_cached_frames(
    pipe: MuseDancePipeline, song: Waveform
) -> None:
    video = pipe(CHICK, song, "it hops", start=0.5, steps=1, beats=BEATS, size=64, fps=10)
    assert (len(video), video.fps, video.start, video.seconds) == (25, 10, 0.5, 2.5)
    assert isinstance(video.beats, BeatGrid) and video.beats.tempo == 120
    assert np.array_equal(video.audio.samples, song.samples[:, 4000:24000])
    assert video.frames.shape == (25, 3, 64, 64) and video.frames is video.frames


def test_frames_are_made_when_they_are_read(pipe: MuseDancePipeline, song: Waveform) -> None:
    steps: list[int] = []
    video = pipe(
        CHICK,
        song,
        "it hops",
        steps=1,
        beats=BEATS,
        size=64,
        on_step=lambda info: steps.append(info.step),
    )
    chunks = video.chunks()
    assert not steps
    next(chunks)
    assert steps == [1]


def test_pictures_are_taken_in_every_form(
    pipe: MuseDancePipeline, song: Waveform, tmp_path: Path
) -> None:
    picture = Image.open(CHICK).resize((40, 40)).convert("RGBA")
    picture.paste((0, 0, 0, 0), (0, 0, 40, 20))
    picture.save(tmp_path / "sticker.png")
    pixels = torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255
    options = {"seconds": 0.4, "steps": 1, "beats": BEATS, "size": 64}
    forms = (tmp_path / "sticker.png", picture, pixels)
    videos = [pipe(form, song, "it hops", **options).frames for form in forms]
    assert torch.equal(videos[0], videos[1]) and torch.equal(videos[0], videos[2])
    assert not torch.equal(videos[0], pipe(pixels[:3], song, "it hops", **options).frames)


def test_a_sentence_holds_from_its_time_of_the_song_on(
    pipe: MuseDancePipeline, song: Waveform
) -> None:
    """Segments last half a second; the video starts half a second into the song."""
    options = {"start": 0.5, "seconds": 1.5, "steps": 1, "beats": BEATS, "size": 64, "fps": 12}
    text = "0:00 it hops/[0:01] it sways to the left"
    both = pipe(CHICK, song, text, **options).frames
    hops, sways = (pipe(CHICK, song, t, **options).frames for t in ("it hops", text[14:]))
    assert torch.equal(both[:6], hops[:6]) and not torch.equal(both[6:12], hops[6:12])
    assert not torch.equal(both[:6], sways[:6])
    pairs = pipe(CHICK, song, [(0.0, "it hops"), (1.0, "it sways to the left")], **options)
    assert torch.equal(both, pairs.frames)


def test_every_option_reaches_the_frames(
    pipe: MuseDancePipeline, song: Waveform, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"seconds": 0.5, "steps": 2, "beats": BEATS, "size": 64}
    monkeypatch.setattr(compositing, "THRESHOLDS", compositing.Thresholds(0.0, 1e-3))
    base = pipe(CHICK, song, "it hops", **options).frames
    half = Image.new("L", Image.open(CHICK).size)
    half.paste(255, (0, 0, half.width // 2, half.height))
    joints = torch.full((16, 2), torch.nan)
    joints[:3] = torch.tensor([[28.0, 50.0], [30.0, 40.0], [32.0, 30.0]])
    for changed in (
        {"seed": 1},
        {"steps": 3},
        {"sampler": "dpmpp_2m", "steps": 4},
        {"guidance": 2.0},
        {"guidance": 2.0, "negative": "it sways"},
        {"guidance": Guidance(1.0, {"music": 1.0})},
        {"mask": half},
        {"beats": [0.1, 0.7]},
        {"start": 1.0},
        {"size": 66},
        {"fps": 30},
        {"background": (0, 90, 20)},
        {"background": Image.new("RGB", (20, 20), "navy")},
        {"background": "transparent"},
        {"rig": Rig((64, 64), joints, torch.ones(16))},
        {"draft": True},
    ):
        frames = pipe(CHICK, song, "it hops", **{**options, **changed}).frames
        assert not torch.equal(frames, base), changed


def test_a_loop_is_whole_beats_and_closed(
    pipe: MuseDancePipeline, song: Waveform, tmp_path: Path
) -> None:
    beats = [0.25, 0.75, 1.25, 1.75, 2.25]
    # Another seed of the random model widens the figure tenfold, and rounding with it.
    video = pipe(CHICK, song, "it hops", steps=1, beats=beats, size=64, draft=True, seed=1)
    loop = video.loop()
    assert (len(loop), loop.start) == (48, 0.25)
    # It begins as the dance goes on after its end, and is then the same dance.
    assert torch.allclose(loop.frames[0], video.frames[54], atol=1e-3)
    assert torch.allclose(loop.frames[20:], video.frames[26:54], atol=1e-3)
    assert not torch.allclose(loop.frames[0], video.frames[6], atol=1e-2)
    loop.save(tmp_path / "loop.gif")
    # Equal frames in a row are one frame of the file, which lasts longer.
    with Image.open(tmp_path / "loop.gif") as saved:
        lasting = [frame.info["duration"] for frame in ImageSequence.Iterator(saved)]
    assert sum(lasting) == pytest.approx(2000, abs=20)


def test_frames_that_are_there_are_not_made_again(
    pipe: MuseDancePipeline, song: Waveform, tmp_path: Path
) -> None:
    steps: list[int] = []
    video = pipe(
        CHICK,
        song,
        "it hops",
        steps=1,
        beats=BEATS,
        size=64,
        on_step=lambda info: steps.append(info.step),
    )
    assert len(video.frames) == 72 and len(steps) == 6
    seen: list[int] = []
    video.save(tmp_path / "dance.webp", on_frames=lambda frames: seen.append(len(frames)))
    assert len(steps) == 6 and seen == [72]


def test_a_draft_is_made_without_denoising(pipe: MuseDancePipeline, song: Waveform) -> None:
    options = {"beats": BEATS, "size": 64, "seconds": 1.0}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipe.model.unet, "forward", None)
        frames = pipe(CHICK, song, "it hops", draft=True, **options).frames
    assert frames.shape == (24, 3, 64, 64)


@pytest.mark.parametrize(("size", "shape"), [((60, 90), (96, 64)), ((90, 60), (64, 96))])
def test_portraits_stay_portraits(
    pipe: MuseDancePipeline, song: Waveform, size: tuple[int, int], shape: tuple[int, int]
) -> None:
    picture = Image.new("RGB", size, "white")
    picture.paste("brown", (20, 20, 40, 50))
    options = {"beats": BEATS, "size": 96, "seconds": 0.5, "steps": 1}
    frames = pipe(picture, song, "it hops", **options).frames
    assert frames.shape == (12, 3, *shape)
    assert (frames[:, :, :4, :4] - 1).abs().median() < 0.01


@pytest.mark.parametrize(
    "name", ["dance.webp", "dance.gif", "dance.png", "dance.webm", "pictures/"]
)
def test_transparent_videos_keep_their_transparency(
    pipe: MuseDancePipeline,
    song: Waveform,
    person: tuple[Image.Image, Rig],
    tmp_path: Path,
    name: str,
) -> None:
    picture, rig = person
    rest = replace(regular_grid(120, 0.0, 3.0), assumed=True)
    options = {"beats": rest, "size": 64, "seconds": 0.25, "draft": True, "rig": rig}
    video = pipe(picture, song, "it hops", background="transparent", **options)
    assert video.frames.shape == (6, 4, 64, 48)
    assert video.frames[:, 3].min() == 0 and video.frames[:, 3].max() > 0.9
    video.save(f"{tmp_path}/{name}")
    if name == "dance.webm":
        return
    path = next(tmp_path.glob("pictures/*")) if name == "pictures/" else tmp_path / name
    with Image.open(path) as saved:
        assert saved.convert("RGBA").getchannel("A").getextrema() == (0, 255)


def test_transparent_frames_fit_no_mp4(
    pipe: MuseDancePipeline, song: Waveform, person: tuple[Image.Image, Rig], tmp_path: Path
) -> None:
    options = {"beats": BEATS, "size": 64, "seconds": 0.25, "draft": True}
    video = pipe(person[0], song, "it hops", background="transparent", **options)
    with pytest.raises(InputError, match=r"dance\.mp4"):
        video.save(tmp_path / "dance.mp4")
    assert not list(tmp_path.iterdir())


def test_rigs_come_from_files_at_any_size_of_their_picture(
    pipe: MuseDancePipeline, song: Waveform, person: tuple[Image.Image, Rig], tmp_path: Path
) -> None:
    picture, rig = person
    write_rig(rig, tmp_path / "small.json")
    write_rig(rig.scaled((960, 1280)), tmp_path / "large.json")
    options = {"beats": BEATS, "size": 64, "seconds": 0.25, "draft": True}
    videos = [
        pipe(picture, song, "it hops", rig=chosen, **options).frames
        for chosen in (rig, tmp_path / "small.json", str(tmp_path / "large.json"))
    ]
    assert torch.allclose(videos[0], videos[1], atol=0.02)
    assert torch.allclose(videos[0], videos[2], atol=0.02)


def test_a_model_that_plans_no_dance_makes_square_frames_of_its_own(
    square: MuseDancePipeline, song: Waveform
) -> None:
    video = square(CHICK, song, "it hops", steps=1, beats=BEATS)
    assert (len(video), video.fps) == (36, 12) and video.frames.shape == (36, 3, 32, 32)
    assert len(square(CHICK, song, "it hops", steps=1, beats=BEATS, fps=12)) == 36


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"size": 64}, "square frames of 32 pixels: it takes no size"),
        ({"background": "transparent"}, "takes no background"),
        ({"draft": True}, "takes no draft"),
        ({"rig": "rig.json"}, "takes no rig"),
        ({"fps": 24}, "makes 12 frames a second, not 24"),
    ],
)
def test_a_model_that_plans_no_dance_refuses_the_options_of_those_that_do(
    square: MuseDancePipeline, song: Waveform, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        square(CHICK, song, "it hops", **{"beats": BEATS, **changed})


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"picture": torch.zeros(1, 32, 32)}, "3 or 4 x height x width, not 1 x 32 x 32"),
        ({"picture": torch.full((3, 32, 32), torch.nan)}, "not finite"),
        ({"picture": "nobody.png"}, "no picture file at nobody.png"),
        ({"song": "nothing.ogg"}, "no song at nothing.ogg"),
        ({"start": 3.5}, "3.00 s long: start 3.5 is not in it"),
        ({"start": -1.0}, "start -1 is not in it"),
        ({"start": 1.0, "seconds": 2.5}, "2.5 s from 1 s on run past its end"),
        ({"seconds": 0.01}, "at least one frame, 1/24 s, not 0.01 s"),
        ({"beats": [1.0, 0.5]}, "beats must rise"),
        ({"beats": [30.0, 30.5]}, "3.00 s long: the beats are at 30 to 30.5 s"),
        (
            {"text": "0:00 it hops / 0:03 it sways"},
            "the sentence 'it sways' at 3 s is past its end",
        ),
        ({"sampler": "heun"}, "not 'heun'"),
        ({"steps": 0}, r"steps must be a whole number within 1\.\.1000, not 0"),
        ({"steps": 1001}, "not 1001"),
        ({"steps": 2.5}, "not 2.5"),
        ({"seed": 2**70}, r"seed must be a whole number within 0\.\.4294967295, not 1180591620717"),
        ({"seed": -1}, "not -1"),
        ({"seed": 1.5}, "not 1.5"),
        ({"guidance": 1e6}, r"guidance must be within 0\.\.100, not 1000000"),
        ({"guidance": float("nan")}, "not nan"),
        ({"text": []}, r"rising times in seconds and a sentence, not \[\]"),
        ({"text": ["it hops", "it sways"]}, "rising times"),
        ({"text": [(1.0, "it hops"), (0.0, "it sways")]}, "rising times"),
        ({"text": [(float("nan"), "it hops")]}, "rising times"),
        ({"text": [(0.0, 5)]}, "rising times"),
        ({"text": "0:00 it hops / it sways"}, "must begin with a time"),
        ({"size": 63}, r"size in pixels must be a whole number within 64\.\.2048, not 63"),
        ({"size": 64.5}, "not 64.5"),
        ({"size": 4096}, "not 4096"),
        ({"fps": 0}, r"rate in frames a second must be within 1\.\.60, not 0"),
        ({"fps": float("nan")}, "not nan"),
        ({"rig": "nowhere.json"}, r"nowhere\.json"),
        ({"rig": Rig((100, 50), torch.zeros(16, 2), torch.ones(16))}, "picture of 100 x 50 pixels"),
    ],
)
def test_bad_input_is_one_sentence(
    pipe: MuseDancePipeline, song: Waveform, changed: dict[str, object], words: str
) -> None:
    options: dict[str, object] = {"picture": CHICK, "song": song, "text": "it hops"}
    with pytest.raises(InputError, match=words):
        pipe(**{"beats": BEATS, **options, **changed})


def test_an_unknown_ending_is_refused_before_anything_is_made(
    pipe: MuseDancePipeline, song: Waveform, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"must end in \.mp4"):
        pipe(CHICK, song, "it hops", beats=BEATS).save(tmp_path / "dance.avi")
    assert not list(tmp_path.iterdir())


def test_a_device_that_is_not_there_is_one_sentence(written: Path) -> None:
    with pytest.raises(InputError, match="no device cuda:77"):
        MuseDancePipeline.from_pretrained(written, device="cuda:77")
