"""Adapters of our networks to the host, which loads and offloads them as it needs memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import comfy.model_management
import comfy.ops
import comfy.sd
import torch
from einops import rearrange
from torch import Tensor

from ..musedance_core.errors import InputError
from . import host
from .errors import NodeError, readable_errors
from .native import ACTIVATIONS, NativeModel
from .types import VAE, Conditioning

if TYPE_CHECKING:
    from ..musedance_core.config import MuseDanceConfig, VAEConfig
    from ..musedance_core.models import MuseDance
    from ..musedance_core.models.text import TextEncoder
    from ..musedance_core.models.tokenizer import Tokenizer
    from ..musedance_core.models.vae import DiffusersAutoencoder, PatchAutoencoder

DECODED_AT_ONCE = 8
"""Frames; half as many wherever memory runs short."""


class HostVAE:
    """The model's own autoencoder behind the methods that the host's VAE nodes call.

    Latents outside are unscaled, as everywhere in the host; pictures are `[b h w c]` in 0..1.
    """

    def __init__(self, vae: PatchAutoencoder | DiffusersAutoencoder) -> None:
        manage = comfy.model_management
        self.vae = vae
        self.managed = host.Managed(vae, manage.vae_device(), manage.vae_offload_device())
        self.config: VAEConfig = vae.config
        self.dtype = next(vae.parameters()).dtype

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return self.config.latent_channels

    def encode(self, pixels: Tensor) -> Tensor:
        """Pictures `[b h w c]` to latents `[b c h w]`; what exceeds whole patches is cut off."""
        r = self.config.reduction
        _, height, width, _ = pixels.shape
        cut = pixels[:, : height // r * r, : width // r * r, :3]
        self.managed.ready(self._bytes(height, width))
        pictures = rearrange(cut, "b h w c -> b c h w")
        return self._chunked(lambda part: self.vae.encode(part) / self.config.scale, pictures)

    def decode(self, latents: Tensor, vae_options: Any = None) -> Tensor:
        """Latents `[b c h w]` to pictures `[b h w 3]`.

        Raises:
            NodeError: the latents belong to another model.
        """
        if latents.ndim != 4 or latents.shape[1] != self.latent_channels:
            shape = " x ".join(map(str, latents.shape))
            raise NodeError(
                f"These latents belong to another model: they are {shape}, and this vae takes "
                f"frames x {self.latent_channels} x height x width."
            )
        r = self.config.reduction
        self.managed.ready(self._bytes(latents.shape[-2] * r, latents.shape[-1] * r))
        pictures = self._chunked(lambda part: self.vae.decode(part * self.config.scale), latents)
        return rearrange(pictures, "b c h w -> b h w c")

    def decode_tiled(self, latents: Tensor, **tiles: Any) -> Tensor:
        """As `decode`: pictures are small, and a few frames at a time are decoded anyway."""
        return self.decode(latents)

    def encode_tiled(self, pixels: Tensor, **tiles: Any) -> Tensor:
        """As `encode`."""
        return self.encode(pixels)

    def spacial_compression_decode(self) -> int:
        """Pixels of a latent's side (the host's spelling)."""
        return self.config.reduction

    spacial_compression_encode = spacial_compression_decode

    def temporal_compression_decode(self) -> None:
        """None: every frame has its own latent."""

    def throw_exception_if_invalid(self) -> None:
        """Does nothing: the autoencoder was checked when it was loaded."""

    def _bytes(self, height: int, width: int) -> float:
        """An estimate of the memory for one picture: four times 128 channels of floats a pixel."""
        return height * width * 128 * 4 * 4.0

    @torch.no_grad()
    @readable_errors
    def _chunked(self, work: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        """`work` on a few samples of `batch` at a time, on half as many where memory is short."""
        from ..musedance_core.diffusion.segment import require_finite

        home = comfy.model_management.intermediate_device()
        done: list[Tensor] = []
        first, size = 0, DECODED_AT_ONCE
        while first < len(batch):
            host.interrupt_point()
            part = batch[first : first + size].to(self.managed.device, self.dtype)
            try:
                done.append(work(part).float().to(home))
            except RuntimeError as error:
                host.require_memory(error, "even one frame" if size == 1 else None)
                size //= 2
                continue
            first += size
        result = torch.cat(done)
        require_finite(result, "The values from the vae", self.dtype)
        return result


class HostCLIP:
    """The text encoder behind the methods that the host's text nodes call."""

    def __init__(self, text: TextEncoder, tokenizer: Tokenizer) -> None:
        manage = comfy.model_management
        self.text, self.tokenizer = text, tokenizer
        self.managed = host.Managed(
            text, manage.text_encoder_device(), manage.text_encoder_offload_device()
        )

    def tokenize(self, text: str, return_word_ids: bool = False, **options: Any) -> Tensor:
        """Token ids `[1 77]`."""
        return self.tokenizer.encode([text])

    @torch.no_grad()
    def encode_from_tokens(self, tokens: Tensor, **options: Any) -> Tensor:
        """Text tokens `[1 77 d]`."""
        self.managed.ready()
        encoded: Tensor = self.text(tokens.to(self.managed.device))
        return encoded.float().to(comfy.model_management.intermediate_device())

    def encode_from_tokens_scheduled(self, tokens: Tensor, **options: Any) -> Conditioning:
        """The host's CONDITIONING."""
        return [[self.encode_from_tokens(tokens), {"pooled_output": None}]]

    @property
    def cond_stage_model(self) -> NoReturn:
        """Raises NodeError, because the host's LoRA loaders ask for it."""
        raise NodeError(
            "MuseDance's text encoder takes no LoRA: use the LoRA loader that has model alone, "
            "with sampler_model of Load MuseDance."
        )

    def clone(self, *others: Any, **options: Any) -> NoReturn:
        """Raises NodeError, because nodes that change a text encoder clone it first."""
        raise NodeError(
            "MuseDance's text encoder cannot be changed: connect clip of Load MuseDance directly."
        )


@dataclass(frozen=True)
class HostModel:
    """A loaded checkpoint: the networks that dance, and autoencoder and text encoder apart.

    It is the core's `ModelHandle`. `identity` distinguishes the content of this file from others;
    `dtype` is that of inputs and outputs, whatever the weights are stored in.
    """

    name: str
    identity: str
    network: MuseDance
    managed: host.Managed
    vae: VAE
    clip: HostCLIP
    dtype: torch.dtype

    @property
    def config(self) -> MuseDanceConfig:
        """The model's config."""
        return self.network.config

    @property
    def device(self) -> torch.device:
        """The device that it computes on."""
        return self.managed.device

    @property
    def native(self) -> Any:
        """The host's MODEL of the same networks."""
        return self.managed.patcher

    def ready(self) -> MuseDance:
        """The networks, brought to their device."""
        clip, unet = self.config.clip, self.config.unet
        side = clip.size // self.config.vae.reduction
        cells = clip.frames * side * side
        working = cells * unet.channels[0] * ACTIVATIONS * self.dtype.itemsize
        self.managed.ready(working)
        return self.network


def load_model(name: str, allow_untrained: bool) -> HostModel:
    """Loads the checkpoint called `name`, with the host's layers.

    Raises:
        InputError: it is not a MuseDance checkpoint, or it was never trained and that is not
            allowed.
    """
    from ..musedance_core.checkpoint.format import load_checkpoint, read_header
    from ..musedance_core.diffusion.segment_cache import cache_key
    from ..musedance_core.models.vae import PatchAutoencoder

    path = host.checkpoint_path(name)
    manage = comfy.model_management
    device = manage.get_torch_device()
    size = os.path.getsize(path)
    stored, dtype = host_dtypes(device, size // 2)
    native = read_header(path).config.vae.kind == "kl"
    loaded = load_checkpoint(path, ops=comfy.ops.manual_cast, autoencoder=not native)
    if not loaded.provenance.get("trained", True) and not allow_untrained:
        raise InputError(
            f"{name} was never trained to dance. Train it first, or set allow_untrained to sample "
            f"it all the same."
        )

    # The host manages three networks apart: the one that dances, the autoencoder, the text encoder.
    model = loaded.model.eval().requires_grad_(False)
    clip = HostCLIP(model.text, loaded.tokenizer)
    del model.text
    vae: VAE
    if native:
        vae = native_vae(loaded.autoencoder, loaded.config.vae)
    else:
        # A denoiser that copies from the picture needs the autoencoder itself, in its own dtype.
        vae = HostVAE(deepcopy(model.vae) if loaded.config.unet.copy_reach else model.vae)
        if not loaded.config.unet.copy_reach:
            del model.vae
    identity = cache_key(name, size, os.stat(path).st_mtime_ns)
    autoencoder = vae.vae if isinstance(vae, HostVAE) else None
    patches = autoencoder if isinstance(autoencoder, PatchAutoencoder) else None
    native_model = NativeModel(store(model.to(dtype), stored), dtype, device, patches)
    managed = host.Managed(native_model, device, manage.unet_offload_device())
    return HostModel(name, identity, model, managed, vae, clip, dtype)


def host_dtypes(device: torch.device, parameters: int) -> tuple[torch.dtype, torch.dtype]:
    """The dtypes that the host chooses for a denoiser's weights and for computing with them.

    They differ where the weights are float8, in which nothing can be computed.
    """
    manage = comfy.model_management
    wanted = [torch.bfloat16, torch.float16, torch.float32]
    stored = manage.unet_dtype(device, parameters, supported_dtypes=wanted)
    if stored.itemsize > 1:
        return stored, stored
    return stored, manage.unet_manual_cast(stored, device, wanted) or torch.float32


def store(network: MuseDance, dtype: torch.dtype) -> MuseDance:
    """`network` with the large layers of the denoiser in `dtype`; the host's layers cast them to
    the dtype of their input."""
    for part in (network.unet, network.reference):
        for layer in part.modules():
            if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d):
                layer.to(dtype)
    return network


def native_vae(weights: Mapping[str, Tensor], config: VAEConfig) -> VAE:
    """Stable Diffusion's autoencoder as the host's own class, with its care for memory."""
    first = config.channels[0]
    shape = {
        "double_z": True,
        "z_channels": config.latent_channels,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": first,
        "ch_mult": [width // first for width in config.channels],
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    own = {name.removeprefix("kl."): weight for name, weight in weights.items()}
    parameters = {"ddconfig": shape, "embed_dim": config.latent_channels}
    vae: VAE = comfy.sd.VAE(sd=own, config={"params": parameters})
    return vae
