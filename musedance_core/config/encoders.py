"""Configuration of the autoencoder and of the encoders of text and music."""

from __future__ import annotations

from dataclasses import dataclass

from .checks import require, require_sizes


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
        require_sizes(self, ("refiner_blocks",), optional=("refiner_width", "refiner_blocks"))
        require(self.scale > 0, f"scale must be above 0: {self.scale}")
        require(self.kind in ("kl", "patch"), f"VAE kind must be 'kl' or 'patch': {self.kind!r}")
        require(self.reduction in (2, 4, 8), f"reduction must be 2, 4 or 8: {self.reduction}")
        halvings = len(self.channels) - 1
        require(
            self.kind == "patch" or 2**halvings == self.reduction,
            f"a 'kl' VAE of widths {self.channels} halves {halvings} times, "
            f"reduction is {self.reduction}",
        )
        require(
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
        require_sizes(self, depths=("layers",))
        require(
            self.width % self.heads == 0,
            f"text width {self.width} is not divisible by {self.heads} heads",
        )
        require(self.max_tokens >= 2, f"max_tokens must be at least 2: {self.max_tokens}")


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
        require_sizes(self, depths=("layers",), optional=("layers",))
        require(
            self.width % self.heads == 0,
            f"music width {self.width} is not divisible by {self.heads} heads",
        )
        require(
            self.patch <= min(self.mel_bins, self.length),
            f"a patch of {self.patch} does not fit {self.mel_bins} mel bins, {self.length} frames",
        )
        require(self.std > 0, f"std must be above 0: {self.std}")

    @property
    def rows(self) -> int:
        """Frequency patches of the token grid."""
        return (self.mel_bins - self.patch) // self.frequency_stride + 1

    @property
    def columns(self) -> int:
        """Time patches of the token grid."""
        return (self.length - self.patch) // self.time_stride + 1
