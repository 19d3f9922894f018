"""Model configuration: frozen dataclasses that validate themselves.

A `MuseDanceConfig` is stored in the checkpoint and is enough to build the model and to sample from
it. The two base configurations are in `presets.py`; variants are made with `dataclasses.replace`.
All constructors raise `ValueError` with the offending values.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

OPTIONAL_KEYS = {
    *("copy_reach", "copy_body"),
    *("text_guidance", "music_guidance", "reference_guidance"),
    *("rig", "choreographer"),
}
"""Keys that files may lack. Their defaults leave such a model as it was."""
RETIRED_KEYS = {"copy_pixels"}
"""Keys of older files that no model has any more."""


LARGEST_SIZE, LARGEST_DEPTH = 2**17, 64
"""Bounds of sizes and of numbers of layers, so that no file can ask for more than a machine has."""


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _check_sizes(config: Any, depths: tuple[str, ...] = (), optional: tuple[str, ...] = ()) -> None:
    """Check that all integers of `config` are at least 1, or 0 if `optional`, and within bounds."""
    for field in fields(config):
        value = getattr(config, field.name)
        numbers = value if isinstance(value, tuple) else (value,)
        sizes = [n for n in numbers if isinstance(n, int) and not isinstance(n, bool)]
        low = 0 if field.name in optional else 1
        high = LARGEST_DEPTH if field.name in depths else LARGEST_SIZE
        _check(all(low <= n <= high for n in sizes), f"{field.name} must be {low}..{high}: {value}")


@dataclass(frozen=True)
class ClipConfig:
    """A segment of video.

    Attributes:
        size: width and height in pixels, a multiple of 8.
        frames: frames per segment (the paper's K).
        fps: frames per second.
        previous: frames of the previous segment that the motion modules take (the paper's M).
    """

    size: int = 640
    frames: int = 48
    fps: int = 12
    previous: int = 2

    def __post_init__(self) -> None:
        _check_sizes(self, optional=("previous",))
        _check(self.size % 8 == 0, f"size must be a multiple of 8: {self.size}")
        _check(1 <= self.previous <= self.frames, f"previous is out of range: {self.previous}")

    @property
    def seconds(self) -> float:
        """Length of one segment in seconds."""
        return self.frames / self.fps


@dataclass(frozen=True)
class UNetConfig:
    """The spatial half of the denoiser, which ReferenceNet shares. Defaults: Stable Diffusion 1.5.

    Attributes:
        latent_channels: channels of the latents.
        channels: width of each level.
        attention: whether the level has attention.
        layers: layers per level of the encoder; the decoder has one more.
        heads: attention heads of every attention layer.
        text_width: width of the text tokens.
        ff_mult: inner width of feed-forward layers over their width.
        norm_groups: groups of every GroupNorm.
        spatial_positions: add 2-D sinusoids to queries and keys of the self-attention. A small
            network trained from scratch needs them to find the same place in the reference.
        copy_reach: largest distance in latent cells from which the denoiser copies from the picture
            (`models/reference_copy.py`); 0 switches copying off.
        copy_body: condition on the planned frames (`models/choreographer.py`).
        dropout: dropout rate of residual and feed-forward layers, 0..1.
    """

    latent_channels: int = 4
    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    attention: tuple[bool, ...] = (True, True, True, False)
    layers: int = 2
    heads: int = 8
    text_width: int = 768
    ff_mult: int = 4
    norm_groups: int = 32
    spatial_positions: bool = False
    copy_reach: int = 0
    copy_body: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check(0 <= self.copy_reach <= 8, f"copy_reach must be 0..8 cells: {self.copy_reach}")
        _check_sizes(self, depths=("layers",), optional=("copy_reach",))
        _check(1 <= len(self.channels) <= 8, f"channels must have 1..8 levels: {self.channels}")
        _check(0 <= self.dropout < 1, f"dropout must be within 0..1: {self.dropout}")
        _check(
            len(self.channels) == len(self.attention),
            f"channels and attention differ in length: {self.channels}, {self.attention}",
        )
        _check(
            not self.copy_body or self.copy_reach > 0,
            f"copy_body needs copy_reach above 0, not {self.copy_reach}",
        )
        for width in self.channels:
            _check(
                width % self.norm_groups == 0 and width % self.heads == 0,
                f"width {width} is not divisible by {self.norm_groups} groups, {self.heads} heads",
            )


@dataclass(frozen=True)
class DynamicsConfig:
    """The music, beat and motion modules of stage 2 (section 3.3).

    Attributes:
        token_width: width of music and beat tokens.
        heads: attention heads of every attention layer.
        motion_attentions: attention layers of a motion module.
        motion_ff_mult: inner width of a motion module's feed-forward layer over its width.
        beat_phase: add sine and cosine of the beat's and the two-beat phase to the one-hot beat
            tokens; the paper has the one-hot alone.
        music, beat, motion: build these modules; False for the paper's ablation.
    """

    token_width: int = 768
    heads: int = 8
    motion_attentions: int = 2
    motion_ff_mult: int = 4
    beat_phase: bool = False
    music: bool = True
    beat: bool = True
    motion: bool = True

    def __post_init__(self) -> None:
        _check_sizes(self, depths=("motion_attentions",))
        _check(self.token_width % 2 == 0, f"token_width must be even: {self.token_width}")


@dataclass(frozen=True)
class MaskConfig:
    """The mask encoder: one convolution per width, all but the first with stride 2."""

    channels: tuple[int, ...] = (16, 32, 64, 128)

    def __post_init__(self) -> None:
        _check_sizes(self)


@dataclass(frozen=True)
class VAEConfig:
    """The autoencoder.

    Attributes:
        kind: "kl" for Stable Diffusion's AutoencoderKL, "patch" for the small patch autoencoder.
        reduction: pixels per latent cell in each direction.
        channels: width of each level ("kl").
        latent_channels: channels of the latents.
        scale: factor on the latents ("kl").
        refiner_width, refiner_blocks: width and blocks of the convolutional networks ("patch").
    """

    kind: str = "kl"
    reduction: int = 8
    channels: tuple[int, ...] = (128, 256, 512, 512)
    latent_channels: int = 4
    scale: float = 0.18215
    refiner_width: int = 0
    refiner_blocks: int = 0

    def __post_init__(self) -> None:
        _check_sizes(self, ("refiner_blocks",), optional=("refiner_width", "refiner_blocks"))
        _check(self.scale > 0, f"scale must be above 0: {self.scale}")
        _check(self.kind in ("kl", "patch"), f"VAE kind must be 'kl' or 'patch': {self.kind!r}")
        _check(self.reduction in (2, 4, 8), f"reduction must be 2, 4 or 8: {self.reduction}")
        halvings = len(self.channels) - 1
        _check(
            self.kind == "patch" or 2**halvings == self.reduction,
            f"a 'kl' VAE of widths {self.channels} halves {halvings} times, "
            f"reduction is {self.reduction}",
        )
        _check(
            self.kind == "kl" or self.refiner_width % 8 == 0 < self.refiner_width,
            f"refiner_width of a 'patch' VAE must be a multiple of 8: {self.refiner_width}",
        )


@dataclass(frozen=True)
class TextConfig:
    """A CLIP text encoder."""

    vocab_size: int = 49408
    width: int = 768
    layers: int = 12
    heads: int = 12
    ff_mult: int = 4
    max_tokens: int = 77

    def __post_init__(self) -> None:
        _check_sizes(self, depths=("layers",))
        _check(
            self.width % self.heads == 0,
            f"text width {self.width} is not divisible by {self.heads} heads",
        )
        _check(self.max_tokens >= 2, f"max_tokens must be at least 2: {self.max_tokens}")


@dataclass(frozen=True)
class MusicConfig:
    """An Audio Spectrogram Transformer over 10.24 s of log-mel at 100 frames a second.

    `mean` and `std` normalise the log-mel; `patch` and strides are in mel bins and mel frames.
    """

    mel_bins: int = 128
    length: int = 1024
    patch: int = 16
    frequency_stride: int = 10
    time_stride: int = 10
    width: int = 768
    layers: int = 12
    heads: int = 12
    ff_mult: int = 4
    mean: float = -4.2677393
    std: float = 4.5689974

    def __post_init__(self) -> None:
        _check_sizes(self, depths=("layers",), optional=("layers",))
        _check(
            self.width % self.heads == 0,
            f"music width {self.width} is not divisible by {self.heads} heads",
        )
        _check(
            self.patch <= min(self.mel_bins, self.length),
            f"a patch of {self.patch} does not fit {self.mel_bins} mel bins, {self.length} frames",
        )
        _check(self.std > 0, f"std must be above 0: {self.std}")

    @property
    def rows(self) -> int:
        """Frequency patches of the token grid."""
        return (self.mel_bins - self.patch) // self.frequency_stride + 1

    @property
    def columns(self) -> int:
        """Time patches of the token grid."""
        return (self.length - self.patch) // self.time_stride + 1


@dataclass(frozen=True)
class ScheduleConfig:
    """The noise schedule, for training and sampling alike, and the defaults of sampling.

    Attributes:
        steps: training timesteps.
        beta_start, beta_end: first and last beta of the scaled-linear schedule.
        prediction: prediction type; only "v".
        zero_terminal_snr: rescale so that the last timestep is pure noise.
        shared_noise: share of the noise's variance, 0..1, that all frames of a clip have in
            common; it keeps details in place from frame to frame.
        guidance: classifier-free guidance scale of all conditions together; 1 is off.
        text_guidance, music_guidance, reference_guidance: additional guidance weights per
            condition; 0 is off.
        guidance_rescale: 0..1, how far to rescale to the standard deviation of the conditional
            prediction (diffusers' `guidance_rescale`).
        sampling_steps: default number of denoising steps.
    """

    steps: int = 1000
    beta_start: float = 0.00085
    beta_end: float = 0.012
    prediction: str = "v"
    zero_terminal_snr: bool = True
    shared_noise: float = 0.0
    guidance: float = 3.5
    text_guidance: float = 0.0
    music_guidance: float = 0.0
    reference_guidance: float = 0.0
    guidance_rescale: float = 0.7
    sampling_steps: int = 25

    def __post_init__(self) -> None:
        _check_sizes(self)
        _check(self.prediction == "v", f"prediction must be 'v': {self.prediction!r}")
        _check(
            0 < self.beta_start < self.beta_end < 1,
            f"betas must rise within (0, 1): {self.beta_start}, {self.beta_end}",
        )
        _check(0 <= self.shared_noise <= 1, f"shared_noise must be 0..1: {self.shared_noise}")


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
        _check_sizes(self, depths=("layers",))
        _check(2 <= len(self.channels) <= 6, f"channels must have 2..6 levels: {self.channels}")
        _check(
            self.size % 2 ** len(self.channels) == 0,
            f"size {self.size} cannot be halved {len(self.channels)} times",
        )
        for width in self.channels:
            _check(
                width % self.norm_groups == 0,
                f"width {width} is not divisible by {self.norm_groups} groups",
            )
        _check(
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
    schedule: ScheduleConfig = ScheduleConfig(guidance=1.75, text_guidance=1.0, sampling_steps=8)

    def __post_init__(self) -> None:
        _check_sizes(self, depths=("layers",))
        _check(self.poses <= 16, f"poses must be 1..16 a frame: {self.poses}")
        _check(
            self.previous % self.frames == 0,
            f"{self.previous} previous frames do not fill tokens of {self.frames}",
        )
        _check(
            self.width % self.norm_groups == 0 and self.width % (2 * self.heads) == 0,
            f"width {self.width} is not divisible by {self.norm_groups} groups, twice "
            f"{self.heads} heads",
        )


@dataclass(frozen=True)
class MuseDanceConfig:
    """The whole model.

    `preset` names the configuration that it was derived from. `rig` is None in models that find no
    joints, `choreographer` in those that plan no dance.
    """

    preset: str
    clip: ClipConfig
    unet: UNetConfig
    dynamics: DynamicsConfig
    mask: MaskConfig
    vae: VAEConfig
    text: TextConfig
    music: MusicConfig
    schedule: ScheduleConfig
    rig: RigConfig | None = None
    choreographer: ChoreographerConfig | None = None

    def __post_init__(self) -> None:
        _check(
            self.unet.latent_channels == self.vae.latent_channels,
            f"the UNet has {self.unet.latent_channels} latent channels, "
            f"the VAE {self.vae.latent_channels}",
        )
        _check(
            not self.unet.copy_reach or self.vae.kind == "patch",
            f"copy_reach needs a 'patch' VAE, not {self.vae.kind!r}",
        )
        _check(
            not self.unet.copy_reach or self.vae.reduction >= 4,
            f"copy_reach needs a reduction of at least 4, not {self.vae.reduction}",
        )
        halvings = len(self.mask.channels) - 1
        _check(
            2**halvings == self.vae.reduction,
            f"the mask encoder halves {halvings} times, the VAE reduces by {self.vae.reduction}",
        )
        _check(
            self.unet.text_width == self.text.width,
            f"the UNet takes text of width {self.unet.text_width}, the encoder gives "
            f"{self.text.width}",
        )
        _check(
            self.choreographer is None or self.clip.frames % self.choreographer.frames == 0,
            f"a clip of {self.clip.frames} frames does not fill the choreographer's tokens",
        )
        heads = self.dynamics.heads
        _check(
            all(width % heads == 0 for width in self.unet.channels),
            f"widths {self.unet.channels} are not divisible by {heads} heads of stage 2",
        )

    @property
    def plans_dance(self) -> bool:
        """Whether the model finds joints and plans the dance, so that frames have any size and
        rate."""
        return self.rig is not None and self.choreographer is not None

    def to_dict(self) -> dict[str, Any]:
        """A nested dict that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> MuseDanceConfig:
        """The inverse of `to_dict`.

        Raises:
            ValueError: a key is missing or unknown, or a value does not fit.
        """
        built: MuseDanceConfig = _build(cls, values, "config")
        return built


def _build(cls: type[Any], values: dict[str, Any], where: str) -> Any:
    """Build a dataclass from a nested dict; unknown keys and, but for `OPTIONAL_KEYS`, missing ones
    are errors."""
    names = {f.name for f in fields(cls)}
    values = {name: value for name, value in values.items() if name not in RETIRED_KEYS}
    unknown, missing = sorted(set(values) - names), sorted(names - set(values) - OPTIONAL_KEYS)
    _check(not unknown and not missing, f"{where}: unknown keys {unknown}, missing keys {missing}")
    types = get_type_hints(cls)
    built: dict[str, Any] = {}
    for name, value in values.items():
        kind, optional = without_none(types[name])
        if isinstance(value, dict) and isinstance(kind, type) and is_dataclass(kind):
            built[name] = _build(kind, value, f"{where}.{name}")
            continue
        _check(
            _fits(value, kind) or (optional and value is None),
            f"{where}.{name} must not be {repr(value)[:60]}",
        )
        built[name] = tuple(value) if isinstance(value, list) else value
    return cls(**built)


def without_none(kind: Any) -> tuple[Any, bool]:
    """The type K of a field that is declared as K or as `K | None`, and whether it may be None."""
    if NoneType not in get_args(kind):
        return kind, False
    return next(one for one in get_args(kind) if one is not NoneType), True


def _fits(value: Any, kind: Any) -> bool:
    """True if a value from JSON or YAML has the type of its field."""
    if get_origin(kind) is tuple:
        return isinstance(value, list | tuple) and all(_fits(v, get_args(kind)[0]) for v in value)
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and math.isfinite(value)
    return type(value) is kind
