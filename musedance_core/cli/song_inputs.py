"""The song, sentences and beats of a dance: arguments and loading, for `animate` and `pose`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import InputError
from ..ranges import DEFAULT_FPS
from . import argtypes
from .beat_source import BeatOptions, add_beat_source, describe_confidence, read_beat_file, track
from .command import add_audio_track

if TYPE_CHECKING:
    from ..audio.beats import BeatGrid
    from ..audio.waveform import Waveform


class SongOptions(BeatOptions, Protocol):
    """The arguments of `add_song` and its siblings; see their help."""

    @property
    def song(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def start(self) -> float: ...
    @property
    def fps(self) -> float | None: ...
    @property
    def audio_track(self) -> int | None: ...


@dataclass(frozen=True)
class SongInputs:
    """The song, its sentences with their times, and the beats of a file, or None to track them."""

    song: Waveform
    prompts: list[tuple[float, str]]
    beats: BeatGrid | None

    def tracked(self, options: SongOptions) -> BeatGrid | None:
        """The beats of the file, or those that the chosen tracker finds; None leaves it to the
        model."""
        if self.beats is None and (options.tracker or options.beat_this or options.meter):
            return track(options, self.song)
        return self.beats


def add_song(parser: argparse.ArgumentParser) -> None:
    """The song and the sentence."""
    add = parser.add_argument
    add("song", metavar="SONG", help="the song: mp3, ogg, flac, wav, m4a, or a video's sound")
    add(
        "--text",
        required=True,
        help='how to dance, such as "big hops"; or sentences with the times in the song from which '
        'they hold, such as "0:00 it sways / 0:08 big hops"; with "" the song decides. A sentence '
        "takes effect at the next segment; segments last 4 seconds",
    )


def add_song_part(parser: argparse.ArgumentParser) -> None:
    """The part of the song to dance to."""
    add = parser.add_argument
    add(
        "--seconds",
        type=argtypes.above_zero,
        metavar="S",
        help="length (default: the rest of the song)",
    )
    add(
        "--start",
        type=argtypes.not_negative,
        default=0.0,
        metavar="T",
        help="where in the song the dance starts, in seconds (default: 0)",
    )


def add_take(parser: argparse.ArgumentParser) -> None:
    """The random seed."""
    parser.add_argument(
        "--seed",
        type=argtypes.seed,
        default=0,
        metavar="N",
        help="random seed; another one gives another take of the dance (default: 0)",
    )


def add_beats(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose the source of the beats, and the sound track."""
    add_beat_source(parser)
    add_audio_track(parser)


def load_song_inputs(options: SongOptions) -> SongInputs:
    """Load and check song, sentences and beats.

    Raises:
        InputError: one of them cannot be used, or the song does not last as long as the dance.
    """
    from ..audio.beats import require_beats_in_song
    from ..audio.waveform import load_waveform, require_music
    from ..diffusion.prompts import parse_prompts, require_prompts_in_song

    prompts = parse_prompts(options.text)
    song = load_waveform(options.song, options.audio_track)
    require_music(song, options.song)
    _check_length(song.seconds, options)
    require_prompts_in_song(prompts, song.seconds, options.song)
    beats = read_beat_file(options)
    if beats is not None:
        require_beats_in_song(beats, song.seconds, options.song)
    return SongInputs(song, prompts, beats)


def beats_origin(options: SongOptions, beats: BeatGrid) -> str:
    """Tempo of the beats and where they come from, for the last line of a command."""
    tracked = "assumed: no beat was found" if beats.assumed else "tracked"
    origin = f"from {options.beats}" if options.beats else tracked + describe_confidence(beats)
    return f"tempo {beats.tempo:.1f} BPM ({origin})"


def _check_length(seconds: float, options: SongOptions) -> None:
    """Refuse a part of the song that is not there."""
    name = f"{options.song} is {seconds:.2f} s long, so --start {options.start:g}"
    rest = seconds - options.start
    if rest <= 0:
        raise InputError(f"{name} is past it.")
    if options.seconds is not None and options.seconds > rest + 0.01:
        raise InputError(f"{name} with --seconds {options.seconds:g} runs past its end.")
    # No model makes more frames a second where nobody asks for a rate.
    fps = options.fps or DEFAULT_FPS
    length = rest if options.seconds is None else options.seconds
    if round(length * fps) < 1:
        raise InputError(f"{name} leaves {length:.2g} s: less than one frame, 1/{fps:g} s.")
