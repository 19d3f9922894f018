"""Small drawn figures whose parts are known, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import JOINTS

W, H = 160, 200
Colour = tuple[float, float, float]
SKIN, SHIRT, TROUSERS, RED = (0.95, 0.75, 0.3), (0.2, 0.4, 0.8), (0.4, 0.4, 0.4), (0.8, 0.1, 0.2)
STANDING = {
    **{"pelvis": (80, 110), "chest": (80, 80), "neck": (80, 54), "head_top": (80, 14)},
    **{"right_shoulder": (64, 62), "right_elbow": (40, 72), "right_wrist": (18, 82)},
    **{"left_shoulder": (96, 62), "left_elbow": (120, 72), "left_wrist": (142, 82)},
    **{"right_hip": (71, 114), "right_knee": (66, 148), "right_ankle": (62, 182)},
    **{"left_hip": (89, 114), "left_knee": (94, 148), "left_ankle": (98, 182)},
}


def _grid() -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:H, :W].astype(np.float32) + 0.5
    return x, y


def thick_line(*points: tuple[float, float], radius: float) -> np.ndarray:
    """Coverage `[H W]` of a line with round ends."""
    x, y = _grid()
    cover = np.zeros((H, W), np.float32)
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        share = (((x - ax) * dx + (y - ay) * dy) / max(1e-6, dx * dx + dy * dy)).clip(0, 1)
        away = np.hypot(x - ax - share * dx, y - ay - share * dy)
        cover = np.maximum(cover, (radius - away + 0.5).clip(0, 1))
    return cover


def polygon(*corners: tuple[float, float]) -> np.ndarray:
    """Coverage `[H W]` of a convex polygon, whose corners go round clockwise as seen."""
    x, y = _grid()
    cover = np.ones((H, W), np.float32)
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        length = np.hypot(bx - ax, by - ay)
        cover = np.minimum(cover, ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / length + 0.5)
    return cover.clip(0, 1)


@dataclass
class DrawnFigure:
    """A picture in layers, from the bottom one to the top one, with its joints.

    Attributes:
        shapes: name, coverage `[H W]` and colour of every layer.
        joints: places of the joints that are there.
    """

    shapes: list[tuple[str, np.ndarray, Colour]] = field(default_factory=list)
    joints: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(STANDING))

    def add(self, name: str, cover: np.ndarray, colour: Colour) -> DrawnFigure:
        self.shapes.append((name, cover, colour))
        return self

    @property
    def picture(self) -> Tensor:
        """Straight RGBA `[4 H W]`."""
        result = np.zeros((4, H, W), np.float32)
        for _, cover, colour in self.shapes:
            layer = np.concatenate([cover * np.array(colour)[:, None, None], cover[None]])
            result = layer + (1 - cover) * result
        result[:3] /= np.maximum(result[3], 1e-6)
        return torch.from_numpy(result.astype(np.float32)).clamp(0, 1)

    def seen(self, name: str) -> np.ndarray:
        """Pixels `[H W]` inside of a layer, away from its edges, that no other one covers."""
        seen = np.zeros((H, W), np.float32)
        for other, cover, _ in self.shapes:
            seen = cover if other == name else np.minimum(seen, 1 - cover)
        padded = np.pad(seen > 0.99, 2)
        return np.all([padded[i : i + H, j : j + W] for i in range(5) for j in range(5)], axis=0)

    def rig(self, certainty: float | None = 1.0) -> Rig:
        joints = torch.full((len(JOINTS), 2), torch.nan)
        for name, place in self.joints.items():
            joints[JOINTS.index(name)] = torch.tensor(place, dtype=torch.float32)
        sure = None if certainty is None else torch.full((len(JOINTS),), certainty)
        return Rig((W, H), joints, torch.ones(len(JOINTS)), certainty=sure)


def person(*, arms: bool = True) -> DrawnFigure:
    """A standing person with bare arms, spread, and trousers."""
    figure = DrawnFigure()
    j = figure.joints
    for side in ("right", "left"):
        leg = [j[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")]
        figure.add(f"{side}_leg", thick_line(*leg, radius=7), TROUSERS)
        if arms:
            arm = [j[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
            figure.add(f"{side}_arm", thick_line(*arm, radius=5), SKIN)
    figure.add("trunk", polygon((60, 54), (100, 54), (100, 118), (60, 118)), SHIRT)
    return figure.add("head", thick_line((80, 30), (80, 40), radius=17), SKIN)
