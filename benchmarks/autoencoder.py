"""Quality of a sticker checkpoint's autoencoder.

    python benchmarks/autoencoder.py [CHECKPOINT] [--count 200]

PSNR of its round trip on dancers of the test split, whole pictures and the dancer alone.
"""

from __future__ import annotations

import argparse

import torch

from musedance_core.models.vae import DiffusersAutoencoder, PatchAutoencoder
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.world.clips import World


def round_trip(
    vae: PatchAutoencoder | DiffusersAutoencoder, size: int, kind: str, count: int
) -> tuple[float, float]:
    """Returns the mean PSNR in dB of test pictures of one kind, whole and dancer only."""
    pictures, parts = World("test", size, mixture={kind: 1.0}).pictures(range(count))
    with torch.no_grad():
        error = (vae.decode(vae.encode(pictures)) - pictures).square().mean(dim=1)
    dancer = parts > 0
    whole = error.mean(dim=(1, 2))
    within = (error * dancer).sum(dim=(1, 2)) / dancer.sum(dim=(1, 2)).clamp_min(1)
    return float((-10 * whole.log10()).mean()), float((-10 * within.log10()).mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--count", type=int, default=200, help="pictures of each kind")
    args = parser.parse_args()
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    for kind in ("emoji", "puppet"):
        size = pipeline.config.clip.size
        whole, dancer = round_trip(pipeline.model.vae, size, kind, args.count)
        print(f"round trip of {kind}: {whole:.2f} dB, of the dancer alone {dancer:.2f} dB")


if __name__ == "__main__":
    main()
