"""The part of a song that is danced to, with its sentences and beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..audio.beat_files import Beats, as_beats
from ..audio.beats import BeatGrid, require_beats_in_song
from ..audio.waveform import Waveform, as_song
from ..errors import InputError
from .prompts import Prompts, as_prompts, require_prompts_in_song


@dataclass(frozen=True)
class SongPart:
    """Part of a song.

    Attributes:
        song: the whole song.
        frames: length of the part in frames.
        prompts: seconds of the song, rising, and the sentence from then on.
        beats: beats of the song; None where they are to be tracked.
    """

    song: Waveform
    frames: int
    prompts: Sequence[tuple[float, str]]
    beats: BeatGrid | None


def load_song_part(
    song: str | Path | Waveform,
    text: Prompts,
    beats: Beats | None,
    start: float,
    seconds: float | None,
    fps: float,
) -> SongPart:
    """`seconds` of a song from `start` on, or the rest of it, loaded and checked.

    Raises:
        InputError: song, sentences or beats cannot be used, or the song does not last that long.
    """
    wave, name = as_song(song)
    frames = count_frames(wave, name, start, seconds, fps)
    grid = None if beats is None else as_beats(beats)
    if grid is not None:
        require_beats_in_song(grid, wave.seconds, name)
    prompts = as_prompts(text)
    require_prompts_in_song(prompts, wave.seconds, name)
    return SongPart(wave, frames, prompts, grid)


def count_frames(wave: Waveform, name: str, start: float, seconds: float | None, fps: float) -> int:
    """Frames of a video of `seconds`, or of the rest of the song, from `start` on.

    Raises:
        InputError: the song does not last that long, or that is not one frame.
    """
    rest = wave.seconds - start
    if not 0 <= start < wave.seconds:
        raise InputError(f"{name} is {wave.seconds:.2f} s long: start {start:g} is not in it.")
    if seconds is not None and not seconds <= rest + 0.01:
        raise InputError(
            f"{name} is {wave.seconds:.2f} s long: {seconds:g} s from {start:g} s on run past its "
            f"end."
        )
    length = rest if seconds is None else seconds
    frames = round(length * fps)
    if frames < 1:
        raise InputError(f"The video must last at least one frame, 1/{fps:g} s, not {length:g} s.")
    return frames
