"""The one file that touches the host: its memory, devices, folders, progress and previews.

Everything else in `nodes/` is a schema and a few lines. Names of the host are resolved when they
are used, so that a host which moves them breaks one function and not the pack.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import comfy.utils
import folder_paths
import torch
from PIL import Image

FOLDER = "musedance"
TRACKERS = "beat_this"
PACK = Path(__file__).parents[1]
PREVIEW_SIZE = 256


def register_folders() -> None:
    """`models/musedance`, `models/beat_this`, what extra_model_paths.yaml says of them, and the
    pack's own weights."""
    models = folder_paths.models_dir
    weights = str(PACK / "musedance_core" / "weights")
    _register(FOLDER, [os.path.join(models, FOLDER), weights], ".safetensors")
    _register(TRACKERS, [os.path.join(models, TRACKERS)], ".ckpt")


def _register(name: str, own: list[str], suffix: str) -> None:
    known, _ = folder_paths.folder_names_and_paths.get(name, ([], set()))
    paths = [*known, *(path for path in own if path not in known)]
    folder_paths.folder_names_and_paths[name] = (paths, {suffix})


def offer_inputs() -> None:
    """The pack's pictures and song in the host's input folder, for its templates to begin with.

    They lie at its top, because the host's loading nodes list no others. What is there is left
    alone, and a folder that cannot be written to stays as it is.
    """
    from ..musedance_core.errors import InputError
    from ..musedance_core.files import atomic_path

    folder = Path(folder_paths.get_input_directory())
    for source in sorted((PACK / "assets").iterdir()):
        target = folder / f"{FOLDER}-{source.name}"
        if source.suffix in (".png", ".ogg") and not target.exists():
            try:
                with atomic_path(target) as temporary:
                    shutil.copyfile(source, temporary)
            except (OSError, InputError) as error:
                logging.warning("MuseDance: its templates will miss %s: %s", target.name, error)


def checkpoints() -> list[str]:
    """Names of the checkpoints that can be loaded."""
    return folder_paths.get_filename_list(FOLDER)


def checkpoint_path(name: str) -> str:
    """The file called `name`."""
    return folder_paths.get_full_path_or_raise(FOLDER, name)


def beat_trackers() -> list[str]:
    """Names of the checkpoints of Beat This! that can be loaded."""
    return folder_paths.get_filename_list(TRACKERS)


def beat_tracker_path(name: str) -> str:
    """The file called `name`."""
    return folder_paths.get_full_path_or_raise(TRACKERS, name)


def temporary_folder() -> Path:
    """Where finished segments lie until the host empties it."""
    return Path(folder_paths.get_temp_directory()) / FOLDER


def interrupt_point() -> None:
    """Raises what the host wants raised where somebody pressed Cancel."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def require_memory(error: RuntimeError, work: str | None) -> None:
    """After an error: raise it again unless memory ran short; if it did, make room.

    Raises:
        RuntimeError: the error itself; or one sentence, where memory ran short and `work` is named.
    """
    comfy.model_management.raise_non_oom(error)
    comfy.model_management.soft_empty_cache()
    if work is not None:
        raise RuntimeError(
            f"There is not enough memory for {work}: close other programs, or start ComfyUI with "
            f"--lowvram or --cpu."
        ) from error


class Managed:
    """A network that the host moves between its memories; `ready` brings it to where it works."""

    def __init__(self, network: torch.nn.Module, device: torch.device, home: torch.device) -> None:
        self.network = network
        # On hosts with dynamic memory this name is another class, so it is looked up here.
        patcher = comfy.model_patcher.CoreModelPatcher
        self.patcher = patcher(network, load_device=device, offload_device=home)

    @property
    def device(self) -> torch.device:
        """Where it works."""
        return self.patcher.load_device

    def ready(self, working_bytes: float = 0) -> Any:
        """The network on its device, with so many bytes free beside it."""
        comfy.model_management.load_models_gpu([self.patcher], memory_required=working_bytes)
        return self.network


class HostVAE:
    """An autoencoder of ours behind the methods that the host's VAE nodes call.

    Latents outside are unscaled, as everywhere in the host; pictures are `[b h w c]` in 0..1.
    """

    def __init__(self, vae: torch.nn.Module) -> None:
        manage = comfy.model_management
        self.managed = Managed(vae, manage.vae_device(), manage.vae_offload_device())
        self.config = vae.config
        self.dtype = next(vae.parameters()).dtype

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        """Pictures `[b h w c]` -> latents `[b c h w]`."""
        r = self.config.reduction
        _, height, width, _ = pixels.shape
        pictures = pixels[:, : height // r * r, : width // r * r, :3].movedim(-1, 1)
        vae = self.managed.ready(self._bytes(height, width))
        return self._chunked(lambda part: vae.encode(part) / self.config.scale, pictures)

    def decode(self, latents: torch.Tensor, vae_options: Any = None) -> torch.Tensor:
        """Latents `[b c h w]` -> pictures `[b h w 3]`, in chunks, halved where memory is short."""
        r = self.config.reduction
        vae = self.managed.ready(self._bytes(latents.shape[-2] * r, latents.shape[-1] * r))
        pictures = self._chunked(lambda part: vae.decode(part * self.config.scale), latents)
        return pictures.movedim(1, -1)

    def decode_tiled(self, latents: torch.Tensor, **tiles: Any) -> torch.Tensor:
        """As `decode`: these pictures are small, and frames are decoded a few at a time anyway."""
        return self.decode(latents)

    def encode_tiled(self, pixels: torch.Tensor, **tiles: Any) -> torch.Tensor:
        """As `encode`."""
        return self.encode(pixels)

    def spacial_compression_decode(self) -> int:
        """Pixels of a side that one latent stands for (the host's spelling)."""
        return int(self.config.reduction)

    spacial_compression_encode = spacial_compression_decode

    def temporal_compression_decode(self) -> None:
        """None: frame by frame."""
        return None

    def throw_exception_if_invalid(self) -> None:
        """It was checked when it was loaded."""

    def _bytes(self, height: int, width: int) -> float:
        """An estimate of what one picture takes: four times 128 channels of floats a pixel."""
        return height * width * 128 * 4 * 4.0

    @torch.no_grad()
    def _chunked(
        self, work: Callable[[torch.Tensor], torch.Tensor], given: torch.Tensor
    ) -> torch.Tensor:
        done: list[torch.Tensor] = []
        first, size = 0, 8
        while first < len(given):
            interrupt_point()
            part = given[first : first + size].to(self.managed.device, self.dtype)
            try:
                done.append(work(part).float().to(comfy.model_management.intermediate_device()))
            except RuntimeError as error:
                require_memory(error, "even one frame" if size == 1 else None)
                size //= 2
                continue
            first += size
        return torch.cat(done)


class HostCLIP:
    """A text encoder of ours behind the methods that the host's text nodes call."""

    def __init__(self, text: torch.nn.Module, tokenizer: Any) -> None:
        manage = comfy.model_management
        self.managed = Managed(
            text, manage.text_encoder_device(), manage.text_encoder_offload_device()
        )
        self.tokenizer = tokenizer

    def tokenize(self, text: str, return_word_ids: bool = False, **options: Any) -> torch.Tensor:
        """Token ids `[1 77]`."""
        return self.tokenizer.encode([text])

    @torch.no_grad()
    def encode_from_tokens(self, tokens: torch.Tensor, **options: Any) -> torch.Tensor:
        """Text tokens `[1 77 d]`."""
        encode = self.managed.ready()
        where = comfy.model_management.intermediate_device()
        return encode(tokens.to(self.managed.device)).float().to(where)

    def encode_from_tokens_scheduled(self, tokens: torch.Tensor, **options: Any) -> list[Any]:
        """The host's CONDITIONING."""
        return [[self.encode_from_tokens(tokens), {"pooled_output": None}]]


@dataclass(frozen=True)
class HostModel:
    """A loaded checkpoint: the dancing networks by themselves, autoencoder and text encoder apart.

    `identity` tells this file's content from another's.
    """

    name: str
    identity: str
    managed: Managed
    vae: Any
    clip: HostCLIP
    dtype: torch.dtype

    @property
    def config(self) -> Any:
        """The model's config."""
        return self.managed.network.config

    def ready(self) -> Any:
        """The dancing networks, where they work."""
        clip, unet = self.config.clip, self.config.unet
        side = clip.size // self.config.vae.reduction
        # Activations of the widest level, a dozen of them at once. An estimate.
        working = clip.frames * side * side * unet.channels[0] * 12.0 * self.dtype.itemsize
        return self.managed.ready(working)


def load_model(name: str, allow_untrained: bool) -> HostModel:
    """The checkpoint called `name`, its layers made of the host's.

    Raises:
        InputError: not a checkpoint of ours, or never trained and not allowed.
    """
    from ..musedance_core.checkpoint.format import load_checkpoint, read_header
    from ..musedance_core.diffusion.segment_cache import cache_key
    from ..musedance_core.errors import InputError

    path = checkpoint_path(name)
    manage = comfy.model_management
    device = manage.get_torch_device()
    size = os.path.getsize(path)
    wanted = [torch.bfloat16, torch.float16, torch.float32]
    dtype = manage.unet_dtype(device, size // 2, supported_dtypes=wanted)
    native = read_header(path).config.vae.kind == "kl"
    loaded = load_checkpoint(path, ops=comfy.ops.manual_cast, autoencoder=not native)
    if not loaded.provenance.get("trained", True) and not allow_untrained:
        raise InputError(
            f"{name} was never trained to dance. Train it first, or set allow_untrained to see "
            f"what it does all the same."
        )
    model = loaded.model.eval().requires_grad_(False)
    text = model.text
    del model.text
    if native:
        vae = native_vae(loaded.autoencoder, loaded.config.vae)
    else:
        # A denoiser that copies looks at pictures with an autoencoder of its own.
        vae = HostVAE(deepcopy(model.vae) if loaded.config.unet.copy_reach else model.vae)
        if not loaded.config.unet.copy_reach:
            del model.vae
    identity = cache_key(name, size, os.stat(path).st_mtime_ns)
    managed = Managed(model.to(dtype), device, manage.unet_offload_device())
    clip = HostCLIP(text, loaded.tokenizer)
    return HostModel(name, identity, managed, vae, clip, dtype)


def native_vae(weights: Any, config: Any) -> Any:
    """Stable Diffusion's autoencoder as the host builds it, with its own care for memory."""
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
    return comfy.sd.VAE(sd=own, config={"params": parameters})


class Progress:
    """The bar over all steps of a node, with a preview of the frames as they come out of noise."""

    def __init__(self, model: HostModel, steps: int) -> None:
        self.model, self.done = model, 0
        self.bar = comfy.utils.ProgressBar(steps)

    def __call__(self, step: int, denoised: torch.Tensor) -> None:
        """After a step: move the bar, show the middle frame; raises where it was cancelled."""
        self.done += 1
        middle = denoised[0, denoised.shape[1] // 2][None]
        self.bar.update_absolute(self.done, preview=self._preview(middle))
        interrupt_point()

    def skip(self, steps: int) -> None:
        """So many steps are done already."""
        self.done += steps
        self.bar.update_absolute(self.done)

    def show(self, frame: torch.Tensor) -> None:
        """A finished frame `[h w 3]`."""
        self.bar.update_absolute(self.done, preview=_jpeg(frame))

    def _preview(self, latent: torch.Tensor) -> Any:
        if self.model.config.vae.kind == "patch":
            vae = self.model.vae
            return _jpeg(vae.decode(latent / vae.config.scale)[0])
        import comfy.latent_formats
        import latent_preview

        previewer = latent_preview.get_previewer(latent.device, comfy.latent_formats.SD15())
        if previewer is None:
            return None
        return previewer.decode_latent_to_preview_image("JPEG", latent)


def _jpeg(frame: torch.Tensor) -> tuple[str, Image.Image, int]:
    pixels = (frame.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
    picture = Image.fromarray(pixels)
    factor = max(1, PREVIEW_SIZE // max(picture.size))
    grown = picture.resize((picture.width * factor, picture.height * factor))
    return "JPEG", grown, PREVIEW_SIZE
