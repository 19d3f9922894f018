"""`musedance animate`: its video, its options, and bad inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.cli.animate import SheetFrames
from musedance_core.diffusion import samplers
from musedance_core.diffusion.runner import DanceInputs, Segment, SegmentRunner
from musedance_core.diffusion.sampler_names import SAMPLER_NAMES
from musedance_core.media.output import TRANSPARENT_SUFFIXES
from musedance_core.pipeline import MuseDancePipeline

Run = Callable[..., int]


PICTURE, SONG, OUT = "{inputs}/sticker.png", "{inputs}/song.wav", "{out}/dance.mp4"
BAD = {
    "missing picture": (["{inputs}/none.png", SONG], "none.png"),
    "missing song": ([PICTURE, "{inputs}/none.ogg"], "none.ogg"),
    "a folder as picture": (["{inputs}", SONG], "picture"),
    "a folder as song": ([PICTURE, "{inputs}"], "inputs"),
    "text named mp3": ([PICTURE, "{inputs}/text.mp3"], "text.mp3"),
    "a picture as song": ([PICTURE, PICTURE], "sticker.png"),
    "empty song": ([PICTURE, "{inputs}/empty.wav"], "empty.wav"),
    "silent song": ([PICTURE, "{inputs}/silent.wav"], "silent.wav"),
    "0.2 s song": ([PICTURE, "{inputs}/short.wav"], "short.wav"),
    "1x1 picture": (["{inputs}/dot.png", SONG], "1 x 1"),
    "20,000 px picture": (["{inputs}/long.png", SONG], "20000"),
    "corrupt png": (["{inputs}/corrupt.png", SONG], "corrupt.png"),
    "song as picture": ([SONG, SONG], "song.wav"),
    "a directory as output": ([PICTURE, SONG, "--out", "{out}"], "is not empty"),
    "a file as a folder": ([PICTURE, SONG, "--out", "{out}/dance.mp4/"], "is a file"),
    "no folder for a folder": ([PICTURE, SONG, "--out", "{out}/no/frames/"], "does not exist"),
    "no folder for output": ([PICTURE, SONG, "--out", "{out}/no/a.mp4"], "does not exist"),
    "no name for output": ([PICTURE, SONG, "--out", ""], "The name '' of a file to write is empty"),
    "not a video": ([PICTURE, SONG, "--out", "{out}/a.txt"], ".mp4"),
    "overwriting the picture": ([PICTURE, SONG, "--preview-sheet", PICTURE], "overwrite"),
    "seconds beyond the song": ([PICTURE, SONG, "--seconds", "60"], "6.00 s"),
    "start and seconds": ([PICTURE, SONG, "--start", "5", "--seconds", "2"], "past its end"),
    "start beyond the song": ([PICTURE, SONG, "--start", "6.5"], "past"),
    "zero seconds": ([PICTURE, SONG, "--seconds", "0"], "--seconds"),
    "a moment": ([PICTURE, SONG, "--seconds", "0.001"], "one frame"),
    # No such model: these are refused before it is loaded.
    "a moment of the song, first": (
        [PICTURE, SONG, "--seconds", "0.01", "--checkpoint", "{out}/no.safetensors"],
        "leaves 0.01 s: less than one frame, 1/24 s",
    ),
    "the very end of the song": (
        [PICTURE, SONG, "--start", "5.99", "--checkpoint", "{out}/no.safetensors"],
        "less than one frame",
    ),
    "a fast gif": (
        [PICTURE, SONG, "--fps", "60", "--out", "{out}/a.gif", "--checkpoint", "{out}/no"],
        "a.gif can show at most 50 frames a second, not 60",
    ),
    "infinite seconds": ([PICTURE, SONG, "--seconds", "inf"], "--seconds"),
    "negative start": ([PICTURE, SONG, "--start", "-1"], "--start"),
    "negative steps": ([PICTURE, SONG, "--steps", "-3"], "--steps"),
    "no steps": ([PICTURE, SONG, "--steps", "0"], "--steps"),
    "NaN guidance": ([PICTURE, SONG, "--guidance", "nan"], "--guidance"),
    "huge guidance": ([PICTURE, SONG, "--guidance", "1e9"], "--guidance: 1e9 is not within 0..100"),
    "huge text guidance": ([PICTURE, SONG, "--text-guidance", "1e9"], "not within -100..100"),
    "an unknown sampler": ([PICTURE, SONG, "--sampler", "heun"], "--sampler"),
    "an unknown quality": ([PICTURE, SONG, "--quality", "best"], "--quality"),
    "infinite text guidance": ([PICTURE, SONG, "--text-guidance", "inf"], "--text-guidance"),
    "transparent mp4": (
        [PICTURE, SONG, "--background", "transparent"],
        "--background transparent is for .webm, .gif",
    ),
    "an unknown background": ([PICTURE, SONG, "--background", "blu"], "'blu' is neither"),
    "a song as background": ([PICTURE, SONG, "--background", SONG], "song.wav"),
    "a tiny size": ([PICTURE, SONG, "--size", "8"], "--size"),
    "too fast": ([PICTURE, SONG, "--fps", "100"], "--fps"),
    "a rig that is none": ([PICTURE, SONG, "--rig", "{inputs}/words.json"], "words.json is no rig"),
    "a loop with sound": ([PICTURE, SONG, "--loop"], "--loop is for .gif, .webp"),
    "a loop of one beat": (
        [PICTURE, SONG, "--out", "{out}/a.gif", "--loop", "--seconds", "0.4"],
        "whole beats",
    ),
    "negative seed": ([PICTURE, SONG, "--seed", "-1"], "--seed"),
    "unsorted beats": ([PICTURE, SONG, "--beats", "{inputs}/unsorted.json"], "unsorted.json"),
    "non-finite beats": ([PICTURE, SONG, "--beats", "{inputs}/infinite.json"], "infinite.json"),
    "beats of another song": ([PICTURE, SONG, "--beats", "{inputs}/late.json"], "60 to 61 s"),
    "no beats": ([PICTURE, SONG, "--beats", "{inputs}/words.json"], "words.json"),
    "beats that are a song": ([PICTURE, SONG, "--beats", SONG], "song.wav"),
    "missing beats": ([PICTURE, SONG, "--beats", "{inputs}/none.json"], "none.json"),
    "missing mask": ([PICTURE, SONG, "--mask", "{inputs}/none.png"], "none.png"),
    "absent device": ([PICTURE, SONG, "--device", "cuda:99"], "cuda:99"),
    "nonsense device": ([PICTURE, SONG, "--device", "toaster"], "toaster"),
    "nonsense dtype": ([PICTURE, SONG, "--dtype", "int3"], "--dtype"),
    "missing checkpoint": ([PICTURE, SONG, "--checkpoint", "{out}/no.safetensors"], "no.safe"),
    "not a checkpoint": ([PICTURE, SONG, "--checkpoint", "{inputs}/text.safetensors"], "text.safe"),
    "times that fall": ([PICTURE, SONG, "--text", "0:08 hop / 0:02 sway"], "must rise"),
    "a time beyond the song": (
        [PICTURE, SONG, "--text", "0:00 hop / 9:00 sway"],
        "'sway' at 540 s",
    ),
    "a time without a sentence": ([PICTURE, SONG, "--text", "0:00 hop until 0:02"], "0:02"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run,
    case: str,
    inputs: Path,
    written: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "dance.mp4").write_text("the old video")
    before = {p: p.read_bytes() for p in [*inputs.iterdir(), *tmp_path.iterdir()] if p.is_file()}
    words = ["animate", "--text", "hop", "--out", OUT, "--checkpoint", str(written), *BAD[case][0]]
    assert run(*(w.format(inputs=inputs, out=tmp_path) for w in words)) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and BAD[case][1] in printed.err
    assert printed.err.count("\n") == 1 and printed.err.startswith("musedance")
    after = {p: p.read_bytes() for p in [*inputs.iterdir(), *tmp_path.iterdir()] if p.is_file()}
    assert after == before


def test_links_that_lead_nowhere_are_refused_before_the_work(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, dangling, picture = (tmp_path / name for name in ("loop.mp4", "dangling.mp4", "p.png"))
    loop.symlink_to(loop)
    dangling.symlink_to(tmp_path / "no" / "a.mp4")
    picture.symlink_to(picture)
    sticker, out = inputs / "sticker.png", tmp_path / "a.mp4"
    for source, target, sentence in (
        (sticker, loop, "loop.mp4 cannot be written: Too many levels of symbolic links."),
        (sticker, dangling, f"The folder {tmp_path / 'no'} of a.mp4 does not exist."),
        (picture, out, "There is no picture file at"),
    ):
        # No such checkpoint: the sentence about a link comes first.
        words = [source, inputs / "song.wav", "--text", "hop", "--checkpoint", tmp_path / "none"]
        assert run("animate", *words, "--out", target) == 2
        printed = capsys.readouterr().err
        assert sentence in printed and printed.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [dangling, loop, picture]


def test_a_dance_is_written_with_exact_frames_and_sound(
    run: Run, inputs: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, sheet = tmp_path / "dance.mp4", tmp_path / "sheet.png"
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "big hops", "--out", out]
    words += ["--checkpoint", written]
    more = ["--seconds", "4.6", "--start", "1.25", "--steps", "1", "--preview-sheet", sheet]
    assert run("animate", *words, *more) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    for part in (str(out), "4.58 s", "110 frames", "BPM", "made in"):
        assert part in last
    with av.open(str(out)) as video:
        assert len(list(video.decode(video=0))) == 110
        assert video.streams.audio and video.streams.video[0].codec_context.name == "h264"
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
    assert {p.name for p in tmp_path.iterdir()} == {"dance.mp4", "sheet.png"}


def test_a_loop_keeps_whole_beats(
    run: Run, inputs: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beats, out = tmp_path / "beats.json", tmp_path / "dance.gif"
    grid = [0.25 + 0.5 * i for i in range(12)]
    beats.write_text(json.dumps({"tempo": 120, "beats": grid}))
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "big hops", "--out", out]
    words += ["--checkpoint", written, "--beats", beats, "--loop", "--seconds", "3", "--steps", "1"]
    assert run("animate", *words) == 0
    assert "2.00 s of dance (48 frames)" in capsys.readouterr().out
    milliseconds = 0
    with Image.open(out) as picture:
        assert picture.info["loop"] == 0
        for k in range(picture.n_frames):  # equal frames may have become one
            picture.seek(k)
            picture.load()
            milliseconds += picture.info["duration"]
    assert milliseconds == 2000


@pytest.mark.parametrize("suffix", TRANSPARENT_SUFFIXES)
def test_a_transparent_dance(
    run: Run, inputs: Path, written: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"dance{suffix}"
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "hop", "--out", out]
    words += ["--checkpoint", written, "--seconds", "0.5", "--quality", "draft", "--size", "96"]
    assert run("animate", *words, "--background", "transparent", "--fps", "10") == 0
    if suffix == ".webm":
        with av.open(str(out)) as video:
            assert video.streams.video[0].metadata["alpha_mode"] == "1"
        return
    with Image.open(out) as picture:
        assert max(picture.size) == 96 and picture.n_frames == 5
        low, high = picture.convert("RGBA").getchannel("A").getextrema()
    assert low == 0 and high > 128


def test_a_folder_of_frames_on_a_colour(
    run: Run, inputs: Path, written: Path, tmp_path: Path
) -> None:
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "hop", "--seconds", "0.5"]
    words += ["--checkpoint", written, "--quality", "draft", "--size", "96", "--fps", "10"]
    assert run("animate", *words, "--background", "#00f", "--out", f"{tmp_path}/frames/") == 0
    files = sorted((tmp_path / "frames").iterdir())
    assert [file.name for file in files] == [f"frame_{k:05d}.png" for k in range(1, 6)]
    with Image.open(files[0]) as picture:
        assert picture.mode == "RGB" and picture.getpixel((0, 0)) == (0, 0, 255)


def test_quality_and_guidance_reach_the_sampler(
    run: Run, inputs: Path, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[DanceInputs] = []

    def record(runner: SegmentRunner, frames: int, *_: object) -> Iterator[Segment]:
        used.append(runner.inputs)
        yield Segment(0, 0, torch.zeros(frames, 3, 64, 64), runner.first_tail())

    monkeypatch.setattr(SegmentRunner, "run", record)
    words = ["animate", inputs / "sticker.png", inputs / "song.wav", "--text", "hop"]
    words += ["--checkpoint", written, "--out", tmp_path / "a.webm", "--seconds", "0.5"]
    assert run(*words, "--quality", "draft", "--music-guidance", "1.5") == 0
    assert run(*words, "--quality", "draft", "--steps", "3", "--sampler", "euler") == 0
    assert run(*words) == 0
    assert run(*words, "--quality", "full") == 0
    assert run(*words, "--steps", "3") == 0
    chosen = [(i.denoise, i.settings.steps, i.settings.sampler) for i in used]
    assert chosen == [
        (False, 8, "dpmpp_2m"),
        (False, 3, "euler"),
        (False, 8, "dpmpp_2m"),
        (True, 8, "dpmpp_2m"),
        (True, 3, "dpmpp_2m"),
    ]
    assert used[0].settings.guidance.weights == {"text": 0.0, "music": 1.5, "reference": 0.0}
    assert tuple(samplers.SAMPLERS) == SAMPLER_NAMES


def test_a_prompt_timeline_changes_the_sentence(
    run: Run, inputs: Path, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[str] = []
    encode = MuseDancePipeline.encode_text

    def record(pipeline: MuseDancePipeline, sentence: str) -> Tensor:
        encoded.append(sentence)
        return encode(pipeline, sentence)

    monkeypatch.setattr(MuseDancePipeline, "encode_text", record)
    words = ["animate", inputs / "sticker.png", inputs / "song.wav", "--checkpoint", written]
    words += ["--seconds", "1", "--steps", "1", "--out"]
    for name, text in (("a", "hop"), ("b", "0:00 hop / 0:00.5 it sways"), ("c", "0:00 hop")):
        assert run(*words, tmp_path / f"{name}.gif", "--text", text) == 0
    assert encoded == ["hop", "hop", "it sways", "hop"]
    one, two, same = (tmp_path.joinpath(f"{name}.gif").read_bytes() for name in "abc")
    assert one == same != two


def test_a_sheet_shows_evenly_spread_frames() -> None:
    frames = torch.arange(100.0).view(100, 1, 1, 1).expand(-1, 3, 8, 8)
    sheet = SheetFrames(100)
    for chunk in frames.split(40):
        sheet.add(chunk)
    assert [int(frame[0, 0, 0]) for frame in sheet.frames] == sheet.numbers
    assert len(sheet.numbers) == 48 and sheet.numbers[0] == 0 and sheet.numbers[-1] == 99


def test_a_sheet_keeps_small_copies_of_large_frames() -> None:
    sheet = SheetFrames(2)
    sheet.add(torch.rand(2, 4, 90, 1000))
    assert [frame.shape for frame in sheet.frames] == [(4, 12, 128)] * 2
