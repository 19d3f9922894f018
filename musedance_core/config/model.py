"""Configuration of the whole model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .checks import require
from .dance import ChoreographerConfig, RigConfig
from .denoiser import ClipConfig, DynamicsConfig, MaskConfig, ScheduleConfig, UNetConfig
from .encoders import MusicConfig, TextConfig, VAEConfig
from .reading import build


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
        require(
            self.unet.latent_channels == self.vae.latent_channels,
            f"the UNet has {self.unet.latent_channels} latent channels, "
            f"the VAE {self.vae.latent_channels}",
        )
        require(
            not self.unet.copy_reach or self.vae.kind == "patch",
            f"copy_reach needs a 'patch' VAE, not {self.vae.kind!r}",
        )
        require(
            not self.unet.copy_reach or self.vae.reduction >= 4,
            f"copy_reach needs a reduction of at least 4, not {self.vae.reduction}",
        )
        halvings = len(self.mask.channels) - 1
        require(
            2**halvings == self.vae.reduction,
            f"the mask encoder halves {halvings} times, the VAE reduces by {self.vae.reduction}",
        )
        require(
            self.unet.text_width == self.text.width,
            f"the UNet takes text of width {self.unet.text_width}, the encoder gives "
            f"{self.text.width}",
        )
        require(
            self.choreographer is None or self.clip.frames % self.choreographer.frames == 0,
            f"a clip of {self.clip.frames} frames does not fill the choreographer's tokens",
        )
        heads = self.dynamics.heads
        require(
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
        built: MuseDanceConfig = build(cls, values, "config")
        return built
