"""Types of the pack's own edges, and the values on them; all other edges are the host's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypedDict

from comfy_api.v0_0_2 import io
from torch import Tensor

if TYPE_CHECKING:
    from ..musedance_core.audio.waveform import Waveform

CATEGORY = "MuseDance"
_SCHEMA_FIELDS: Mapping[str, Any] = getattr(io.Schema, "__dataclass_fields__", {})
SHOWS_OUTPUT = {name: True for name in ("has_intermediate_output",) if name in _SCHEMA_FIELDS}
"""Option of the schema of a node that shows something and is followed by others; hosts before 0.19
do not know it and need not."""

MODEL = io.Custom("MUSEDANCE_MODEL")  # host.HostModel
REFERENCE = io.Custom("MUSEDANCE_REFERENCE")  # diffusion.segment.Reference
MUSIC = io.Custom("MUSEDANCE_MUSIC")  # Music
BEATS = io.Custom("MUSEDANCE_BEATS")  # audio.beats.BeatGrid
PROMPTS = io.Custom("MUSEDANCE_PROMPTS")  # Prompts
GUIDANCE = io.Custom("MUSEDANCE_GUIDANCE")  # Weights
RIG = io.Custom("MUSEDANCE_RIG")  # dance.rig.Rig
KEYPOINTS = io.Custom("POSE_KEYPOINT")  # a list of frames, see dance.openpose_json
TAIL = io.Custom("MUSEDANCE_TAIL")  # diffusion.tail.Tail

Conditioning = list[list[Any]]
"""The host's CONDITIONING: pairs of text tokens `[1 77 d]` and options."""
Prompts = Sequence[tuple[float, Conditioning]]
"""Seconds of the song, rising, and what holds from then on."""


class Audio(TypedDict):
    """The host's AUDIO: `waveform [b channels n]` at `sample_rate` Hz."""

    waveform: Tensor
    sample_rate: int


class Latent(TypedDict):
    """The host's LATENT: unscaled `samples [b c h w]`."""

    samples: Tensor


class VAE(Protocol):
    """An autoencoder of the host: pictures `[b h w c]` in 0..1 and unscaled latents `[b c h w]`."""

    @property
    def latent_channels(self) -> int: ...

    def encode(self, pixels: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Music:
    """A song as the model takes it: the log-mel `[t mel]` of the whole song, and its sound."""

    mel: Tensor
    song: Waveform


@dataclass(frozen=True)
class Weights:
    """Guidance per condition (see `diffusion.guidance.Guidance`)."""

    text: float
    music: float
    reference: float
    rescale: float
