"""Effect of compositing the picture's own pixels, with and without a part map.

    python benchmarks/compositing.py [CHECKPOINT] [--each 1] [--steps 10]

The first test clips of every move without compositing, with it, and with it but without a part
map: background error and flicker in grey levels, identity, correlation with the true motion, the
amount of motion over the true one, and the share of moves recognised.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
from quality import animated, balanced

from musedance_core.diffusion.guidance import Guidance
from musedance_core.evaluation.clip import quantise
from musedance_core.evaluation.judges.networks import MOVES, load_judges
from musedance_core.evaluation.options import Sampling
from musedance_core.metrics.consistency import (
    background_error,
    background_region,
    flicker,
    similarity,
)
from musedance_core.metrics.motion import motion_energy
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline

NAMES = (
    "background",
    "flicker",
    "identity",
    "motion like the truth's",
    "motion / truth's",
    "move recognised",
)
ROWS = {
    "without compositing": (False, True),
    "with compositing": (True, True),
    "without part map": (True, False),
}
"""Per row: with compositing, with the part map."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--each", type=int, default=1, help="clips of every move")
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    if min(args.each, args.steps) < 1:
        parser.error("--each and --steps must be at least 1")
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    judges, own = load_judges(), pipeline.config
    guidance = Guidance.of(own.schedule)
    for row, (pixels, part_map) in ROWS.items():
        pipeline.config = replace(own, unet=replace(own.unet, copy_pixels=pixels))
        figures = []
        for i, scene in enumerate(balanced(pipeline, args.each)):
            changed = scene if part_map else replace(scene, part_map=None)
            video = quantise(animated(pipeline, changed, i, Sampling(steps=args.steps), guidance))
            region = background_region(scene.truth, scene.reference)
            move = MOVES[int(judges.motion(video[None]).move_logits.argmax())]
            energy, truth = motion_energy(video), motion_energy(scene.truth)
            figures.append(
                [
                    background_error(video, scene.reference, region),
                    flicker(video, region),
                    float(similarity(judges.identity, video, scene.reference).mean()),
                    np.corrcoef(energy, truth)[0, 1],
                    energy.mean() / truth.mean(),
                    move == scene.dance.move,
                ]
            )
        means = zip(NAMES, np.mean(figures, axis=0), strict=True)
        print(f"{row}:", ", ".join(f"{name} {mean:.3f}" for name, mean in means), flush=True)


if __name__ == "__main__":
    main()
