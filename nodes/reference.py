"""The picture that is to dance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from comfy_api.v0_0_2 import io
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..musedance_core.errors import InputError
from . import host
from .errors import readable_errors
from .types import CATEGORY, MODEL, REFERENCE, VAE

if TYPE_CHECKING:
    from ..musedance_core.dance.dancer import Dancer
    from ..musedance_core.media.images import FittedPicture
    from .host_models import HostModel

DROPPED_ALPHA = (
    "The border of this picture is pure black, as where transparency was dropped: if it is a "
    "sticker, join IMAGE and MASK of Load Image with Join Image with Alpha."
)


class EncodeReference(io.ComfyNode):
    """Fits a picture to the model's size and encodes it, with the part map if there is one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_EncodeReference",
            display_name="Picture",
            category=CATEGORY,
            description="The picture that is to dance, at its own size and shape. An opaque "
            "picture keeps its background; one with transparency (Join Image with Alpha) is a "
            "sticker and gets a plain background with room to dance.",
            search_aliases=["musedance picture", "reference image", "sticker", "encode reference"],
            inputs=[
                MODEL.Input("model", tooltip="Output of Load MuseDance."),
                io.Image.Input("image", tooltip="Any size and shape; with alpha it is a sticker."),
                io.Mask.Input(
                    "subject",
                    optional=True,
                    tooltip="White where the dancer is, of the picture's shape. Useful where the "
                    "picture shows more than one figure.",
                ),
                io.Image.Input(
                    "part_map",
                    optional=True,
                    tooltip="A map of body parts (DensePose) in the pack's colours, of the "
                    "picture's shape. It replaces the subject mask.",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="An autoencoder other than the checkpoint's, such as SD1.5's.",
                ),
            ],
            outputs=[
                REFERENCE.Output(display_name="reference"),
                io.Image.Output(display_name="fitted", tooltip="The picture in its frame."),
            ],
        )

    @classmethod
    @readable_errors
    def execute(
        cls,
        model: HostModel,
        image: Tensor,
        subject: Tensor | None = None,
        part_map: Tensor | None = None,
        vae: VAE | None = None,
    ) -> io.NodeOutput:
        from ..musedance_core.diffusion.segment import Reference

        size = model.config.clip.size
        if model.config.plans_dance:
            dancer = staged_dancer(model, image[0], subject, part_map)
            warn_of_dropped_alpha(image[0])
            small, parts = dancer.in_square(size).at_rest()
            latents = encoded(small[:3], vae or model.vae, model.config.vae.scale)
            frame = rearrange(dancer.at_rest()[0][:3].clamp(0, 1), "c h w -> 1 h w c")
            return io.NodeOutput(Reference(small[:3], latents, parts, dancer), frame)
        fitted = fitted_picture(image[0], subject, part_map, size)
        warn_of_dropped_alpha(image[0])
        pixels = rearrange(fitted.image, "c h w -> 1 h w c")
        latents = (vae or model.vae).encode(pixels) * model.config.vae.scale
        return io.NodeOutput(Reference(fitted.image, latents, fitted.part_map), pixels)


def encoded(pixels: Tensor, vae: VAE, scale: float) -> Tensor:
    """Latents `[1 c h w]` of a picture `[3 h w]`, as the denoiser takes them."""
    return vae.encode(rearrange(pixels.clamp(0, 1), "c h w -> 1 h w c")) * scale


def staged_dancer(
    model: HostModel, image: Tensor, subject: Tensor | None, part_map: Tensor | None
) -> Dancer:
    """The dancer of the host's picture `[h w c]` in its frame, at the picture's own size.

    Raises:
        InputError: an input cannot be used.
    """
    from ..musedance_core.dance.rig import part_weights
    from ..musedance_core.media.images import require_mask, require_picture
    from ..musedance_core.media.staging import stage_dancer
    from ..musedance_core.parts import part_ids, require_part_colours

    picture = require_picture(as_picture(image), "The image")
    mask, weights = subject_mask(subject, picture), None
    if part_map is not None:
        require_part_colours(rearrange(part_map[0], "h w c -> c h w"), "The part map")
        ids = part_ids(rearrange(part_map[0], "h w c -> c h w"))
        marked = as_picture((ids > 0).float()).convert("L")
        mask = require_mask(marked, picture, "The part map")
        weights = part_weights(ids)
    network = model.ready().rig
    assert network is not None
    return stage_dancer(network, picture, mask, parts=weights)


def fitted_picture(
    image: Tensor, subject: Tensor | None, part_map: Tensor | None, size: int
) -> FittedPicture:
    """The host's picture `[h w c]` with its masks `[b h w]` and part maps `[b h w 3]`, fitted.

    Raises:
        InputError: one of them cannot be used.
    """
    from ..musedance_core.media.images import (
        FittedPicture,
        fit_map,
        fit_picture,
        require_picture,
    )
    from ..musedance_core.parts import part_ids, require_part_colours

    picture = require_picture(as_picture(image), "The image")
    fitted = fit_picture(picture, subject_mask(subject, picture), size)
    if part_map is None:
        return fitted
    colours = fit_map(as_picture(part_map[0]), picture, size)
    require_part_colours(colours, "The part map")
    return FittedPicture(fitted.image, part_ids(colours))


def subject_mask(subject: Tensor | None, picture: Image.Image) -> Image.Image | None:
    """The host's subject mask `[b h w]` at the picture's size, None where it marks nothing.

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
