"""Each stage learns one batch: its loss falls by nine tenths."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Batch, choose_trainable
from musedance_core.training.stages.diffusion import DiffusionStage
from musedance_core.training.stages.music import MusicStage
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2
from musedance_core.training.stages.text import TextStage
from musedance_core.training.stages.vae import VaeStage

WHOLE = ("unet.*", "reference.*", "mask.*")


def fit(stage: DiffusionStage, batch: Batch, patterns: tuple[str, ...], steps: int) -> list[float]:
    """Returns the held-out loss before and after training."""
    trainable = list(choose_trainable(stage, patterns).values())
    optimizer = torch.optim.Adam(trainable, lr=2e-3)
    before = stage.evaluate(batch)["right"]
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - step / steps)
        optimizer.zero_grad()
        stage(repeated(batch, 4), StepRandom(0, step, 4)).mean().backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
    return [before, stage.evaluate(batch)["right"]]


def autoencoder_batch(clip: Batch) -> Batch:
    """Returns the frames of the clip, with the square as the dancer."""
    pictures = clip["frames"].flatten(0, 1)
    return {"pictures": pictures, "part_map": (pictures[:, 0] > 0.8).long() * 25}


def repeated(batch: Batch, times: int) -> Batch:
    return {name: tensor.repeat_interleave(times, 0) for name, tensor in batch.items()}


@pytest.mark.parametrize(("kind", "steps"), [(Stage1, 300), (Stage2, 300)])
def test_one_clip_is_learned(
    kind: type[DiffusionStage],
    steps: int,
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    stage = kind(model, tokenizer, run_config)
    before, after = fit(stage, clip, WHOLE, steps)
    assert after < 0.1 * before


@pytest.mark.parametrize(("kind", "steps"), [(TextStage, 60), (MusicStage, 150)])
def test_one_batch_of_labels_is_learned(
    kind: type[TextStage | MusicStage],
    steps: int,
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
) -> None:
    config = replace(run_config, data=replace(run_config.data, songs=2))
    stage = kind(model, tokenizer, config)
    batch = stage.source("train")([0, 1])
    trainable = list(choose_trainable(stage, stage.trainable).values())
    optimizer = torch.optim.Adam(trainable, lr=3e-3)
    losses = []
    for step in range(steps):
        loss = stage(batch, StepRandom(0, step, 2))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]


def test_the_autoencoder_learns_one_batch(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    """10 dB more are a tenth of the squared error."""
    stage = VaeStage(model, tokenizer, run_config)
    pictures = autoencoder_batch(clip)
    trainable = list(choose_trainable(stage, stage.trainable).values())
    optimizer = torch.optim.Adam(trainable, lr=2e-3)
    before = stage.evaluate(pictures)
    for step in range(150):
        optimizer.zero_grad()
        stage(pictures, StepRandom(0, step, 6)).backward()
        optimizer.step()
    after = stage.evaluate(pictures)
    assert after["psnr"] > before["psnr"] + 10
    assert after["psnr_dancer"] > before["psnr_dancer"] + 10


def test_errors_on_the_dancer_weigh_four_times_as_much(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The dancer covers half of the picture, so weights are 1.6 there and 0.4 elsewhere."""
    stage = VaeStage(model, tokenizer, run_config)
    batch = autoencoder_batch(clip)
    middle = batch["part_map"].shape[-1] // 2
    batch["part_map"][..., :middle] = 3
    batch["part_map"][..., middle:] = 0
    losses, psnr = {}, {}
    for place, columns in {"dancer": slice(middle), "background": slice(middle, None)}.items():
        decoded = batch["pictures"].clone()
        decoded[..., columns] += 0.2
        monkeypatch.setattr(model.vae, "decode", lambda latents, decoded=decoded: decoded)
        losses[place] = stage(batch, StepRandom(0, 0, 6)).item()
        psnr[place] = stage.evaluate(batch)
    error = 0.2 + 5 * 0.2**2
    assert losses["dancer"] - losses["background"] == pytest.approx(
        (1.6 - 0.4) * error / 2, rel=1e-4
    )
    assert psnr["dancer"]["psnr"] == pytest.approx(psnr["background"]["psnr"], abs=1e-4)
    assert psnr["dancer"]["psnr_dancer"] == pytest.approx(-20 * math.log10(0.2), abs=1e-4)
    assert psnr["background"]["psnr_dancer"] == math.inf


@pytest.mark.parametrize(
    ("stages", "fresh", "continues"),
    [(["vae"], (), True), (["vae"], ("vae.*",), False), (["text"], (), False)],
)
def test_a_trained_autoencoder_continues_and_an_untrained_one_starts_at_the_pca(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stages: list[str],
    fresh: tuple[str, ...],
    continues: bool,
) -> None:
    init = tmp_path / "init.safetensors"
    done = [{"part": part} for part in stages]
    save_checkpoint(init, model, tokenizer, {"trained": False, "stages": done}, dtype=None)
    stage = VaeStage(model, tokenizer, replace(run_config, init=str(init), fresh=fresh))
    monkeypatch.setattr(stage, "pca_pictures", lambda: torch.rand(40, 3, 32, 32))
    before = model.vae.to_latent.weight.clone()
    stage.initialise()
    assert torch.equal(model.vae.to_latent.weight, before) is continues
