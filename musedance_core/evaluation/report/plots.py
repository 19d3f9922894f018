"""Plots a clip's motion against its beats as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...metrics.motion import energy_times
from ..measure import MeasuredClip

WIDTH, HEIGHT = 640, 150
LEFT, RIGHT, TOP, BOTTOM = 8, 28, 8, 22
SAMPLE, TRUE, BEAT, GREY = "#c2410c", "#475569", "#2563eb", "#94a3b8"


class _Axes:
    """Maps seconds and energy to pixels."""

    def __init__(self, seconds: float, highest: float) -> None:
        self.seconds, self.highest = seconds, max(highest, 1e-9)

    def x(self, seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * seconds / self.seconds

    def y(self, energy: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - energy / self.highest)


def motion_plot(clip: MeasuredClip) -> str:
    """Plots motion energy of video and truth, music beats (lines) and motion beats (triangles)."""
    energies = [clip.sample.energy] + ([] if clip.truth is None else [clip.truth.energy])
    seconds = (len(clip.sample.energy) + 1) / clip.fps
    axes = _Axes(seconds, max(float(energy.max()) for energy in energies))
    parts = [_seconds(axes)]
    parts += [_line(axes.x(t), BEAT) for t in clip.beats_inside().tolist()]
    if clip.truth is not None:
        parts.append(_curve(axes, clip.truth.energy, clip.fps, TRUE, ' stroke-dasharray="4 3"'))
    parts.append(_curve(axes, clip.sample.energy, clip.fps, SAMPLE, ""))
    if clip.sample.track is not None:
        parts += [_triangle(axes.x(t), SAMPLE) for t in clip.sample.track.motion.tolist()]
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="motion energy against beats">'
        + "".join(parts)
        + "</svg>"
    )


def _seconds(axes: _Axes) -> str:
    """Draws the time axis, with a tick every second or every few seconds."""
    step = max(1, round(axes.seconds / 12))
    base = HEIGHT - BOTTOM
    marks = [f'<path d="M{LEFT} {base}H{WIDTH - RIGHT}" stroke="{GREY}"/>']
    for second in range(0, int(axes.seconds) + 1, step):
        x = axes.x(second)
        marks.append(f'<path d="M{x:.1f} {base}v4" stroke="{GREY}"/>')
        marks.append(f'<text x="{x + 2:.1f}" y="{HEIGHT - 6}">{second} s</text>')
    return "".join(marks)


def _line(x: float, colour: str) -> str:
    path = f"M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"
    return f'<path class="beat" d="{path}" stroke="{colour}" opacity="0.55"/>'


def _triangle(x: float, colour: str) -> str:
    base = HEIGHT - BOTTOM
    corners = f"{x:.1f},{base - 9} {x - 4:.1f},{base} {x + 4:.1f},{base}"
    return f'<polygon class="rest" points="{corners}" fill="{colour}"/>'


def _curve(axes: _Axes, energy: np.ndarray, fps: float, colour: str, more: str) -> str:
    places: Sequence[float] = energy_times(energy, fps).tolist()
    points = [
        f"{axes.x(t):.1f},{axes.y(e):.1f}" for t, e in zip(places, energy.tolist(), strict=True)
    ]
    return (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" '
        f'stroke-width="1.6"{more}/>'
    )
