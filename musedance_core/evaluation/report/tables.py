"""Rows of figures as text, for results.md and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .measures import MEASURES, TABLES, Measure
from .summary import Figure, Row

ARROWS = {"higher": " \N{UPWARDS ARROW}", "lower": " \N{DOWNWARDS ARROW}", "": ""}


def heading(measure: Measure) -> str:
    """Returns the label with an arrow for the better direction."""
    return measure.label + ARROWS[measure.better]


def value_text(figure: Figure, measure: Measure) -> str:
    """Returns `0.812 [0.779, 0.846]`, or the reason for a missing value."""
    if figure.value is None:
        return figure.note
    text = f"{figure.value:.{measure.digits}f}"
    if figure.interval is not None:
        low, high = figure.interval
        text += f" [{low:.{measure.digits}f}, {high:.{measure.digits}f}]"
    return text


def yardstick_text(figure: Figure, measure: Measure) -> str:
    """Returns the value's yardstick: the truth's own value, or that of halves of the truth."""
    if figure.truth is not None:
        return f"truth {figure.truth:.{measure.digits}f}"
    if figure.floor is not None:
        return f"halves of the truth {figure.floor:.{measure.digits}f}"
    return ""


def cell(figure: Figure, measure: Measure) -> str:
    """Returns value, interval, yardstick and n as one cell."""
    parts = [value_text(figure, measure), yardstick_text(figure, measure)]
    parts += [f"n = {figure.n}"] if figure.n else []
    return "; ".join(part for part in parts if part)


def markdown(rows: Sequence[Row]) -> str:
    """Returns all tables of results.md: one like the paper's Table 2, the others transposed."""
    first, *others = TABLES.items()
    parts = ["# Evaluation", "", f"## {first[0]}", "", _by_row(rows, first[1])]
    for title, table in others:
        parts += ["", f"## {title}", "", _by_figure(rows, table)]
    parts += ["", "## Rows", ""]
    for row in rows:
        about = [row.source, f"{len(row.clips)} clips", *row.notes]
        parts.append(f"- **{row.label}**: {'; '.join(about)}")
    parts += [
        "",
        "Brackets: 95 % bootstrap intervals over clips. docs/evaluation.md defines each figure",
        "and its pitfalls.",
    ]
    return "\n".join(parts) + "\n"


def _by_row(rows: Sequence[Row], table: Mapping[str, Measure]) -> str:
    head = ["Method", *(heading(measure) for measure in table.values())]
    body = [[r.label, *(cell(r.figures[name], table[name]) for name in table)] for r in rows]
    return _table(head, body)


def _by_figure(rows: Sequence[Row], table: Mapping[str, Measure]) -> str:
    head = ["", *(row.label for row in rows)]
    body = [
        [heading(measure), *(cell(row.figures[name], measure) for row in rows)]
        for name, measure in table.items()
    ]
    return _table(head, body)


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join("| " + " | ".join(_plain(text) for text in line) + " |" for line in lines)


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def clip_lines(values: Mapping[str, float], truth: Mapping[str, float]) -> list[list[str]]:
    """Returns name, value and the truth's value of every figure of one clip."""
    return [
        [heading(m), f"{values[name]:.{m.digits}f}", _number(truth.get(name), m)]
        for name, m in MEASURES.items()
        if name in values
    ]


def _number(value: float | None, measure: Measure) -> str:
    return "" if value is None else f"{value:.{measure.digits}f}"
