"""The command line: what it writes, what it says, and how it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core import __version__
from musedance_core.cli import SAMPLERS, main
from musedance_core.cli.commands import Sheet
from musedance_core.diffusion import samplers
from musedance_core.pipeline import Segment

RATE = 32_000


def write_wav(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def clicks(seconds: float, bpm: float = 120.0) -> np.ndarray:
    """A click with a short decay on every beat, over soft noise."""
    rng = np.random.default_rng(0)
    time = np.arange(round(seconds * RATE)) / RATE
    since = time % (60 / bpm)
    return 0.5 * np.exp(-since * 60) * rng.uniform(-1, 1, len(time)) + 0.01 * np.sin(440 * time)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good picture and song, and bad ones of every kind."""
    folder = tmp_path_factory.mktemp("inputs")
    pixels = np.zeros((120, 90, 4), np.uint8)
    pixels[20:100, 20:70] = (220, 60, 40, 255)
    Image.fromarray(pixels).save(folder / "sticker.png")
    whole = (folder / "sticker.png").read_bytes()
    (folder / "corrupt.png").write_bytes(whole[: len(whole) // 2])
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("L", (20_000, 20)).save(folder / "long.png")
    write_wav(folder / "song.wav", clicks(6))
    write_wav(folder / "empty.wav", clicks(0))
    write_wav(folder / "silent.wav", np.zeros(RATE * 6))
    write_wav(folder / "short.wav", clicks(0.2))
    (folder / "text.mp3").write_text("la la la " * 100)
    (folder / "text.safetensors").write_text("not a checkpoint " * 100)
    for name, times in {"unsorted": [2.0, 1.0, 3.0], "infinite": [1.0, float("inf")]}.items():
        text = json.dumps({"tempo": 120.0, "beats": times, "downbeats": []})
        (folder / f"{name}.json").write_text(text)
    (folder / "words.json").write_text('{"tempo": "fast"}')
    return folder


def run(*words: str | Path) -> int:
    try:
        return main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)


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
    "a directory as output": ([PICTURE, SONG, "--out", "{out}"], "directory"),
    "no folder for output": ([PICTURE, SONG, "--out", "{out}/no/a.mp4"], "does not exist"),
    "not a video": ([PICTURE, SONG, "--out", "{out}/a.txt"], ".mp4"),
    "overwriting the picture": ([PICTURE, SONG, "--preview-sheet", PICTURE], "overwrite"),
    "seconds beyond the song": ([PICTURE, SONG, "--seconds", "60"], "6.00 s"),
    "start and seconds": ([PICTURE, SONG, "--start", "5", "--seconds", "2"], "past its end"),
    "start beyond the song": ([PICTURE, SONG, "--start", "6.5"], "past"),
    "zero seconds": ([PICTURE, SONG, "--seconds", "0"], "--seconds"),
    "a moment": ([PICTURE, SONG, "--seconds", "0.001"], "one frame"),
    "infinite seconds": ([PICTURE, SONG, "--seconds", "inf"], "--seconds"),
    "negative start": ([PICTURE, SONG, "--start", "-1"], "--start"),
    "negative steps": ([PICTURE, SONG, "--steps", "-3"], "--steps"),
    "no steps": ([PICTURE, SONG, "--steps", "0"], "--steps"),
    "NaN guidance": ([PICTURE, SONG, "--guidance", "nan"], "--guidance"),
    "an unknown sampler": ([PICTURE, SONG, "--sampler", "heun"], "--sampler"),
    "an unknown quality": ([PICTURE, SONG, "--quality", "best"], "--quality"),
    "infinite text guidance": ([PICTURE, SONG, "--text-guidance", "inf"], "--text-guidance"),
    "a loop with sound": ([PICTURE, SONG, "--loop"], "--loop is for .gif and .webp"),
    "a loop of one beat": (
        [PICTURE, SONG, "--out", "{out}/a.gif", "--loop", "--seconds", "0.4"],
        "whole beats",
    ),
    "negative seed": ([PICTURE, SONG, "--seed", "-1"], "--seed"),
    "unsorted beats": ([PICTURE, SONG, "--beats", "{inputs}/unsorted.json"], "unsorted.json"),
    "non-finite beats": ([PICTURE, SONG, "--beats", "{inputs}/infinite.json"], "infinite.json"),
    "no beats": ([PICTURE, SONG, "--beats", "{inputs}/words.json"], "words.json"),
    "beats that are a song": ([PICTURE, SONG, "--beats", SONG], "song.wav"),
    "missing beats": ([PICTURE, SONG, "--beats", "{inputs}/none.json"], "none.json"),
    "missing mask": ([PICTURE, SONG, "--mask", "{inputs}/none.png"], "none.png"),
    "absent device": ([PICTURE, SONG, "--device", "cuda:99"], "cuda:99"),
    "nonsense device": ([PICTURE, SONG, "--device", "toaster"], "toaster"),
    "nonsense dtype": ([PICTURE, SONG, "--dtype", "int3"], "--dtype"),
    "missing checkpoint": ([PICTURE, SONG, "--checkpoint", "{out}/no.safetensors"], "no.safe"),
    "not a checkpoint": ([PICTURE, SONG, "--checkpoint", "{inputs}/text.safetensors"], "text.safe"),
    "empty sentence": ([PICTURE, SONG, "--text", " "], "--text"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(
    case: str, inputs: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dance.mp4").write_text("the old video")
    before = {p: p.read_bytes() for p in [*inputs.iterdir(), *tmp_path.iterdir()] if p.is_file()}
    words = ["animate", "--text", "hop", "--out", OUT, "--checkpoint", str(written), *BAD[case][0]]
    assert run(*(w.format(inputs=inputs, out=tmp_path) for w in words)) == 2
    heard = capsys.readouterr()
    assert heard.out == "" and BAD[case][1] in heard.err
    assert heard.err.count("\n") == 1 and heard.err.startswith("musedance")
    after = {p: p.read_bytes() for p in [*inputs.iterdir(), *tmp_path.iterdir()] if p.is_file()}
    assert after == before


def test_the_exit_code_reaches_the_shell(inputs: Path, tmp_path: Path) -> None:
    words = [inputs / "none.png", inputs / "song.wav", "--text", "hop", "--out", tmp_path / "a.mp4"]
    command = [sys.executable, "-m", "musedance_core.cli", "animate", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["animate"], ["beats"], ["beats", "a", "b"], ["evaluate", "a"]]
)
def test_incomplete_commands(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_what_the_system_refuses_is_one_sentence(
    inputs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device", "beats.json")

    monkeypatch.setattr("musedance_core.cli.commands.beats", full)
    assert run("beats", inputs / "song.wav") == 2
    assert capsys.readouterr().err == "musedance: No space left on device: beats.json\n"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_too_little_memory_is_one_sentence(
    error: Exception,
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(*given: object) -> None:
        raise error

    monkeypatch.setattr("musedance_core.cli.commands.beats", full)
    assert run("beats", inputs / "song.wav") == 2
    told = capsys.readouterr().err
    assert told.startswith("musedance: There is not enough memory") and told.count("\n") == 1


def test_other_errors_are_not_taken_for_lack_of_memory(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*given: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr("musedance_core.cli.commands.beats", wrong)
    with pytest.raises(RuntimeError, match="mat1"):
        run("beats", inputs / "song.wav")


def test_a_sheet_shows_what_is_kept() -> None:
    frames = torch.arange(60.0).view(60, 1, 1, 1).expand(-1, 3, 8, 8)
    sheet = Sheet(range(5, 53), 12, 1.0)
    pieces = [Segment(i, i * 20, frames[i * 20 :][:20], torch.empty(0)) for i in range(3)]
    assert len(torch.cat(list(sheet.watch(iter(pieces))))) == 60
    assert [int(frame[0, 0, 0]) for frame in sheet.frames] == list(range(5, 53))
    assert sheet.labels[0] == "1.42 s"


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"musedance {__version__}\n"
    for command in ("animate", "beats", "inspect", "evaluate"):
        assert run(command, "--help") == 0
        assert f"usage: musedance {command}" in capsys.readouterr().out


def test_a_dance_is_written_with_exact_frames_and_sound(
    inputs: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    av = pytest.importorskip("av")
    out, sheet = tmp_path / "dance.mp4", tmp_path / "sheet.png"
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "big hops", "--out", out]
    words += ["--checkpoint", written]
    more = ["--seconds", "4.6", "--start", "1.25", "--steps", "1", "--preview-sheet", sheet]
    assert run("animate", *words, *more) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    for part in (str(out), "4.58 s", "55 frames", "BPM", "made in"):
        assert part in last
    with av.open(str(out)) as video:
        assert len(list(video.decode(video=0))) == 55
        assert video.streams.audio and video.streams.video[0].codec_context.name == "h264"
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
    assert {p.name for p in tmp_path.iterdir()} == {"dance.mp4", "sheet.png"}


def test_a_loop_keeps_whole_beats(
    inputs: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    beats, out = tmp_path / "beats.json", tmp_path / "dance.gif"
    grid = [0.25 + 0.5 * i for i in range(12)]
    beats.write_text(json.dumps({"tempo": 120, "beats": grid}))
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "big hops", "--out", out]
    words += ["--checkpoint", written, "--beats", beats, "--loop", "--seconds", "3", "--steps", "1"]
    assert run("animate", *words) == 0
    assert "2.00 s of dance (24 frames)" in capsys.readouterr().out
    shown = 0
    with Image.open(out) as picture:
        assert picture.info["loop"] == 0
        for k in range(picture.n_frames):  # equal frames may have become one
            picture.seek(k)
            picture.load()
            shown += picture.info["duration"]
    assert shown == 2000


def test_quality_and_guidance_reach_the_pipeline(
    inputs: Path, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def listen(self: object, *args: object, **options: object) -> Iterator[Segment]:
        asked.append(options)
        yield Segment(0, 0, torch.zeros(6, 3, 64, 64), torch.zeros(2, 16, 16, 16))

    monkeypatch.setattr("musedance_core.pipeline.MuseDancePipeline.animate", listen)
    words = ["animate", inputs / "sticker.png", inputs / "song.wav", "--text", "hop"]
    words += ["--checkpoint", written, "--out", tmp_path / "a.webm", "--seconds", "0.5"]
    assert run(*words, "--quality", "draft", "--music-guidance", "1.5") == 0
    assert run(*words, "--quality", "draft", "--steps", "3", "--sampler", "euler") == 0
    assert run(*words) == 0
    found = [(options["steps"], options["sampler"]) for options in asked]
    assert found == [(8, "dpmpp_2m"), (3, "euler"), (20, "ddim")]
    weights = [options["guidance"].weights for options in asked]  # type: ignore[attr-defined]
    assert weights[0] == {"text": 0.0, "music": 1.5, "reference": 0.0}
    assert tuple(samplers.SAMPLERS) == SAMPLERS


def test_beats_are_heard_written_and_read_back(
    inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "beats.json"
    plot = tmp_path / "beats.png"
    assert run("beats", inputs / "song.wav", "--bpm", "120", "--json", path, "--plot", plot) == 0
    with Image.open(plot) as picture:
        assert picture.format == "PNG" and picture.width == 360
    written = json.loads(path.read_text())
    assert set(written) == {"tempo", "beats", "downbeats"}
    assert written["tempo"] == pytest.approx(120, abs=2)
    phase = np.asarray(written["beats"]) % 0.5
    assert len(phase) >= 8 and np.minimum(phase, 0.5 - phase).max() < 0.07
    assert "BPM" in capsys.readouterr().out.splitlines()[-1]


def test_told_beats_stand_on_the_grid(inputs: Path, tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    assert run("beats", inputs / "song.wav", "--bpm", "90", "--offset", "0.3", "--json", path) == 0
    beats = np.asarray(json.loads(path.read_text())["beats"])
    assert np.allclose(np.diff(beats), 60 / 90, atol=1e-3)
    assert beats[0] == pytest.approx(0.3) and 6 - 60 / 90 < beats[-1] <= 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{inputs}/text.mp3"], "text.mp3"),
        (["{inputs}/song.wav", "--offset", "1"], "--bpm"),
        (["{inputs}/song.wav", "--bpm", "nan"], "--bpm"),
        (["{inputs}/song.wav", "--bpm", "-120"], "--bpm"),
        (["{inputs}/song.wav", "--json", "{out}"], "directory"),
    ],
)
def test_bad_input_to_beats(
    words: list[str], said: str, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("beats", *(w.format(inputs=inputs, out=tmp_path) for w in words)) == 2
    heard = capsys.readouterr()
    assert heard.out == "" and said in heard.err and heard.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_inspect_says_what_a_checkpoint_is(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("inspect", written) == 0
    assert "sticker" in capsys.readouterr().out


def test_a_reader_that_leaves_early_is_told_by_the_exit_code_alone() -> None:
    command = [sys.executable, "-m", "musedance_core.cli", "inspect"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_inspect_refuses_what_is_no_checkpoint(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("text.safetensors", "none.safetensors", "sticker.png"):
        assert run("inspect", inputs / name) == 2
        heard = capsys.readouterr()
        assert heard.out == "" and name in heard.err and heard.err.count("\n") == 1
