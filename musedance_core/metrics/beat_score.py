"""One dance's score against its beats, and a picture of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from ..audio.beats import BeatGrid
from ..errors import InputError
from .beat_alignment import BeatTrack, align, chance
from .motion import energy_times, motion_beats, motion_energy, visible_window

WIDTH, HEIGHT, MARGIN = 720, 180, 18
PAPER, CURVE, REST, BEAT, TEXT = "#ffffff", "#c2410c", "#c2410c", "#2563eb", "#475569"
FEWEST = 6
"""Frames below which there is no dance to score."""


@dataclass(frozen=True)
class BeatScore:
    """`score` and `chance` 0..1, and what they come from: motion energy `[f-1]`, the motion's rests
    and the music's beats in seconds from the first frame."""

    score: float
    chance: float
    energy: np.ndarray
    rests: np.ndarray
    beats: np.ndarray
    fps: float


def beat_score(frames: Tensor, fps: float, grid: BeatGrid, start: float) -> BeatScore:
    """Score `frames [f 3 h w]` in 0..1, the first of which is shown at `start` of the song.

    `score` is the harmonic mean of how near rests are to beats and beats to rests; `chance` is what
    the same motion scores on average, moved in time by all amounts.

    Raises:
        InputError: too few frames, or no beat while they last.
    """
    if len(frames) < FEWEST:
        raise InputError(f"A score needs {FEWEST} frames at least, got {len(frames)}.")
    energy = motion_energy(frames)
    track = BeatTrack(
        motion_beats(energy, fps), grid.times - start, visible_window(len(frames), fps)
    )
    found, luck = align(track), chance(track)
    if found is None or luck is None:
        seconds = len(frames) / fps
        raise InputError(f"No beat falls into the {seconds:.2f} s from {start:.2f} s of the song.")
    inside = (track.music >= 0) & (track.music <= len(frames) / fps)
    return BeatScore(found.both, luck, energy, track.motion, track.music[inside], fps)


def draw_score(found: BeatScore) -> Image.Image:
    """Motion energy as a curve, its rests as dots, beats as lines, and the two numbers."""
    plot = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(plot)
    seconds = (len(found.energy) + 1) / found.fps
    high = max(float(found.energy.max()), 1e-9)

    def x(t: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * t / seconds

    def y(energy: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * energy / high

    for beat in found.beats.tolist():
        draw.line((x(beat), MARGIN, x(beat), HEIGHT - MARGIN), fill=BEAT)
    times = energy_times(found.energy, found.fps)
    curve = [(x(t), y(e)) for t, e in zip(times.tolist(), found.energy.tolist(), strict=True)]
    draw.line(curve, fill=CURVE, width=2)
    for rest in found.rests.tolist():
        at = x(rest), y(float(np.interp(rest, times, found.energy)))
        draw.ellipse((at[0] - 3, at[1] - 3, at[0] + 3, at[1] + 3), fill=REST)
    said = f"on the beat {found.score:.2f}, by chance {found.chance:.2f}"
    draw.text((MARGIN, 3), said, fill=TEXT)
    return plot
