"""Rig plots: a picture with the joints, bones and parts of its figure."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from einops import rearrange
from PIL import Image, ImageDraw

from ..dance.rig import Rig
from ..dance.skeleton import INDEX, JOINTS, PARENTS, PARTS
from ..files import atomic_path

SHORTEST, LONGEST = 512, 1024
"""Limits of the plot's longer side in pixels."""
PAPER, EDGE = (255, 255, 255), (255, 255, 255)
RIGHT, LEFT, MIDDLE = (214, 40, 57), (29, 78, 216), (55, 65, 81)
PART_COLOURS = {
    **{"torso": (250, 204, 21), "head": (168, 85, 247)},
    **{"right_upper_arm": (239, 68, 68), "right_forearm": (251, 146, 60)},
    **{"left_upper_arm": (37, 99, 235), "left_forearm": (34, 211, 238)},
    **{"right_thigh": (190, 18, 60), "right_shin": (244, 114, 182)},
    **{"left_thigh": (22, 101, 52), "left_shin": (74, 222, 128)},
}
TINT = 0.45
"""Opacity of the parts' colours."""
FINE = 2
"""Supersampling factor."""
LINE, LETTER = 14, 6
"""Height of a line of the caption and greatest mean width of its letters, in pixels."""


def draw_rig_plot(picture: Image.Image, rig: Rig) -> Image.Image:
    """The picture with its parts tinted and its bones drawn: right ones red, left ones blue.

    Args:
        picture: RGB or RGBA; transparent pixels become white.
        rig: its rig, in the picture's pixels.
    """
    longer = max(picture.size)
    scale = min(max(longer, SHORTEST), LONGEST) / longer
    width, height = (max(1, round(side * scale)) for side in picture.size)
    pixels = picture.convert("RGBA").resize((width, height), Image.Resampling.LANCZOS)
    base = Image.new("RGB", (width, height), PAPER)
    base.paste(pixels, mask=pixels)
    base = _tinted(base, rig)

    # Bones and joints, larger and then scaled down for smooth edges.
    fine = base.resize((width * FINE, height * FINE))
    pen = ImageDraw.Draw(fine)
    thick = max(3.0, max(width, height) / 130) * FINE
    places = (rig.joints * scale * FINE).tolist()
    present = rig.present.tolist()
    bones = [(joint, PARENTS[joint]) for joint in range(len(JOINTS)) if PARENTS[joint] >= 0]
    bones = [(a, b) for a, b in bones if present[a] and present[b]]
    for colour, extra in ((EDGE, 2.0 * FINE), (None, 0.0)):
        for joint, parent in bones:
            line = (*places[parent], *places[joint])
            pen.line(line, fill=colour or _side_colour(joint), width=round(thick + extra))
    for joint in range(len(JOINTS)):
        if present[joint]:
            _dot(pen, places[joint], thick * 0.85 + FINE, EDGE)
            _dot(pen, places[joint], thick * 0.85, _side_colour(joint))
    lines = textwrap.wrap(_caption(rig), max(12, (width - 8) // LETTER))
    plot = Image.new("RGB", (width, height + 8 + LINE * len(lines)), PAPER)
    plot.paste(fine.resize((width, height), Image.Resampling.BOX))
    pen = ImageDraw.Draw(plot)
    for i, text in enumerate(lines):
        pen.text((4, height + 4 + LINE * i), text, fill=MIDDLE)
    return plot


def write_rig_plot(path: str | Path, picture: Image.Image, rig: Rig) -> None:
    """Write the rig plot as a PNG file, atomically."""
    with atomic_path(path) as temporary:
        draw_rig_plot(picture, rig).save(temporary, format="PNG")


def _tinted(base: Image.Image, rig: Rig) -> Image.Image:
    """The picture with its parts in colours, as far as their weights go."""
    if rig.parts is None:
        return base
    weights = F.interpolate(rig.parts[None], base.size[::-1], mode="bilinear")[0].clamp(0, 1)
    colours = np.array([PART_COLOURS[part] for part in PARTS], np.float32)
    mixed = np.einsum("phw,pc->hwc", weights.numpy(), colours)
    total = rearrange(weights.sum(dim=0).clamp(0, 1), "h w -> h w 1").numpy()
    pixels = np.asarray(base, np.float32)
    return Image.fromarray(
        (pixels * (1 - TINT * total) + TINT * mixed).clip(0, 255).astype("uint8")
    )


def _side_colour(joint: int) -> tuple[int, int, int]:
    name = JOINTS[joint]
    return RIGHT if name.startswith("right") else LEFT if name.startswith("left") else MIDDLE


def _dot(
    pen: ImageDraw.ImageDraw, place: list[float], radius: float, fill: tuple[int, int, int]
) -> None:
    x, y = place
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _caption(rig: Rig) -> str:
    """The meaning of the colours, and which joints are absent."""
    lines = "Lines: red = the character's right side, blue = its left, grey = its middle."
    tints = "" if rig.parts is None else " Tints: one colour for each part of the body."
    absent = [name for name, i in INDEX.items() if not bool(rig.present[i])]
    if not absent:
        return f"{lines}{tints} All joints were found."
    if len(absent) > 4:
        absent = [*absent[:3], f"{len(absent) - 3} more"]
    return f"{lines}{tints} Not found: {', '.join(absent).replace('_', ' ')}."
