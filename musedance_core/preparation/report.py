"""One page that shows what a data set holds and what was left out of it: `report.html`.

The page needs no other file: figures are SVG inside it, pictures are JPEG inside it.
"""

from __future__ import annotations

import base64
from collections import Counter
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
from .histograms import histogram
from .log import Rejection

REPORT = "report.html"
SHOWN, TILES, SIDE, JPEG_QUALITY = 500, 5, 96, 72
EXAMPLES = 3

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
) -> Path:
    """Write `report.html` into the data set's folder, atomically, and return its path.

    It counts as the paper's Table 1 does, shows how tempo, motion and clips per source are
    distributed, what was rejected, and `SHOWN` clips at most, each with a strip of frames.

    Raises:
        InputError: the folder is missing, or a clip that is shown cannot be read.
    """
    parts = [
        "<h1>Data set</h1>",
        _counts(records),
        _figures(records),
        _rejections(rejected),
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
    """Table 1 of the paper, for the whole and for each split."""
    head = ["", "Clips", "Songs", "Captions", "Sources", "Length (h:mm:ss)", "Tempo (BPM)"]
    parts = [(name, [r for r in records if r.split == name]) for name in SPLITS]
    rows = [_count_row(name, some) for name, some in [*parts, ("all", list(records))]]
    return "<h2>What it holds</h2>\n" + _table(head, rows, numbers=range(1, len(head)))


def _count_row(name: str, records: Sequence[ClipRecord]) -> list[str]:
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
    if not records:
        return ""
    per_source = list(Counter(r.source for r in records).values())
    figures = [
        histogram([r.tempo for r in records], "Tempo", "beats per minute"),
        histogram([r.motion for r in records], "Motion", "mean change between frames, 0..1"),
        histogram(per_source, "Clips per source", "clips", whole=True),
    ]
    return f'<h2>How it is spread</h2>\n<div class="figures">\n{"".join(figures)}</div>'


def _rejections(rejected: Sequence[Rejection]) -> str:
    """Kinds with their counts, the commonest first, each with a few examples."""
    if not rejected:
        return "<h2>What was left out</h2>\n<p>Nothing.</p>"
    kinds = Counter(r.kind for r in rejected)
    rows = []
    for kind, count in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
        some = [r for r in rejected if r.kind == kind][:EXAMPLES]
        told = (f"{r.source} at {r.start:.1f} s{r.reason.removeprefix(kind)}" for r in some)
        examples = "<br>".join(escape(example) for example in told)
        rows.append([escape(kind), f"{count:,}", f'<span class="name">{examples}</span>'])
    rows.append(["all", f"{len(rejected):,}", ""])
    return "<h2>What was left out</h2>\n" + _table(["Reason", "Times", "Such as"], rows, [1])


def _clips(folder: Path, records: Sequence[ClipRecord]) -> str:
    if not records:
        return "<h2>Clips</h2>\n<p>None.</p>"
    shown = [records[i] for i in spread(len(records), SHOWN)]
    note = f"All {len(records):,} clips."
    if len(shown) < len(records):
        note = f"{len(shown):,} of {len(records):,} clips, evenly spread over the data set."
    rows = [_clip_row(folder, record) for record in shown]
    table = _table(["Clip", "Caption", "Split", "Tempo", "Motion", "Source"], rows, [3, 4], "clips")
    return f'<h2>Clips</h2>\n<p class="quiet">{note}</p>\n{table}'


def _clip_row(folder: Path, record: ClipRecord) -> list[str]:
    end = record.start + record.frames / record.fps
    return [
        f'{_strip(folder, record)}<span class="quiet name">{escape(record.key)}</span>',
        escape(record.text) or '<span class="quiet">no caption</span>',
        record.split,
        f"{record.tempo:.0f}",
        f"{record.motion:.3f}",
        f'<span class="name">{escape(record.source)}</span><br><span class="quiet">'
        f'{record.start:.1f} to {end:.1f} s, <span class="whole">{escape(record.track_id)}</span>'
        "</span>",
    ]


def _strip(folder: Path, record: ClipRecord) -> str:
    """A few frames of the clip side by side, as a JPEG inside the page."""
    numbers = spread(record.frames, TILES)
    frames = read_frames(folder, record, numbers, SIDE)
    pixels = rearrange(frames.float().clamp(0, 1) * 255, "f c h w -> h (f w) c").round().byte()
    buffer = BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels.cpu().numpy())).save(
        buffer, format="JPEG", quality=JPEG_QUALITY
    )
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/jpeg;base64,{data}" width="{SIDE * len(numbers)}" height="{SIDE}" '
        f'loading="lazy" alt="{len(numbers)} frames of {escape(record.key)}">'
    )


def _table(
    head: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int], kind: str = ""
) -> str:
    """Cells are HTML; the columns `numbers` are set right."""
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
