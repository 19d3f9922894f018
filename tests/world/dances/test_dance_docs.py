"""The page about dances names every move with its side and length."""

from __future__ import annotations

from pathlib import Path

from musedance_core.world.dances.captions import wording
from musedance_core.world.dances.moves import MOVE_TABLE
from musedance_core.world.dances.words import WORDS

PAGE = (Path(__file__).parents[3] / "docs" / "dances.md").read_text(encoding="utf-8")


def test_the_page_lists_all_moves_as_they_are() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.count(" | ") == 3]
    listed = {row[0].removeprefix("| "): row[1:] for row in rows[1:]}
    assert set(MOVE_TABLE) <= set(listed)
    for name, move in MOVE_TABLE.items():
        example, side, beats = listed[name]
        assert example.split(", ") == [wording(text).plain for text in WORDS[name][:3]]
        assert (side == "-") == (not move.sided) and beats == f"{move.beats} |"
    assert f"{len(MOVE_TABLE)} moves" in PAGE
