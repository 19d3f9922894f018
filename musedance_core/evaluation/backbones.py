"""User-supplied TorchScript networks for LPIPS, FVD and identity.

They cannot be shipped here; `docs/evaluation.md` explains how to make each file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from torch import Tensor

from ..errors import InputError

BATCH = 8
I3D_KEYWORDS = {"rescale": False, "resize": True, "return_features": True}


class Backbone:
    """A TorchScript file with a fixed call signature, on one device."""

    def __init__(self, path: str | Path, device: str) -> None:
        """Load `path`.

        Raises:
            InputError: there is no such file, or it is not callable TorchScript.
        """
        self.path, self.device = Path(path), device
        if not self.path.is_file():
            raise InputError(f"There is no backbone file at {path}.")
        try:
            load: Any = torch.jit.load
            self.module: Any = load(str(path), map_location=device).eval()
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{path} is not a TorchScript file (torch.jit.save).") from error
        if not hasattr(self.module, "forward"):
            raise InputError(f"{path} has no method forward, so it cannot be called.")

    def call(self, wanted: str, *inputs: Tensor, **keywords: bool) -> Tensor:
        """Calls the module and returns its output on the CPU.

        Raises:
            InputError: the call fails, or the output does not match the signature `wanted`.
        """
        try:
            with torch.no_grad():
                output = self.module(*(x.to(self.device) for x in inputs), **keywords)
        except (RuntimeError, TypeError, torch.jit.Error) as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
            raise InputError(
                f"{self.path} must be callable as {wanted}, but failed: {reason}."
            ) from error
        count = len(inputs[0])
        if not isinstance(output, Tensor) or output.ndim == 0 or len(output) != count:
            raise InputError(
                f"{self.path} must be callable as {wanted}, but returned something else."
            )
        return output.float().cpu()


class LPIPS(Backbone):
    """Perceptual distance: `f(images [b 3 h w], images [b 3 h w])`, both -1..1, gives [b ...]."""

    def __call__(self, frames: Tensor, truth: Tensor) -> float:
        """Mean distance of frames from the true ones, both `[f 3 h w]` in 0..1."""
        wanted = "f(images [b 3 h w], images [b 3 h w]) -> distances [b]"
        parts = zip(torch.split(frames, BATCH), torch.split(truth, BATCH), strict=True)
        distances = [self.call(wanted, one * 2 - 1, two * 2 - 1) for one, two in parts]
        if any(part[0].numel() != 1 for part in distances):
            raise InputError(
                f"{self.path} must be callable as {wanted}, but returned several values each."
            )
        return float(torch.cat([part.flatten() for part in distances]).mean())


class FVD(Backbone):
    """Video features: `f(videos [b 3 f h w])` in -1..1 gives [b d].

    If `forward` has the keywords `rescale`, `resize` and `return_features`, as the widely used I3D
    has, it is called to return features, to resize, and not to rescale.
    """

    def __call__(self, frames: Tensor) -> Tensor:
        """Features `[d]` of one video `[f 3 h w]` in 0..1."""
        wanted = "f(videos [b 3 f h w]) -> features [b d]"
        names = {argument.name for argument in self.module.forward.schema.arguments}
        keywords = I3D_KEYWORDS if set(I3D_KEYWORDS) <= names else {}
        video = rearrange(frames * 2 - 1, "f c h w -> 1 c f h w")
        return self.call(wanted, video, **keywords)[0].flatten()


class Identity(Backbone):
    """Identity embeddings: `f(images [b 3 h w])` in 0..1 gives [b d]."""

    def __call__(self, frames: Tensor) -> Tensor:
        """Embeddings `[n d]` of pictures `[n 3 h w]` in 0..1."""
        wanted = "f(images [b 3 h w]) -> embeddings [b d]"
        parts = [self.call(wanted, part) for part in torch.split(frames, BATCH)]
        return torch.cat(parts).flatten(1)
