"""The host's folders, memory, messages and progress.

Only this file, `host_models` and `native` touch the host. Its names are resolved when they are
used, so that a host which moves one of them breaks one function and not the whole pack.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import comfy.model_management
import comfy.model_patcher
import comfy.utils
import folder_paths
import psutil
import torch
from PIL import Image
from torch import Tensor

from ..musedance_core.errors import InputError, lacks_memory
from ..musedance_core.files import atomic_path
from .errors import NodeError

if TYPE_CHECKING:
    from ..musedance_core.diffusion.guidance import StepInfo
    from .host_models import HostModel

FOLDER = "musedance"
TRACKERS = "beat_this"
PACK = Path(__file__).parents[1]
PREVIEW_SIZE = 256


def register_folders() -> None:
    """Registers `models/musedance` with the pack's own weights, and `models/beat_this`, beside the
    folders that extra_model_paths.yaml names."""
    models = folder_paths.models_dir
    weights = str(PACK / "musedance_core" / "weights")
    _register(FOLDER, [os.path.join(models, FOLDER), weights], ".safetensors")
    _register(TRACKERS, [os.path.join(models, TRACKERS)], ".ckpt")


def _register(name: str, own: list[str], suffix: str) -> None:
    known, _ = folder_paths.folder_names_and_paths.get(name, ([], set()))
    paths = [*known, *(path for path in own if path not in known)]
    folder_paths.folder_names_and_paths[name] = (paths, {suffix})


def copy_template_inputs() -> None:
    """Copies the pack's pictures and song into the host's input folder, for the templates.

    They go to its top level, because the host's loading nodes list nothing else. Existing files
    stay as they are; a folder that cannot be written to costs only the templates their inputs.
    """
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
    return list(folder_paths.get_filename_list(FOLDER))


def checkpoint_path(name: str) -> str:
    """The path of the checkpoint called `name`."""
    return str(folder_paths.get_full_path_or_raise(FOLDER, name))


def beat_trackers() -> list[str]:
    """Names of the checkpoints of Beat This! that can be loaded."""
    return list(folder_paths.get_filename_list(TRACKERS))


def beat_tracker_path(name: str) -> str:
    """The path of the Beat This! checkpoint called `name`."""
    return str(folder_paths.get_full_path_or_raise(TRACKERS, name))


def temporary_folder() -> Path:
    """The folder for finished segments, which the host empties when it starts."""
    return Path(folder_paths.get_temp_directory()) / FOLDER


def show_text(text: str) -> None:
    """Shows `text` on the node that is running, and logs it."""
    from comfy_execution.utils import get_executing_context
    from server import PromptServer

    logging.warning("MuseDance: %s", text)
    context = get_executing_context()
    if context is not None:
        PromptServer.instance.send_progress_text(text, context.node_id)


def save_preview(image: Tensor) -> list[Any]:
    """Writes an IMAGE `[b h w c]` into the temporary folder; the files as the browser asks for
    them."""
    from comfy_api.v0_0_2 import ui

    return list(ui.PreviewImage(image).values)


def interrupt_point() -> None:
    """Raises the host's exception for a run that was cancelled."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def require_memory(error: RuntimeError | MemoryError, work: str | None) -> None:
    """Frees memory after an error that was a lack of memory, and raises any other error again.

    Raises:
        RuntimeError: `error` itself, where memory was not the reason.
        NodeError: memory ran short, and `work` names for what.
    """
    # The host knows only the errors of GPUs.
    if not lacks_memory(error):
        comfy.model_management.raise_non_oom(error)
    comfy.model_management.soft_empty_cache()
    if work is not None:
        raise NodeError(
            f"There is not enough memory for {work}: close other programs, or start ComfyUI with "
            f"--lowvram or --cpu."
        ) from error


@contextmanager
def explained_memory(work: str) -> Iterator[None]:
    """Raises NodeError where memory runs short inside; `work` names for what."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        require_memory(error, work)


def require_room(frames: int, width: int, height: int, channels: int) -> None:
    """Raises NodeError where IMAGEs and MASKs of so many frames and channels together are larger
    than the free memory."""
    # Elsewhere memory on disk grows as needed; Linux ends the whole host, after hours of work.
    if sys.platform != "linux":
        return
    needed = 4 * frames * width * height * channels
    free = comfy.model_management.get_free_memory(torch.device("cpu"))
    if needed > free + psutil.swap_memory().free:
        raise NodeError(
            f"There is not enough memory for {frames} frames of {width} x {height} pixels, "
            f"{needed / 2**30:.1f} GB: ask for fewer or smaller ones."
        )


class Managed:
    """A network that the host moves between its memories; `ready` brings it to its device."""

    def __init__(self, network: torch.nn.Module, device: torch.device, home: torch.device) -> None:
        self.network = network
        # On hosts with dynamic memory this name is another class, so it is looked up here.
        patcher = comfy.model_patcher.CoreModelPatcher
        self.patcher = patcher(network, load_device=device, offload_device=home)

    @property
    def device(self) -> torch.device:
        """The device that it computes on."""
        return torch.device(self.patcher.load_device)

    def ready(self, working_bytes: float = 0) -> None:
        """Brings the network to its device, with so many bytes free beside it."""
        comfy.model_management.load_models_gpu([self.patcher], memory_required=working_bytes)


class Progress:
    """The bar over all denoising steps of a node, with previews of the frames.

    It moves between steps, too: while a segment is planned, its conditions are computed, and its
    frames are rendered.

    Args:
        model: its autoencoder decodes the previews.
        steps: of one segment.
        segments: number of segments.
        first: number of the first segment.
        denoised: share of a segment's work that is not rendering.
    """

    def __init__(
        self,
        model: HostModel,
        steps: int,
        segments: int = 1,
        first: int = 0,
        denoised: float = 1.0,
    ) -> None:
        self.model, self.steps, self.first, self.denoised = model, steps, first, denoised
        self.done, self.total = 0.0, steps * segments
        self.bar = comfy.utils.ProgressBar(self.total)

    def __call__(self, info: StepInfo) -> None:
        """Moves the bar after a step and shows the middle frame; raises where it was cancelled."""
        middle = info.denoised[:1, info.denoised.shape[1] // 2]
        self._move(info.segment, info.step)
        self.bar.update_absolute(self.done, preview=self._preview(middle))
        interrupt_point()

    def setup(self, segment: int, share: float) -> None:
        """Moves the bar on the way to the first step of a segment, with `share` of it done."""
        self._move(segment, share)
        self.bar.update_absolute(self.done)
        interrupt_point()

    def show(self, frame: Tensor, share: float) -> None:
        """Shows a finished frame `[h w c]`, after `share` of all frames; raises where it was
        cancelled."""
        self.done = max(self.done, share * self.total)
        self.bar.update_absolute(self.done, preview=_jpeg(frame[..., :3]))
        interrupt_point()

    def _move(self, segment: int, step: float) -> None:
        done = (segment - self.first) * self.steps + self.denoised * step
        self.done = max(self.done, done)

    def _preview(self, latent: Tensor) -> Any:
        if self.model.config.vae.kind == "patch":
            return _jpeg(self.model.vae.decode(latent / self.model.config.vae.scale)[0])
        import comfy.latent_formats
        import latent_preview

        previewer = latent_preview.get_previewer(latent.device, comfy.latent_formats.SD15())
        if previewer is None:
            return None
        return previewer.decode_latent_to_preview_image("JPEG", latent)


def _jpeg(frame: Tensor) -> tuple[str, Image.Image, int]:
    from ..musedance_core.media.images import to_uint8

    picture = Image.fromarray(to_uint8(frame).numpy())
    factor = max(1, PREVIEW_SIZE // max(picture.size))
    grown = picture.resize((picture.width * factor, picture.height * factor))
    return "JPEG", grown, PREVIEW_SIZE
