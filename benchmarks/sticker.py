"""Figures of a sticker checkpoint on characters and songs of the test split.

    python benchmarks/sticker.py [CHECKPOINT] [--clips 8]

Round-trip PSNR, held-out loss with right and wrong conditions, how the generated motion follows the
true one and an edited beat grid, seconds for four seconds of video, and peak memory.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import torch
from torch import Tensor

from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.features import song_log_mel
from musedance_core.models.vae import PatchAutoencoder
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline, Track
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.diffusion import Stage2
from musedance_core.world.clips import World

FRAMES, FPS = 48, 12
SHIFT = 2
"""Frames by which the shift test moves all beats."""


def round_trip(vae: PatchAutoencoder, kind: str, count: int = 200) -> float:
    """Mean PSNR in dB over test pictures of one kind of dancer."""
    pictures = World("test", mixture={kind: 1.0}).pictures(range(count))
    with torch.no_grad():
        error = (vae.decode(vae.encode(pictures)) - pictures).square().mean(dim=(1, 2, 3))
    return float((-10 * error.log10()).mean())


def held_out(pipeline: MuseDancePipeline, clips: int) -> dict[str, float]:
    """Unweighted loss on test clips of 16 frames, at fixed noise, with one condition wrong."""
    config = TrainConfig(output_dir="", data=DataConfig(songs=32, frames=16))
    stage = Stage2(pipeline.model, pipeline.tokenizer, config).eval()
    with torch.no_grad():
        return stage.evaluate(stage.source("test")(list(range(clips))))


def energy(frames: Tensor) -> np.ndarray:
    """Motion between neighbouring frames of `[f 3 h w]`, `[f-1]`."""
    return (frames[1:] - frames[:-1]).abs().mean(dim=(1, 2, 3)).numpy()


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


def lag(late: np.ndarray, early: np.ndarray, reach: int = 5) -> int:
    """By how many frames `late` comes after `early`, at the best correlation."""
    n = len(early)

    def at(k: int) -> float:
        return correlation(late[max(k, 0) : n + min(k, 0)], early[max(-k, 0) : n - max(k, 0)])

    return max(range(-reach, reach + 1), key=at)


def generate(
    pipeline: MuseDancePipeline, world: World, index: int, grid: BeatGrid, mel: Tensor
) -> Tensor:
    """Four seconds of a test clip's dance to `grid`, `[f 3 h w]`."""
    clip = world.clips([index], FRAMES)
    segments = pipeline.animate(
        clip.reference[0],
        Track(mel, grid),
        clip.captions[0],
        frames=FRAMES,
        start=clip.starts[0],
        part_map=clip.part_map[0],
    )
    return next(iter(segments)).frames


def dances(pipeline: MuseDancePipeline, clips: int) -> None:
    """Compare generated dances with the truth, and with what they become when beats move."""
    world = World("test", songs=32, continued=0.0, mel_bins=pipeline.config.music.mel_bins)
    true, made, late, seconds = [], [], [], []
    for index in range(clips):
        clip = world.clips([index], FRAMES)
        grid, song = clip.grids[0], world.song(clip.song_indices[0])
        mel = song_log_mel(song.wave, pipeline.config.music.mel_bins)
        began = time.monotonic()
        frames = generate(pipeline, world, index, grid, mel)
        seconds.append(time.monotonic() - began)
        moved = generate(pipeline, world, index, grid.shifted(SHIFT / FPS), mel)
        true.append(energy(clip.frames[0]))
        made.append(energy(frames))
        late.append(lag(energy(moved), made[-1]))
        print(
            f"  {clip.captions[0]!r} at {grid.tempo:.0f} BPM: motion like the truth "
            f"{correlation(made[-1], true[-1]):.2f}, {made[-1].mean() / true[-1].mean():.2f} of "
            f"its size; beats {SHIFT} frames later move it by {late[-1]}"
        )
    right = [correlation(m, t) for m, t in zip(made, true, strict=True)]
    other = [correlation(made[i], true[(i + 1) % clips]) for i in range(clips)]
    print(
        f"motion against the truth: correlation {np.mean(right):.2f}, against another clip's "
        f"{np.mean(other):.2f}; beats {SHIFT} frames later move it by {np.mean(late):.2f} frames"
    )
    print(f"4 s of video: {np.median(seconds):.1f} s on {torch.get_num_threads()} threads")


def peak_memory() -> float:
    """Largest resident size of this process in GB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (1e9 if sys.platform == "darwin" else 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", default=DEFAULT_CHECKPOINT)
    parser.add_argument("--clips", type=int, default=8)
    args = parser.parse_args()
    pipeline = MuseDancePipeline.from_checkpoint(args.checkpoint, allow_untrained=True)
    dances(pipeline, args.clips)
    print(f"peak memory {peak_memory():.2f} GB")
    for kind in ("emoji", "puppet"):
        print(f"round trip of {kind}: {round_trip(pipeline.model.vae, kind):.2f} dB")
    figures = held_out(pipeline, 4 * args.clips)
    print("held-out loss:", "  ".join(f"{name} {value:.4f}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
