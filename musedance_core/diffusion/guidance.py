"""Guidance: what a denoiser is asked, and what is made of its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from einops import rearrange
from torch import Tensor

from ..config import ScheduleConfig
from ..models.conditions import Conditions

Denoiser = Callable[[Tensor, Tensor, Conditions], Tensor]
"""(noisy latents `[b f c h w]`, timesteps `[b]`, conditions) -> v of the same shape."""


@dataclass(frozen=True)
class StepInfo:
    """What a caller hears after every denoising step; raise from the callback to cancel.

    `step` counts from 1 within a segment, `segment` from 0; `denoised [b f c h w]` is the current
    guess of the clean latents.
    """

    segment: int
    segments: int
    step: int
    steps: int
    denoised: Tensor


CONDITIONS = ("text", "music", "reference")
"""What guidance can weigh apart: "music" means music and beats together."""


@dataclass(frozen=True)
class Guidance:
    """v = v0 + scale (v_full - v0) + sum of w_c (v_full - v_full without c).

    `weights` maps names out of `CONDITIONS` to w_c; `rescale` pulls the result's spread back to
    that of v_full, which zero terminal SNR needs.
    """

    scale: float
    weights: Mapping[str, float] = field(default_factory=dict)
    rescale: float = 0.7

    def __post_init__(self) -> None:
        unknown = sorted(set(self.weights) - set(CONDITIONS))
        if unknown:
            raise ValueError(f"guidance weighs {list(CONDITIONS)}, not {unknown}")

    @classmethod
    def of(
        cls,
        schedule: ScheduleConfig,
        scale: float | None = None,
        weights: Mapping[str, float | None] | None = None,
    ) -> Guidance:
        """The checkpoint's own, but for what is given and not None."""
        own = {name: getattr(schedule, f"{name}_guidance") for name in CONDITIONS}
        given = {name: weight for name, weight in (weights or {}).items() if weight is not None}
        return cls(
            schedule.guidance if scale is None else scale,
            {**own, **given},
            schedule.guidance_rescale,
        )

    def __str__(self) -> str:
        """As people are told of it: `2, music 1`."""
        weights = [f"{name} {weight:g}" for name, weight in self.weights.items() if weight]
        return ", ".join([f"{self.scale:g}", *weights])


@dataclass(frozen=True)
class ConditionSet:
    """The full conditions, none of them, and the full ones without one, by name."""

    full: Conditions
    none: Conditions
    without: Mapping[str, Conditions]


def guided(full: Tensor, none: Tensor, without: Mapping[str, Tensor], guidance: Guidance) -> Tensor:
    """What is said under all conditions, led away from what is said under none of them, and under
    all but one; `full` itself where nothing is stressed."""
    led = full if guidance.scale == 1 else none + guidance.scale * (full - none)
    for name, weight in guidance.weights.items():
        if weight:
            led = led + weight * (full - without[name])
    return led


def guided_velocity(
    denoise: Denoiser, x: Tensor, t: Tensor, conditions: ConditionSet, guidance: Guidance
) -> Tensor:
    """The guided v of `x [b f c h w]` at `t [b]`.

    That is one call of the network, one more at a scale other than 1, and one per weight not 0.
    """
    full = denoise(x, t, conditions.full)
    none = full if guidance.scale == 1 else denoise(x, t, conditions.none)
    stressed = [name for name, weight in guidance.weights.items() if weight]
    without = {name: denoise(x, t, conditions.without[name]) for name in stressed}
    v = guided(full, none, without, guidance)
    if v is full:
        return v
    flat = "b f c h w -> b (f c h w)"
    # A network that was never trained answers zero, whose spread is no divisor.
    spread = rearrange(v, flat).std(dim=1).clamp_min(1e-8)
    ratio = rearrange(full, flat).std(dim=1) / spread
    rescaled = v * rearrange(ratio, "b -> b 1 1 1 1")
    return guidance.rescale * rescaled + (1 - guidance.rescale) * v
