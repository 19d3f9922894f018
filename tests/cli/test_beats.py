"""`musedance beats`: the printed table, the files, and bad inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

Run = Callable[..., int]


def test_beats_are_tracked_and_written(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "beats.json"
    plot = tmp_path / "beats.png"
    assert run("beats", inputs / "song.wav", "--bpm", "120", "--json", path, "--plot", plot) == 0
    with Image.open(plot) as picture:
        assert picture.format == "PNG" and picture.width == 360
    written = json.loads(path.read_text())
    assert set(written) == {"tempo", "beats", "downbeats"}
    assert "assumed" not in written
    assert written["tempo"] == pytest.approx(120, abs=2)
    phase = np.asarray(written["beats"]) % 0.5
    assert len(phase) >= 8 and np.minimum(phase, 0.5 - phase).max() < 0.07
    assert "BPM" in capsys.readouterr().out.splitlines()[-1]


def test_a_sound_without_a_pulse_is_not_called_tracked(
    run: Run,
    inputs: Path,
    written: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The fallback of 120 BPM says that it is an assumption, wherever the tempo is printed."""
    monkeypatch.setattr("librosa.beat.beat_track", lambda **_: (0.0, np.zeros(0, dtype=int)))
    path = tmp_path / "beats.json"
    assert run("beats", inputs / "song.wav", "--json", path) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "no beat was found" in last and "an even grid is assumed" in last
    assert json.loads(path.read_text())["assumed"] is True
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "hop", "--steps", "1"]
    words += ["--seconds", "0.5", "--checkpoint", written, "--out", tmp_path / "a.gif"]
    assert run("animate", *words) == 0
    assert "tempo 120.0 BPM (assumed: no beat was found)" in capsys.readouterr().out


def test_a_sound_track_can_be_chosen(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "song.mka"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("flac", rate=8000, layout="mono") for _ in range(3)]
        for stream, loudness in zip(streams, (0, 9000, 0), strict=True):
            samples = np.zeros((1, 8000 * 4), np.int16)
            samples[0, ::4000] = loudness
            frame = av.AudioFrame.from_ndarray(samples, "s16", "mono")
            frame.sample_rate, frame.pts = 8000, 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    words = ["--bpm", "120", "--offset", "0"]
    assert run("beats", path, *words) == 0
    assert run("beats", path, *words, "--audio-track", "2") == 0
    capsys.readouterr()
    assert run("beats", path, *words, "--audio-track", "3") == 2
    assert "song.mka is silent" in capsys.readouterr().err
    assert run("beats", path, *words, "--audio-track", "4") == 2
    assert "no sound track 4; its tracks are 1 to 3" in capsys.readouterr().err
    words = [inputs / "sticker.png", path, "--text", "hop", "--out", tmp_path / "a.gif"]
    assert run("animate", *words, "--audio-track", "3") == 2
    assert "song.mka is silent" in capsys.readouterr().err


def test_tempo_and_offset_give_a_regular_grid(run: Run, inputs: Path, tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    assert run("beats", inputs / "song.wav", "--bpm", "90", "--offset", "0.3", "--json", path) == 0
    beats = np.asarray(json.loads(path.read_text())["beats"])
    assert np.allclose(np.diff(beats), 60 / 90, atol=1e-3)
    assert beats[0] == pytest.approx(0.3) and 6 - 60 / 90 < beats[-1] <= 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{inputs}/text.mp3"], "text.mp3"),
        (["{inputs}/song.wav", "--offset", "1"], "--bpm"),
        (["{inputs}/song.wav", "--bpm", "nan"], "--bpm"),
        (["{inputs}/song.wav", "--bpm", "-120"], "--bpm"),
        (["{inputs}/song.wav", "--json", "{out}"], "directory"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run,
    words: list[str],
    message: str,
    inputs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("beats", *(w.format(inputs=inputs, out=tmp_path) for w in words)) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
