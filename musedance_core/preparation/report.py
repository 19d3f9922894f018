"""Report on a data set, `report.html`: its counts, distributions and clips, and unused input.

The page needs no other file: figures are SVG inside it, pictures are JPEG inside it.
"""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from html import escape
from io import BytesIO
from pathlib import Path

import numpy as np
from einops import rearrange
from PIL import Image

from ..dataset.format import SPLITS, ClipRecord
from ..dataset.reading import read_frames
from ..files import atomic_path
from ..media.contact_sheet import spread
from ..media.images import to_uint8
from .histograms import histogram
from .rejections import Rejection, UnusedInput

REPORT = "report.html"
MAX_CLIPS, MAX_UNUSED, EXAMPLES = 500, 500, 3
"""Clips on the page, unused inputs of each kind, and examples of each kind of rejection."""
TILES, SIDE, JPEG_QUALITY = 5, 96, 72
"""Frames of a clip on the page, their side in pixels and their quality."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --bar: #3b78c4; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; } th, td { padding: .35rem .75rem; text-align: left; }
th { border-bottom: 2px solid var(--line); } td { border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; } .quiet { opacity: .7; } .name { overflow-wrap: anywhere; }
.whole { white-space: nowrap; }
.clips { width: 100%; } .clips td { vertical-align: top; } .clips img { display: block; }
.figures { display: flex; flex-wrap: wrap; gap: 1.5rem; } figure { margin: 0; }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; } svg rect { fill: var(--bar); }
svg line { stroke: currentColor; stroke-opacity: .4; }
"""


def write_report(
    folder: Path,
    records: Sequence[ClipRecord],
    rejected: Sequence[Rejection],
    unused: Sequence[UnusedInput] = (),
) -> Path:
    """Write `report.html` into the data set's folder, atomically, and return its path.

    It shows the counts of the paper's Table 1, histograms of tempo, motion and clips per source,
    the rejections, the unused input, and at most `MAX_CLIPS` clips, each with a strip of frames.

    Raises:
        InputError: the folder is missing, or a clip on the page cannot be read.
    """
    parts = [
        "<h1>Data set</h1>",
        _counts(records),
        _figures(records),
        _rejections(rejected),
        _unused(unused),
        _clips(folder, records),
    ]
    page = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Data set</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )
    path = Path(folder) / REPORT
    with atomic_path(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _counts(records: Sequence[ClipRecord]) -> str:
    """Table 1 of the paper, for each split and for all clips."""
    head = ["", "Clips", "Songs", "Captions", "Sources", "Length (h:mm:ss)", "Tempo (BPM)"]
    parts = [(name, [r for r in records if r.split == name]) for name in SPLITS]
    rows = [_count_row(name, some) for name, some in [*parts, ("all", list(records))]]
    return "<h2>Contents</h2>\n" + _table(head, rows, numbers=range(1, len(head)))


def _count_row(name: str, records: Sequence[ClipRecord]) -> list[str]:
    """The cells of a row of Table 1; a repeated caption counts once as a different one."""
    tempi = [r.tempo for r in records]
    captions = sum(bool(r.text) for r in records)
    different = len({r.text for r in records if r.text})
    return [
        name,
        f"{len(records):,}",
        f"{len({r.track_id for r in records}):,}",
        f"{captions:,}" + (f" ({different:,} different)" if different < captions else ""),
        f"{len({r.source for r in records}):,}",
        str(timedelta(seconds=round(sum(r.frames / r.fps for r in records)))),
        f"{min(tempi):.0f} to {max(tempi):.0f}" if tempi else "",
    ]


def _figures(records: Sequence[ClipRecord]) -> str:
    """Histograms of tempo, motion and clips per source."""
    if not records:
        return ""
    per_source = list(Counter(r.source for r in records).values())
    figures = [
        histogram([r.tempo for r in records], "Tempo", "beats per minute"),
        histogram([r.motion for r in records], "Motion", "mean change between frames, 0..1"),
        histogram(per_source, "Clips per source", "clips", whole=True),
    ]
    return f'<h2>Distributions</h2>\n<div class="figures">\n{"".join(figures)}</div>'


def _rejections(rejected: Sequence[Rejection]) -> str:
    """Kinds of rejection with their counts, the most frequent first, each with a few examples."""
    if not rejected:
        return "<h2>Rejected</h2>\n<p>Nothing.</p>"
    kinds: dict[str, list[Rejection]] = defaultdict(list)
    for rejection in rejected:
        kinds[rejection.kind].append(rejection)
    rows = []
    for kind, some in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0])):
        examples = "<br>".join(
            _text(f"{r.source} at {r.start:.1f} s{r.reason.removeprefix(kind)}")
            for r in some[:EXAMPLES]
        )
        rows.append([_text(kind), f"{len(some):,}", f'<span class="name">{examples}</span>'])
    rows.append(["all", f"{len(rejected):,}", ""])
    return "<h2>Rejected</h2>\n" + _table(["Reason", "Times", "Examples"], rows, [1])


def _unused(unused: Sequence[UnusedInput]) -> str:
    """Kinds of unused input with their counts, and all names up to `MAX_UNUSED` of each kind."""
    if not unused:
        return "<h2>Unused input</h2>\n<p>None.</p>"
    kinds: dict[str, list[UnusedInput]] = defaultdict(list)
    for item in unused:
        kinds[item.kind].append(item)
    rows = []
    for kind, items in kinds.items():
        lines = [_text(f"{item.name} {item.reason}") for item in items[:MAX_UNUSED]]
        if len(items) > MAX_UNUSED:
            lines.append(f"and {len(items) - MAX_UNUSED:,} more")
        names = f'<span class="name">{"<br>".join(lines)}</span>'
        rows.append([_text(kind), f"{len(items):,}", names])
    return "<h2>Unused input</h2>\n" + _table(["Kind", "Times", "Names"], rows, [1])


def _clips(folder: Path, records: Sequence[ClipRecord]) -> str:
    """A table of the clips, or of some of them, evenly spread over the data set."""
    if not records:
        return "<h2>Clips</h2>\n<p>None.</p>"
    some = [records[i] for i in spread(len(records), MAX_CLIPS)]
    note = f"All {len(records):,} clips."
    if len(some) < len(records):
        note = f"{len(some):,} of {len(records):,} clips, evenly spread over the data set."
    rows = [_clip_row(folder, record) for record in some]
    table = _table(["Clip", "Caption", "Split", "Tempo", "Motion", "Source"], rows, [3, 4], "clips")
    return f'<h2>Clips</h2>\n<p class="quiet">{note}</p>\n{table}'


def _clip_row(folder: Path, record: ClipRecord) -> list[str]:
    """The cells of a clip's row."""
    end = record.start + record.frames / record.fps
    return [
        f'{_strip(folder, record)}<span class="quiet name">{_text(record.key)}</span>',
        _text(record.text) or '<span class="quiet">no caption</span>',
        record.split,
        f"{record.tempo:.0f}",
        f"{record.motion:.3f}",
        f'<span class="name">{_text(record.source)}</span><br><span class="quiet">'
        f'{record.start:.1f} to {end:.1f} s, <span class="whole">{_text(record.track_id)}</span>'
        "</span>",
    ]


def _strip(folder: Path, record: ClipRecord) -> str:
    """A few frames of the clip side by side, as a JPEG inside the page."""
    numbers = spread(record.frames, TILES)
    frames = read_frames(folder, record, numbers, SIDE)
    pixels = rearrange(to_uint8(frames), "f c h w -> h (f w) c")
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.numpy())).save(
        buffer, format="JPEG", quality=JPEG_QUALITY
    )
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/jpeg;base64,{data}" width="{SIDE * len(numbers)}" height="{SIDE}" '
        f'loading="lazy" alt="{len(numbers)} frames of {_text(record.key)}">'
    )


def _text(text: str) -> str:
    """Text as HTML; bytes of a file name that are no UTF-8 become escapes."""
    return escape(text.encode(errors="backslashreplace").decode())


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int], kind: str = ""
) -> str:
    """A table of cells in HTML.

    Args:
        numbers: columns that are aligned to the right.
        kind: class of the table.
    """
    right = set(numbers)
    name = [' class="n"' if i in right else "" for i in range(len(head))]
    top = "".join(f"<th{name[i]}>{cell}</th>" for i, cell in enumerate(head))
    body = "\n".join(
        "<tr>" + "".join(f"<td{name[i]}>{cell}</td>" for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="{kind}">\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )
