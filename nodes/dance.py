"""The inputs that all nodes which denoise have in common, and the runner made of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.diffusion.sampler_names import SAMPLER_NAMES
from ..musedance_core.errors import InputError
from ..musedance_core.ranges import DEFAULT_FPS, SEEDS, require_sampling
from . import host
from .music import require_start
from .types import (
    BEATS,
    GUIDANCE,
    MODEL,
    MUSIC,
    REFERENCE,
    TAIL,
    VAE,
    Conditioning,
    Music,
    Prompts,
    Weights,
)

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.config import MuseDanceConfig
    from ..musedance_core.diffusion.runner import OnSetup, SegmentRunner
    from ..musedance_core.diffusion.segment import Reference, SamplingSettings
    from ..musedance_core.diffusion.segment_cache import SegmentCache
    from ..musedance_core.diffusion.tail import Tail
    from .host_models import HostModel


def dance_inputs() -> list[Any]:
    """The model, the picture, the song and its beats."""
    return [
        MODEL.Input("model", tooltip="Output of Load MuseDance."),
        REFERENCE.Input("reference", tooltip="Output of Picture."),
        MUSIC.Input("music", tooltip="Output of Song."),
        BEATS.Input("beats", tooltip="Output of Beats."),
    ]


def seed_input(
    tooltip: str = "The same seed gives the same video; another gives another take.",
) -> Any:
    """The seed."""
    return io.Int.Input(
        "seed",
        default=0,
        min=0,
        max=SEEDS[1],
        # A cancelled dance goes on only with its seed, so it is not random unless asked for.
        control_after_generate="fixed",
        tooltip=tooltip,
    )


def folded_seed(seed: int) -> int:
    """A seed within our range: those of other nodes have up to 64 bits."""
    return seed % (SEEDS[1] + 1)


def start_input() -> Any:
    """The second of the song at which the video starts."""
    return io.Float.Input(
        "start",
        default=0.0,
        min=0.0,
        max=36000.0,
        step=0.01,
        tooltip="Where in the song the video starts, in seconds.",
    )


def denoising_inputs() -> list[Any]:
    """Seed, steps, sampler and guidance, and the start in the song."""
    return [
        seed_input(),
        io.Int.Input(
            "steps",
            default=0,
            min=0,
            max=1000,
            tooltip="Denoising steps of the frames; 0 is the model's own number.",
        ),
        io.Combo.Input(
            "sampler",
            options=list(SAMPLER_NAMES),
            default="ddim",
            tooltip="dpmpp_2m is best with few steps.",
        ),
        io.Float.Input(
            "guidance",
            default=0.0,
            min=0.0,
            max=20.0,
            step=0.1,
            tooltip="How strictly to follow sentence, song and picture together (classifier-free "
            "guidance); 0 is the model's own value.",
        ),
        start_input(),
    ]


def guidance_inputs() -> list[Any]:
    """A negative prompt, and guidance per condition."""
    return [
        io.Conditioning.Input(
            "negative", optional=True, tooltip="A negative prompt, for guidance above 1."
        ),
        GUIDANCE.Input(
            "weights", optional=True, tooltip="Output of Emphasize text, music or picture."
        ),
    ]


def tail_input() -> Any:
    """The tail of another segment."""
    return TAIL.Input(
        "tail",
        optional=True,
        tooltip="The tail of the segment to continue; its start is used, not this node's.",
    )


@dataclass(frozen=True)
class ScaledVAE:
    """An autoencoder of the host as the core's `Autoencoder`: channels first, latents scaled."""

    vae: VAE
    scale: float

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures `[b 3 h w]` in 0..1 to latents `[b c h w]`."""
        return self.vae.encode(rearrange(pictures, "b c h w -> b h w c")) * self.scale

    def decode(self, latents: Tensor) -> Tensor:
        """Latents `[b c h w]` to pictures `[b 3 h w]` in 0..1."""
        return rearrange(self.vae.decode(latents / self.scale), "b h w c -> b c h w")


def sampling_settings(
    model: HostModel, steps: int, sampler: str, guidance: float, weights: Weights | None
) -> SamplingSettings:
    """The widgets' settings; 0 and None stand for the model's own."""
    from ..musedance_core.diffusion.guidance import CONDITIONS, Guidance
    from ..musedance_core.diffusion.segment import SamplingSettings

    require_sampling(steps=steps or None, guidance=guidance or None)
    own = model.config.schedule
    chosen = Guidance.of(own, guidance or None)
    if weights is not None:
        stressed = {name: getattr(weights, name) for name in CONDITIONS}
        chosen = replace(chosen, weights=stressed, rescale=weights.rescale)
    return SamplingSettings(steps or own.sampling_steps, chosen, sampler)


@dataclass(frozen=True)
class VideoSettings:
    """Settings of a video for models that plan the dance.

    Attributes:
        fps: frames a second.
        denoise: False shows the planned dance alone.
    """

    fps: float = DEFAULT_FPS
    denoise: bool = True


def segment_runner(
    model: HostModel,
    reference: Reference,
    music: Music,
    beats: BeatGrid,
    prompts: Prompts,
    settings: SamplingSettings,
    seed: int,
    start: float,
    negative: Conditioning | None = None,
    video: VideoSettings | None = None,
    cache: SegmentCache | None = None,
    on_setup: OnSetup = lambda index, share: None,
) -> SegmentRunner:
    """The runner of a dance, for inputs that fit the model.

    Raises:
        InputError: an input was made for another model, or `start` is past the song's end.
    """
    from ..musedance_core.diffusion.runner import DanceInputs, SegmentRunner
    from ..musedance_core.diffusion.segment import SongFeatures

    require_shape("reference", reference.latents.shape[1:], latent_shape(model.config))
    require_shape("music", music.mel.shape[1:], (model.config.music.mel_bins,))
    require_start(music.song, start)
    video = video or VideoSettings()
    plans = reference.dancer is not None
    inputs = DanceInputs(
        reference,
        SongFeatures(music.mel, beats),
        [(seconds, text_tokens(model, conditioning)) for seconds, conditioning in prompts],
        settings,
        folded_seed(seed),
        start,
        None if negative is None else text_tokens(model, negative),
        video.fps if plans else None,
        video.denoise or not plans,
    )
    return SegmentRunner(model, inputs, cache, on_setup)


def text_tokens(model: HostModel, conditioning: Conditioning) -> Tensor:
    """The text tokens `[1 77 d]` of the host's CONDITIONING.

    Raises:
        InputError: they come from another text encoder than the model's, or there are none.
    """
    if not conditioning:
        raise InputError("The conditioning is empty: connect that of a sentence.")
    tokens: Tensor = conditioning[0][0]
    require_shape("conditioning", tokens.shape[2:], (model.config.text.width,))
    return tokens


def latent_shape(config: MuseDanceConfig) -> tuple[int, int, int]:
    """Channels, height and width of a model's latents."""
    side = config.clip.size // config.vae.reduction
    return config.vae.latent_channels, side, side


def require_tail(model: HostModel, tail: Tail) -> None:
    """Raises InputError where `tail` comes from another model."""
    previous = (model.config.clip.previous, *latent_shape(model.config))
    require_shape("tail", tail.latents.shape, previous)


def require_vae(model: HostModel, vae: VAE) -> None:
    """Raises InputError where `vae` cannot decode the model's latents."""
    here, there = model.config.vae.latent_channels, vae.latent_channels
    if here != there:
        raise InputError(
            f"The vae belongs to another model: it takes latents of {there} channels, and this "
            f"model makes {here}."
        )


def require_shape(name: str, shape: Sequence[int], expected: Sequence[int]) -> None:
    """Raises InputError where the input called `name` has not the `expected` shape."""
    if tuple(shape) != tuple(expected):
        here, there = (" x ".join(map(str, sizes)) for sizes in (expected, shape))
        raise InputError(
            f"The {name} comes from another model or autoencoder: it has {there}, this model takes "
            f"{here}."
        )


def memory_for_segments(model: HostModel) -> AbstractContextManager[None]:
    """Around denoising: one sentence where memory runs short."""
    clip = model.config.clip
    return host.explained_memory(f"{clip.frames} frames of {clip.size} x {clip.size} pixels")
