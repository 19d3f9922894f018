"""Regenerates the templates' thumbnails and the clips of docs/results with the embedded model.

python docs/make_pictures.py [thumbnails | clips]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from einops import rearrange
from PIL import Image
from torch import Tensor

from musedance_core.audio.tracker import track_beats
from musedance_core.audio.waveform import load_waveform
from musedance_core.cli import main as musedance
from musedance_core.diffusion.guidance import Guidance
from musedance_core.media.beat_plot import draw_beat_plot
from musedance_core.media.images import LIGHT, load_picture, to_uint8
from musedance_core.pipeline import MuseDancePipeline, Prompts

ROOT = Path(__file__).parents[1]
ASSETS, WORKFLOWS, RESULTS = ROOT / "assets", ROOT / "workflows", ROOT / "docs" / "results"
SONG = ASSETS / "demo-song.ogg"
SIDE, GAP = 512, 4
CLIPS = (
    ("kid", "puppet-kid", "big jumping jacks"),
    ("cat", "puppet-cat", "dance the charleston"),
    ("robot", "drawing-robot", "do the arm wave, happily"),
    ("chick", "sticker-chick", "big hops"),
    ("bear", "puppet-bear", "disco points"),
    ("viking", "puppet-viking", "clap your hands"),
)


def template(name: str) -> tuple[str, list[str]]:
    """The first picture of a template, "" without any, and its sentences."""
    nodes = json.loads((WORKFLOWS / f"{name}.json").read_text(encoding="utf-8"))["nodes"]
    values: dict[str, list[str]] = {node["type"]: [] for node in nodes}
    for node in nodes:
        values[node["type"]] += node.get("widgets_values", [])[:1]
    texts = values.get("MuseDance_PromptTimeline") or values["CLIPTextEncode"]
    pictures = values.get("LoadImage", ["musedance-.png"])
    return pictures[0].removeprefix("musedance-").removesuffix(".png"), texts


def tile(pictures: Sequence[Image.Image], columns: int, rows: int) -> Image.Image:
    """Arranges pictures row by row in a square."""
    sheet = Image.new("RGB", (SIDE, SIDE), "white")
    width, height = SIDE / columns, SIDE / rows
    for i, picture in enumerate(pictures):
        x, y = i % columns * width, i // columns * height
        size = (round(width) - GAP, round(height) - GAP)
        filled = picture.resize(size) if picture.width != picture.height else crop(picture, size)
        sheet.paste(filled, (round(x) + GAP // 2, round(y) + GAP // 2))
    return sheet


def crop(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Crops and resizes the centre of a picture."""
    side = max(size)
    larger = picture.resize((side, side), Image.Resampling.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return larger.crop((left, top, left + size[0], top + size[1]))


def as_image(frame: Tensor) -> Image.Image:
    return Image.fromarray(rearrange(to_uint8(frame), "c h w -> h w c").numpy())


class Studio:
    """Dances of the assets to the demo song."""

    def __init__(self) -> None:
        self.pipeline = MuseDancePipeline.from_pretrained(device="cpu")
        self.wave = load_waveform(SONG)
        self.grid = track_beats(self.wave)

    def dance(
        self,
        name: str,
        text: Prompts,
        seconds: float,
        music: float | None = None,
        **options: Any,
    ) -> list[Image.Image]:
        """Returns frames, 12 a second, of the picture `name` dancing `text`, with music guidance
        `music` and further options of the pipeline."""
        made = self.pipeline(
            ASSETS / f"{name}.png",
            self.wave,
            text,
            seconds=seconds,
            seed=1,
            fps=12,
            beats=self.grid,
            guidance=Guidance.of(self.pipeline.config.schedule, weights={"music": music}),
            **options,
        )
        return [as_image(frame) for frame in made.frames]

    def poses(self, text: Prompts, seconds: float) -> list[Image.Image]:
        """Returns drawings, 12 a second, of a person dancing `text`."""
        made = self.pipeline.pose(self.wave, text, seconds=seconds, seed=1, fps=12, beats=self.grid)
        return [as_image(frame) for frame in made.frames]


def picture(name: str) -> Image.Image:
    own = load_picture(ASSETS / f"{name}.png").convert("RGBA")
    plain = Image.new("RGBA", own.size, (*LIGHT, 255))
    return Image.alpha_composite(plain, own).convert("RGB")


def thumbnails() -> None:
    studio = Studio()
    asset, (text,) = template("1-sticker-dances")
    first = [picture(asset), *studio.dance(asset, text, 4)[4:28:3]]
    strip = draw_beat_plot(studio.wave, studio.grid, 1600).crop((0, 0, 400, 128))
    asset, (text,) = template("3-long-song")
    long = [picture(asset), *studio.dance(asset, text, 16)[10:192:24]]
    asset, texts = template("4-two-segments-by-hand")
    two = [(4.0 * i, text) for i, text in enumerate(texts)]
    by_hand = [picture(asset), *studio.dance(asset, two, 8)[8:96:11]]
    _, (text,) = template("5-dance-poses")
    poses = studio.poses(text, 5)[4:58:6]
    asset, (text,) = template("7-photo")
    scene = {"mask": ASSETS / "scene-mask.png", "background": ASSETS / "scene-empty.png"}
    photo = [picture(asset), *studio.dance(asset, text, 4, **scene)[4:28:3]]
    asset, (text,) = template("6-compare-guidance")
    compared = [
        frame
        for strength in (0.0, 1.0, 2.0, 3.0)
        for frame in studio.dance(asset, text, 4, strength)[7:19:3]
    ]
    asset, (text,) = template("8-ksampler")
    sampled = [picture(asset), *studio.dance(asset, text, 4)[4:28:3]]
    edited = tile([first[i] for i in (0, 1, 2, 3, 5, 6)], 3, 3)
    edited.paste(strip.resize((SIDE, SIDE // 3)), (0, SIDE - SIDE // 3))
    robot = tile([picture(template("9-pictures-sd15")[0])], 1, 1)
    robot.paste(strip.resize((SIDE, SIDE // 5)), (0, SIDE - SIDE // 5))
    for name, sheet in {
        "1-sticker-dances": tile(first, 3, 3),
        "2-edit-the-beats": edited,
        "3-long-song": tile(long, 3, 3),
        "4-two-segments-by-hand": tile(by_hand, 3, 3),
        "5-dance-poses": tile(poses, 3, 3),
        "6-compare-guidance": tile(compared, 4, 4),
        "7-photo": tile(photo, 3, 3),
        "8-ksampler": tile(sampled, 3, 3),
        "9-pictures-sd15": robot,
    }.items():
        sheet.save(WORKFLOWS / f"{name}.jpg", quality=90)


def clips() -> None:
    for name, asset, text in CLIPS:
        out = str(RESULTS / f"{name}.webp")
        chosen = ["--text", text, "--out", out, "--loop", "--seconds", "5", "--seed", "1"]
        chosen += ["--size", "320"]
        if musedance(["animate", str(ASSETS / f"{asset}.png"), str(SONG), *chosen]):
            sys.exit(f"{name} was not made")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made = {"thumbnails": thumbnails, "clips": clips}
    parser.add_argument("what", nargs="?", choices=list(made), help="(default: both)")
    asked = parser.parse_args().what
    for name in [asked] if asked else made:
        made[name]()


if __name__ == "__main__":
    main()
