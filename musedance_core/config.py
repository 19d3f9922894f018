"""Every number of a model, as frozen dataclasses that check themselves.

A `MuseDanceConfig` travels inside the checkpoint, so that a file says how to build and how to
sample the model it holds. The base presets are data in `presets.py`; variants are made with
`dataclasses.replace`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, get_type_hints

YOUNGER = {
    *("copy_reach", "copy_body", "copy_pixels"),
    *("text_guidance", "music_guidance", "reference_guidance"),
}
"""Keys that older files lack; their defaults change nothing."""


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


@dataclass(frozen=True)
class ClipConfig:
    """What one segment of video is: `frames` pictures of `size` x `size` pixels at `fps`."""

    size: int = 640
    frames: int = 48
    fps: int = 12
    previous: int = 2

    def __post_init__(self) -> None:
        _check(self.size > 0 and self.size % 8 == 0, f"size must be a multiple of 8: {self.size}")
        _check(self.frames > 0 and self.fps > 0, f"frames and fps: {self.frames}, {self.fps}")
        _check(1 <= self.previous <= self.frames, f"previous is out of range: {self.previous}")

    @property
    def seconds(self) -> float:
        """Length of one segment in seconds."""
        return self.frames / self.fps


@dataclass(frozen=True)
class UNetConfig:
    """The denoiser's spatial half; ReferenceNet shares it.

    `attention[i]` says whether level i has attention. `spatial_positions` adds fixed 2-D sinusoids
    to queries and keys of the self-attention, which a small network trained from scratch needs to
    find the same place in the reference. `copy_reach` lets the denoiser copy from the picture, from
    up to so many places away (`models/copying.py`), and `copy_body` lets it move the picture as one
    body first (`models/warping.py`). `copy_pixels` gives decoded frames the picture's own pixels
    where they show it, at rest or so moved (`restoring.py`). Stable Diffusion has none of these.
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
    copy_pixels: bool = False
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check(
            len(self.channels) == len(self.attention),
            f"channels and attention differ in length: {self.channels}, {self.attention}",
        )
        _check(0 <= self.copy_reach <= 8, f"copy_reach must be 0..8 places: {self.copy_reach}")
        _check(
            not self.copy_body or self.copy_reach > 0,
            f"copy_body needs copying, but copy_reach is {self.copy_reach}",
        )
        _check(
            not self.copy_pixels or self.copy_body,
            "copy_pixels needs the picture to be moved, but copy_body is off",
        )
        for width in self.channels:
            _check(
                width % self.norm_groups == 0 and width % self.heads == 0,
                f"width {width} is not divisible by {self.norm_groups} groups, {self.heads} heads",
            )


@dataclass(frozen=True)
class DynamicsConfig:
    """The music, beat and motion modules of stage 2.

    `token_width` is the width of music and beat tokens. `beat_phase` adds the sine and cosine of
    the beat phase and of the two-beat phase to the one-hot beat tokens; the paper has the one-hot
    alone.
    The three switches leave a module out, as in the paper's ablation.
    """

    token_width: int = 768
    heads: int = 8
    motion_attentions: int = 2
    motion_ff_mult: int = 4
    beat_phase: bool = False
    music: bool = True
    beat: bool = True
    motion: bool = True


@dataclass(frozen=True)
class MaskConfig:
    """The part-map encoder: a convolution of every width, all but the first with stride 2."""

    channels: tuple[int, ...] = (16, 32, 64, 128)


@dataclass(frozen=True)
class VAEConfig:
    """`kind` "kl" is Stable Diffusion's AutoencoderKL, "patch" the small patch autoencoder.

    A latent stands for `reduction` x `reduction` pixels.
    """

    kind: str = "kl"
    reduction: int = 8
    channels: tuple[int, ...] = (128, 256, 512, 512)
    latent_channels: int = 4
    scale: float = 0.18215
    refiner_width: int = 0
    refiner_blocks: int = 0

    def __post_init__(self) -> None:
        _check(self.kind in ("kl", "patch"), f"VAE kind must be 'kl' or 'patch': {self.kind!r}")
        _check(self.reduction in (2, 4, 8), f"reduction must be 2, 4 or 8: {self.reduction}")
        halvings = len(self.channels) - 1
        _check(
            self.kind == "patch" or 2**halvings == self.reduction,
            f"a 'kl' VAE of widths {self.channels} halves {halvings} times, "
            f"reduction is {self.reduction}",
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


@dataclass(frozen=True)
class MusicConfig:
    """An Audio Spectrogram Transformer over 10.24 s of log-mel at 100 frames a second."""

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
    """The noise schedule and the defaults of sampling, one truth for training and sampling.

    `shared_noise` is the share of the noise's variance that all frames of a clip have in common;
    it keeps details in place from frame to frame.
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
        _check(self.prediction == "v", f"prediction must be 'v': {self.prediction!r}")
        _check(
            0 < self.beta_start < self.beta_end < 1,
            f"betas must rise within (0, 1): {self.beta_start}, {self.beta_end}",
        )
        _check(0 <= self.shared_noise <= 1, f"shared_noise must be 0..1: {self.shared_noise}")


@dataclass(frozen=True)
class MuseDanceConfig:
    """The whole model. `preset` names the base it was derived from."""

    preset: str
    clip: ClipConfig
    unet: UNetConfig
    dynamics: DynamicsConfig
    mask: MaskConfig
    vae: VAEConfig
    text: TextConfig
    music: MusicConfig
    schedule: ScheduleConfig

    def __post_init__(self) -> None:
        _check(
            self.unet.latent_channels == self.vae.latent_channels,
            f"the UNet has {self.unet.latent_channels} latent channels, "
            f"the VAE {self.vae.latent_channels}",
        )
        _check(
            not self.unet.copy_reach or self.vae.kind == "patch",
            f"only a 'patch' VAE gives views to copy from, not {self.vae.kind!r}",
        )
        _check(
            not self.unet.copy_reach or self.vae.reduction >= 4,
            f"views to copy from lie a quarter of a patch apart, but reduction is "
            f"{self.vae.reduction}",
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

    def to_dict(self) -> dict[str, Any]:
        """A JSON-ready nested dict."""
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
    """A dataclass from a nested dict, strictly: keys known, and present if not `YOUNGER`."""
    names = {f.name for f in fields(cls)}
    unknown, missing = sorted(set(values) - names), sorted(names - set(values) - YOUNGER)
    _check(not unknown and not missing, f"{where}: unknown keys {unknown}, missing keys {missing}")
    types = get_type_hints(cls)
    built: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            built[name] = _build(types[name], value, f"{where}.{name}")
        else:
            built[name] = tuple(value) if isinstance(value, list) else value
    return cls(**built)
