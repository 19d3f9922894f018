"""Three lines of Python: files, pictures or tensors in, a video out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core import BeatGrid, Guidance, InputError, MuseDancePipeline, Waveform
from musedance_core.audio.waveform import load_waveform
from musedance_core.media.video import read_video

ASSETS = Path(__file__).parents[1] / "assets"
CHICK, SONG = ASSETS / "sticker-chick.png", ASSETS / "demo-song.ogg"
BEATS = [0.0, 0.5, 1.0, 1.5, 2.0]


@pytest.fixture(scope="module")
def pipe(written: Path) -> MuseDancePipeline:
    return MuseDancePipeline.from_pretrained(written, device="cpu")


@pytest.fixture(scope="module")
def song() -> Waveform:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8000 * 3)).astype(np.float32)
    return Waveform(noise, 8000)


def test_files_in_and_a_video_with_sound_out(pipe: MuseDancePipeline, tmp_path: Path) -> None:
    target = tmp_path / "dance.mp4"
    pipe(CHICK, SONG, "the sticker hops", seconds=1.2, steps=1, beats=BEATS).save(target)
    frames, fps = read_video(target)
    assert frames.shape == (14, 3, 32, 32) and fps == 12
    assert load_waveform(target).seconds == pytest.approx(14 / 12, abs=0.05)


def test_a_dance_video_has_length_beats_audio_and_cached_frames(
    pipe: MuseDancePipeline, song: Waveform
) -> None:
    video = pipe(CHICK, song, "it hops", start=0.5, steps=1, beats=BEATS)
    assert (len(video), video.fps, video.start, video.seconds) == (30, 12, 0.5, 2.5)
    assert isinstance(video.beats, BeatGrid) and video.beats.tempo == 120
    assert np.array_equal(video.audio.samples, song.samples[:, 4000:24000])
    assert video.frames.shape == (30, 3, 32, 32) and video.frames is video.frames


def test_frames_are_made_when_they_are_read(pipe: MuseDancePipeline, song: Waveform) -> None:
    steps: list[int] = []
    video = pipe(
        CHICK, song, "it hops", steps=1, beats=BEATS, on_step=lambda info: steps.append(info.step)
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
    options = {"seconds": 0.4, "steps": 1, "beats": BEATS}
    forms = (tmp_path / "sticker.png", picture, pixels)
    videos = [pipe(form, song, "it hops", **options).frames for form in forms]
    assert torch.equal(videos[0], videos[1]) and torch.equal(videos[0], videos[2])
    assert not torch.equal(videos[0], pipe(pixels[:3], song, "it hops", **options).frames)


def test_a_sentence_holds_from_its_time_of_the_song_on(
    pipe: MuseDancePipeline, song: Waveform
) -> None:
    """Segments last half a second; the video starts half a second into the song."""
    options = {"start": 0.5, "seconds": 1.5, "steps": 1, "beats": BEATS}
    text = "0:00 it hops/[0:01] it sways to the left"
    both = pipe(CHICK, song, text, **options).frames
    hops, sways = (pipe(CHICK, song, t, **options).frames for t in ("it hops", text[14:]))
    assert torch.equal(both[:6], hops[:6]) and not torch.equal(both[6:12], hops[6:12])
    assert not torch.equal(both[:6], sways[:6])
    pairs = pipe(CHICK, song, [(0.0, "it hops"), (1.0, "it sways to the left")], **options)
    assert torch.equal(both, pairs.frames)


def test_every_option_reaches_the_frames(pipe: MuseDancePipeline, song: Waveform) -> None:
    options = {"seconds": 0.5, "steps": 2, "beats": BEATS}
    base = pipe(CHICK, song, "it hops", **options).frames
    half = Image.new("L", Image.open(CHICK).size)
    half.paste(255, (0, 0, half.width // 2, half.height))
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
    ):
        frames = pipe(CHICK, song, "it hops", **{**options, **changed}).frames
        assert not torch.equal(frames, base), changed


def test_a_loop_is_whole_beats(pipe: MuseDancePipeline, song: Waveform, tmp_path: Path) -> None:
    video = pipe(CHICK, song, "it hops", steps=1, beats=[0.25, 0.75, 1.25, 1.75, 2.25])
    loop = video.loop()
    assert (len(loop), loop.start) == (24, 0.25)
    assert torch.equal(loop.frames, video.frames[3:27])
    loop.save(tmp_path / "loop.gif")
    with Image.open(tmp_path / "loop.gif") as saved:
        assert saved.n_frames == 24


def test_frames_that_are_there_are_not_made_again(
    pipe: MuseDancePipeline, song: Waveform, tmp_path: Path
) -> None:
    steps: list[int] = []
    video = pipe(
        CHICK, song, "it hops", steps=1, beats=BEATS, on_step=lambda info: steps.append(info.step)
    )
    assert len(video.frames) == 36 and len(steps) == 6
    seen: list[int] = []
    video.save(tmp_path / "dance.webp", on_frames=lambda frames: seen.append(len(frames)))
    assert len(steps) == 6 and seen == [36]


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
        ({"seconds": 0.01}, "at least one frame, 1/12 s, not 0.01 s"),
        ({"beats": [1.0, 0.5]}, "beats must rise"),
        ({"beats": [30.0, 30.5]}, "3.00 s long: the beats are at 30 to 30.5 s"),
        (
            {"text": "0:00 it hops / 0:03 it sways"},
            "the sentence 'it sways' at 3 s is past its end",
        ),
        ({"sampler": "heun"}, "not 'heun'"),
        ({"steps": 0}, "at least 1 step"),
        ({"steps": 1001}, "at most 1000 steps"),
        ({"text": "0:00 it hops / it sways"}, "must begin with a time"),
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
