"""Histograms as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 360, 180, 34, 34, 14
"""Pixels of the figure, and of its margins."""
MAX_BARS, MIN_BARS = 20, 8


def histogram(values: Sequence[float], title: str, unit: str, whole: bool = False) -> str:
    """A `<figure>` that shows how `values`, at least one, are distributed.

    Args:
        whole: the values are whole numbers from 0 on, so the bars span whole numbers too.
    """
    counts, edges = np.histogram(values, bins=_edges(np.asarray(values, np.float64), whole))
    width, height = WIDTH - LEFT, HEIGHT - BOTTOM - TOP
    step, base = width / len(counts), TOP + height
    bars = []
    for i, count in enumerate(counts):
        tall = height * count / counts.max()
        label = f"{_span(edges[i], edges[i + 1], whole)}: {count}"
        bars.append(
            f'<rect x="{LEFT + i * step + 0.5:.1f}" y="{TOP + height - tall:.1f}" '
            f'width="{max(step - 1, 0.5):.1f}" height="{tall:.1f}"><title>{label}</title></rect>'
        )
    labels = [
        f'<text x="{LEFT}" y="{base + 14}">{_number(edges[0], whole)}</text>',
        f'<text x="{WIDTH}" y="{base + 14}" text-anchor="end">'
        f"{_number(edges[-1] - whole, whole)}</text>",
        f'<text x="{LEFT + width / 2:.0f}" y="{base + 28}" text-anchor="middle">'
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
    """Edges of at most `MAX_BARS` bars that hold all values."""
    low, high = float(values.min()), float(values.max())
    if whole:
        width = -(-(int(high) + 1) // MAX_BARS)
        return np.arange(max(int(high) // width, MIN_BARS) + 2, dtype=np.float64) * width
    if low == high:  # a single value gets a range around it
        half = max(abs(low) * 0.05, 1e-3)
        low, high = low - half, high + half
    edges: np.ndarray = np.linspace(low, high, MAX_BARS + 1)
    return edges


def _span(begin: float, end: float, whole: bool) -> str:
    """The values of a bar: "3 to 5", or "3" where it holds one whole number."""
    first, last = _number(begin, whole), _number(end - whole, whole)
    return first if first == last else f"{first} to {last}"


def _number(value: float, whole: bool) -> str:
    return f"{value:.0f}" if whole else f"{value:.3g}"
