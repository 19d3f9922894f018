"""Classifier-free guidance over all conditions and per condition."""

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
    """The progress reported after every denoising step; raise in the callback to cancel.

    `step` counts from 1 within a segment, `segment` from 0; `denoised [b f c h w]` is the current
    estimate of the clean latents.
    """

    segment: int
    segments: int
    step: int
    steps: int
    denoised: Tensor


CONDITIONS = ("text", "music", "reference")
"""Conditions with a guidance weight of their own; "music" means music and beats."""


@dataclass(frozen=True)
class Guidance:
    """v = v0 + scale (v_full - v0) + sum of w_c (v_full - v_full without c).

    `weights` maps names in `CONDITIONS` to w_c. `rescale` moves the result's standard deviation
    towards that of v_full, which zero terminal SNR needs (arXiv 2305.08891).
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
        """Returns the checkpoint's default guidance, replaced by arguments that are not None."""
        own = {name: getattr(schedule, f"{name}_guidance") for name in CONDITIONS}
        changed = {name: weight for name, weight in (weights or {}).items() if weight is not None}
        return cls(
            schedule.guidance if scale is None else scale,
            {**own, **changed},
            schedule.guidance_rescale,
        )

    def __str__(self) -> str:
        """Returns a short description such as `2, music 1`."""
        weights = [f"{name} {weight:g}" for name, weight in self.weights.items() if weight]
        return ", ".join([f"{self.scale:g}", *weights])


@dataclass(frozen=True)
class ConditionSet:
    """All conditions, none of them, and all but one, by its name."""

    full: Conditions
    none: Conditions
    without: Mapping[str, Conditions]


def guided(full: Tensor, none: Tensor, without: Mapping[str, Tensor], guidance: Guidance) -> Tensor:
    """Combines predictions with all conditions, none, and all but one; see `Guidance`.

    Returns `full` itself if the scale is 1 and all weights are 0.
    """
    combined = full if guidance.scale == 1 else none + guidance.scale * (full - none)
    for name, weight in guidance.weights.items():
        if weight:
            combined = combined + weight * (full - without[name])
    return combined


def guided_velocity(
    denoise: Denoiser, x: Tensor, t: Tensor, conditions: ConditionSet, guidance: Guidance
) -> Tensor:
    """Returns the guided v of `x [b f c h w]` at `t [b]`.

    It takes one call of the network, one more if the scale is not 1, and one per non-zero weight.
    """
    full = denoise(x, t, conditions.full)
    none = full if guidance.scale == 1 else denoise(x, t, conditions.none)
    weighted = [name for name, weight in guidance.weights.items() if weight]
    without = {name: denoise(x, t, conditions.without[name]) for name in weighted}
    v = guided(full, none, without, guidance)
    if v is full:
        return v
    flat = "b f c h w -> b (f c h w)"
    # Rescale towards the spread of the conditional prediction; an untrained network predicts 0.
    spread = rearrange(v, flat).std(dim=1).clamp_min(1e-8)
    ratio = rearrange(full, flat).std(dim=1) / spread
    rescaled = v * rearrange(ratio, "b -> b 1 1 1 1")
    return guidance.rescale * rescaled + (1 - guidance.rescale) * v
