"""A judge of dances: which move, side and size joints in motion show, given the beats.

It is trained on the world's dances by dancers of many builds, in about three minutes on one core,
and has no file of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, reduce
from torch import Tensor, nn

from ...dance.motion import DanceMotion
from ...dance.posing import Body, pose_body
from ...dance.skeleton import INDEX, JOINTS, PARENTS, STANDING
from ...world.clip_music import random_music
from ...world.dances import (
    MOVES,
    SIDES,
    SIZES,
    Dance,
    dance_motions,
    labels,
    random_dance,
    random_take,
)

FPS = 24.0
FRAMES = 96
CYCLES = (2.0, 4.0, 8.0)
"""Beats of the cycles by which the judge knows when in a phrase a pose comes."""
RATE = 3e-3
GROUP = 16
"""Dances by the same dancer."""
_CENTRE = STANDING * torch.tensor([1.0, -1.0])


@dataclass(frozen=True)
class Verdict:
    """Logits `[b classes]` of move, side and size."""

    move: Tensor
    side: Tensor
    size: Tensor


class DanceJudge(nn.Module):
    """Classifies dances by joints at `FPS`, as `joints` gives them, and beat counts."""

    def __init__(self, width: int = 128) -> None:
        super().__init__()
        features = 4 * len(JOINTS) + 2 * len(CYCLES)
        self.convolutions = nn.Sequential(
            *(nn.Conv1d(features, width, 5, stride=2, padding=2), nn.GELU()),
            *(nn.Conv1d(width, width, 5, stride=2, padding=2), nn.GELU()),
            *(nn.Conv1d(width, width, 5, padding=2), nn.GELU()),
            *(nn.Conv1d(width, width, 5, padding=4, dilation=2), nn.GELU()),
        )
        self.heads = nn.ModuleDict(
            {
                name: nn.Linear(3 * width, n)
                for name, n in (("move", len(MOVES)), ("side", len(SIDES)), ("size", len(SIZES)))
            }
        )

    def forward(self, places: Tensor, count: Tensor) -> Verdict:
        """Verdicts on joints `[b f 16 2]` at the beat counts `[b f]`."""
        x = places - _CENTRE
        speed = (x[:, 1:] - x[:, :-1]) * (FPS / 4)
        x = torch.cat([x, F.pad(speed, (0, 0, 0, 0, 0, 1))], dim=-1)
        turn = 2 * torch.pi * count[:, None] / torch.tensor(CYCLES)[:, None]
        moving = rearrange(4 * x, "b f j d -> b (j d) f")
        h = self.convolutions(torch.cat([moving, turn.sin(), turn.cos()], dim=1))
        pooled = torch.cat(
            [reduce(h, "b d f -> b d", how) for how in ("mean", "max")] + [h.std(dim=-1)], dim=-1
        )
        return Verdict(*(self.heads[name](pooled) for name in ("move", "side", "size")))


def joints(motion: DanceMotion, body: Body | None = None) -> Tensor:
    """Joints `[f 16 2]` in body heights of a dancer, by default a standing person; the ground under
    the middle of the dancer at rest is the origin."""
    body = body or Body.standing(1.0, 0.0, 0.0)
    pelvis = torch.stack([body.joints[INDEX["pelvis"], 0], torch.tensor(body.ground)])
    return (pose_body(body, motion).warped_joints - pelvis) / body.height


def random_body(rng: np.random.Generator) -> Body:
    """A person of unusual build: every bone longer or shorter, the height 1."""
    upright = STANDING.double().numpy()
    scale = {"limb": 1.0, "trunk": 1.0, "head": 1.0}
    scale = {name: float(np.exp(rng.normal(0, 0.15))) for name in scale}
    places = np.zeros_like(upright)
    for i, parent in enumerate(PARENTS):
        if parent < 0:
            continue
        name = JOINTS[i]
        kind = "head" if name == "head_top" else "trunk" if "_" not in name else "limb"
        places[i] = places[parent] + (upright[i] - upright[parent]) * scale[kind]
    ankles = [INDEX["left_ankle"], INDEX["right_ankle"]]
    places[:, 1] += upright[ankles[0], 1] - places[ankles, 1].min()
    height = float(places[:, 1].max())
    flat = torch.from_numpy(places / height * [1, -1]).float()
    return Body(flat, torch.ones(len(JOINTS), dtype=torch.bool), 0.0, 1.0)


@dataclass(frozen=True)
class JudgedDances:
    """Dances with their joints `[n f 16 2]` and beat counts `[n f]`."""

    dances: list[Dance]
    places: Tensor
    count: Tensor

    @property
    def targets(self) -> Tensor:
        """Indices `[n 3]` of move, side and size."""
        return torch.tensor([labels(dance)[:3] for dance in self.dances])


def random_dances(rng: np.random.Generator, number: int) -> JudgedDances:
    """Dances with random takes, music and dancers."""
    dances: list[Dance] = []
    places, counts = [], []
    while len(dances) < number:
        some = [random_dance(rng) for _ in range(min(GROUP, number - len(dances)))]
        music = [random_music(rng, FRAMES, FPS) for _ in some]
        motions = dance_motions(some, music, [random_take(rng) for _ in some], FPS)
        joined = DanceMotion(
            torch.cat([m.root for m in motions]), torch.cat([m.limbs for m in motions]), FPS
        )
        relative = joints(joined, random_body(rng))
        places.append(rearrange(relative, "(b f) j d -> b f j d", f=FRAMES))
        counts += [torch.from_numpy(one.count).float() for one in music]
        dances += some
    return JudgedDances(dances, torch.cat(places), torch.stack(counts))


def train_dance_judge(steps: int = 1500, seed: int = 0, clips: int = 16_000) -> DanceJudge:
    """A judge trained on so many dances, for so many steps of 64 of them."""
    rng = np.random.default_rng((seed, 0))
    torch.manual_seed(seed)
    data = random_dances(rng, clips)
    targets = data.targets
    judge = DanceJudge()
    optimizer = torch.optim.AdamW(judge.parameters(), weight_decay=0.02)
    for step in range(steps):
        # A warm-up, then a cosine to zero.
        share = step / steps
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, 10 * share) * 0.5 * (1 + np.cos(np.pi * share))
        some = torch.from_numpy(rng.integers(0, clips, 64))
        loss = judge_loss(judge(data.places[some], data.count[some]), targets[some])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return judge.eval()


def judge_loss(verdict: Verdict, targets: Tensor) -> Tensor:
    """Cross-entropies of `targets` `[b 3]`; a side is judged where the sentence names one."""
    move, side, size = targets.unbind(1)
    named = torch.where(side == SIDES.index("either"), -100, side)
    named_loss = F.cross_entropy(verdict.side, named, ignore_index=-100, reduction="sum")
    moves = F.cross_entropy(verdict.move, move, label_smoothing=0.05)
    loss: Tensor = moves + 0.3 * named_loss / len(move) + 0.3 * F.cross_entropy(verdict.size, size)
    return loss


@torch.no_grad()
def accuracy(judge: DanceJudge, data: JudgedDances) -> dict[str, float]:
    """Shares of the dances whose move, side (where it is named) and size the judge recognises."""
    verdict, targets = judge(data.places, data.count), data.targets
    right = {
        name: (getattr(verdict, name).argmax(dim=1) == targets[:, i]).double()
        for i, name in enumerate(("move", "side", "size"))
    }
    right["side"] = right["side"][targets[:, 1] != SIDES.index("either")]
    return {name: float(values.mean()) for name, values in right.items()}
