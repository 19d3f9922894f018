"""Cost of a sticker checkpoint, and the quality of its autoencoder.

    python benchmarks/cost.py [CHECKPOINT] [--clips 4]

Seconds for four seconds of video after loading the model and analysing the song, peak memory, and
the PSNR of the autoencoder's round trip on characters of the test split.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch

from musedance_core.evaluation.options import Sampling
from musedance_core.evaluation.samples import generate
from musedance_core.evaluation.scenes import world_scenes
from musedance_core.models.vae import PatchAutoencoder
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.world.clips import World

FRAMES = 48


def round_trip(vae: PatchAutoencoder, kind: str, count: int = 200) -> tuple[float, float]:
    """Returns the mean PSNR in dB of test pictures of one kind, whole and dancer only."""
    pictures, parts = World("test", mixture={kind: 1.0}).pictures(range(count))
    with torch.no_grad():
        error = (vae.decode(vae.encode(pictures)) - pictures).square().mean(dim=1)
    dancer = parts > 0
    whole = error.mean(dim=(1, 2))
    within = (error * dancer).sum(dim=(1, 2)) / dancer.sum(dim=(1, 2))
    return float((-10 * whole.log10()).mean()), float((-10 * within.log10()).mean())


def seconds(pipeline: MuseDancePipeline, clips: int) -> float:
    """Returns the median seconds for four seconds of video."""
    taken = []
    for scene in world_scenes(pipeline.config, "test", clips, FRAMES):
        began = time.monotonic()
        generate(pipeline, scene, Sampling())
        taken.append(time.monotonic() - began)
    return float(np.median(taken))


def peak_memory() -> float:
    """Returns the peak resident size of this process in GB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1e9 if sys.platform == "darwin" else 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=DEFAULT_CHECKPOINT)
    parser.add_argument("--clips", type=int, default=4)
    args = parser.parse_args()
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    taken = seconds(pipeline, args.clips)
    print(f"4 s of video: {taken:.1f} s on {torch.get_num_threads()} threads")
    print(f"peak memory {peak_memory():.2f} GB")
    for kind in ("emoji", "puppet"):
        whole, dancer = round_trip(pipeline.model.vae, kind)
        print(f"round trip of {kind}: {whole:.2f} dB, of the dancer alone {dancer:.2f} dB")


if __name__ == "__main__":
    main()
