"""The reference of a picture that dances: staged in a frame, encoded, and ready to be staged again.

The pipeline, the command line and the ComfyUI nodes all stage pictures here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from torch import Tensor

from .dance.rig import Rig
from .diffusion.compositing import Autoencoder
from .diffusion.segment import Reference
from .media.background import Background
from .media.staging import stage_dancer
from .models import MuseDance


@dataclass(frozen=True)
class PictureSource:
    """A picture, and all that is known of the dancer in it; see `media.staging.stage_dancer`.

    Attributes:
        picture: RGB, or RGBA for a sticker.
        mask: grey, of the picture's size, white where the dancer is; or None.
        rig: the joints in the picture's pixels, or a file that holds them; None finds them.
        parts: weights `[10 h w]` of the parts of the whole picture; None finds them.
    """

    picture: Image.Image
    mask: Image.Image | None = None
    rig: str | Path | Rig | None = None
    parts: Tensor | None = None


@dataclass(frozen=True)
class StagedReference(Reference):
    """A reference that remembers its `source`, so that it can be staged again."""

    source: PictureSource = field(kw_only=True)


def stage_reference(
    model: MuseDance,
    vae: Autoencoder,
    source: PictureSource,
    size: int | None = None,
    background: Background = None,
) -> StagedReference:
    """The reference of a picture for a model that plans the dance.

    Args:
        model: finds the joints.
        vae: encodes the picture for the denoiser.
        source: the picture.
        size: long side of the frame in pixels; None is the picture's own, 256 to 1024.
        background: replaces the picture's own.

    Raises:
        InputError: the background or the rig cannot be used, or nobody is left to dance.
    """
    assert model.rig is not None
    dancer = stage_dancer(
        model.rig, source.picture, source.mask, size, background, source.rig, source.parts
    )
    rgba, part_map = dancer.in_square(model.config.clip.size).at_rest()
    pixels = rgba[:3].clamp(0, 1)
    return StagedReference(pixels, vae.encode(pixels[None]), part_map, dancer, source=source)
