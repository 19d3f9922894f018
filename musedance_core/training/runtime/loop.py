"""The one training loop of all stages."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs, broadcast
from torch import Tensor

from ...errors import InputError
from ..config import TrainConfig
from ..config_file import changes
from ..data.loader import BatchShare, MicroBatches, StepBatches, step_batches
from ..stages.base import Batch, Stage, choose_trainable
from .ema import Ema
from .flops import count_flops
from .frozen import Frozen
from .guard import Stop, TrainingStopped, any_process, culprits
from .journal import Journal
from .optimizer import build_optimizer, learning_rate
from .states import find_state, load_training_state, mend, read_meta, save_training_state, set_aside
from .step_random import StepRandom

MODEL = "model.safetensors"
LONGEST_ALONE = timedelta(hours=6)
"""For how long one process may work alone, as on caches or validation clips."""

Export = Callable[[int, float, Mapping[str, Tensor]], None]
"""Called with steps, minutes and the original frozen weights, the average in the parameters."""
Validate = Callable[[int, Journal], None]
"""Called with the step while the parameters hold the average: makes validation clips."""


@dataclass
class Progress:
    """Where a run is, kept in its states: steps done, seconds trained, steps skipped, and the step
    at which the optimizer was new."""

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0
    warm_from: int = 0


class Trainer:
    """Runs a `Stage`: updates, average, states, held-out figures, and a guard."""

    def __init__(
        self, stage: Stage, config: TrainConfig, export: Export, validate: Validate | None = None
    ) -> None:
        self.config, self.export, self.validate = config, export, validate
        self.folder, self.bare = Path(config.output_dir), stage
        self.accelerator = _accelerator(config)
        self.parameters = choose_trainable(stage, config.trainable or stage.trainable)
        self.frozen = Frozen(stage)
        stage.to(self.accelerator.device)
        if config.compile:
            for network in stage.heavy():
                network.compile()
        self.stage = self.accelerator.prepare(stage)
        self.optimizer = build_optimizer(config.optim, self.parameters.values())
        self.ema = Ema(self.parameters, config.optim.ema)
        self.progress = Progress()
        self.share = BatchShare(
            config.batch,
            config.accumulate,
            self.accelerator.process_index,
            self.accelerator.num_processes,
        )
        self.journal = Journal(self.accelerator, config, self.folder)

    def run(self) -> Progress:
        """Train until max_steps, max_minutes, a SIGTERM or Ctrl+C; the last step is always saved.

        Raises:
            KeyboardInterrupt: after Ctrl+C, once the last step is saved.
            InputError: a state or sample cannot be read, a state cannot be written, or the loss
                stayed non-finite (`TrainingStopped`); the last good state stays as it is.
        """
        self._start()
        stop, progress, config = Stop(), self.progress, self.config
        began, in_a_row = time.monotonic() - progress.seconds, 0
        with stop.on_signals(), ExitStack() as closing:
            closing.callback(self.journal.close)
            held_out = self._held_out()
            self.journal.begin()
            for pile in [] if self._done(stop) else self._piles():
                loss = self._update(pile)
                progress.step += 1
                progress.seconds = time.monotonic() - began
                in_a_row = 0 if loss is not None else in_a_row + 1
                if in_a_row >= config.abort_after:
                    raise TrainingStopped(
                        f"The loss was not finite in {in_a_row} steps in a row, up to step "
                        f"{progress.step}; the last good state is that of step {self.saved}."
                    )
                self.journal.step(progress.step, loss, pile.waited, self.lr)
                with self.journal.aside():
                    if progress.step % config.checkpoint_every == 0:
                        self._save()
                    self._look(held_out)
                    if self._done(stop):
                        break
            if progress.step != self.saved or not (self.folder / MODEL).is_file():
                self._save()
            self.frozen.require_unchanged()
        if stop.interrupted:
            raise KeyboardInterrupt
        return progress

    def _start(self) -> None:
        """A fresh run, or the state that `resume` names."""
        config = self.config
        if self.accelerator.is_main_process:
            mend(self.folder)
        self.accelerator.wait_for_everyone()
        state = find_state(self.folder, config.resume)
        said = self._fresh() if state is None else self._resumed(state)
        self.saved = self.progress.step
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            said += [f"set aside: {path}" for path in set_aside(self.folder, self.saved)]
        self.journal.open(self.progress.step)
        for line in [self._summary(), *said]:
            self.journal.say(line)
        told = self.bare.fill_caches(self.share.rank, self.share.world)
        self.accelerator.wait_for_everyone()
        self.bare.verify_caches()
        if told:
            self.journal.say(told)
        if config.frozen_precision == "bf16" and self.accelerator.device.type == "cuda":
            self.frozen.halve()

    def _fresh(self) -> list[str]:
        """Start anew, on every process with the same weights."""
        self.bare.prepare()
        if self.share.world > 1:
            for parameter in self.parameters.values():
                broadcast(parameter.data)
        self.ema.restart()
        return []

    def _resumed(self, state: Path) -> list[str]:
        """Go on from a state; what there is to tell of it."""
        meta, config = read_meta(state), self.config
        if meta["frozen"] != self.frozen.digest:
            raise InputError(
                f"{state} was trained beside other frozen weights than those of init: "
                f"{config.init or 'none'}."
            )
        kind, whole = meta["config"]["optim"]["kind"], not config.weights_only
        if whole and kind != config.optim.kind:
            raise InputError(
                f"{state} holds the state of {kind}, not of {config.optim.kind}; "
                f"resume={state} weights_only=true starts a new optimizer."
            )
        load_training_state(state, self.parameters, self.ema, self.optimizer if whole else None)
        self.progress = Progress(**{name: meta[name] for name in asdict(self.progress)})
        if not whole:
            self.progress.warm_from = self.progress.step
        changed = changes(meta["config"], config.to_dict())
        said = f"resumed from {state}{'' if whole else ', its weights only'}"
        return [said, *(f"  changed since: {change}" for change in changed)]

    def _summary(self) -> str:
        learning = sum(p.numel() for p in self.parameters.values())
        return (
            f"training {len(self.parameters)} tensors ({learning / 1e6:.2f} M numbers), "
            f"{len(self.frozen.names)} frozen ({self.frozen.count / 1e6:.2f} M); "
            f"{self.share.total} samples a step on {self.share.world} processes"
        )

    def _piles(self) -> Iterator[StepBatches]:
        self.source = self.bare.source("train")
        last = max(self.config.max_steps, self.progress.step)
        pieces = MicroBatches(self.source, self.share, self.progress.step, last)
        return step_batches(pieces, self.config.data.workers)

    def _moved(self, batch: Batch) -> Batch:
        device = self.accelerator.device
        return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}

    def _update(self, pile: StepBatches) -> Tensor | None:
        """One update; None where loss or gradient were not finite and the step was skipped."""
        step, config = self.progress.step, self.config
        self.lr = learning_rate(
            config.optim,
            step,
            config.max_steps,
            self.progress.warm_from,
            config.accumulate * self.share.world,
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        self.optimizer.zero_grad(set_to_none=True)
        losses = [self._backward(piece, batch) for piece, batch in enumerate(pile.pieces)]
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), config.optim.clip)
        mean = torch.stack([loss.mean() for loss in losses]).mean()
        bad, own = not bool(torch.isfinite(norm + mean)), not bool(torch.isfinite(mean))
        skip, known = any_process(self.accelerator, bad, own)
        if skip:
            self.progress.skipped += 1
            if own or not known:
                self._tell_skipped(losses, mean.item(), norm.item())
            return None
        self.optimizer.step()
        self.ema.update()
        return mean

    def _backward(self, piece: int, batch: Batch) -> Tensor:
        """Losses `[b]` of one piece, their gradient added to what there is."""
        share, last = self.share, piece + 1 == self.share.accumulate
        first = share.first(piece)
        batch = self._moved(batch)
        if self.accelerator.device.type == "cuda" and not self.journal.flops:
            self._count(batch, StepRandom(0, 0, share.total, first, share.batch))
        draws = StepRandom(self.config.seed, self.progress.step, share.total, first, share.batch)
        draws.seed_modules()
        quiet = nullcontext() if last else self.accelerator.no_sync(self.stage)
        with quiet:
            with self.accelerator.autocast():
                losses: Tensor = self.stage(batch, draws)
            self.accelerator.backward(losses.mean() / share.accumulate)
        return losses.detach()

    def _count(self, batch: Batch, draws: StepRandom) -> None:
        """Once, how much a step of all processes computes; for MFU."""
        pieces = self.share.accumulate
        with self.accelerator.autocast(), self.accelerator.no_sync(self.stage):
            self.journal.flops = pieces * count_flops(lambda: self.bare(batch, draws))
        self.optimizer.zero_grad(set_to_none=True)

    def _tell_skipped(self, losses: list[Tensor], loss: float, norm: float) -> None:
        """Name the samples: a process those of its own that are not finite, or, where all losses
        are and only the gradient is not, all of its own."""
        step = self.progress.step
        pieces = range(self.share.accumulate)
        names = [self.source.names(self.share.indices(step, piece)) for piece in pieces]
        found = culprits(losses, names)
        print(
            f"step {step}: loss {loss}, gradient {norm}, skipped; in {', '.join(found[:8])}"
            f"{' ...' if len(found) > 8 else ''}",
            flush=True,
        )

    def _held_out(self) -> Batch | None:
        if not self.config.evaluate_batch or not self.accelerator.is_main_process:
            return None
        source = self.bare.source("validation")
        indices = list(range(self.config.evaluate_batch))
        different = dict(zip(source.names(indices), indices, strict=True))
        if len(different) < 2:
            self.journal.say("no held-out losses: they need two clips in the split validation")
            return None
        return self._moved(source(sorted(different.values())))

    def _look(self, held_out: Batch | None) -> None:
        """Held-out losses and validation clips, where it is time for them."""
        step, config = self.progress.step, self.config
        if held_out is not None and step % config.evaluate_every == 0:
            self.bare.eval()
            with torch.no_grad(), self.ema.applied(), self.accelerator.autocast():
                figures = self.bare.evaluate(held_out)
            self.bare.train()
            text = "  ".join(f"{name} {value:.4f}" for name, value in figures.items())
            self.journal.say(f"step {step}  held out: {text}")
            self.journal.record(step, figures, "held_out")
        due = config.validate_clips and step % config.validate_every == 0
        if self.validate is not None and due and self.accelerator.is_main_process:
            with self.ema.applied(), self.accelerator.autocast():
                self.validate(step, self.journal)

    def _done(self, stop: Stop) -> bool:
        limit = self.config.max_minutes
        late = limit > 0 and self.progress.seconds >= limit * 60
        return any(any_process(self.accelerator, stop.asked, late))

    def _save(self) -> None:
        step = self.progress.step
        if self.accelerator.is_main_process:
            # The model first: what has a state has a model that is as old.
            with self.ema.applied():
                self.export(step, self.progress.seconds / 60, self.frozen.originals)
            values = {name: v for name, v in asdict(self.progress).items() if name != "step"}
            save_training_state(
                self.folder,
                step,
                self.parameters,
                self.ema,
                self.optimizer,
                {**values, "frozen": self.frozen.digest, "config": self.config.to_dict()},
                self.config.keep,
            )
            self.journal.say(f"saved {self.folder} at step {step}")
        self.saved = step


def _accelerator(config: TrainConfig) -> Accelerator:
    """Where and in what precision to train; with those trackers that are installed."""
    there = [name for name in config.trackers if importlib.util.find_spec(name) is not None]
    halved = config.precision == "bf16" and torch.cuda.is_available()
    return Accelerator(
        mixed_precision="bf16" if halved else "no",
        log_with=there or None,
        project_dir=config.output_dir,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=LONGEST_ALONE)],
    )
