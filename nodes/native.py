"""Our denoiser as the host's own MODEL, for its samplers, guiders, LoRA loaders and merges.

Frames are the batch: latents are `[f c h w]`, unscaled outside of the model as everywhere in the
host. A segment's picture, music, beats and previous frames travel on CONDITIONING, where "Apply
dance" puts them as a `DanceCondition`; they are encoded when sampling begins, with the weights as
they are then, LoRAs included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_sampling
import comfy.supported_models_base
import torch
from einops import rearrange
from torch import Tensor, nn

from .errors import NodeError

if TYPE_CHECKING:
    from ..musedance_core.config import MuseDanceConfig, ScheduleConfig, VAEConfig
    from ..musedance_core.diffusion.segment import SegmentInput
    from ..musedance_core.models import Conditions, MuseDance
    from ..musedance_core.models.vae import PatchAutoencoder
    from .types import Conditioning

CONDITION = "musedance"
"""Name of the `DanceCondition` among the options of a CONDITIONING."""
ACTIVATIONS = 12.0
"""Activations of the widest level that are in memory at once, an estimate."""


@dataclass(frozen=True)
class DanceCondition:
    """A segment of a dance on CONDITIONING.

    Attributes:
        inputs: the segment's inputs, where the host keeps values between nodes; the sentence is
            the CONDITIONING's own.
        dropped: conditions that are left out: "music", "reference".
    """

    inputs: SegmentInput
    dropped: tuple[str, ...] = ()


class FramesDenoiser(nn.Module):
    """All networks of a checkpoint behind the call that the host makes of a diffusion model."""

    def __init__(self, network: MuseDance, dtype: torch.dtype) -> None:
        super().__init__()
        self.network, self.dtype = network, dtype

    def forward(
        self,
        x: Tensor,
        timesteps: Tensor,
        musedance: Conditions | None = None,
        control: Mapping[str, Any] | None = None,
        **others: Any,
    ) -> Tensor:
        """Predicts v `[f c h w]` of the noisy frames `x [f c h w]`.

        Args:
            x: noisy latents.
            timesteps: of the frames, `[f]`, all the same.
            musedance: the segment's conditions.
            control: what a ControlNet adds, which this model cannot take.
            others: options of the host that do not concern this model.

        Raises:
            NodeError: there are no conditions of a dance, or a ControlNet is applied.
        """
        if musedance is None:
            raise NodeError(
                "This model needs the picture, the song and the beats: connect positive and "
                "negative of Apply dance to the sampler."
            )
        if control is not None:
            raise NodeError("MuseDance models take no ControlNet: remove it from the conditioning.")
        frames = rearrange(x, "f c h w -> 1 f c h w")
        v = self.network.unet(frames, timesteps[:1].round().long(), musedance)
        out: Tensor = rearrange(v, "1 f c h w -> f c h w")
        return out


class _Fixed(comfy.conds.CONDConstant):
    """A condition of a whole clip: never repeated for its frames, nor joined to that of another."""

    def can_concat(self, other: Any) -> bool:
        """False: each clip is denoised by itself."""
        return False

    def size(self) -> list[int]:
        """Nothing that the host counts."""
        return [1]


class SharedNoiseSampling(
    comfy.model_sampling.ModelSamplingDiscrete, comfy.model_sampling.V_PREDICTION
):
    """The host's v-prediction on the checkpoint's schedule, with its noise shared by all frames."""

    def __init__(self, model_config: comfy.supported_models_base.BASE, config: ScheduleConfig):
        from ..musedance_core.models.schedule import NoiseSchedule

        super().__init__(model_config)
        self.schedule = NoiseSchedule(config)

    def noise_scaling(
        self, sigma: Tensor, noise: Tensor, latent_image: Tensor, max_denoise: bool = False
    ) -> Tensor:
        """The frames `latent_image [f c h w]` with `noise` of the level `sigma`."""
        shared = self.schedule.share_noise(noise)
        noisy: Tensor = super().noise_scaling(sigma, shared, latent_image, max_denoise)
        return noisy


class NativeModel(comfy.model_base.BaseModel):
    """The host's model class with v-prediction and the checkpoint's noise schedule."""

    def __init__(
        self,
        network: MuseDance,
        dtype: torch.dtype,
        device: torch.device,
        patches: PatchAutoencoder | None,
    ) -> None:
        """
        Args:
            network: networks of a checkpoint.
            dtype: of latents and conditions, in which they compute.
            device: to compute on.
            patches: the autoencoder, where it is not Stable Diffusion's.
        """
        config = _model_config(network.config, patches)
        super().__init__(config, comfy.model_base.ModelType.V_PREDICTION, device=device)
        self.config = network.config
        self.model_sampling = SharedNoiseSampling(config, network.config.schedule)
        self.diffusion_model = FramesDenoiser(network, dtype)

    def extra_conds(self, **options: Any) -> dict[str, Any]:
        """The host's conditions of a call: the segment's, encoded once for all steps; none for
        conditioning of other nodes than "Apply dance", which `FramesDenoiser` refuses.

        Raises:
            NodeError: the conditioning belongs to other latents than `options["noise"]`.
        """
        condition = options.get(CONDITION)
        if not isinstance(condition, DanceCondition):
            return {}
        _require_model(self.config, condition.inputs)
        _require_frames(self.config, condition.inputs, options["noise"].shape)
        inputs = _moved(
            condition.inputs, options["cross_attn"], options["device"], self.get_dtype()
        )
        network = self.diffusion_model.network
        return {CONDITION: _Fixed(_encoded(network, inputs, condition.dropped))}


def _moved(
    inputs: SegmentInput, text: Tensor, device: torch.device, dtype: torch.dtype
) -> SegmentInput:
    """The inputs with the text tokens `text [1 77 d]`, on `device` and in `dtype`."""
    return replace(
        inputs,
        reference=inputs.reference.to(device, dtype),
        previous=inputs.previous.to(device, dtype),
        text=text.to(device, dtype),
        part_map=None if inputs.part_map is None else inputs.part_map.to(device),
    )


@torch.no_grad()
def _encoded(network: MuseDance, inputs: SegmentInput, dropped: Sequence[str]) -> Conditions:
    """The conditions of a segment, without those in `dropped`."""
    from ..musedance_core.diffusion.segment import segment_conditions, shared_conditions

    shared = shared_conditions(network, inputs)
    return segment_conditions(network, inputs, shared, inputs.text, dropped)


def _require_model(config: MuseDanceConfig, inputs: SegmentInput) -> None:
    """Raises NodeError where a segment was prepared for a model of other latents or other music."""
    channels, mel_bins = inputs.reference.shape[1], inputs.song.mel.shape[-1]
    if (channels, mel_bins) != (config.vae.latent_channels, config.music.mel_bins):
        raise NodeError(
            "Apply dance and the sampler have different models: connect the sampler_model of the "
            "same Load MuseDance to the sampler."
        )


def _require_frames(config: MuseDanceConfig, inputs: SegmentInput, shape: torch.Size) -> None:
    """Raises NodeError where latents of this `shape` do not hold the frames of a segment."""
    expected = (config.clip.frames, *inputs.reference.shape[1:])
    if tuple(shape) != expected:
        here, there = (" x ".join(map(str, sizes)) for sizes in (shape, expected))
        raise NodeError(
            f"The latents are {here}, but the segment of Apply dance is {there}: connect its "
            f"latent to the sampler."
        )


def _model_config(
    config: MuseDanceConfig, patches: PatchAutoencoder | None
) -> comfy.supported_models_base.BASE:
    """The host's description of a model."""
    schedule, channels = config.schedule, config.unet.channels
    described = comfy.supported_models_base.BASE({"disable_unet_model_creation": True})
    described.sampling_settings = {
        "beta_schedule": "linear",  # the host's name of Stable Diffusion's scaled-linear betas
        "linear_start": schedule.beta_start,
        "linear_end": schedule.beta_end,
        "timesteps": schedule.steps,
        "zsnr": schedule.zero_terminal_snr,
    }
    described.latent_format = _latent_format(config.vae, patches)
    # The host reserves frames x cells x bytes of a number x factor x 1 % of a MiB.
    described.memory_usage_factor = channels[0] * ACTIVATIONS / (0.01 * 2**20)
    return described


def _latent_format(
    vae: VAEConfig, patches: PatchAutoencoder | None
) -> comfy.latent_formats.LatentFormat:
    """Scale and colours of the model's latents."""
    if patches is None:
        return comfy.latent_formats.SD15(vae.scale)
    described = comfy.latent_formats.LatentFormat()
    described.scale_factor, described.latent_channels = vae.scale, vae.latent_channels
    described.spacial_downscale_ratio = vae.reduction
    described.latent_rgb_factors, described.latent_rgb_factors_bias = _preview_colours(patches, vae)
    return described


@torch.no_grad()
def _preview_colours(
    patches: PatchAutoencoder, vae: VAEConfig
) -> tuple[list[list[float]], list[float]]:
    """Factors `[c 3]` and bias `[3]` from a latent to the mean colour of its cell, -1..1; a linear
    fit, as the host's previews take it, to an autoencoder that is nearly linear."""
    channels = vae.latent_channels
    probes = torch.cat([torch.zeros(1, channels), torch.eye(channels) * 0.5])
    like = next(patches.parameters())
    pictures = patches.decode(rearrange(probes, "b c -> b c 1 1").to(like)).float().cpu()
    colours = pictures.mean(dim=(2, 3)) * 2 - 1
    factors = (colours[1:] - colours[:1]) / 0.5
    return factors.tolist(), colours[0].tolist()


def with_dance(
    conditioning: Conditioning, inputs: SegmentInput, dropped: tuple[str, ...] = ()
) -> Conditioning:
    """The host's `conditioning` with a segment of a dance on it."""
    home = comfy.model_management.intermediate_device()
    condition = DanceCondition(_moved(inputs, inputs.text, home, torch.float32), dropped)
    return [[tokens, {**options, CONDITION: condition}] for tokens, options in conditioning]
