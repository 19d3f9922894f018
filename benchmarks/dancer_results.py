"""Figures of benchmarks/dancer.py: values of clips with mean, interval and goal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from musedance_core.files import atomic_path
from musedance_core.metrics.bootstrap import LEVELS, ROUNDS, mean_interval


@dataclass(frozen=True)
class Result:
    """A figure.

    Attributes:
        section, name: of the figure.
        values: one a clip; their mean, or their median, is reported.
        goal: the value to reach.
        truth: the same values of the true dances.
        digits: decimals.
        median: for ratios, of which few may be very large.
    """

    section: str
    name: str
    values: Sequence[float]
    goal: str = ""
    truth: Sequence[float] = ()
    digits: int = 3
    median: bool = False

    @property
    def text(self) -> str:
        """Mean or median, 95 % interval, number of clips, and the same of the truth."""
        if not len(self.values):
            return "no clip"
        parts = [with_interval(self.values, self.digits, self.median)]
        if len(self.values) > 1:
            parts.append(f"n = {len(self.values)}")
        if len(self.truth):
            parts.append(f"truth {with_interval(self.truth, self.digits, self.median)}")
        return "; ".join(parts)


def with_interval(
    values: Sequence[float] | np.ndarray, digits: int = 3, median: bool = False
) -> str:
    """Formats the mean or the median and its 95 % interval over clips, if there are several."""
    found = np.asarray(values, dtype=np.float64)
    text = f"{np.median(found) if median else np.mean(found):.{digits}f}"
    interval = _median_interval(found) if median else mean_interval(found)
    if interval is None:
        return text
    low, high = interval
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def _median_interval(values: np.ndarray) -> tuple[float, float] | None:
    """95 % bootstrap interval of the median; None for fewer than two values."""
    if len(values) < 2:
        return None
    chosen = np.random.default_rng(0).integers(len(values), size=(ROUNDS, len(values)))
    low, high = np.percentile(np.median(values[chosen], axis=1), LEVELS)
    return float(low), float(high)


def markdown(results: Sequence[Result]) -> str:
    """Returns the results as a table."""
    lines = ["| section | figure | value | goal |", "|---|---|---|---|"]
    lines += [f"| {r.section} | {r.name} | {r.text} | {r.goal} |" for r in results]
    return "\n".join(lines)


def write_results(path: Path, results: Sequence[Result], command: str) -> None:
    """Writes all values as JSON."""
    figures = [
        {
            **asdict(r),
            **{name: [float(v) for v in getattr(r, name)] for name in ("values", "truth")},
        }
        for r in results
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps({"command": command, "figures": figures}, indent=1) + "\n")
