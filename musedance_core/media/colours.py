"""Colours by name, apart from other code: the command line loads without torch."""

from __future__ import annotations

import re

TRANSPARENT = "transparent"


def named_colour(text: str) -> tuple[int, int, int] | None:
    """Red, green and blue in 0..255 of a CSS name or of three or six hexadecimal digits after `#`;
    None for any other text."""
    from PIL import ImageColor

    name = text.strip().lower()
    if name in ImageColor.colormap or re.fullmatch(r"#([0-9a-f]{3}|[0-9a-f]{6})", name):
        red, green, blue = ImageColor.getrgb(name)[:3]
        return red, green, blue
    return None
