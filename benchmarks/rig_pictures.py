"""Draws the emoji of `rig_labels.json` as PNG files for `benchmarks/rig.py`.

    npm pack @twemoji/svg openmoji @iconify-json/fluent-emoji-flat @iconify-json/fxemoji \\
        @iconify-json/emojione-v1
    for file in *.tgz; do tar xzf $file --one-top-level; done
    pip install cairosvg
    python benchmarks/rig_pictures.py PACKAGES FOLDER

PACKAGES is the folder of the unpacked npm packages; Noto's font is that of the dance world. The
pictures have the licences of their sets and are not part of this repository.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any

import cairosvg
from PIL import Image, ImageDraw, ImageFont

from musedance_core.world.stickers import find_font

LABELS = Path(__file__).with_name("rig_labels.json")
SIDE = 384
"""Pixels of the longer side."""
NOTO_SIZE = 109
"""The one size of the font's bitmaps."""
FILES = {
    "twemoji": "twemoji-svg-*/package/{}.svg",
    "openmoji": "openmoji-*/package/color/svg/{}.svg",
}
ICONS = {
    "fluent": "iconify-json-fluent-emoji-flat-*/package/icons.json",
    "fxemoji": "iconify-json-fxemoji-*/package/icons.json",
    "emojione": "iconify-json-emojione-v1-*/package/icons.json",
}


def noto(code: str) -> Image.Image:
    """An emoji of Noto Color Emoji by its code points."""
    text = "".join(chr(int(point, 16)) for point in code.split("-"))
    image = Image.new("RGBA", (160, 160))
    font = ImageFont.truetype(find_font(None), NOTO_SIZE)
    ImageDraw.Draw(image).text((10, 10), text, font=font, embedded_color=True)
    return image


def svg(text: str) -> Image.Image:
    """An SVG drawing."""
    png = cairosvg.svg2png(bytestring=text.encode(), output_width=SIDE, output_height=SIDE)
    return Image.open(io.BytesIO(png)).convert("RGBA")


def icon(icons: dict[str, Any], name: str) -> Image.Image:
    """An icon of one of Iconify's sets."""
    values = icons["icons"][name]
    left, top = values.get("left", 0), values.get("top", 0)
    width, height = (values.get(k, icons.get(k, 16)) for k in ("width", "height"))
    return svg(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}">{values["body"]}</svg>'
    )


def only(folder: Path, pattern: str) -> str:
    """The text of the file of that pattern."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise SystemExit(f"{folder} has no {pattern}.")
    return found[0].read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    icons = {name: json.loads(only(args.packages, path)) for name, path in ICONS.items()}
    for label in json.loads(LABELS.read_text())["figures"]:
        of, name = label["set"], label["name"]
        if of == "noto":
            image = noto(name)
        elif of in icons:
            image = icon(icons[of], name)
        else:
            code = name.upper() if of == "openmoji" else name
            image = svg(only(args.packages, FILES[of].format(code)))
        image = image.crop(image.getbbox())
        scale = SIDE / max(image.size)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        path = args.folder / of / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.resize(size, Image.Resampling.LANCZOS).save(path)


if __name__ == "__main__":
    main()
