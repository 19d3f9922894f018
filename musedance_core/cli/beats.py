"""`musedance beats`: the tempo and the beats of a song."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from . import argtypes
from .command import Command, add_audio_track, add_beat_tracker, fill
from .targets import check_target

if TYPE_CHECKING:
    from ..audio.beats import BeatGrid
    from ..audio.waveform import Waveform

DESCRIPTION = """\
Print the tempo and the beats of SONG, in seconds from its start.

With --bpm the tempo is fixed and only the beats' positions are tracked; with --bpm and --offset
nothing is tracked, and the beats form that regular grid. --json writes a file that can be edited by
hand and passed to `musedance animate --beats`.
"""
BEATS_PER_ROW = 8


@dataclass(frozen=True)
class BeatsOptions:
    """The arguments; `offset` is the time of one beat in seconds and needs `bpm`."""

    song: str
    json: str | None
    plot: str | None
    bpm: float | None
    beat_this: str | None
    offset: float | None
    audio_track: int | None

    def __post_init__(self) -> None:
        if self.offset is not None and self.bpm is None:
            raise InputError("--offset needs --bpm: together they set every beat.")
        if self.bpm is not None and self.beat_this is not None:
            raise InputError("--beat-this finds the tempo itself; leave out --bpm.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("song", metavar="SONG", help="any audio file, or a video with sound")
    add("--json", metavar="FILE", help="write tempo, beats and downbeats there")
    add("--plot", metavar="FILE.png", help="draw the song with its beats there")
    add("--bpm", type=argtypes.tempo, metavar="B", help="the tempo, in beats per minute")
    add_beat_tracker(parser)
    add("--offset", type=argtypes.finite, metavar="O", help="one beat's time, in seconds")
    add_audio_track(parser)


def run(options: BeatsOptions) -> int:
    """Print tempo and beats; write them to --json and draw them to --plot.

    Raises:
        InputError: the song cannot be used, or a file cannot be written.
    """
    from ..audio.beat_files import write_beats
    from ..audio.waveform import load_waveform, require_music
    from ..media.beat_plot import write_beat_plot

    for target, suffix in ((options.json, ".json"), (options.plot, ".png")):
        if target is not None:
            check_target(target, (suffix,), [options.song])
    song = load_waveform(options.song, options.audio_track)
    require_music(song, options.song)
    grid = _beats(options, song)
    print(beat_table(grid))
    if options.json is not None:
        write_beats(options.json, grid)
    if options.plot is not None:
        write_beat_plot(options.plot, song, grid)
    written = [target for target in (options.json, options.plot) if target is not None]
    note = ": no beat was found, so an even grid is assumed" if grid.assumed else ""
    print(
        f"{options.song}: {song.seconds:.2f} s, tempo {grid.tempo:.1f} BPM, "
        f"{len(grid.times)} beats{note}"
        + "".join(f", written to {target}" for target in written)
        + "."
    )
    return 0


def _beats(options: BeatsOptions, song: Waveform) -> BeatGrid:
    """The regular grid of --bpm and --offset, or the beats that a tracker finds."""
    from ..audio.beat_this import track_beats_with_beat_this
    from ..audio.beats import regular_grid
    from ..audio.tracker import track_beats

    if options.bpm is not None and options.offset is not None:
        return regular_grid(options.bpm, options.offset, song.seconds)
    if options.beat_this is not None:
        return track_beats_with_beat_this(song, options.beat_this)
    return track_beats(song, options.bpm)


def beat_table(grid: BeatGrid) -> str:
    """The beats in rows of eight, downbeats marked."""
    downbeats = set(grid.downbeats.tolist())
    marks = [f"{t:9.3f}{'*' if t in downbeats else ' '}" for t in grid.times.tolist()]
    rows = [marks[i : i + BEATS_PER_ROW] for i in range(0, len(marks), BEATS_PER_ROW)]
    lines = ["".join(row).rstrip() for row in rows]
    return "\n".join(["Beats in seconds (* downbeat):", *lines])


COMMAND = Command(
    "beats",
    "print the tempo and the beats of a song",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(BeatsOptions, arguments),
    run,
)
