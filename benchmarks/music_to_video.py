"""A baseline like MM-Diffusion (arXiv 2212.09478): our denoiser with music and beats alone.

    python benchmarks/music_to_video.py --out runs/music-to-video [--init FILE] [KEY=VALUE ...]

Trains the denoiser on the clips of stage 2 without picture, planned dance, previous frames and
sentence, starting from a checkpoint that was trained with all of them.
`python benchmarks/quality.py --music-to-video runs/music-to-video/model.safetensors` evaluates it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from musedance_core.diffusion.samplers import SAMPLERS
from musedance_core.diffusion.segment import clip_audio, initial_noise
from musedance_core.evaluation.samples import Sample
from musedance_core.evaluation.scenes import Scene
from musedance_core.models import Conditions
from musedance_core.models.schedule import NoiseSchedule
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config_file import load_config
from musedance_core.training.entry import train
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch
from musedance_core.training.stages.losses import ConditionMask
from musedance_core.training.stages.stage2 import Stage2

CONFIG = Path(__file__).parents[1] / "train/configs/sticker/stage2.yaml"
SAMPLER, STEPS = "ddim", 20
"""Without a plan, motion is made in the first steps: more of them than the model's default."""


def music_alone(conditions: Conditions) -> Conditions:
    """Returns the conditions without picture, plan, previous frames and sentence."""
    text = torch.zeros_like(conditions.text)
    return replace(conditions, text=text).without_reference()


class MusicToVideoStage(Stage2):
    """Stage 2 without picture and sentence: frames from music and beats."""

    def conditions(self, batch: Batch, mask: ConditionMask, rng: StepRandom | None) -> Conditions:
        return music_alone(super().conditions(batch, mask, rng))


@torch.no_grad()
def sample_music_to_video(pipeline: MuseDancePipeline, scene: Scene, seed: int) -> Sample:
    """Samples one segment to the song of a scene, in the size of its picture."""
    model = pipeline.model
    blank = torch.zeros(1, 3, model.config.clip.size, model.config.clip.size)
    noise = initial_noise(model, model.vae.encode(blank), seed, 0)
    song = pipeline.encode_song(scene.song, scene.grid)
    audio = clip_audio(model, song, scene.start, 0, noise)
    conditions = music_alone(
        Conditions(
            text=pipeline.encode_text(""),
            music=model.embed_music(audio),
            beat=model.embed_beats(audio),
            seconds=audio.seconds,
        )
    )

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        v: Tensor = model.unet(x, t, conditions)
        return v

    schedule = NoiseSchedule(model.config.schedule)
    latents = SAMPLERS[SAMPLER](denoise, noise, schedule, STEPS, lambda step, x: None)
    frames = model.vae.decode(latents[0, : len(scene.truth)]).float().clamp(0, 1)
    size = scene.truth.shape[-2:]
    return Sample(F.interpolate(frames, size, mode="bilinear", align_corners=False))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of the training")
    parser.add_argument("--out", required=True, help="folder of the run")
    parser.add_argument("--init", default=str(DEFAULT_CHECKPOINT))
    args = parser.parse_args()
    overrides = [f"output_dir={args.out}", f"init={args.init}", *args.overrides]
    train(MusicToVideoStage, load_config(CONFIG, overrides))


if __name__ == "__main__":
    main()
