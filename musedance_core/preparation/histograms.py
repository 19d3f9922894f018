"""Histograms as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 360, 180, 34, 34, 14
BINS, FEWEST_BARS = 20, 8


def histogram(values: Sequence[float], title: str, unit: str, whole: bool = False) -> str:
    """A `<figure>` of how often each range of `values` comes; there is one value at least.

    Args:
        whole: the values are whole numbers from 0 on, so a bar holds whole numbers too.
    """
    counts, edges = np.histogram(values, bins=_edges(np.asarray(values, np.float64), whole))
    room, tall = WIDTH - LEFT, HEIGHT - BOTTOM - TOP
    step = room / len(counts)
    bars = []
    for i, count in enumerate(counts):
        height = tall * count / counts.max()
        told = f"{_span(edges[i], edges[i + 1], whole)}: {count}"
        bars.append(
            f'<rect x="{LEFT + i * step + 0.5:.1f}" y="{TOP + tall - height:.1f}" '
            f'width="{max(step - 1, 0.5):.1f}" height="{height:.1f}"><title>{told}</title></rect>'
        )
    base = TOP + tall
    labels = [
        f'<text x="{LEFT}" y="{base + 14}">{_number(edges[0], whole)}</text>',
        f'<text x="{WIDTH}" y="{base + 14}" text-anchor="end">'
        f"{_number(edges[-1] - whole, whole)}</text>",
        f'<text x="{LEFT + room / 2:.0f}" y="{base + 28}" text-anchor="middle">'
        f"{escape(unit)}</text>",
        f'<text x="{LEFT - 4}" y="{TOP + 8}" text-anchor="end">{counts.max()}</text>',
        f'<text x="{LEFT - 4}" y="{base}" text-anchor="end">0</text>',
        f'<line x1="{LEFT}" y1="{base}" x2="{WIDTH}" y2="{base}"/>',
    ]
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>"
        f'<svg role="img" aria-label="{escape(title)}" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(bars + labels)}</svg></figure>\n'
    )


def _edges(values: np.ndarray, whole: bool) -> np.ndarray:
    """Borders of at most `BINS` bars that hold all values."""
    low, high = float(values.min()), float(values.max())
    if whole:
        width = -(-(int(high) + 1) // BINS)
        return np.arange(max(int(high) // width, FEWEST_BARS) + 2, dtype=np.float64) * width
    if low == high:
        half = max(abs(low) * 0.05, 1e-3)
        low, high = low - half, high + half
    edges: np.ndarray = np.linspace(low, high, BINS + 1)
    return edges


def _span(begin: float, end: float, whole: bool) -> str:
    first, last = _number(begin, whole), _number(end - whole, whole)
    return first if first == last else f"{first} to {last}"


def _number(value: float, whole: bool) -> str:
    return f"{value:.0f}" if whole else f"{value:.3g}"
