"""The training loop of all stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from accelerate.utils import broadcast
from torch import Tensor

from ..config import TrainConfig
from ..config_file import config_changes
from ..data.loader import BatchShare, MicroBatches, StepBatches, step_batches
from ..stages.base import Batch, Stage, choose_trainable
from .distributed import any_process, build_accelerator, on_main_process
from .ema import Ema
from .flops import count_flops
from .frozen import FrozenWeights
from .guard import StopRequest, TrainingDiverged, find_non_finite, non_finite_samples
from .logger import RunLogger
from .optimizer import build_optimizer, learning_rate
from .states import (
    check_compatible,
    find_state,
    load_training_state,
    read_state_metadata,
    recover_folder,
    save_training_state,
    state_tensors,
    supersede_later_states,
)
from .step_random import StepRandom

MODEL = "model.safetensors"

Export = Callable[[int, float, Mapping[str, Tensor]], object]
"""Writes the model: called with steps, minutes and the frozen weights' originals, while the
parameters hold the average."""
Validate = Callable[[int, RunLogger], None]
"""Generates validation clips: called with the step, while the parameters hold the average."""


@dataclass
class Progress:
    """Progress of a run, stored in its states.

    Attributes:
        step: steps done.
        seconds: time spent on them.
        skipped: how many of them were skipped, their loss or gradient not being finite.
        warm_from: step at which the optimizer was new.
    """

    step: int = 0
    seconds: float = 0.0
    skipped: int = 0
    warm_from: int = 0


class Trainer:
    """Trains a `Stage`: gradient accumulation, EMA, checkpoints, evaluation and logging.

    Args:
        stage: model, loss and data.
        config: the run.
        export: writes the averaged model at each checkpoint.
        validate: generates validation clips, if any.
    """

    def __init__(
        self, stage: Stage, config: TrainConfig, export: Export, validate: Validate | None = None
    ) -> None:
        self.config, self.export, self.validate = config, export, validate
        self.folder = Path(config.output_dir)
        self.accelerator = build_accelerator(config)
        # Freeze before `prepare`, which looks for gradients to synchronise.
        self.parameters = choose_trainable(stage, config.trainable or stage.trainable)
        self.frozen = FrozenWeights(stage)
        stage.to(self.accelerator.device)
        if config.compile:
            for network in stage.networks():
                network.compile()
        self.unwrapped_stage = stage
        self.stage = self.accelerator.prepare(stage)
        self.optimizer = build_optimizer(config.optim, self.parameters.values())
        self.ema = Ema(self.parameters, config.optim.ema)
        self.progress = Progress()
        rank, world = self.accelerator.process_index, self.accelerator.num_processes
        self.share = BatchShare(config.batch, config.accumulate, rank, world)
        self.logger = RunLogger(self.accelerator, config, self.folder)
        self.saved_step = 0
        self.stop = StopRequest()
        self.last_finite: tuple[Batch, int] | None = None
        """A micro-batch of the latest step that was not skipped, and the number of that step."""

    def train(self) -> Progress:
        """Trains until `max_steps`, `max_minutes`, SIGTERM or Ctrl+C; always saves the last step.

        Raises:
            KeyboardInterrupt: after Ctrl+C, once the last step is saved.
            TrainingDiverged: loss, gradient or weights are not finite; the last good model and
                states stay.
            InputError: a state or sample cannot be read, or a file cannot be written; the last good
                model and states stay.
        """
        self._start()
        with self.stop.on_signals(), ExitStack() as stack:
            stack.callback(self.logger.close)
            self._run_steps()
            if self.progress.step != self.saved_step or not (self.folder / MODEL).is_file():
                self._save()
            self.frozen.require_unchanged()
        if self.stop.interrupted:
            raise KeyboardInterrupt
        return self.progress

    # Start: a new run, or a resumed one.

    def _start(self) -> None:
        """Prepares weights, folder and caches on all processes."""
        config = self.config
        # Clear away the remains of a killed run, before anybody looks for states.
        on_main_process(self.accelerator, lambda: recover_folder(self.folder))
        state = find_state(self.folder, config.resume)
        report = [] if state is None else self._resume(state)
        if state is None:
            self._initialise()
        self.saved_step = self.progress.step
        # No process may still be reading a state that is renamed here.
        self.accelerator.wait_for_everyone()
        if self.accelerator.is_main_process:
            later = supersede_later_states(self.folder, self.saved_step)
            report += [f"set aside: {path}" for path in later]
        on_main_process(self.accelerator, lambda: self.logger.open(self.saved_step))
        for line in [self._summary(), *report]:
            self.logger.info(line)
        # Each process encodes its share of the clips; then a few entries are checked.
        cached = self.unwrapped_stage.fill_caches(self.share.rank, self.share.world)
        self.accelerator.wait_for_everyone()
        self.unwrapped_stage.verify_caches()
        if cached:
            self.logger.info(cached)
        if config.frozen_precision == "bf16" and self.accelerator.device.type == "cuda":
            self.frozen.to_bf16()

    def _initialise(self) -> None:
        """Starts a new run, with the same weights on every process."""
        self.unwrapped_stage.initialise()
        if self.share.world > 1:
            for parameter in self.parameters.values():
                broadcast(parameter.data)
        self.ema.restart()

    def _resume(self, state: Path) -> list[str]:
        """Continues from a state; returns lines about it for the log."""
        metadata, config = read_state_metadata(state), self.config
        check_compatible(state, metadata, config, self.frozen.digest)
        with_optimizer = not config.weights_only
        optimizer = self.optimizer if with_optimizer else None
        load_training_state(state, self.parameters, self.ema, optimizer)
        self.progress = Progress(**{name: metadata[name] for name in asdict(self.progress)})
        if not with_optimizer:
            self.progress.warm_from = self.progress.step
        changes = config_changes(metadata["config"], config.to_dict())
        report = f"resumed from {state}{'' if with_optimizer else ', its weights only'}"
        return [report, *(f"  changed since: {change}" for change in changes)]

    def _summary(self) -> str:
        trainable = sum(p.numel() for p in self.parameters.values())
        return (
            f"training {len(self.parameters)} tensors ({trainable / 1e6:.2f} M numbers), "
            f"{len(self.frozen.parameters)} frozen ({self.frozen.count / 1e6:.2f} M); "
            f"{self.share.total} samples a step on {self.share.world} processes"
        )

    # The loop, and one step of it.

    def _run_steps(self) -> None:
        """Trains step by step, with checkpoints and evaluation at their intervals."""
        progress, config = self.progress, self.config
        start_time, skipped_in_a_row = time.monotonic() - progress.seconds, 0
        held_out = self._load_held_out()
        if self._should_stop():
            return
        self.logger.start_timer()
        for batches in self._load_batches():
            # Train.
            loss = self._training_step(batches)
            progress.step += 1
            progress.seconds = time.monotonic() - start_time
            # Give up on a run whose loss stays non-finite.
            skipped_in_a_row = 0 if loss is not None else skipped_in_a_row + 1
            if skipped_in_a_row >= config.abort_after:
                raise TrainingDiverged(
                    f"The loss was not finite in {skipped_in_a_row} steps in a row, up to step "
                    f"{progress.step}; the last good state is that of step {self.saved_step}."
                )
            self.logger.log_step(progress.step, loss, batches.waited, self.lr)
            with self.logger.timer_paused():
                # Save first: evaluation takes a while, and a kill would lose the checkpoint.
                if progress.step % config.checkpoint_every == 0:
                    self._save()
                if self._evaluation_due():
                    on_main_process(self.accelerator, lambda: self._evaluate(held_out))
                if self._should_stop():
                    return

    def _load_batches(self) -> Iterator[StepBatches]:
        self.source = self.unwrapped_stage.source("train")
        last = max(self.config.max_steps, self.progress.step)
        dataset = MicroBatches(self.source, self.share, self.progress.step, last)
        return step_batches(dataset, self.config.data.workers)

    def _to_device(self, batch: Batch) -> Batch:
        device = self.accelerator.device
        return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}

    def _training_step(self, batches: StepBatches) -> Tensor | None:
        """Does one optimizer step.

        Returns:
            The mean loss; None if loss or gradient were not finite and the step was skipped.
        """
        step, config = self.progress.step, self.config
        # Set the learning rate.
        batches_per_step = config.accumulate * self.share.world
        self.lr = learning_rate(
            config.optim, step, config.max_steps, self.progress.warm_from, batches_per_step
        )
        for group in self.optimizer.param_groups:
            group["lr"] = self.lr
        # Accumulate gradients over the micro-batches.
        self.optimizer.zero_grad(set_to_none=True)
        losses = [self._backward(i, batch) for i, batch in enumerate(batches.micro_batches)]
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), config.optim.clip)
        loss = torch.stack([loss.mean() for loss in losses]).mean()
        # Skip the step on all processes if it is not finite on one of them.
        own_loss_bad, own_step_bad = not bool(loss.isfinite()), not bool((norm + loss).isfinite())
        skip, any_loss_bad = any_process(self.accelerator, own_step_bad, own_loss_bad)
        if skip:
            self.progress.skipped += 1
            # Gradients are summed over processes, so only losses show whose samples were bad.
            if own_loss_bad or not any_loss_bad:
                self._report_skipped(losses, loss.item(), norm.item())
            return None
        # Update weights and average.
        self.optimizer.step()
        self.ema.update()
        self.last_finite = batches.micro_batches[0], step
        return loss

    def _backward(self, number: int, batch: Batch) -> Tensor:
        """Adds the gradient of one micro-batch; returns its losses, `[b]` or a scalar."""
        batch = self._to_device(batch)
        if self.accelerator.device.type == "cuda" and not self.logger.flops:
            self._count_flops(batch)
        rng = self._step_random(self.progress.step, number)
        rng.seed_modules()
        # Gradients are synchronised between processes after the last micro-batch alone.
        is_last = number + 1 == self.share.accumulate
        with nullcontext() if is_last else self.accelerator.no_sync(self.stage):
            with self.accelerator.autocast():
                losses: Tensor = self.stage(batch, rng)
            self.accelerator.backward(losses.mean() / self.share.accumulate)
        return losses.detach()

    def _step_random(self, step: int, number: int) -> StepRandom:
        """Returns the random numbers of a micro-batch."""
        share = self.share
        return StepRandom(self.config.seed, step, share.total, share.first(number), share.batch)

    def _count_flops(self, batch: Batch) -> None:
        """Counts the operations of a step of all processes, once, for the MFU."""
        rng = StepRandom(0, 0, self.share.total, self.share.first(0), self.share.batch)
        with self.accelerator.autocast(), self.accelerator.no_sync(self.stage):
            flops = count_flops(lambda: self.unwrapped_stage(batch, rng))
        self.logger.flops = self.share.accumulate * flops
        self.optimizer.zero_grad(set_to_none=True)

    def _report_skipped(self, losses: list[Tensor], loss: float, norm: float) -> None:
        """Prints the names of this process's samples that made a step non-finite."""
        step = self.progress.step
        numbers = range(self.share.accumulate)
        names = [self.source.names(self.share.indices(step, number)) for number in numbers]
        bad = non_finite_samples(losses, names)
        print(
            f"step {step}: loss {loss}, gradient {norm}, skipped; in {', '.join(bad[:8])}"
            f"{' ...' if len(bad) > 8 else ''}",
            flush=True,
        )

    def _should_stop(self) -> bool:
        limit = self.config.max_minutes
        out_of_time = limit > 0 and self.progress.seconds >= limit * 60
        return any(any_process(self.accelerator, self.stop.requested, out_of_time))

    # Evaluation.

    def _load_held_out(self) -> Batch | None:
        """Returns the held-out batch on the main process, None where there is none."""
        if not self.config.evaluate_batch or not self.accelerator.is_main_process:
            return None
        source = self.unwrapped_stage.source("validation")
        indices = list(range(self.config.evaluate_batch))
        # A small split repeats its clips, and a clip must not be its own wrong condition.
        different = dict(zip(source.names(indices), indices, strict=True))
        if len(different) < 2:
            self.logger.info("no held-out losses: they need two clips in the split validation")
            return None
        return self._to_device(source(sorted(different.values())))

    def _evaluation_due(self) -> bool:
        step, config = self.progress.step, self.config
        return step % config.evaluate_every == 0 or step % config.validate_every == 0

    def _evaluate(self, held_out: Batch | None) -> None:
        """Logs held-out metrics and validation clips of the average, at their intervals."""
        step, config = self.progress.step, self.config
        if held_out is not None and step % config.evaluate_every == 0:
            self.unwrapped_stage.eval()
            with torch.no_grad(), self.ema.applied(), self.accelerator.autocast():
                metrics = self.unwrapped_stage.evaluate(held_out)
            self.unwrapped_stage.train()
            text = "  ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            self.logger.info(f"step {step}  held out: {text}")
            self.logger.log(step, metrics, "held_out")
        due = step % config.validate_every == 0
        if self.validate is not None and due:
            with self.ema.applied(), self.accelerator.autocast():
                self.validate(step, self.logger)

    # Checkpoints.

    def _save(self) -> None:
        """Writes the averaged model and the training state.

        Raises:
            TrainingDiverged: nothing was written, since weights or loss are not finite.
            InputError: a file cannot be written.
        """
        self._require_finite()
        on_main_process(self.accelerator, self._write_checkpoint)
        self.saved_step = self.progress.step

    def _write_checkpoint(self) -> None:
        step = self.progress.step
        # The model comes first, so that no state is newer than the model.
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
        self.logger.info(f"saved {self.folder} at step {step}")

    def _require_finite(self) -> None:
        """Checks on all processes that the weights are worth replacing earlier ones.

        Raises:
            TrainingDiverged: they are not.
        """
        problem = self._find_divergence()
        (diverged,) = any_process(self.accelerator, bool(problem))
        if diverged:
            raise TrainingDiverged(
                f"Training diverged by step {self.progress.step}: "
                f"{problem or 'see the message of another process'}. Nothing of it was saved; the "
                f"last good state is that of step {self.saved_step}."
            )

    def _find_divergence(self) -> str:
        """Returns why the current weights must not be saved, "" if they may."""
        tensors = dict(state_tensors(self.parameters, self.ema, self.optimizer))
        exported = self.ema.average or self.parameters
        problem = find_non_finite(tensors, exported, self.config.export_dtype)
        # Finite weights may still be too large for the network, so it has to prove itself.
        is_new = self.progress.step > self.saved_step
        if not problem and is_new and not self._has_finite_loss():
            problem = "the loss is not finite"
        return problem

    @torch.no_grad()
    def _has_finite_loss(self) -> bool:
        """Returns whether the loss is finite on the latest batch on which it was before."""
        if self.last_finite is None:
            return False
        batch, step = self.last_finite
        with self.accelerator.autocast():
            loss: Tensor = self.unwrapped_stage(self._to_device(batch), self._step_random(step, 0))
        return bool(loss.isfinite().all())
