"""The picture that is to dance."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from comfy_api.v0_0_2 import io
from PIL import Image

from .types import CATEGORY, Model, Reference


class EncodeReference(io.ComfyNode):
    """Fits a picture to the model's square and encodes it, with what is known of its parts."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_EncodeReference",
            display_name="Encode reference (ReferenceNet)",
            category=CATEGORY,
            description="The picture that is to dance. An opaque picture is fitted into the "
            "model's square; one with transparency (Join Image with Alpha) is a sticker, set on a "
            "plain background with room to dance.",
            search_aliases=["musedance picture", "reference image", "sticker", "character"],
            inputs=[
                Model.Input("model", tooltip="What Load MuseDance gives."),
                io.Image.Input("image", tooltip="Any size and shape; with alpha it is a sticker."),
                io.Mask.Input(
                    "subject",
                    optional=True,
                    tooltip="White where the one who dances is, of the picture's shape. It matters "
                    "where more than one is in the picture.",
                ),
                io.Image.Input(
                    "part_map",
                    optional=True,
                    tooltip="A map of body parts (DensePose) in the pack's colours, of the "
                    "picture's shape; it is taken instead of the subject mask.",
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="Another autoencoder than the checkpoint's, such as SD1.5's.",
                ),
            ],
            outputs=[
                Reference.Output(display_name="reference"),
                io.Image.Output(display_name="fitted", tooltip="What the model sees."),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        image: torch.Tensor,
        subject: torch.Tensor | None = None,
        part_map: torch.Tensor | None = None,
        vae: Any = None,
    ) -> io.NodeOutput:
        from ..musedance_core.media.images import (
            fit_map,
            fit_picture,
            require_mask,
            require_picture,
        )
        from ..musedance_core.parts import part_ids

        picture = require_picture(picture_of(image[0]), "The image")
        mask = None
        if subject is not None and subject[0].any():  # empty for a picture without transparency
            mask = require_mask(picture_of(subject[0]).convert("L"), picture, "The subject mask")
        fitted = fit_picture(picture, mask, model.config.clip.size)
        ids = fitted.part_map
        if part_map is not None:
            ids = part_ids(fit_map(picture_of(part_map[0]), picture, model.config.clip.size))
        pixels = fitted.image.movedim(0, -1)[None]
        latent = (vae or model.vae).encode(pixels) * model.config.vae.scale
        reference = {
            "latent": latent,
            "pixels": pixels,
            "part_map": None if ids is None else ids[None],
        }
        return io.NodeOutput(reference, pixels)


def picture_of(pixels: torch.Tensor) -> Image.Image:
    """The host's `[h w]` or `[h w c]` in 0..1 as a picture; with alpha only where it is used."""
    values = (pixels.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
    if values.ndim == 3 and values.shape[-1] == 4 and int(values[..., 3].min()) == 255:
        values = values[..., :3]
    return Image.fromarray(np.ascontiguousarray(values))
