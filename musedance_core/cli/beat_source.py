"""The source of the beats, a file or a tracker: arguments and loading, for `beats`, `animate` and
`pose`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Protocol

from ..errors import InputError
from ..ranges import METER
from . import argtypes

if TYPE_CHECKING:
    from ..audio.beats import BeatGrid
    from ..audio.waveform import Waveform


class BeatOptions(Protocol):
    """The arguments of `add_beat_source`; see their help."""

    @property
    def beats(self) -> str | None: ...
    @property
    def tracker(self) -> str | None: ...
    @property
    def beat_this(self) -> str | None: ...
    @property
    def meter(self) -> int | None: ...


def add_beat_source(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the source of the beats, and their meter."""
    add = parser.add_argument
    add(
        "--beats",
        metavar="FILE",
        help="beats instead of tracked ones: .json, .csv, .beats or Audacity labels (.txt), as "
        "`musedance beats --out` writes them; times are seconds from the song's start",
    )
    add(
        "--tracker",
        type=argtypes.tracker,
        metavar="T",
        help="own, librosa or beat-this (default: own)",
    )
    add(
        "--beat-this",
        metavar="FILE",
        help="the checkpoint of --tracker beat-this, which it implies",
    )
    add(
        "--meter",
        type=argtypes.whole(*METER),
        metavar="N",
        help="beats a bar, 2 to 12 (default: those of the tracker or the file)",
    )


def require_one_source_of_beats(options: BeatOptions) -> None:
    """Raises InputError where the options contradict each other."""
    if options.beats and (options.beat_this or options.tracker):
        option = "--tracker" if options.tracker else "--beat-this"
        raise InputError(f"Beats come from --beats or from {option}, not from both.")
    if options.tracker == argtypes.BEAT_THIS and not options.beat_this:
        raise InputError(f"--tracker {options.tracker} needs its checkpoint: --beat-this FILE.")
    if options.beat_this and options.tracker not in (None, argtypes.BEAT_THIS):
        raise InputError(f"--beat-this belongs to another tracker than {options.tracker}.")


def read_beat_file(options: BeatOptions) -> BeatGrid | None:
    """The beats of --beats in the meter of --meter; None where there is no such file.

    Raises:
        InputError: the file cannot be read.
    """
    from ..audio.beat_files import read_beats

    return _in_meter(read_beats(options.beats), options) if options.beats else None


def track(options: BeatOptions, song: Waveform, bpm: float | None = None) -> BeatGrid:
    """The beats that the chosen tracker finds, in the meter of --meter.

    Raises:
        InputError: the tracker is not installed, or its checkpoint cannot be used.
    """
    from ..audio.beat_this import track_beats_with_beat_this
    from ..audio.tracker import TRACKERS, track_beats

    if options.beat_this:
        return _in_meter(track_beats_with_beat_this(song, options.beat_this), options)
    return track_beats(song, bpm, tracker=options.tracker or TRACKERS[0], meter=options.meter)


def _in_meter(grid: BeatGrid, options: BeatOptions) -> BeatGrid:
    return grid if options.meter is None else grid.in_meter(options.meter)


def describe_confidence(grid: BeatGrid) -> str:
    """The confidence of the whole song for a line of output, such as ", confidence 0.87"; empty
    where it is not known."""
    known = grid.confidence is not None and not grid.assumed
    return f", confidence {grid.song_confidence:.2f}" if known else ""
