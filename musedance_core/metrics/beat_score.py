"""Beat-sync score of one video, and a plot of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from torch import Tensor

from ..audio.beats import BeatGrid
from ..errors import InputError
from .beat_alignment import BeatTrack, beat_alignment, chance_level
from .motion import energy_times, motion_beats, motion_energy, visible_window

WIDTH, HEIGHT, MARGIN = 720, 180, 18
PAPER, CURVE, REST, BEAT, TEXT = "#ffffff", "#c2410c", "#c2410c", "#2563eb", "#475569"
FEWEST_FRAMES = 6
"""Shortest video that can be scored."""


@dataclass(frozen=True)
class BeatScore:
    """`score` and `chance` in 0..1 with the signals behind them.

    energy: motion energy `[f-1]`. motion_beats, beats: beats of motion and music, in seconds from
    the first frame.
    """

    score: float
    chance: float
    energy: np.ndarray
    motion_beats: np.ndarray
    beats: np.ndarray
    fps: float


def beat_score(frames: Tensor, fps: float, grid: BeatGrid, start: float) -> BeatScore:
    """Scores `frames [f c h w]` in 0..1 that start `start` seconds into the song: grey, RGB or
    straight RGBA, in which colours count as far as they are seen.

    `score` is the harmonic mean of the alignment in both directions; `chance` is the average score
    of the same motion shifted in time.

    Raises:
        InputError: too few frames, or no beat in their duration.
    """
    if len(frames) < FEWEST_FRAMES:
        raise InputError(f"A score needs at least {FEWEST_FRAMES} frames, got {len(frames)}.")
    energy = motion_energy(frames)
    track = BeatTrack(
        motion_beats(energy, fps), grid.times - start, visible_window(len(frames), fps)
    )
    aligned, chance = beat_alignment(track), chance_level(track)
    if aligned is None or chance is None:
        seconds = len(frames) / fps
        raise InputError(f"The song has no beat in the {seconds:.2f} s from {start:.2f} s on.")
    inside = (track.music >= 0) & (track.music <= len(frames) / fps)
    return BeatScore(aligned.harmonic_mean, chance, energy, track.motion, track.music[inside], fps)


def draw_score(result: BeatScore) -> Image.Image:
    """Plots the motion energy with its beats (dots), the music's beats (lines) and both scores."""
    plot = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(plot)
    seconds = (len(result.energy) + 1) / result.fps
    high = max(float(result.energy.max()), 1e-9)

    def x(t: float) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * t / seconds

    def y(energy: float) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * energy / high

    for beat in result.beats.tolist():
        draw.line((x(beat), MARGIN, x(beat), HEIGHT - MARGIN), fill=BEAT)
    times = energy_times(result.energy, result.fps)
    curve = [(x(t), y(e)) for t, e in zip(times.tolist(), result.energy.tolist(), strict=True)]
    draw.line(curve, fill=CURVE, width=2)
    for moment in result.motion_beats.tolist():
        at = x(moment), y(float(np.interp(moment, times, result.energy)))
        draw.ellipse((at[0] - 3, at[1] - 3, at[0] + 3, at[1] + 3), fill=REST)
    text = f"on the beat {result.score:.2f}, by chance {result.chance:.2f}"
    draw.text((MARGIN, 3), text, fill=TEXT)
    return plot
