"""`musedance beats`: the tempo and the beats of a song."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from . import argtypes
from .beat_source import (
    add_beat_source,
    describe_confidence,
    read_beat_file,
    require_one_source_of_beats,
    track,
)
from .command import Command, add_audio_track, fill
from .targets import check_target

if TYPE_CHECKING:
    from ..audio.beats import BeatGrid
    from ..audio.waveform import Waveform

DESCRIPTION = """\
Print the tempo and the beats of SONG, in seconds from its start.

With --bpm the beats are tracked at about that tempo; with --bpm and --offset nothing is tracked,
and the beats form that regular grid. --out writes a file that can be edited by
hand or in Audacity, and passed to `musedance animate --beats`. With --beats FILE the beats come
from there instead, which converts them from one format to another; then SONG may be left out.
"""
BEATS_PER_ROW = 8


@dataclass(frozen=True)
class BeatsOptions:
    """The arguments; `offset` is the time of one beat in seconds and needs `bpm`."""

    song: str | None
    out: list[str]
    json: str | None
    plot: str | None
    bpm: float | None
    offset: float | None
    beats: str | None
    tracker: str | None
    beat_this: str | None
    meter: int | None
    audio_track: int | None

    def __post_init__(self) -> None:
        require_one_source_of_beats(self)
        if self.song is None and self.beats is None:
            raise InputError("There are no beats: name a SONG, or a file of them with --beats.")
        if self.song is None and self.plot is not None:
            raise InputError("--plot draws the song with its beats: name the SONG.")
        if self.offset is not None and self.bpm is None:
            raise InputError("--offset needs --bpm: together they set every beat.")
        if self.bpm is not None and self.beats is not None:
            raise InputError("The beats of --beats have their own tempo; leave out --bpm.")
        if self.bpm is not None and self.beat_this is not None:
            raise InputError("--beat-this finds the tempo itself; leave out --bpm.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("song", nargs="?", metavar="SONG", help="any audio file, or a video with sound")
    add(
        "--out",
        action="append",
        default=[],
        metavar="FILE",
        help="write the beats there: .json, .csv, .beats, or Audacity labels (.txt); may be given "
        "several times",
    )
    add("--json", metavar="FILE", help="the same as --out FILE.json")
    add("--plot", metavar="FILE.png", help="draw the song with its beats there")
    add("--bpm", type=argtypes.tempo, metavar="B", help="the tempo, in beats per minute")
    add("--offset", type=argtypes.finite, metavar="O", help="one beat's time, in seconds")
    add_beat_source(parser)
    add_audio_track(parser)


def run(options: BeatsOptions) -> int:
    """Print tempo and beats; write them to --out and --json and draw them to --plot.

    Raises:
        InputError: song or beats cannot be used, or a file cannot be written.
    """
    from ..audio.beat_files import write_beats
    from ..media.beat_plot import write_beat_plot

    files, drawings = _targets(options)
    song = _load_song(options)
    grid = _beats(options, song)
    print(beat_table(grid))
    for file in files:
        write_beats(file, grid)
    for drawing in drawings:
        assert song is not None
        write_beat_plot(drawing, song, grid)
    print(_summary(options, song, grid, [*files, *drawings]))
    return 0


def _targets(options: BeatsOptions) -> tuple[list[str], list[str]]:
    """Files of beats and pictures to write, checked.

    Raises:
        InputError: one could only fail later, or would overwrite an input or another one.
    """
    from ..audio.beat_files import SUFFIXES

    given = [(file, SUFFIXES) for file in options.out]
    given += [(file, (".json",)) for file in [options.json] if file is not None]
    drawings = [file for file in [options.plot] if file is not None]
    inputs = [options.song, options.beats, options.beat_this]
    for file, suffixes in [*given, *((drawing, (".png",)) for drawing in drawings)]:
        check_target(file, suffixes, inputs)
    files = [file for file, _ in given]
    for i, file in enumerate(files):
        if os.path.realpath(file) in map(os.path.realpath, files[:i]):
            raise InputError(f"{file} is named twice as a file to write.")
    return files, drawings


def _load_song(options: BeatsOptions) -> Waveform | None:
    from ..audio.waveform import load_waveform, require_music

    if options.song is None:
        return None
    song = load_waveform(options.song, options.audio_track)
    require_music(song, options.song)
    return song


def _beats(options: BeatsOptions, song: Waveform | None) -> BeatGrid:
    """The beats of a file, the grid of --bpm and --offset, or those that a tracker finds."""
    from ..audio.beats import BEATS_PER_BAR, regular_grid, require_beats_in_song

    grid = read_beat_file(options)
    if grid is not None:
        if song is not None:
            require_beats_in_song(grid, song.seconds, str(options.song))
        return grid
    assert song is not None
    if options.bpm is not None and options.offset is not None:
        meter = options.meter or BEATS_PER_BAR
        return regular_grid(options.bpm, options.offset, song.seconds, meter)
    return track(options, song, options.bpm)


def _summary(
    options: BeatsOptions, song: Waveform | None, grid: BeatGrid, written: list[str]
) -> str:
    """The last line: tempo, number and confidence of the beats, and the files written."""
    length = "" if song is None else f"{song.seconds:.2f} s, "
    doubtful = int(grid.is_doubtful().sum())
    note = f", {doubtful} of them doubtful" if doubtful else ""
    note += describe_confidence(grid)
    if grid.assumed:
        note = ": no beat was found, so an even grid is assumed"
    return (
        f"{options.song or options.beats}: {length}tempo {grid.tempo:.1f} BPM, "
        f"{len(grid.times)} beats{note}" + "".join(f", written to {file}" for file in written) + "."
    )


def beat_table(grid: BeatGrid) -> str:
    """The beats in rows of eight, downbeats and doubtful ones marked."""
    doubtful = grid.is_doubtful()
    beats = zip(grid.times.tolist(), grid.is_downbeat(), doubtful, strict=True)
    marks = [f"{t:9.3f}{('*' if down else '') + ('?' if d else ''):<2}" for t, down, d in beats]
    rows = [marks[i : i + BEATS_PER_ROW] for i in range(0, len(marks), BEATS_PER_ROW)]
    lines = ["".join(row).rstrip() for row in rows]
    legend = "* downbeat, ? doubtful" if doubtful.any() else "* downbeat"
    return "\n".join([f"Beats in seconds ({legend}):", *lines])


COMMAND = Command(
    "beats",
    "print the tempo and the beats of a song",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(BeatsOptions, arguments),
    run,
)
