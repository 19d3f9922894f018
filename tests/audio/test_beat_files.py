"""Files of beats: four formats that hold the same grid, and files of other programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from musedance_core.audio.beat_files import SUFFIXES, as_beats, read_beats, write_beats
from musedance_core.audio.beats import BeatGrid, assumed_grid
from musedance_core.errors import InputError

UNEVEN = BeatGrid(np.array([0.5, 1.0, 1.75, 2.25]), np.array([0.5]), 100.0)
WALTZ = BeatGrid(
    *(0.25 + 0.6 * np.arange(8), 0.25 + 0.6 * np.arange(2, 8, 3), 100.0),
    confidence=np.array([0.9, 0.1, 1.0, 0.0, 0.51, 0.8, 0.8, 0.7]),
)


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    path.write_text(json.dumps({"title": "さくら", "beats": [0, 1, 2]}), encoding="utf-8-sig")
    assert read_beats(path).times.tolist() == [0, 1, 2]


def test_files_come_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    write_beats(path, UNEVEN)
    assert set(json.loads(path.read_text())) == {"tempo", "beats", "downbeats"}
    back = read_beats(path)
    assert np.array_equal(back.times, UNEVEN.times) and back.tempo == UNEVEN.tempo
    assert np.array_equal(back.downbeats, UNEVEN.downbeats)


def test_a_bare_list_of_beats_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    for text in ('{"beats": [0, 0.5, 1, 1.5, 2]}', "[0, 0.5, 1, 1.5, 2]"):
        path.write_text(text)
        grid = read_beats(path)
        assert grid.tempo == 120 and grid.downbeats.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("no json", "JSON"),
        ('"beats"', "JSON"),
        ('{"beats": "often"}', "JSON"),
        ('{"beats": [[1, 2], [3, 4]]}', "4 beats"),
        ('{"beats": 1}', "JSON"),
        ('{"beats": [1]}', "two are needed"),
        ('{"beats": [0, 2, 1]}', "2.0 comes before 1.0"),
        ('{"beats": [0, NaN, 1]}', "not a finite"),
        ('{"beats": [0, 1], "tempo": Infinity}', "not a finite"),
        ('{"beats": [0, 1], "downbeats": [NaN]}', "not a finite"),
        ('{"beats": [0, 1], "downbeats": [[0, 1]]}', '"downbeats" must be a list'),
        ('{"beats": [0, 1], "tempo": -90}', "positive, got -90"),
        ('{"beats": [0, 1e7]}', "1e[+]07 s is outside"),
        pytest.param('{"beats": [0, 1' + 400 * "0" + "]}", "JSON", id="huge"),
        pytest.param(100_000 * "[", "JSON", id="nested"),
    ],
)
def test_bad_files_raise_one_sentence(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "beats.json"
    path.write_text(text)
    with pytest.raises(InputError, match=word) as error:
        read_beats(path)
    assert str(path) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.json"):
        read_beats(tmp_path / "nowhere.json")


def test_beats_from_a_file_are_never_assumed(tmp_path: Path) -> None:
    path = tmp_path / "beats.json"
    write_beats(path, assumed_grid(4.0, 90.0))
    grid = read_beats(path)
    assert grid.tempo == 90 and not grid.assumed


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("grid", [UNEVEN, WALTZ, BeatGrid(UNEVEN.times, np.array([]), 96.0)])
def test_every_format_holds_the_beats_and_their_bars(
    suffix: str, grid: BeatGrid, tmp_path: Path
) -> None:
    path = tmp_path / f"beats{suffix.upper()}"
    write_beats(path, grid)
    back = read_beats(path)
    assert np.allclose(back.times, grid.times, atol=1e-4)
    assert np.allclose(back.downbeats, grid.downbeats, atol=1e-4)
    assert back.bar_numbers().tolist() == grid.bar_numbers().tolist()
    if suffix not in (".json", ".csv") or grid.confidence is None:
        assert back.confidence is None
    else:
        assert back.confidence is not None
        assert np.allclose(back.confidence, grid.confidence, atol=1e-4)
        assert back.song_confidence == pytest.approx(grid.song_confidence, abs=1e-4)


def test_the_formats_are_those_of_other_programs(tmp_path: Path) -> None:
    texts = {}
    for suffix in SUFFIXES:
        write_beats(tmp_path / f"beats{suffix}", WALTZ)
        texts[suffix] = (tmp_path / f"beats{suffix}").read_text().splitlines()
    assert texts[".txt"][1:3] == ["0.8500\t0.8500\t3", "1.4500\t1.4500\t1"]
    assert texts[".beats"][1:3] == ["0.8500\t3", "1.4500\t1"]
    assert texts[".csv"][:3] == ["time,beat,confidence", "0.2500,2,0.9000", "0.8500,3,0.1000"]
    data = json.loads("\n".join(texts[".json"]))
    assert data["confidence"] == pytest.approx(WALTZ.confidence) and "assumed" not in data
    assert data["song_confidence"] == pytest.approx(WALTZ.song_confidence, abs=1e-4)


def test_only_json_of_an_assumed_grid_says_so(tmp_path: Path) -> None:
    write_beats(tmp_path / "beats.json", assumed_grid(4.0))
    data = json.loads((tmp_path / "beats.json").read_text())
    assert data["assumed"] is True and data["song_confidence"] == 0 and "confidence" not in data


GOOD = {
    "Audacity with regions and a frequency": (
        *(".txt", "0.5\t0.7\t1\n\\\t100.0\t200.0\n1.0\t1.0\t2\n1.5\t1.5\tchorus\n"),
        *([0.5, 1.0, 1.5], [0.5]),
    ),
    "labels without numbers": (
        *(".txt", "0.5\t0.5\t\n1\t1\ta\n1.5\t1.5\n2\t2\tb c\n2.5\t2.5\td\n"),
        *([0.5, 1, 1.5, 2, 2.5], [0.5, 2.5]),
    ),
    "labels with spaces": (".txt", "0.5 0.5 1\n1.0 1.0 2 and\n", [0.5, 1.0], [0.5]),
    "bare times": (".txt", "0.5\n1\n", [0.5, 1], [0.5]),
    "a data set": (".beats", "0.50 4\n1.00 1.0\n1.50 2\n", [0.5, 1, 1.5], [1.0]),
    "times alone": (".beats", "0.5\n1\n1.5\n2\n2.5", [0.5, 1, 1.5, 2, 2.5], [0.5, 2.5]),
    "unknown numbers": (".beats", "0.5\t0\n1\t0\n", [0.5, 1], [0.5]),
    "decimal commas": (".beats", "0,5\t2\n1,25\t1\n", [0.5, 1.25], [1.25]),
    "line ends of Windows": (".beats", "\ufeff0.5\t1\r\n1\t2\r\n", [0.5, 1], [0.5]),
    "line ends of old": (".beats", "0.5\t1\r1\t2\r", [0.5, 1], [0.5]),
    "comments": (".beats", "# beats\n\n0.5 1\n  # more\n \t\n1 2\n", [0.5, 1], [0.5]),
    "before the song": (".beats", "-0.5 1\n1e0 2\n", [-0.5, 1], [-0.5]),
    "a spreadsheet": (*(".csv", "Beat;Time;Note\n1;0,5;a\n2;1,0;\n", [0.5, 1.0], [0.5]),),
    "quotes": (".csv", '"time","beat"\n"0,5","3"\n"1,0","1"\n', [0.5, 1.0], [1.0]),
    "no header": (".csv", "0.5,1\n1.0,2\n", [0.5, 1.0], [0.5]),
    "tabs": (".csv", "time\tbeat\n0.5\t1\n1.0\t2\n", [0.5, 1.0], [0.5]),
}


@pytest.mark.parametrize("name", GOOD)
def test_files_of_other_programs_are_read(name: str, tmp_path: Path) -> None:
    suffix, text, times, downbeats = GOOD[name]
    path = tmp_path / f"beats{suffix}"
    path.write_text(text, newline="")
    grid = read_beats(path)
    assert grid.times.tolist() == times and grid.downbeats.tolist() == downbeats


def test_text_of_windows_in_utf_16_is_read(tmp_path: Path) -> None:
    path = tmp_path / "beats.txt"
    path.write_text("0.5\t0.5\t1\n1.0\t1.0\tさくら\n", encoding="utf-16")
    assert read_beats(path).times.tolist() == [0.5, 1.0]


def test_a_beat_without_a_confidence_between_others_is_certain(tmp_path: Path) -> None:
    path = tmp_path / "beats.csv"
    path.write_text("time,beat,confidence\n0.5,1,0.25\n1.0,2,\n")
    confidence = read_beats(path).confidence
    assert confidence is not None and confidence.tolist() == [0.25, 1.0]


BAD = {
    "one": (".txt", "0.5\t0.5\t1\n", "holds 1 beats"),
    "empty": (".beats", "", "holds 0 beats"),
    "a word": (".beats", "0.5 1\n\nhalf 2\n", "line 3: 'half' is not a finite number of seconds"),
    "not finite": (".beats", "0.5 1\nnan 2\n", "line 2: 'nan'"),
    "huge": (".beats", "0.5 1\n1e999 2\n", "line 2: '1e999'"),
    "two points": (".beats", "0.5 1\n1.0.0 2\n", "line 2: '1.0.0'"),
    "no order": (".beats", "0.5 1\n# x\n2 2\n1 3\n", "line 4: beats must rise, but 2.0 comes"),
    "twice": (".txt", "0.5\t0.5\t1\n0.5\t0.5\t2\n", "line 2: beats must rise"),
    "too close": (
        ".txt",
        "0.5\t0.5\t1\n0.5004\t0.5004\t2\n",
        "line 2: beats at 0.5 and 0.5004 s are one",
    ),
    "JSON, too close": (".json", "[0, 1e-320]", "are one and the same"),
    "milliseconds": (".beats", "500 1\n1e9 2\n", "line 2: a beat at 1e[+]09 s is outside"),
    "half a number": (".beats", "0.5 1.5\n1 2\n", "line 1: '1.5' is not a beat's number"),
    "negative number": (".csv", "0.5,-1\n1,2\n", "line 1: '-1' is not a beat's number"),
    "three columns": (".beats", "0.5 1 2\n1 2 3\n", "line 1 must hold a time and a number"),
    "numbers for ends": (".txt", "0.5 1\n1.5 2\n3.5 3\n", r"line 3: .* read from .beats files"),
    "no time": (".csv", "at,beat\n0.5,1\n", 'line 1: the header has no column "time"'),
    "decimal commas": (".csv", "time,beat\n0,5,1\n", "line 2 has 3 values, but there are 2"),
    "no value": (".csv", "beat,time\n1\n", "line 2: '' is not a finite number of seconds"),
    "sure": (".csv", "0.5,1,0.2\n1,2,93%\n", "line 2: '93%' is not a confidence within 0..1"),
    "too sure": (".csv", "0.5,1,0.2\n1,2,1.5\n", "line 2: '1.5' is not a confidence within 0..1"),
    "a NUL": (".csv", "0.5,1\n\0,2\n", "line 2"),
    "JSON, too sure": (".json", '{"beats": [0, 1], "confidence": [1, 2]}', "0..1, not 2"),
    "JSON, few": (".json", '{"beats": [0, 1], "confidence": [1]}', "each of the 2 beats"),
    "JSON, unsure": (".json", '{"beats": [0, 1], "confidence": [1, NaN]}', "0..1, not nan"),
    "JSON, a word": (".json", '{"beats": [0, 1, "three"]}', 'seconds, not "three"'),
    "JSON, a gap": (".json", "[0, 1, null]", "seconds, not null"),
    "another suffix": (".lab", "0.5 1\n1 2\n", ".json, .txt, .beats, .csv, unlike"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named_with_line_and_value(name: str, tmp_path: Path) -> None:
    suffix, text, word = BAD[name]
    path = tmp_path / f"beats{suffix}"
    path.write_text(text)
    with pytest.raises(InputError, match=word) as error:
        read_beats(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"beats{suffix}"
        path.write_bytes(b"0.5\t\xff\xfe\x00\x81\n")
        with pytest.raises(InputError, match="not text in UTF-8"):
            read_beats(path)


def test_files_of_another_suffix_are_not_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unlike .*beats\.xml"):
        write_beats(tmp_path / "beats.xml", UNEVEN)
    assert not list(tmp_path.iterdir())


def test_beats_have_three_forms(tmp_path: Path) -> None:
    write_beats(tmp_path / "beats.csv", UNEVEN)
    assert as_beats(UNEVEN) is UNEVEN
    for beats in (tmp_path / "beats.csv", str(tmp_path / "beats.csv"), UNEVEN.times.tolist()):
        assert np.array_equal(as_beats(beats).times, UNEVEN.times)
