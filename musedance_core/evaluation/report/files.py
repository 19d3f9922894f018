"""The report: results.json, results.md and index.html in one folder, each written atomically."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...files import atomic_path
from ...version import __version__
from ..measure import MeasuredClip, VideoFigures
from ..options import EvaluationOptions
from .page import page
from .summary import Row
from .tables import markdown

LIBRARIES = ("torch", "numpy", "scipy", "scikit-image", "av", "librosa")


def write_report(out: Path, rows: Sequence[Row], options: EvaluationOptions) -> None:
    """Write the three files into `out`, which exists and holds the videos."""
    text = json.dumps(results(rows, options), indent=1, ensure_ascii=False, allow_nan=False)
    _write(out / "results.json", text + "\n")
    _write(out / "results.md", markdown(rows))
    _write(out / "index.html", page(rows, options.command, __version__))


def results(rows: Sequence[Row], options: EvaluationOptions) -> dict[str, Any]:
    """Returns all results with the options and versions that reproduce them."""
    return {
        "command": options.command,
        "options": asdict(options),
        "versions": {"musedance": __version__, "python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
        "rows": [_row(row) for row in rows],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "label": row.label,
        "source": row.source,
        "notes": list(row.notes),
        "n": len(row.clips),
        "figures": {name: asdict(figure) for name, figure in row.figures.items()},
        "clips": [_clip(clip) for clip in row.clips],
    }


def _clip(clip: MeasuredClip) -> dict[str, Any]:
    return {
        "name": clip.name,
        "video": clip.video,
        "truth_video": clip.truth_video,
        "caption": clip.caption,
        "fps": clip.fps,
        "beats": clip.beats_inside().round(4).tolist(),
        "beats_from": clip.beats_from,
        "sample": _video(clip.sample),
        "truth": None if clip.truth is None else _video(clip.truth),
    }


def _video(figures: VideoFigures) -> dict[str, Any]:
    return {
        "figures": figures.values,
        "beat": figures.beat,
        "motion_energy": figures.energy.round(6).tolist(),
        "motion_beats": [] if figures.track is None else figures.track.motion.round(4).tolist(),
    }


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
