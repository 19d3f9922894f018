"""Effect of each condition of the denoiser and of the choreographer on the held-out loss.

    python benchmarks/conditioning.py [CHECKPOINT] [--clips 32] [--dances 128]

Loss on test clips at fixed noise with one wrong condition (picture, sentence, music, beats, poses
before or part map of another clip, late beats, none): the paired difference to correct conditions,
with a 95 % interval. For the denoiser also on clips with a bystander, where only the part map
identifies the dancer.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from dancer_results import with_interval

from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.stages.choreographer import ChoreographerStage
from musedance_core.training.stages.stage2 import Stage2

BATCH = 8
FRAMES = 16


def losses(stage: Stage2 | ChoreographerStage, clips: int, title: str) -> None:
    """Measures the held-out loss with correct and wrong conditions, clip by clip."""
    source = stage.eval().source("test")
    found: dict[str, list[np.ndarray]] = {}
    with torch.no_grad():
        for first in range(0, clips, BATCH):
            batch = source(list(range(first, min(first + BATCH, clips))))
            for name, variant in stage.condition_variants(batch).items():
                loss = stage.losses_by_time(variant).mean(dim=0)
                found.setdefault(name, []).append(loss.numpy())
    right = np.concatenate(found.pop("right"))
    print(f"{title}: held-out loss of {clips} test clips: {with_interval(right, 4)}")
    for name, pieces in found.items():
        wrong = np.concatenate(pieces)
        worse = float((wrong > right).mean())
        higher = with_interval(wrong - right, 4)
        print(f"  {name}: higher by {higher}, in {worse:.0%} of clips", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--clips", type=int, default=32, help="of the denoiser's loss")
    parser.add_argument("--dances", type=int, default=128, help="of the choreographer's loss")
    args = parser.parse_args()
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    for bystanders, title in ((0.0, "denoiser"), (1.0, "denoiser, a bystander in each")):
        data = DataConfig(songs=32, frames=FRAMES, bystanders=bystanders)
        config = TrainConfig(output_dir="unused", data=data)
        losses(Stage2(pipeline.model, pipeline.tokenizer, config), args.clips, title)
    if pipeline.model.choreographer is not None:
        config = TrainConfig(output_dir="unused", data=DataConfig(songs=32))
        stage = ChoreographerStage(pipeline.model, pipeline.tokenizer, config)
        losses(stage, args.dances, "choreographer")


if __name__ == "__main__":
    main()
