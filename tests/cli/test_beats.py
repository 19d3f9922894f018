"""`musedance beats`: the printed table, the files, and bad inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from musedance_core.audio.beat_files import SUFFIXES, read_beats, write_beats
from musedance_core.audio.beats import regular_grid

Run = Callable[..., int]


def test_beats_are_tracked_and_written(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "beats.json"
    plot = tmp_path / "beats.png"
    words = ["--bpm", "120", "--tracker", "librosa", "--json", path, "--plot", plot]
    assert run("beats", inputs / "song.wav", *words) == 0
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
    path, librosa = tmp_path / "beats.json", ["--tracker", "librosa"]
    assert run("beats", inputs / "song.wav", *librosa, "--json", path) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert "no beat was found" in last and "an even grid is assumed" in last
    assert json.loads(path.read_text())["assumed"] is True
    words = [inputs / "sticker.png", inputs / "song.wav", "--text", "hop", "--steps", "1"]
    words += ["--seconds", "0.5", "--checkpoint", written, "--out", tmp_path / "a.gif"]
    assert run("animate", *words, *librosa) == 0
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
        (["{inputs}/song.wav", "--out", "{out}/beats.xml"], "must end in .json or .txt or .beats"),
        (["{inputs}/song.wav", "--json", "{out}/beats.txt"], "must end in .json"),
        (["{inputs}/song.wav", "--out", "{out}/a.csv", "--out", "{out}/a.csv"], "named twice"),
        (
            ["{inputs}/song.wav", "--meter", "13"],
            "--meter: '13' is not a whole number within 2..12",
        ),
        (["{inputs}/song.wav", "--tracker", "ears"], "--tracker: 'ears' is none of"),
        (["{inputs}/song.wav", "--tracker", "beat-this"], "needs its checkpoint"),
        (["{inputs}/song.wav", "--tracker", "librosa", "--beat-this", "a.ckpt"], "another tracker"),
        (["{inputs}/song.wav", "--beat-this", "a.ckpt"], "a.ckpt"),
        (["{inputs}/song.wav", "--beats", "{inputs}/words.json"], "words.json"),
        (["{inputs}/song.wav", "--beats", "{inputs}/late.json"], "60 to 61 s"),
        (["{inputs}/song.wav", "--beats", "a.json", "--tracker", "librosa"], "not from both"),
        (["{inputs}/song.wav", "--beats", "a.json", "--bpm", "90"], "leave out --bpm"),
        (["--beats", "{inputs}/late.json", "--plot", "{out}/a.png"], "name the SONG"),
        (["--json", "{out}/a.json"], "name a SONG"),
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


def test_beats_are_written_in_several_formats_at_once(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = ["--bpm", "90", "--offset", "0.3", "--meter", "3"]
    targets = [tmp_path / f"beats{suffix}" for suffix in SUFFIXES]
    words = [word for target in targets for word in ("--out", target)]
    assert run("beats", inputs / "song.wav", *grid, *words) == 0
    assert f"written to {targets[0]}, written to {targets[1]}" in capsys.readouterr().out
    for target in targets:
        beats = read_beats(target)
        assert np.allclose(beats.times, 0.3 + np.arange(9) * 60 / 90, atol=1e-4)
        assert beats.bar_numbers().tolist() == [1, 2, 3] * 3


def test_a_file_is_converted_without_its_song(
    run: Run, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "a.beats", tmp_path / "b.txt"
    source.write_text("0.5 2\n1.0 1\n1.5 2\n2.0 1\n2.5 2\n")
    assert run("beats", "--beats", source, "--out", target) == 0
    assert "a.beats: tempo 120.0 BPM, 5 beats, written to" in capsys.readouterr().out
    assert target.read_text().splitlines()[1] == "1.0000\t1.0000\t1"
    assert run("beats", inputs / "song.wav", "--beats", source, "--out", target) == 0
    assert run("beats", "--beats", source, "--meter", "3", "--out", target) == 0
    assert read_beats(target).bar_numbers().tolist() == [3, 1, 2, 3, 1]
    capsys.readouterr()
    assert run("beats", "--beats", source, "--out", source) == 2
    assert "would overwrite" in capsys.readouterr().err


def test_doubt_is_printed(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "a.csv"
    source.write_text("time,beat,confidence\n0.5,1,0.2\n1.0,2,0.9\n1.5,1,0.8\n2,2,0.4\n")
    assert run("beats", "--beats", source) == 0
    printed = capsys.readouterr().out
    assert "(* downbeat, ? doubtful):" in printed
    assert "0.500*?" in printed and "1.000  " in printed and "2.000?" in printed
    assert "4 beats, 2 of them doubtful, confidence 0.58." in printed


@pytest.mark.parametrize("command", ["beats", "animate", "pose"])
def test_tracker_and_meter_are_the_same_options_everywhere(
    command: str, run: Run, inputs: Path, written: Path, tmp_path: Path
) -> None:
    song, out = inputs / "song.wav", tmp_path / "out.json"
    words = {
        "beats": ["beats", song],
        "animate": ["animate", inputs / "sticker.png", song, "--out", tmp_path / "a.gif"],
        "pose": ["pose", song, "--json", out],
    }[command]
    if command != "beats":
        words += ["--text", "hop", "--seconds", "0.5", "--checkpoint", written]
    assert run(*words, "--tracker", "librosa", "--meter", "3") == 0
    assert run(*words, "--tracker", "beat-this") == 2
    assert run(*words, "--meter", "1") == 2


def test_a_dance_follows_beats_of_any_format(
    run: Run, inputs: Path, written: Path, tmp_path: Path
) -> None:
    dances = []
    for suffix in SUFFIXES:
        beats, out = tmp_path / f"beats{suffix}", tmp_path / f"dance{suffix}.json"
        write_beats(beats, regular_grid(100, 0.1, 6.0))
        words = [inputs / "song.wav", "--text", "hop", "--seconds", "0.5", "--checkpoint", written]
        assert run("pose", *words, "--beats", beats, "--json", out) == 0
        dances.append(out.read_text())
    assert len(set(dances)) == 1
