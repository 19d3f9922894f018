"""Seconds of work on a device, and how one call of the denoiser splits into regions."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from .findings import synchronize

REGIONS = {
    "resnets": "residual blocks",
    "music": "music modules",
    "beat": "beat modules",
    "motion": "motion modules",
    "downsamplers": "down- and upsampling",
    "upsamplers": "down- and upsampling",
}
REST = "everything else"


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds on the host's clock, the device idle before and after."""
    synchronize()
    began = time.perf_counter()
    work()
    synchronize()
    return time.perf_counter() - began


class Regions:
    """Marks where the regions of a denoiser begin and end; of nested ones the outer counts.

    A context: at its end the denoiser is as it was.
    """

    def __init__(self, unet: nn.Module) -> None:
        self.mark: Callable[[], Any] | None = None
        self.inside = False
        self.spans: list[tuple[str, Any, Any]] = []
        self.wrapped: list[tuple[nn.Module, str]] = []
        for name, module in unet.named_modules():
            *path, last = name.split(".")
            if path and path[-1] in REGIONS:
                self._wrap(module, "forward", REGIONS[path[-1]])
            elif last == "ff":
                self._wrap(module, "forward", "feed-forward")
            elif last in ("attn1", "attn2"):
                region = "self- and reference attention" if last == "attn1" else "text attention"
                # Keys, values and the attention itself are called apart.
                for method in ("keys", "values", "attend"):
                    self._wrap(module, method, region)

    def __enter__(self) -> Regions:
        return self

    def __exit__(self, *error: object) -> None:
        for module, method in self.wrapped:
            delattr(module, method)

    def _wrap(self, module: nn.Module, method: str, region: str) -> None:
        call = getattr(module, method)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            if self.mark is None or self.inside:
                return call(*arguments, **named)
            self.inside, before = True, self.mark()
            result = call(*arguments, **named)
            self.inside = False
            self.spans.append((region, before, self.mark()))
            return result

        setattr(module, method, wrapped)
        self.wrapped.append((module, method))

    def measure(
        self, work: Callable[[], object], mark: Callable[[], Any], between: Callable[..., float]
    ) -> dict[str, float]:
        """`between(before, after)` summed by region, the rest of `work` as `REST`."""
        self.spans, self.mark = [], mark
        begin = mark()
        work()
        end = mark()
        self.mark = None
        synchronize()
        sums: dict[str, float] = defaultdict(float)
        for region, before, after in self.spans:
            sums[region] += between(before, after)
        return {**sums, REST: between(begin, end) - sum(sums.values())}

    def flop(self, work: Callable[[], object]) -> dict[str, float]:
        """FLOP by region."""
        with FlopCounterMode(display=False) as counter:
            return self.measure(work, counter.get_total_flops, lambda a, b: float(b - a))

    def seconds(self, work: Callable[[], object]) -> dict[str, float]:
        """Seconds by region, by the device's own clock."""
        if not torch.cuda.is_available():
            return self.measure(work, time.perf_counter, lambda a, b: b - a)
        return self.measure(work, _event, lambda a, b: a.elapsed_time(b) / 1e3)


def _event() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event
