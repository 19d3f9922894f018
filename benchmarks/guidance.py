"""Guidance and steps of the choreographer, and steps and samplers of the denoiser, compared.

    python benchmarks/guidance.py [CHECKPOINT] [--split validation] [--dances 60] [--clips 6]

For each of `DANCES`: the gain of beat alignment over other music, the share of the motion with the
beat, the share of moves recognised, and the distance between two seeds over that between two
sentences. For each of `FRAMES`: PSNR and SSIM inside the dancer in the true dance, and identity.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from dancer_pixels import Studio, following, likeness, true_rig_frames
from dancer_poses import Planner, poses, takes
from dancer_results import with_interval

from musedance_core.diffusion.choreography import DanceSettings
from musedance_core.evaluation.judges.networks import Judges, load_judges
from musedance_core.evaluation.options import Sampling
from musedance_core.evaluation.samples import encode_scene
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline

DANCES: tuple[tuple[float, Mapping[str, float], int], ...] = (
    (1.0, {}, 8),
    (1.0, {}, 4),
    (1.0, {}, 16),
    (1.5, {}, 8),
    (2.0, {}, 8),
    (1.0, {"text": 1.0}, 8),
    (1.0, {"music": 1.0}, 8),
)
"""Guidance scale, weights of single conditions, and steps of the choreographer."""
FRAMES = ((4, "dpmpp_2m"), (8, "dpmpp_2m"), (20, "dpmpp_2m"), (10, "ddim"))
"""Steps and sampler of the denoiser."""
COLUMNS = ("gain of beat alignment", "share with the beat", "move recognised")


def choreographer(
    planner: Planner,
    judges: Judges,
    dances: int,
    groups: int,
    scale: float,
    weights: Mapping[str, float],
    steps: int,
) -> str:
    """One of `DANCES`."""
    settings = DanceSettings.of(planner.pipeline.model, steps, scale, weights)
    planner = replace(planner, settings=settings)
    found = [r for r in poses(planner, judges, dances, None) if r.name in COLUMNS]
    found.append(takes(planner, groups)[0])
    return ", ".join(f"{result.name} {result.text}" for result in found)


def denoiser(studio: Studio, clips: int) -> str:
    """One of `FRAMES`."""
    rows = []
    for i, scene in enumerate(studio.scenes(clips)):
        sample = following(studio, scene, encode_scene(studio.pipeline, scene), i, False)
        assert scene.motion is not None
        alpha = true_rig_frames(studio, scene, scene.motion)[1]
        rows.append(likeness(studio, sample, scene, alpha))
    values = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return ", ".join(f"{name} {with_interval(found)}" for name, found in values.items())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--split", default="validation", choices=("validation", "test"))
    parser.add_argument("--dances", type=int, default=60, help="0 leaves the choreographer out")
    parser.add_argument("--groups", type=int, default=4, help="of six sentences")
    parser.add_argument("--clips", type=int, default=6, help="0 leaves the denoiser out")
    args = parser.parse_args()
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    judges, planner = load_judges(), Planner.of(pipeline, args.split)
    for scale, weights, steps in DANCES if args.dances else ():
        text = choreographer(planner, judges, args.dances, args.groups, scale, weights, steps)
        print(f"choreographer, guidance {scale:g} {dict(weights)}, {steps} steps: {text}")
    for steps, sampler in FRAMES if args.clips else ():
        sampling = Sampling(steps=steps, sampler=sampler)
        studio = Studio(pipeline, judges, sampling, args.split, 128)
        print(f"denoiser, {steps} steps of {sampler}: {denoiser(studio, args.clips)}", flush=True)


if __name__ == "__main__":
    main()
