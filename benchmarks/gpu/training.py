"""One training step of a full-size `sd15` config with random weights: memory and seconds.

    python -m benchmarks.gpu.training stage1|stage2|stage1_24gb|stage2_24gb --out FOLDER

The step is the trainer's: its stage, its optimizer and its average, on latents as a cache holds
them. Without bitsandbytes an 8-bit optimizer is replaced by one of single precision, and what that
takes more is written beside the peak.
"""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import replace

import torch

from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import train_tokenizer
from musedance_core.training.config import OptimConfig, TrainConfig
from musedance_core.training.config_file import load_config, model_config
from musedance_core.training.runtime.ema import Ema
from musedance_core.training.runtime.optimizer import build_optimizer
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import Stage, choose_trainable
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2

from .findings import memory, reset_memory
from .setup import Job, job, random_model, sd15_config, training_batch
from .timing import seconds_of

STEPS = 3
BYTES_SAVED = 6
"""By an 8-bit optimizer, for every number that learns: two states of one byte, not of four."""


class Step:
    """A stage, ready to be trained on one batch over and over."""

    def __init__(self, job: Job, name: str, config: TrainConfig) -> None:
        make = Stage1 if name.startswith("stage1") else Stage2
        model = self._model(job, config)
        self.config = config
        self.stage: Stage = make(model, train_tokenizer(["a dancer hops"], 300), config)
        self.learning = choose_trainable(self.stage, config.trainable or self.stage.trainable)
        if config.frozen_precision == "bf16":
            for parameter in model.parameters():
                if not parameter.requires_grad:
                    parameter.data = parameter.data.to(torch.bfloat16)
        self.stage.train()
        self.optimizer = build_optimizer(self._optim(), self.learning.values())
        self.average = Ema(self.learning, config.optim.ema)
        frames = min(config.data.frames, model.config.clip.frames)
        batch = training_batch(model.config, config.batch, frames)
        self.batch = {key: value.to(self.stage.device) for key, value in batch.items()}

    def _model(self, job: Job, config: TrainConfig) -> MuseDance:
        full = sd15_config(toy=True) if job.toy else model_config(config)
        return random_model(full, job.device, torch.float32)

    def _optim(self) -> OptimConfig:
        """The config's optimizer, in single precision where bitsandbytes is missing."""
        optim = self.config.optim
        there = importlib.util.find_spec("bitsandbytes") is not None
        return optim if there else replace(optim, kind=optim.kind.removesuffix("8bit"))

    def __call__(self) -> torch.Tensor:
        """One update from `accumulate` micro-batches; the mean loss."""
        self.optimizer.zero_grad(set_to_none=True)
        device, losses = self.stage.device, []
        for piece in range(self.config.accumulate):
            draws = StepRandom(0, piece, self.config.batch)
            with torch.autocast(device.type, torch.bfloat16, self.config.precision == "bf16"):
                loss = self.stage(self.batch, draws).mean()
            (loss / self.config.accumulate).backward()
            losses.append(loss.detach())
        torch.nn.utils.clip_grad_norm_(list(self.learning.values()), self.config.optim.clip)
        self.optimizer.step()
        self.average.update()
        return torch.stack(losses).mean()


def measure(job: Job, name: str) -> None:
    """Build the stage and take a few steps."""
    overrides = [f"output_dir={job.out}/{name}"]
    config = load_config(f"train/configs/sd15/{name}.yaml", overrides)
    values = {"batch": config.batch, "accumulate": config.accumulate, "frames": config.data.frames}
    reset_memory()
    try:
        step = Step(job, name, config)
        learning = sum(p.numel() for p in step.learning.values())
        values |= {"learning_millions": learning / 1e6, "held_gb": memory().get("peak_gb", 0.0)}
        losses: list[float] = []
        taken = [seconds_of(lambda: losses.append(step().item())) for _ in range(STEPS)]
    except torch.cuda.OutOfMemoryError as error:
        job.findings.out_of_memory(name, error, **values)
        return
    replaced = config.optim.kind.endswith("8bit") and "8bit" not in type(step.optimizer).__name__
    saved = BYTES_SAVED * learning / 1e9 if replaced else 0.0
    job.findings.add(
        name,
        **values,
        seconds_a_step=min(taken[1:]),
        first_step=taken[0],
        losses=losses,
        optimizer=type(step.optimizer).__name__,
        saved_by_8bit_gb=saved,
        **memory(),
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", choices=("stage1", "stage2", "stage1_24gb", "stage2_24gb"))
    measured, args = job("b", parser)
    measure(measured, args.config)


if __name__ == "__main__":
    main()
