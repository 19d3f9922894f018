"""Stickers: glyphs of Noto Color Emoji, split by glyph, and random colours of figures."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..dance.figure import LayeredFigure
from ..dance.posing import Body
from ..dance.rig import Rig
from ..dance.skeleton import JOINTS, PARTS
from ..errors import InputError

GLYPH_FILE = Path(__file__).parent / "glyphs.json"
GLYPH_SIZE = 109
"""The only size of the font's bitmaps, in pixels."""
FONT_PATHS = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "~/.local/share/fonts/NotoColorEmoji.ttf",
    "~/Library/Fonts/NotoColorEmoji.ttf",
    "C:/Windows/Fonts/NotoColorEmoji.ttf",
)


def find_font(font: str | None = None) -> str:
    """Returns the path of Noto Color Emoji: `font`, or the system's.

    Raises:
        InputError: the font is missing; the message says what to install.
    """
    for place in (font,) if font else FONT_PATHS:
        path = Path(place).expanduser()
        if path.is_file():
            return str(path)
    raise InputError(
        f"The font Noto Color Emoji was not found at {font or 'any usual path'}; install it (on "
        "Debian and Ubuntu: apt install fonts-noto-color-emoji) or give its path."
    )


def draw_glyph(text: str, font: str) -> np.ndarray:
    """Returns one glyph as RGBA uint8, trimmed; empty if the font lacks it.

    Raises:
        InputError: `font` is not a font, or has no bitmaps of that size.
    """
    try:
        face = ImageFont.truetype(font, GLYPH_SIZE)
    except OSError as error:
        raise InputError(f"{font} cannot be used as Noto Color Emoji: {error}.") from error
    image = Image.new("RGBA", (180, 160))
    ImageDraw.Draw(image).text((10, 10), text, font=face, embedded_color=True)
    box = image.getbbox()
    return np.asarray(image.crop(box)) if box else np.zeros((0, 0, 4), np.uint8)


@lru_cache
def glyph_names(split: str) -> tuple[str, ...]:
    """The emoji of a split."""
    splits: dict[str, list[str]] = json.loads(GLYPH_FILE.read_text(encoding="utf-8"))
    if split not in splits:
        raise ValueError(f"split must be one of {sorted(splits)}: {split!r}")
    return tuple(splits[split])


class Glyphs:
    """The glyphs of one split, drawn on first use and cached."""

    def __init__(self, split: str, size: int, font: str | None = None) -> None:
        """`size` is the side of the square layers in pixels."""
        self.names, self.size, self.font = glyph_names(split), size, find_font(font)
        self._cache: dict[int, Tensor] = {}

    def __len__(self) -> int:
        return len(self.names)

    def figure(self, index: int) -> LayeredFigure:
        """Glyph `index` as a figure in one piece, feet at the bottom."""
        if index not in self._cache:
            self._cache[index] = fit_layer(draw_glyph(self.names[index], self.font), self.size)
        straight = self._cache[index]
        layers = torch.zeros(len(PARTS), *straight.shape)
        layers[PARTS.index("torso")] = torch.cat([straight[:3] * straight[3:], straight[3:]])
        return LayeredFigure(layers, _trunk(straight[3]))


def _trunk(alpha: Tensor) -> Body:
    """The body of a figure without joints."""
    solid = alpha > 0.5
    rows, columns = solid.any(dim=1).nonzero()[:, 0], solid.any(dim=0).nonzero()[:, 0]
    side = alpha.shape[-1]
    box = (0.0, 0.0, float(side), float(side))
    if len(rows):
        box = (
            float(columns[0]),
            float(rows[0]),
            float(columns[-1]) + 1,
            float(rows[-1]) + 1,
        )
    nowhere = torch.full((len(JOINTS), 2), torch.nan)
    return Body.of(Rig((side, side), nowhere, torch.zeros(len(JOINTS))), box)


def fit_layer(rgba: np.ndarray, size: int) -> Tensor:
    """Fits an RGBA uint8 picture `[h w 4]` into a layer `[4 size size]`, at the bottom centre."""
    h, w = rgba.shape[:2]
    scale = size / max(h, w)
    shape = (max(1, round(h * scale)), max(1, round(w * scale)))
    tensor = rearrange(torch.from_numpy(rgba.copy()).float() / 255, "h w c -> 1 c h w")
    colour, alpha = tensor[:, :3] * tensor[:, 3:], tensor[:, 3:]
    both = F.interpolate(torch.cat([colour, alpha], 1), shape, mode="bilinear", antialias=True)[0]
    both[:3] = both[:3] / both[3:].clamp_min(1e-4)
    left = (size - shape[1]) // 2
    return F.pad(both, (left, size - shape[1] - left, size - shape[0], 0))


def augment(figure: LayeredFigure, rng: np.random.Generator) -> LayeredFigure:
    """Varies hue, brightness, contrast, texture and mirroring of a figure; figures with limbs are
    not mirrored."""
    alpha = figure.layers[:, 3:]
    colour = figure.layers[:, :3] / alpha.clamp_min(1e-4)
    if rng.random() < 0.7:
        colour = _rotate_hue(colour, float(rng.uniform(-np.pi, np.pi)))
    if rng.random() < 0.3:
        colour = colour[:, list(rng.permutation(3))]
    gain, shift = float(rng.uniform(0.75, 1.25)), float(rng.uniform(-0.12, 0.12))
    colour = (colour - 0.5) * gain + 0.5 + shift
    if rng.random() < 0.3:
        size = colour.shape[-1]
        coarse = torch.from_numpy(rng.normal(0, 0.15, (1, 3, 6, 6)).astype(np.float32))
        colour = colour + F.interpolate(coarse, (size, size), mode="bilinear")
    layers = torch.cat([colour.clamp(0, 1) * alpha, alpha], dim=1)
    if rng.random() < 0.5 and not figure.body.present.any():
        # The body of a figure in one piece depends on its box alone.
        layers = layers.flip(-1)
        return LayeredFigure(layers, _trunk(layers[PARTS.index("torso"), 3]), figure.order)
    return LayeredFigure(layers, figure.body, figure.order)


def _rotate_hue(colour: Tensor, angle: float) -> Tensor:
    """Rotates RGB about the grey axis."""
    c, s = float(np.cos(angle)), float(np.sin(angle))
    third, root = (1 - c) / 3, s / 3**0.5
    matrix = torch.tensor(
        [
            [c + third, third - root, third + root],
            [third + root, c + third, third - root],
            [third - root, third + root, c + third],
        ]
    )
    return torch.einsum("ij,pjhw->pihw", matrix, colour).clamp(0, 1)
