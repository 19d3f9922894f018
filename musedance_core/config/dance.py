"""Configuration of the networks that find joints and plan dances."""

from __future__ import annotations

from dataclasses import dataclass

from .checks import require, require_sizes
from .denoiser import ScheduleConfig

DANCE_SCHEDULE = ScheduleConfig(guidance=2.0, text_guidance=0.5, sampling_steps=8)
"""Noise schedule of dances; the guidance is from validation."""


@dataclass(frozen=True)
class RigConfig:
    """The rig network, which finds a figure's joints and parts in a picture.

    Attributes:
        size: side in pixels of the square crop that it works on.
        channels: width of each level, at a half, a quarter, an eighth and a sixteenth of `size`.
        layers: residual blocks per level of the encoder; the decoder has one.
        heads: attention heads of the deepest level.
        norm_groups: groups of every GroupNorm.
    """

    size: int = 128
    channels: tuple[int, ...] = (32, 48, 96, 160)
    layers: int = 1
    heads: int = 4
    norm_groups: int = 8

    def __post_init__(self) -> None:
        require_sizes(self, depths=("layers",))
        require(2 <= len(self.channels) <= 6, f"channels must have 2..6 levels: {self.channels}")
        require(
            self.size % 2 ** len(self.channels) == 0,
            f"size {self.size} cannot be halved {len(self.channels)} times",
        )
        for width in self.channels:
            require(
                width % self.norm_groups == 0,
                f"width {width} is not divisible by {self.norm_groups} groups",
            )
        require(
            self.channels[-1] % self.heads == 0,
            f"width {self.channels[-1]} is not divisible by {self.heads} heads",
        )


@dataclass(frozen=True)
class ChoreographerConfig:
    """The diffusion model over dance motions (`models/choreographer.py`).

    Attributes:
        poses: poses in every frame of a clip.
        frames: frames of a clip whose poses one token holds.
        previous: frames of poses before the segment that the motion modules take.
        width: width of the tokens.
        layers: number of layers.
        heads: attention heads of every attention layer.
        ff_mult: inner width of feed-forward layers over their width.
        norm_groups: groups of every GroupNorm.
        schedule: noise schedule, and defaults of guidance and sampling.
    """

    poses: int = 2
    frames: int = 2
    previous: int = 4
    width: int = 160
    layers: int = 4
    heads: int = 4
    ff_mult: int = 2
    norm_groups: int = 8
    schedule: ScheduleConfig = DANCE_SCHEDULE

    def __post_init__(self) -> None:
        require_sizes(self, depths=("layers",))
        require(self.poses <= 16, f"poses must be 1..16 a frame: {self.poses}")
        require(
            self.previous % self.frames == 0,
            f"{self.previous} previous frames do not fill tokens of {self.frames}",
        )
        require(
            self.width % self.norm_groups == 0 and self.width % (2 * self.heads) == 0,
            f"width {self.width} is not divisible by {self.norm_groups} groups, twice "
            f"{self.heads} heads",
        )
