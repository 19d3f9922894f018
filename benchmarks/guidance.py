"""Guidance, steps and samplers compared: the table of docs/results.md.

    python benchmarks/guidance.py [CHECKPOINT] [--rows 3] [--each 1]

For each of `ROWS`, on the first test clips of every move: the share of motion periodic with the
beat, its correlation with the true motion, identity, the error of the corner in grey levels, the
amount of motion over the true one, and the share of clips with the move recognised.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from quality import FPS, animated, balanced

from musedance_core.diffusion.guidance import Guidance
from musedance_core.evaluation.clip import quantise
from musedance_core.evaluation.judges.networks import MOVES, load_judges
from musedance_core.evaluation.options import Sampling
from musedance_core.evaluation.scenes import Scene
from musedance_core.metrics.beat_lag import beat_lag
from musedance_core.metrics.consistency import similarity
from musedance_core.metrics.motion import motion_energy
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline

CORNER = 6
NAMES = (
    *("share with the beat", "motion like the truth's", "identity", "corner", "motion / truth's"),
    "move recognised",
)
ROWS = (
    (1.0, {}, 10, "ddim"),
    (1.0, {}, 8, "dpmpp_2m"),
    (1.0, {}, 20, "ddim"),
    (1.0, {"music": 1.0}, 10, "ddim"),
    (1.0, {"text": 1.0}, 10, "ddim"),
    (1.5, {}, 10, "ddim"),
)
"""Guidance scale, weights of single conditions, steps, sampler."""


def figures(
    pipeline: MuseDancePipeline,
    scenes: Sequence[Scene],
    guidance: Guidance,
    steps: int,
    sampler: str = "ddim",
) -> np.ndarray:
    """`NAMES` of every scene, `[scenes 6]`; the scene's number is its seed."""
    judges, rows = load_judges(), []
    for i, scene in enumerate(scenes):
        sampling = Sampling(steps=steps, sampler=sampler)
        video = quantise(animated(pipeline, scene, i, sampling, guidance))
        energy, truth = motion_energy(video), motion_energy(scene.truth)
        lag = beat_lag(energy, FPS, scene.grid.times - scene.start)
        assert scene.dance is not None
        move = MOVES[int(judges.motion(video[None]).move_logits.argmax())]
        corner = (video - scene.reference)[..., :CORNER, :CORNER]
        rows.append(
            (
                0.0 if lag is None else lag.share,
                np.corrcoef(energy, truth)[0, 1],
                float(similarity(judges.identity, video, scene.reference).mean()),
                float(corner.abs().mean()) * 255,
                energy.mean() / truth.mean(),
                float(move == scene.dance.move),
            )
        )
    return np.array(rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--rows", type=int, default=len(ROWS), help="only the first so many")
    parser.add_argument("--each", type=int, default=1, help="test clips of every move")
    args = parser.parse_args()
    if min(args.rows, args.each) < 1:
        parser.error("--rows and --each must be at least 1")
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    rescale, scenes = pipeline.config.schedule.guidance_rescale, balanced(pipeline, args.each)
    for scale, weights, steps, sampler in ROWS[: args.rows]:
        guidance = Guidance(scale, weights, rescale)
        means = figures(pipeline, scenes, guidance, steps, sampler).mean(axis=0)
        summary = ", ".join(f"{name} {value:.3f}" for name, value in zip(NAMES, means, strict=True))
        print(f"{guidance}; {steps} steps of {sampler}: {summary}", flush=True)


if __name__ == "__main__":
    main()
