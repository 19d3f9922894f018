"""What a run tells while it goes: a progress bar or lines, log.jsonl, TensorBoard, wandb."""

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

from ...files import atomic_path
from ..config import TrainConfig
from ..config_file import dump_config
from .flops import peak_flops
from .provenance import environment
from .tensorboard import LoggedClip, show_in_tensorboard

LOG = "log.jsonl"


class Journal:
    """Tells on the main process; on the others every method is silent."""

    def __init__(self, accelerator: Accelerator, config: TrainConfig, folder: Path) -> None:
        self.accelerator, self.config, self.folder = accelerator, config, folder
        self.main = accelerator.is_main_process
        self.bar: Any = None
        self.flops = 0.0
        self._forget()

    def open(self, step: int) -> None:
        """Write the run's config and environment, drop what the log says of later steps."""
        if not self.main:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(self.folder / "config.yaml") as temporary:
            temporary.write_text(dump_config(self.config), encoding="utf-8")
        with atomic_path(self.folder / "environment.json") as temporary:
            temporary.write_text(json.dumps(environment(), indent=1) + "\n", encoding="utf-8")
        log = self.folder / LOG
        if log.is_file():
            lines = [
                line for line in log.read_text(encoding="utf-8").splitlines() if _step(line) <= step
            ]
            with atomic_path(log) as temporary:
                temporary.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        for name in self.config.trackers:
            if importlib.util.find_spec(name) is None:
                self.say(f"{name} is not installed, so nothing is written for it")
        self.accelerator.init_trackers("musedance")
        if sys.stderr.isatty():
            self.bar = tqdm(total=self.config.max_steps, initial=step, unit="step")

    def begin(self) -> None:
        """From here on time is training."""
        self._forget()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done in here is no training: its time is left out of the rates."""
        begin = time.monotonic()
        yield
        self.mark += time.monotonic() - begin

    def close(self) -> None:
        """End the bar and the trackers."""
        if self.bar is not None:
            self.bar.close()
        self.accelerator.end_training()

    def say(self, line: str) -> None:
        """One line for a person."""
        if not self.main:
            return
        if self.bar is not None:
            self.bar.write(line)
        else:
            print(line, flush=True)

    def record(self, step: int, values: dict[str, float], group: str = "") -> None:
        """Figures for log.jsonl and the trackers."""
        if not self.main:
            return
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        named = {f"{group}/{name}" if group else name: value for name, value in values.items()}
        self.accelerator.log(named, step=step)

    def show(self, step: int, name: str, shown: LoggedClip) -> None:
        """A clip for the trackers that can show one."""
        for tracker in self.accelerator.trackers if self.main else []:
            if tracker.name == "tensorboard":
                show_in_tensorboard(tracker.tracker, step, name, shown)
            elif tracker.name == "wandb" and shown.video is not None:
                import wandb

                tracker.tracker.log({name: wandb.Video(str(shown.video))}, step=step)

    def step(self, step: int, loss: Tensor | None, waited: float, lr: float) -> None:
        """After every step; every `log_every` of them something is told."""
        self.waited += waited
        self.steps += 1
        if loss is not None:
            self.losses.append(loss)
        if self.bar is not None:
            self.bar.update()
        if step % self.config.log_every or not self.losses:
            return
        mean = self.accelerator.reduce(torch.stack(self.losses).mean(), reduction="mean")
        if self.main:
            self._tell(step, self._figures(mean.item(), lr))
        self._forget()

    def _tell(self, step: int, values: dict[str, float]) -> None:
        text = (
            f"loss {values['loss']:.4f}  {values['clips_per_second']:.2f} clips/s  "
            f"{values['steps_per_second']:.2f} steps/s  data {values['data_wait']:.0%}  "
            f"{values['memory_gb']:.1f} GB"
        )
        text += f"  MFU {values['mfu']:.1%}" if "mfu" in values else ""
        if self.bar is not None:
            self.bar.set_postfix_str(text)
        else:
            self.say(f"step {step}  {text}")
        self.record(step, values, "train")

    def _figures(self, loss: float, lr: float) -> dict[str, float]:
        """Means since they were last told."""
        seconds, config = time.monotonic() - self.mark, self.config
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

    def _forget(self) -> None:
        self.losses: list[Tensor] = []
        self.waited, self.steps, self.mark = 0.0, 0, time.monotonic()


def _step(line: str) -> int:
    try:
        return int(json.loads(line)["step"])
    except (ValueError, KeyError):  # the line that a kill cut off
        return sys.maxsize


def memory_gb(device: torch.device) -> float:
    """Memory in GB: the GPU's peak where there is one, else what this process holds."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e9
    return float(psutil.Process().memory_info().rss / 1e9)
