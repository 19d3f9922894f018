"""Time of cutting a figure into layers and of rendering it: `python benchmarks/skinning.py`.

One thread. A person of ten parts and a figure in one piece, both about 0.9 of the frame high.
"""

from __future__ import annotations

import argparse
import time

import torch
from torch import Tensor

from musedance_core.dance.figure import LayeredFigure, split_figure
from musedance_core.dance.motion import ROOT_INDEX, DanceMotion, standing
from musedance_core.dance.posing import Body, pose_body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import BONES, INDEX, JOINTS
from musedance_core.dance.skinning import Canvas, render

RADII = {"upper_arm": 0.045, "forearm": 0.04, "thigh": 0.06, "shin": 0.05}


def capsule(size: int, start: Tensor, end: Tensor, radius: float) -> Tensor:
    """Coverage `[size size]` of a thick line."""
    steps = torch.arange(size) + 0.5
    points = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)
    bone = end - start
    share = ((points - start) @ bone / (bone @ bone).clamp_min(1e-6)).clamp(0, 1)
    distance = (points - start - share[..., None] * bone).norm(dim=-1)
    coverage: Tensor = (radius - distance + 0.5).clamp(0, 1)
    return coverage


def person(size: int) -> tuple[Tensor, Body]:
    """A picture `[4 size size]` of a standing person, straight RGBA, and its body."""
    body = Body.standing(0.88 * size, size / 2, 0.95 * size)
    at = body.joints
    bones = [(at[i], at[j], RADII[n.split("_", 1)[1]]) for n, (i, j) in BONES.items()]
    bones += [(at[INDEX["pelvis"]], at[INDEX["neck"]], 0.12)]
    bones += [(at[INDEX["neck"]], at[INDEX["head_top"]], 0.08)]
    picture = torch.zeros(4, size, size)
    for i, (start, end, radius) in enumerate(bones):
        alpha = capsule(size, start, end, radius * size)
        colour = torch.tensor([0.1 * (i % 5) + 0.2, 0.5, 0.8 - 0.06 * i, 1.0])[:, None, None]
        picture = alpha * colour + (1 - alpha) * picture
    picture[:3] /= picture[3:].clamp_min(1e-6)
    return picture, body


def dance(frames: int) -> DanceMotion:
    motion = standing(frames, 24)
    time = torch.linspace(0, 6.28, frames)
    for name, size in (("turn", 0.2), ("lean", 0.2), ("bend", 0.08), ("x", 0.05)):
        motion.root[:, ROOT_INDEX[name]] = size * time.sin()
    angle = time[:, None] + torch.arange(len(BONES))
    motion.limbs[:] = torch.stack([angle.sin(), angle.cos()], dim=-1)
    return motion


def milliseconds(figure: LayeredFigure, canvas: Canvas, frames: int) -> float:
    """Time of `frames` frames, the best of three."""
    posed = pose_body(figure.body, dance(frames))
    times = []
    for _ in range(3):
        start = time.perf_counter()
        render(figure, posed, canvas)
        times.append(1000 * (time.perf_counter() - start))
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512, help="side of picture and frames")
    parser.add_argument("--frames", type=int, default=48)
    options = parser.parse_args()
    torch.set_num_threads(1)
    size, frames = options.size, options.frames
    picture, body = person(size)
    confidence = torch.ones(len(JOINTS))
    start = time.perf_counter()
    whole = split_figure(picture, Rig((size, size), body.joints, confidence))
    print(f"cut into 10 parts: {time.perf_counter() - start:.2f} s")
    absent = torch.full_like(body.joints, torch.nan)
    piece = split_figure(picture, Rig((size, size), absent, confidence))
    for name, figure in (("10 parts", whole), ("1 part", piece)):
        each = milliseconds(figure, Canvas(size, size), frames) / frames
        small = milliseconds(figure, Canvas(64, 64, 64 / size), 16)
        print(f"{name}: {each:.1f} ms a frame of {size} pixels, {small:.1f} ms for 16 of 64")


if __name__ == "__main__":
    main()
