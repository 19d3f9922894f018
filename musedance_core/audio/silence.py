"""Silence in a song, and the parts of it without beats, in which a dancer rests."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import inf

import numpy as np
from torch import Tensor

from .beats import BeatGrid
from .mel import FLOOR, HOP_SECONDS, RATE, WINDOW

Interval = tuple[float, float]
"""Begin and end in seconds of the song; infinite where silence reaches an end of the song."""


@dataclass(frozen=True)
class SilenceLimits:
    """Limits of silence."""

    below: float = 50.0
    """Decibels below the song's mean power from which sound counts as silence."""
    shortest: float = 2.0
    """Seconds that a silence lasts at least: shorter ones are pauses of the music."""
    beats: float = 2.0
    """Beats, in the tempo of the song, that are missing at least where a dancer rests."""
    edge: float = 0.07
    """Seconds at both ends of a silence in which a beat may belong to the sound beside it."""


LIMITS = SilenceLimits()


def find_silences(mel: Tensor) -> list[Interval]:
    """Silences of a song, rising.

    Args:
        mel: log-mel `[t mel]` of the whole song (`mel.song_log_mel`).
    """
    # Digital silence has the power 0, in however many bands it is at the floor.
    power = (mel.double().exp() - FLOOR).clamp_min(0).sum(dim=-1).numpy()
    silent = power <= power.mean() * 10 ** (-LIMITS.below / 10)
    changes = np.flatnonzero(np.diff(silent, prepend=False, append=False))
    silences = []
    for first, stop in zip(changes[::2], changes[1::2], strict=True):
        # Each window that is silent is so over its whole length.
        begin, end = float(first * HOP_SECONDS), float((stop - 1) * HOP_SECONDS + WINDOW / RATE)
        if end - begin >= LIMITS.shortest:
            silences.append((-inf if first == 0 else begin, inf if stop == len(power) else end))
    return silences


def find_rests(mel: Tensor, grid: BeatGrid) -> list[Interval]:
    """Silences of a song, or parts of them, in which no beat is set: beats that a person has set in
    silence are danced.

    Args:
        mel: log-mel `[t mel]` of the whole song.
        grid: its beats.
    """
    seconds = len(mel) * HOP_SECONDS
    shortest = max(LIMITS.shortest, LIMITS.beats * 60 / grid.tempo)
    rests = []
    for begin, end in find_silences(mel):
        inside = grid.times[(grid.times > begin) & (grid.times < end)]
        for a, b in pairwise([begin, *inside.tolist(), end]):
            if min(b, seconds) - max(a, 0.0) >= shortest:
                rests.append((a, b))
    return rests


def in_sound(times: np.ndarray, mel: Tensor) -> np.ndarray:
    """True for the `times [n]` in seconds that are in no silence of the song with the log-mel
    `mel [t mel]`."""
    result = np.ones(len(times), dtype=bool)
    for begin, end in find_silences(mel):
        result &= ~((times > begin + LIMITS.edge) & (times < end - LIMITS.edge))
    return result
