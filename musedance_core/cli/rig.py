"""`musedance rig`: the joints of the figure in a picture."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from .command import Command, fill
from .targets import check_target

if TYPE_CHECKING:
    from PIL.Image import Image

    from ..dance.rig import Rig

DESCRIPTION = """\
Find the joints of the figure in PICTURE: {"size": [w, h], "joints": {"right_wrist": [x, y] or null,
...}, "confidence": {...}} in pixels from the top left corner. Sides are the character's own: the
right arm of one that faces the viewer is at the picture's left. (Sentences of `musedance animate`
name the viewer's sides.)

A joint that is not there, or not for certain, is null; that limb then dances with the body. --json
writes a file that can be edited by hand and passed to `musedance animate --rig`.
"""


@dataclass(frozen=True)
class RigOptions:
    """The arguments: the picture, files to write, the figure's mask, and the model."""

    picture: str
    json: str | None
    plot: str | None
    keypoints: str | None
    mask: str | None
    checkpoint: str | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("picture", metavar="PICTURE", help="a picture with one figure in it")
    add("--json", metavar="FILE", help="write the joints there")
    add("--plot", metavar="FILE.png", help="draw joints and parts over the picture there")
    add("--keypoints", metavar="FILE", help="write the joints as OpenPose JSON there")
    add("--mask", metavar="FILE", help="a picture of the same shape, white where the figure is")
    add("--checkpoint", metavar="FILE", help="the model (default: the embedded sticker model)")


def run(options: RigOptions) -> int:
    """Print the joints; write them to --json and --keypoints and draw them to --plot.

    Raises:
        InputError: the picture, the mask or the model cannot be used, or a file cannot be written.
    """
    from ..dance.openpose_json import write_rig_keypoints
    from ..dance.rig import write_rig
    from ..media.images import load_mask, load_picture
    from ..media.rig_plot import write_rig_plot

    inputs = (options.picture, options.mask, options.checkpoint)
    targets = (options.json, options.plot, options.keypoints)
    for target, suffix in zip(targets, (".json", ".png", ".json"), strict=True):
        if target is not None:
            check_target(target, (suffix,), inputs)
    # Unlike Path.resolve, realpath raises nothing where links form a loop.
    places = [os.path.realpath(t) for t in (options.json, options.keypoints) if t is not None]
    if len(set(places)) < len(places):
        raise InputError(f"--json and --keypoints both name {options.json}.")
    picture = load_picture(options.picture)
    mask = None if options.mask is None else load_mask(options.mask, picture)
    rig = _rig(options, picture, mask)
    print(joint_table(rig))
    if options.json is not None:
        write_rig(rig, options.json)
    if options.plot is not None:
        write_rig_plot(options.plot, picture, rig)
    if options.keypoints is not None:
        write_rig_keypoints(options.keypoints, rig)
    print(
        f"{options.picture}: {int(rig.present.sum())} of {len(rig.joints)} joints found"
        f"{_written([target for target in targets if target is not None])}."
    )
    return 0


def _written(names: list[str]) -> str:
    """`; written to a, b and c`, or nothing where no file was written."""
    if not names:
        return ""
    *others, last = names
    return f"; written to {', '.join(others)}{' and ' * bool(others)}{last}"


def _rig(options: RigOptions, picture: Image, mask: Image | None) -> Rig:
    from ..checkpoint.format import load_checkpoint
    from ..models.rigging import find_rig
    from ..pipeline import DEFAULT_CHECKPOINT

    path = options.checkpoint or DEFAULT_CHECKPOINT
    network = load_checkpoint(path).model.rig
    if network is None:
        raise InputError(f"{path} has no rig network: it finds no joints.")
    return find_rig(network.eval(), picture, mask)


def joint_table(rig: Rig) -> str:
    """One line a joint: place in pixels, or null, and confidence."""
    from ..dance.skeleton import JOINTS

    lines = []
    for name, place, there, sure in zip(
        JOINTS, rig.joints.tolist(), rig.present.tolist(), rig.confidence.tolist(), strict=True
    ):
        where = f"{place[0]:8.1f} {place[1]:8.1f}" if there else f"{'null':>17}"
        lines.append(f"  {name:<15}{where}   {sure:4.0%}")
    return "\n".join(
        ["Joints in pixels (x, y; null: absent) and how certainly they are there:", *lines]
    )


COMMAND = Command(
    "rig",
    "find the joints of the figure in a picture",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(RigOptions, arguments),
    run,
)
