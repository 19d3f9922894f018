"""Progress of a run: lines or a progress bar, log.jsonl, TensorBoard and wandb."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from accelerate import Accelerator
from torch import Tensor
from tqdm import tqdm

from ...errors import InputError
from ...files import atomic_path
from ..config import TrainConfig
from ..config_file import dump_config
from .flops import peak_flops
from .provenance import environment
from .tensorboard import LoggedClip, add_clip

LOG = "log.jsonl"


class RunLogger:
    """Logs on the main process; on the others every method does nothing.

    Attributes:
        flops: floating-point operations of a step over all processes, 0 as long as unknown.
    """

    def __init__(self, accelerator: Accelerator, config: TrainConfig, folder: Path) -> None:
        self.accelerator, self.config, self.folder = accelerator, config, folder
        self.is_main = accelerator.is_main_process
        self.bar: Any = None
        self.flops = 0.0
        self._reset()

    def open(self, step: int) -> None:
        """Writes config and environment, removes log entries after `step`, opens the trackers.

        Raises:
            InputError: the folder cannot be written.
        """
        if not self.is_main:
            return
        with self._writing():
            self._write_run_files(step)
        for name in self.config.trackers:
            if importlib.util.find_spec(name) is None:
                self.info(f"{name} is not installed, so nothing is written for it")
        self.accelerator.init_trackers("musedance")
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.config.max_steps, initial=step, unit="step")

    def _write_run_files(self, step: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.folder / "config.yaml") as temporary:
            temporary.write_text(dump_config(self.config), encoding="utf-8")
        with atomic_path(self.folder / "environment.json") as temporary:
            temporary.write_text(json.dumps(environment(), indent=1) + "\n", encoding="utf-8")
        log = self.folder / LOG
        if log.is_file():
            lines = [
                line
                for line in log.read_text(encoding="utf-8").splitlines()
                if _step_of(line) <= step
            ]
            with atomic_path(log) as temporary:
                temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")

    def close(self) -> None:
        """Closes the progress bar and the trackers.

        Raises:
            InputError: a tracker cannot write its last values.
        """
        if self.bar is not None:
            self.bar.close()
        with self._writing():
            self.accelerator.end_training()

    def start_timer(self) -> None:
        """Starts the clock of the training rates."""
        self._reset()

    @contextmanager
    def timer_paused(self) -> Iterator[None]:
        """Within this context, time does not count towards the training rates."""
        begin = time.monotonic()
        yield
        self.start += time.monotonic() - begin

    def info(self, line: str) -> None:
        """Prints a line."""
        if not self.is_main:
            return
        if self.bar is not None:
            self.bar.write(line)
        else:
            print(line, flush=True)

    def log(self, step: int, values: dict[str, float], group: str = "") -> None:
        """Writes metrics to log.jsonl and, as GROUP/NAME, to the trackers.

        Raises:
            InputError: they cannot be written, as on a full disk.
        """
        if not self.is_main:
            return
        named = {f"{group}/{name}" if group else name: value for name, value in values.items()}
        with self._writing():
            with (self.folder / LOG).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **values}) + "\n")
            self.accelerator.log(named, step=step)

    def log_clip(self, step: int, name: str, clip: LoggedClip) -> None:
        """Adds a clip to the trackers that show clips.

        Raises:
            InputError: a tracker cannot write it.
        """
        for tracker in self.accelerator.trackers if self.is_main else []:
            if tracker.name == "tensorboard":
                with self._writing():
                    add_clip(tracker.tracker, step, name, clip)
            elif tracker.name == "wandb" and clip.video is not None:
                import wandb

                tracker.tracker.log({name: wandb.Video(str(clip.video))}, step=step)

    def log_step(self, step: int, loss: Tensor | None, waited: float, lr: float) -> None:
        """Counts a step; logs the means of the last `log_every` steps when they are complete.

        All processes must call this together.

        Args:
            loss: scalar, None for a skipped step.
            waited: seconds for which training waited for the step's data.
        """
        self.waited += waited
        self.steps += 1
        if loss is not None:
            self.losses.append(loss)
        if self.bar is not None:
            self.bar.update()
        if step % self.config.log_every or not self.losses:
            return
        mean = self.accelerator.reduce(torch.stack(self.losses).mean(), reduction="mean")
        if self.is_main:
            self._report(step, self._means(mean.item(), lr))
        self._reset()

    def _report(self, step: int, values: dict[str, float]) -> None:
        text = (
            f"loss {values['loss']:.4f}  {values['clips_per_second']:.2f} clips/s  "
            f"{values['steps_per_second']:.2f} steps/s  data {values['data_wait']:.0%}  "
            f"{values['memory_gb']:.1f} GB"
        )
        text += f"  MFU {values['mfu']:.1%}" if "mfu" in values else ""
        if self.bar is not None:
            self.bar.set_postfix_str(text)
        else:
            self.info(f"step {step}  {text}")
        self.log(step, values, "train")

    def _means(self, loss: float, lr: float) -> dict[str, float]:
        """Returns loss and rates since the last report."""
        seconds, config = time.monotonic() - self.start, self.config
        samples = config.batch * config.accumulate * self.accelerator.num_processes
        rate = self.steps / seconds
        values = {
            "loss": loss,
            "lr": lr,
            "steps_per_second": rate,
            "clips_per_second": rate * samples,
            "data_wait": self.waited / seconds,
            "memory_gb": memory_gb(self.accelerator.device),
        }
        peak = peak_flops(self.accelerator.device)
        if peak and self.flops:
            values["mfu"] = rate * self.flops / peak
        return values

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"The log of {self.folder} cannot be written: {error}.") from error

    def _reset(self) -> None:
        self.losses: list[Tensor] = []
        self.waited, self.steps, self.start = 0.0, 0, time.monotonic()


def _step_of(line: str) -> int:
    """Returns the step of a log line; a line that a kill cut off counts as a later one."""
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):
        return sys.maxsize


def memory_gb(device: torch.device) -> float:
    """Returns the peak memory of a GPU, or the current memory of this process, in GB."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return float(psutil.Process().memory_info().rss / 1e9)
