"""The one training loop of all stages."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from .config import OptimConfig, TrainConfig
from .data import Steps, batches
from .ema import Ema
from .stage import Batch, Stage, choose_trainable
from .states import find_state, load_state, save_state

SKIPS_IN_A_ROW = 20
STEP_STREAM, EVALUATION_STREAM = 0, 1

Export = Callable[[int, float], None]
"""Called with (steps, minutes) while the parameters hold the average: writes the model's file."""


@dataclass
class Progress:
    """Where a run is, kept in its states: steps done, seconds trained, steps skipped."""

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0


class TrainingStopped(RuntimeError):
    """The loss stayed non-finite."""


def learning_rate(config: OptimConfig, step: int, max_steps: int) -> float:
    """Linear warm-up to `lr`, then constant or a cosine down to zero at `max_steps`."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.lr * warm
    way = max(0.0, step - config.warmup) / max(1, max_steps - config.warmup)
    return config.lr * warm * 0.5 * (1 + math.cos(math.pi * min(1.0, way)))


def step_generator(seed: int, step: int, rank: int = 0) -> torch.Generator:
    """All randomness of one step, so that a resumed run draws what the first would have."""
    return torch.Generator().manual_seed(((seed * 1009 + rank) * 10_000_019 + step) % 2**63)


class Trainer:
    """Runs a `Stage` with AdamW, EMA, states, and a guard against non-finite losses."""

    def __init__(self, stage: Stage, config: TrainConfig, export: Export) -> None:
        self.config, self.export = config, export
        precision = config.precision if torch.cuda.is_available() else "no"
        self.accelerator = Accelerator(mixed_precision=precision)
        self.folder = Path(config.output_dir)
        self.bare = stage.to(self.accelerator.device)
        patterns = config.trainable or stage.trainable
        self.parameters = choose_trainable(stage, patterns)
        self.stage = self.accelerator.prepare(stage)
        self.optimizer = torch.optim.AdamW(
            list(self.parameters.values()),
            lr=config.optim.lr,
            betas=(0.9, 0.99),
            weight_decay=config.optim.weight_decay,
        )
        self.ema = Ema(self.parameters, config.optim.ema)
        self.progress = Progress()
        self.stopping = False

    def run(self) -> Progress:
        """Train until max_steps, max_minutes or a SIGTERM; the last step is always saved."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._start()
        began, seconds_before = time.monotonic(), self.progress.seconds
        with self._signals():
            losses: list[Tensor] = []
            waited, mark, bad = 0.0, time.monotonic(), 0
            held_out = self._held_out()
            for batch in self._timed(self._loader()):
                waited += self._waited
                loss = self._step(batch)
                bad = bad + 1 if loss is None else 0
                if bad >= SKIPS_IN_A_ROW:
                    raise TrainingStopped(f"the loss was not finite in {bad} steps in a row")
                if loss is not None:
                    losses.append(loss)
                self.progress.step += 1
                self.progress.seconds = seconds_before + time.monotonic() - began
                step = self.progress.step
                if step % self.config.log_every == 0 and losses:
                    now = time.monotonic()
                    self._log(torch.stack(losses).mean().item(), now - mark, waited, len(losses))
                    losses, waited, mark = [], 0.0, now
                if step % self.config.evaluate_every == 0:
                    self._evaluate(held_out)
                if self._finished():
                    break
                if step % self.config.checkpoint_every == 0:
                    self._save()
            self._save()
        return self.progress

    def _start(self) -> None:
        state = find_state(self.folder, self.config.resume)
        if state is None:
            self.bare.prepare()
            self.ema = Ema(self.parameters, self.config.optim.ema)
            self._say(
                f"training {len(self.parameters)} tensors, "
                f"{sum(p.numel() for p in self.parameters.values()) / 1e6:.2f} M numbers"
            )
            return
        meta = load_state(state, self.parameters, self.ema, self.optimizer)
        self.progress = Progress(meta["step"], meta["seconds"], meta["skipped"])
        self._say(f"resumed from {state}")

    def _loader(self) -> Iterator[Batch]:
        config = self.config
        steps = Steps(
            self.bare.source("train"),
            config.batch,
            self.progress.step,
            max(config.max_steps, self.progress.step),
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        return batches(steps, config.data.workers)

    def _timed(self, loader: Iterator[Batch]) -> Iterator[Batch]:
        """Batches on the device; `_waited` is the time each was waited for."""
        while True:
            begin = time.monotonic()
            batch = next(loader, None)
            if batch is None:
                return
            self._waited = time.monotonic() - begin
            yield self._moved(batch)

    def _moved(self, batch: Batch) -> Batch:
        device = self.accelerator.device
        return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}

    def _step(self, batch: Batch) -> Tensor | None:
        """One update; None where loss or gradient were not finite and the step was skipped."""
        config, step = self.config, self.progress.step
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config.optim, step, config.max_steps)
        generator = step_generator(config.seed, step, self.accelerator.process_index)
        with self.accelerator.autocast():
            loss: Tensor = self.stage(batch, generator)
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), config.optim.clip)
        if not bool(torch.isfinite(norm + loss)):
            self.progress.skipped += 1
            self._say(f"step {step}: loss {loss.item()}, gradient {norm.item()}: skipped")
            return None
        self.optimizer.step()
        self.ema.update()
        return loss.detach()

    def _held_out(self) -> Batch | None:
        if not self.config.evaluate_batch or not self.accelerator.is_main_process:
            return None
        source = self.bare.source("validation")
        return self._moved(source(list(range(self.config.evaluate_batch))))

    def _evaluate(self, batch: Batch | None) -> None:
        if batch is None:
            return
        self.bare.eval()
        with torch.no_grad(), self.ema.applied():
            figures = self.bare.evaluate(batch)
        self.bare.train()
        text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
        self._say(f"step {self.progress.step}  held out: {text}")
        self._record({"step": self.progress.step, **figures})

    def _log(self, loss: float, seconds: float, waited: float, count: int) -> None:
        step, minutes = self.progress.step, self.progress.seconds / 60
        rate = count / seconds
        self._say(
            f"step {step}  loss {loss:.4f}  {rate:.2f} steps/s  data {waited / seconds:.0%}  "
            f"{minutes:.1f} min"
        )
        self._record({"step": step, "loss": loss, "steps_per_second": rate, "minutes": minutes})

    def _save(self) -> None:
        if not self.accelerator.is_main_process:
            return
        progress = self.progress
        meta = {"seconds": progress.seconds, "skipped": progress.skipped}
        save_state(
            self.folder,
            progress.step,
            self.parameters,
            self.ema,
            self.optimizer,
            {**meta, "config": self.config.to_dict()},
            self.config.keep,
        )
        with self.ema.applied():
            self.export(progress.step, progress.seconds / 60)
        self._say(f"saved {self.folder} at step {progress.step}")

    def _finished(self) -> bool:
        limit = self.config.max_minutes
        return self.stopping or (limit > 0 and self.progress.seconds >= limit * 60)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """A SIGTERM ends the run after the step it is in."""

        def stop(*_: Any) -> None:
            self.stopping = True

        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def _say(self, line: str) -> None:
        if self.accelerator.is_main_process:
            print(line, flush=True)

    def _record(self, values: dict[str, Any]) -> None:
        if self.accelerator.is_main_process:
            with (self.folder / "log.jsonl").open("a") as file:
                file.write(json.dumps(values) + "\n")
