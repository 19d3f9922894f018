"""Lists the emoji of the world, split by glyph: `python -m musedance_core.world.make_glyphs`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from ..files import atomic_path
from .stickers import GLYPH_FILE, draw_glyph, find_font


def candidate_glyphs(font: str) -> list[str]:
    """Returns the emoji of one code point that are pictures: no flags, letters, signs or clocks."""
    blocks = [(0x1F300, 0x1F5FF), (0x1F600, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F7E0, 0x1F7EB)]
    blocks += [(0x1F900, 0x1FAFF), (0x2600, 0x27BF)]
    excluded = set(range(0x1F550, 0x1F568)) | set(range(0x1F3FB, 0x1F400)) | {0x1F6AB}
    found = []
    for first, last in blocks:
        for code in range(first, last + 1):
            if code in excluded or 0x1F500 <= code <= 0x1F53D:
                continue
            if draw_glyph(chr(code), font).shape[0] >= 60:
                found.append(chr(code))
    return found


def split_glyphs(glyphs: Sequence[str], seed: int = 0) -> dict[str, list[str]]:
    """Splits the glyphs into 80 % training, 8 % validation and 12 % test."""
    order = np.random.default_rng(seed).permutation(len(glyphs))
    shuffled = [glyphs[i] for i in order]
    a, b = round(0.8 * len(shuffled)), round(0.88 * len(shuffled))
    return {
        "train": sorted(shuffled[:a]),
        "validation": sorted(shuffled[a:b]),
        "test": sorted(shuffled[b:]),
    }


if __name__ == "__main__":
    with atomic_path(GLYPH_FILE) as temporary:
        splits = split_glyphs(candidate_glyphs(find_font()))
        temporary.write_text(json.dumps(splits, ensure_ascii=False) + "\n", encoding="utf-8")
