"""Accuracy of the rig network on puppets of the test split, and on characters of other hands.

    python benchmarks/rig.py [--checkpoint FILE] [--puppets 500] [--pictures FOLDER] [--split test]

`rig_labels.json` holds joints that were labelled by hand on emoji of six sets, in hundredths of the
longer side of the figure's box, from its top left corner; null is a joint that is not there, and
one that is not listed cannot be seen. `rig_pictures.py` draws those emoji into FOLDER. Choices were
made with the split "validation"; "test" is for the figures alone.

Distances are in heights of the figure's box. Columns, in per cent, means over figures with 95 %
bootstrap intervals:

joints     joints within 0.1, of those that are there; the best guess counts, called there or not.
found      the same of joints that are also called there, as a dance needs them.
present    joints that are there and called there.
absent     joints that are absent and called absent.
balanced   mean of the two: 50 for whoever calls every joint there.
presence   joints that are rightly called there or absent, and in brackets what calling every joint
           there would score.

In views from the side the sides of arms, or of legs, may be exchanged. Emoji without limbs in the
style of Noto are among the training pictures (not these), so that the other sets have rows of
their own.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from musedance_core.checkpoint.format import load_checkpoint
from musedance_core.dance.skeleton import BONES, INDEX, JOINTS, MIRRORED_JOINTS
from musedance_core.media.images import load_picture, to_uint8
from musedance_core.metrics.bootstrap import mean_interval
from musedance_core.models.rig_net import RigNet
from musedance_core.models.rigging import LIMITS, RigLimits, find_rig
from musedance_core.pipeline import DEFAULT_CHECKPOINT
from musedance_core.world.rig_samples import RigSamples

LABELS = Path(__file__).with_name("rig_labels.json")
NEAR = 0.1
NOTO = "noto"
EVERY_JOINT = RigLimits(present=0.0)
ARMS = [i for i, name in enumerate(JOINTS) if name.split("_")[-1] in ("shoulder", "elbow", "wrist")]
LEGS = [i for i, name in enumerate(JOINTS) if name.split("_")[-1] in ("hip", "knee", "ankle")]


@dataclass(frozen=True)
class Figure:
    """A picture with its true joints `[16 2]` in pixels.

    Attributes:
        group: of figures that belong together.
        drawn_by: "world" or the set of emoji.
        known: bool `[16]`: joints whose presence is known.
        height: of the figure's box in pixels.
        side_view: whether sides may be exchanged.
    """

    group: str
    name: str
    picture: Image.Image
    joints: Tensor
    known: Tensor
    height: float
    drawn_by: str = "world"
    side_view: bool = False


def puppets(count: int, seed: int) -> Iterator[Figure]:
    """Test puppets, every second one on a background."""
    for opaque in (False, True):
        samples = RigSamples("test", size=256, seed=seed, opaque=float(opaque))
        for index in range(count // 2):
            sample = samples[index]
            rows = torch.nonzero(sample.subject > 0.5)[:, 0]
            pixels = to_uint8(sample.picture).permute(1, 2, 0).numpy()
            picture = Image.fromarray(pixels)
            yield Figure(
                "puppets on a background" if opaque else "puppets",
                str(index),
                picture.convert("RGB") if opaque else picture,
                sample.joints,
                torch.ones(len(JOINTS), dtype=torch.bool),
                float(rows.max() - rows.min() + 1),
            )


def characters(folder: Path, split: str) -> Iterator[Figure]:
    """The labelled characters of a split."""
    for label in json.loads(LABELS.read_text())["figures"]:
        if label["split"] != split:
            continue
        picture = load_picture(folder / label["set"] / f"{label['name']}.png")
        _left, top, _right, bottom = (
            picture.getchannel("A").point(lambda v: 255 * (v > 127)).getbbox()
        )
        unit = max(picture.size) / 100
        joints = torch.full((len(JOINTS), 2), torch.nan)
        known = torch.zeros(len(JOINTS), dtype=torch.bool)
        for name, place in label["joints"].items():
            known[INDEX[name]] = True
            if place is not None:
                joints[INDEX[name]] = torch.tensor(place) * unit
        limbless = not bool(joints.isfinite().any())
        group = "without limbs" if limbless else label["set"]
        yield Figure(
            *(group, label["name"], picture, joints, known, float(bottom - top)),
            drawn_by=label["set"],
            side_view=label["side_view"],
        )


@dataclass(frozen=True)
class Score:
    """Shares of one figure, as columns of the table; NaN where there is nothing to score.

    `always` is the presence of a network that calls every joint there.
    """

    joints: float
    found: float
    present: float
    absent: float
    presence: float
    always: float


def score(network: RigNet, figure: Figure) -> Score:
    """Scores one figure; limbs of side views with the sides that fit better."""
    rig = find_rig(network, figure.picture, limits=EVERY_JOINT)
    present = rig.confidence >= LIMITS.present
    for inner, outer in BONES.values():
        present[outer] &= present[inner]
    there = figure.joints.isfinite().all(dim=-1)
    near = (rig.joints - figure.joints).norm(dim=-1) < NEAR * figure.height
    if figure.side_view:
        mirror = list(MIRRORED_JOINTS)
        other = (rig.joints[mirror] - figure.joints).norm(dim=-1) < NEAR * figure.height
        other_present = present[mirror]
        for limbs in (ARMS, LEGS):
            if other[limbs].sum() > near[limbs].sum():
                near[limbs], present[limbs] = other[limbs], other_present[limbs]
    visible, missing = there & figure.known, ~there & figure.known
    shares = (
        near[visible],
        (near & present)[visible],
        present[visible],
        ~present[missing],
        (present == there)[figure.known],
        there[figure.known],
    )
    return Score(*(float(share.float().mean()) for share in shares))


def draw(network: RigNet, figure: Figure, side: int = 200) -> Image.Image:
    """The picture with the joints that were found, and the true ones as rings."""
    rig = find_rig(network, figure.picture)
    scale = side / max(figure.picture.size)
    size = tuple(max(1, round(v * scale)) for v in figure.picture.size)
    tile = Image.new("RGB", (side, side), "white")
    small = figure.picture.convert("RGBA").resize(size, Image.Resampling.LANCZOS)
    tile.paste(small, (0, 0), small)
    pen = ImageDraw.Draw(tile)
    for name, ends in BONES.items():
        line = rig.joints[list(ends)] * scale
        if line.isfinite().all():
            colour = "red" if name.startswith("right") else "blue"
            pen.line([*line.flatten().tolist()], fill=colour, width=3)
    for i in range(len(JOINTS)):
        for joints, radius in ((rig.joints, 2), (figure.joints, 4)):
            x, y = (joints[i] * scale).tolist()
            if x == x:
                pen.ellipse([x - radius, y - radius, x + radius, y + radius], outline="black")
    return tile


def groups(figure: Figure) -> list[str]:
    """Rows of the table that a figure counts in."""
    if figure.drawn_by == "world":
        return [figure.group]
    limbs = "without limbs" if figure.group == "without limbs" else "with limbs"
    noto = "Noto" if figure.drawn_by == NOTO else "without Noto"
    return [
        figure.group,
        *(f"other hands, {limbs}", f"other hands, {limbs}, {noto}"),
        *("other hands, all", f"other hands, all, {noto}"),
    ]


def column(scores: list[Score], name: str) -> np.ndarray:
    """One share of all figures."""
    return np.array([getattr(one, name) for one in scores])


def interval(values: np.ndarray) -> str:
    """The mean in per cent with its interval."""
    known = values[np.isfinite(values)]
    if not len(known):
        return f"{'-':>22}"
    low, high = mean_interval(known) or (known[0], known[0])
    return f"{100 * known.mean():7.1f} ({100 * low:5.1f}..{100 * high:5.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT)
    parser.add_argument("--puppets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pictures", type=Path, help="folder of rig_pictures.py")
    parser.add_argument("--split", choices=("validation", "test"), default="test")
    parser.add_argument("--sheet", type=Path, help="draw the characters of other hands there")
    args = parser.parse_args()
    network = load_checkpoint(args.checkpoint).model.rig
    if network is None:
        parser.error(f"{args.checkpoint} has no rig network")
    network.eval()

    figures = list(characters(args.pictures, args.split)) if args.pictures else []
    scores: defaultdict[str, list[Score]] = defaultdict(list)
    for figure in [*puppets(args.puppets, args.seed), *figures]:
        shares = score(network, figure)
        for group in groups(figure):
            scores[group].append(shares)
    titles = ("joints", "found", "present", "absent")
    print(f"{'':36} {'n':>4}", *(f"{name:>22}" for name in titles), " balanced  presence")
    for group, some in scores.items():
        print(
            f"{group:36} {len(some):4}", *(interval(column(some, name)) for name in titles), end=""
        )
        present, absent, presence, always = (
            float(np.nanmean(values)) if np.isfinite(values).any() else np.nan
            for values in (column(some, n) for n in ("present", "absent", "presence", "always"))
        )
        balanced = (present + absent) / 2
        print(f" {100 * balanced:9.1f}  {100 * presence:5.1f} ({100 * always:.1f})")
    if args.sheet:
        columns = 10
        sheet = Image.new("RGB", (columns * 204, -(-len(figures) // columns) * 204), "grey")
        for i, figure in enumerate(figures):
            sheet.paste(draw(network, figure), (i % columns * 204, i // columns * 204))
        sheet.save(args.sheet)


if __name__ == "__main__":
    main()
