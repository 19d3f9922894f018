"""index.html: the tables, and every clip beside its truth with sound and plot.

The page needs only the video files in its own folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from ..measure import MeasuredClip
from .measures import MEASURES, TABLES, Measure
from .plots import motion_plot
from .summary import Figure, Row
from .tables import clip_lines, heading, value_text, yardstick_text

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem;
  color: #1e293b; background: #fff }
h1, h2, h3 { line-height: 1.2 } h2 { margin-top: 2.2rem }
table { border-collapse: collapse; margin: .6rem 0 } caption { text-align: left; font-weight: 600 }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0;
  border-bottom: 1px solid #e2e8f0 } td { font-variant-numeric: tabular-nums }
small, .none { color: #64748b } .none { font-style: italic }
section.clip { border-top: 2px solid #e2e8f0; margin-top: 1.6rem; padding-top: .6rem }
.tables { display: flex; flex-wrap: wrap; gap: 0 3rem }
.videos { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0; width: 256px }
video { width: 256px; background: #0f172a; border-radius: 4px; image-rendering: auto }
.plot { max-width: 760px } svg { width: 100%; height: auto }
svg text { font-size: 11px; fill: #64748b }
.key b { font-weight: 600 }
.made { color: #c2410c } .true { color: #475569 } .beat { color: #2563eb }
button { font: inherit; padding: .2rem .7rem; margin: .3rem 0 .6rem }
"""
SCRIPT = """
for (const button of document.querySelectorAll("button.together")) {
  button.onclick = () => {
    const videos = [...button.closest("section").querySelectorAll("video")];
    videos.forEach((video, i) => { video.currentTime = 0; video.muted = i > 0; video.play(); });
  };
}
"""
KEY = (
    '<p class="key"><small>Motion energy of the <b class="made">video</b> and, dashed, of the '
    '<b class="true">truth</b>; lines are the <b class="beat">music\'s beats</b>, triangles the '
    "moments at which the video's motion rests.</small></p>"
)


def page(rows: Sequence[Row], command: str, version: str) -> str:
    """Returns the page as HTML."""
    names = list(dict.fromkeys(clip.name for row in rows for clip in row.clips))
    body = [
        "<h1>Evaluation</h1>",
        f"<p><small>musedance {escape(version)}: <code>{escape(command)}</code></small></p>",
        '<div class="tables">',
        *(_table(title, table, rows) for title, table in TABLES.items()),
        "</div>",
        _about(rows),
        "<h2>Clips</h2>",
        KEY,
        *(_clip(name, rows) for name in names),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>MuseDance evaluation</title>'
        f"<style>{STYLE}</style></head><body>\n"
        + "\n".join(body)
        + f"\n<script>{SCRIPT}</script></body></html>\n"
    )


def _table(title: str, table: dict[str, Measure], rows: Sequence[Row]) -> str:
    head = "".join(f"<th>{escape(row.label)}</th>" for row in rows)
    lines = [
        f"<tr><th>{escape(heading(measure))}</th>"
        + "".join(_cell(row.figures[name], measure) for row in rows)
        + "</tr>"
        for name, measure in table.items()
    ]
    return f"<div><h2>{title}</h2><table><tr><th></th>{head}</tr>{''.join(lines)}</table></div>"


def _cell(figure: Figure, measure: Measure) -> str:
    if figure.value is None:
        return f'<td class="none">{escape(figure.note)}</td>'
    more = [text for text in (yardstick_text(figure, measure), f"n = {figure.n}") if text]
    return f"<td>{escape(value_text(figure, measure))}<br><small>{'; '.join(more)}</small></td>"


def _about(rows: Sequence[Row]) -> str:
    items = [
        f"<li><b>{escape(row.label)}</b>: {escape(row.source)}; {len(row.clips)} clips; "
        f"{escape('; '.join(row.notes))}</li>"
        for row in rows
    ]
    return (
        f"<h2>Rows</h2><ul>{''.join(items)}</ul><p><small>Brackets: 95 % bootstrap "
        "intervals over clips. With few clips they are wide, and distances between sets are "
        "mostly bias: compare those with the halves of the truth.</small></p>"
    )


def _clip(name: str, rows: Sequence[Row]) -> str:
    """Returns one clip: every row's video, the truth, and the plots."""
    made = [(row, clip) for row in rows for clip in row.clips if clip.name == name]
    truth = next((clip.truth_video for _, clip in made if clip.truth_video), None)
    videos = [_video(clip.video, row.label) for row, clip in made]
    videos += [] if truth is None else [_video(truth, "truth")]
    caption = next((clip.caption for _, clip in made if clip.caption), "")
    return (
        f'<section class="clip"><h3>{escape(name)}</h3><p>{escape(caption)}</p>'
        f'<div class="videos">{"".join(videos)}</div>'
        '<button class="together">play together</button>'
        + "".join(_plot(row, clip, len(rows) > 1) for row, clip in made)
        + "</section>"
    )


def _video(path: str, label: str) -> str:
    return (
        f'<figure><video src="{quote(path)}" controls loop preload="auto"></video>'
        f"<figcaption>{escape(label)}</figcaption></figure>"
    )


def _plot(row: Row, clip: MeasuredClip, named: bool) -> str:
    title = f"<h4>{escape(row.label)}</h4>" if named else ""
    lines = clip_lines(clip.sample.values, {} if clip.truth is None else clip.truth.values)
    cells = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>" for line in lines
    )
    short = ", ".join(f"{line[0]} {line[1]}" for line in _headline(clip))
    return (
        f'{title}<div class="plot">{motion_plot(clip)}</div><details><summary>{escape(short)}'
        f"</summary><table><tr><th></th><th>video</th><th>truth</th></tr>{cells}</table></details>"
    )


def _headline(clip: MeasuredClip) -> list[tuple[str, str]]:
    """Returns the few figures of a clip that are visible without opening its table."""
    return [
        (heading(MEASURES[name]), f"{clip.sample.values[name]:.{MEASURES[name].digits}f}")
        for name in ("psnr", "ssim", "alignment", "alignment_gain", "identity")
        if name in clip.sample.values
    ]
