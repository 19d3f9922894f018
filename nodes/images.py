"""The host's IMAGE and MASK as pictures, and pictures as IMAGE."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..musedance_core.errors import InputError
from . import host

DROPPED_ALPHA = (
    "The border of this picture is pure black, as where transparency was dropped: if it is a "
    "sticker, join IMAGE and MASK of Load Image with Join Image with Alpha."
)


def as_image(picture: Image.Image) -> Tensor:
    """An RGB picture as the host's IMAGE `[1 h w 3]` in 0..1."""
    return torch.from_numpy(np.array(picture)).float()[None] / 255


def one_picture(image: Tensor, node: str) -> Tensor:
    """The only picture `[h w c]` of the host's IMAGE, for the node of that name.

    Raises:
        InputError: there are several.
    """
    if len(image) != 1:
        raise InputError(f"{node} takes one picture, not a batch of {len(image)}.")
    return image[0]


def one_of(batch: Tensor | None, i: int, count: int, name: str) -> Tensor | None:
    """Entry i of a batch as a batch of one; a batch of one belongs to all `count` pictures.

    Raises:
        InputError: there are more or fewer entries than pictures.
    """
    if batch is None or len(batch) == 1:
        return batch
    if len(batch) != count:
        pictures = "picture" if count == 1 else "pictures"
        raise InputError(f"There are {len(batch)} {name} for {count} {pictures}.")
    return batch[i : i + 1]


def subject_mask(subject: Tensor | None, picture: Image.Image) -> Image.Image | None:
    """The host's subject mask `[1 h w]` at the picture's size, None where it marks nothing.

    Raises:
        InputError: it is inverted, or has another shape than the picture.
    """
    from ..musedance_core.media.images import require_mask

    # Load Image gives an empty mask for a picture without transparency.
    if subject is None or not subject[0].any():
        return None
    require_upright_mask(subject[0])
    return require_mask(as_picture(subject[0]).convert("L"), picture, "The subject mask")


def as_picture(pixels: Tensor) -> Image.Image:
    """The host's `[h w]` or `[h w c]` in 0..1 as a picture, with alpha only where it is used."""
    from ..musedance_core.media.images import to_uint8

    values = to_uint8(pixels).numpy()
    if values.ndim == 3 and values.shape[-1] == 4 and int(values[..., 3].min()) == 255:
        values = values[..., :3]
    return Image.fromarray(np.ascontiguousarray(values))


def border(pixels: Tensor) -> tuple[Tensor, ...]:
    """The four edges of `[h w ...]`."""
    return pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]


def lacks_alpha(image: Tensor) -> bool:
    """Returns True if a picture `[h w 3]` has a border of pure black, which is what most
    programs leave of transparency that they drop."""
    black = image.shape[-1] == 3 and not any(edge.any() for edge in border(image))
    return bool(black and image.any())


def warn_of_dropped_alpha(image: Tensor) -> None:
    """Shows a sentence where a picture `[h w c]` seems to have lost its transparency."""
    if lacks_alpha(image):
        host.show_text(DROPPED_ALPHA)


def require_upright_mask(subject: Tensor) -> None:
    """Raises InputError where a mask `[h w]` is white along its border and black inside, which is
    Load Image's mask of the transparent part."""
    outside = all(bool((edge > 0.99).all()) for edge in border(subject))
    if outside and bool((subject < 0.01).any()):
        raise InputError(
            "The subject mask is white around the dancer instead of on it, as MASK of Load Image "
            "is: invert it with Invert Mask."
        )
