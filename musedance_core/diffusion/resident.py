"""A model as `SegmentRunner` takes it; one that stays on its device, and its autoencoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..config import MuseDanceConfig
from ..errors import InputError
from ..models import MuseDance
from ..models.vae import run_in_batches


class ModelHandle(Protocol):
    """A model that `ready` brings to `device` before it is used; a host may move it away again."""

    @property
    def config(self) -> MuseDanceConfig: ...

    @property
    def device(self) -> torch.device: ...

    @property
    def dtype(self) -> torch.dtype: ...

    def ready(self) -> MuseDance: ...


@dataclass(frozen=True)
class ResidentModel:
    """A model that stays where it is, for `SegmentRunner`."""

    model: MuseDance

    @property
    def config(self) -> MuseDanceConfig:
        """The model's config."""
        return self.model.config

    @property
    def device(self) -> torch.device:
        """The device of its weights."""
        return next(self.model.unet.parameters()).device

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of its weights."""
        return next(self.model.unet.parameters()).dtype

    def ready(self) -> MuseDance:
        """The model itself."""
        return self.model


@dataclass(frozen=True)
class ChunkedVAE:
    """The model's autoencoder a few pictures at a time, from and to float32 on the CPU."""

    resident: ResidentModel

    def encode(self, pictures: Tensor) -> Tensor:
        """Pictures `[b 3 h w]` in 0..1 to latents `[b c h w]`."""
        return self._chunked(self.resident.model.vae.encode, pictures)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents `[b c h w]` to pictures `[b 3 h w]` in 0..1."""
        return self._chunked(self.resident.model.vae.decode, latents)

    @torch.no_grad()
    def _chunked(self, work: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        size = self.resident.config.clip.size
        placed = batch.to(self.resident.device, self.resident.dtype)
        return run_in_batches(work, placed, size).float().cpu()


def pick_device(name: str | torch.device) -> torch.device:
    """The device called `name`; "auto" is CUDA if available, else the CPU.

    Raises:
        InputError: this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"This machine has no device {name}.") from error
    if device.type == "meta":
        raise InputError(f"The device {name} cannot compute anything.")
    return device
