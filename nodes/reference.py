"""The picture that is to dance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.errors import InputError
from .dance import ScaledVAE
from .errors import readable_errors
from .images import as_picture, one_of, subject_mask, warn_of_dropped_alpha
from .types import CATEGORY, MODEL, REFERENCE, RIG, VAE

if TYPE_CHECKING:
    from ..musedance_core.dance.rig import Rig
    from ..musedance_core.diffusion.segment import Reference
    from ..musedance_core.media.images import FittedPicture
    from ..musedance_core.staged_reference import PictureSource
    from .host_models import HostModel


class EncodeReference(io.ComfyNode):
    """Fits a picture to the model's size and encodes it, with the part map if there is one.

    Its outputs are lists, one value a picture, so that the host runs the nodes behind it once for
    every picture of a batch.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_EncodeReference",
            display_name="Picture",
            category=CATEGORY,
            description="The picture that is to dance, at its own size and shape. An opaque "
            "picture keeps its background; one with transparency (Join Image with Alpha) is a "
            "sticker and gets a plain background with room to dance. A batch of pictures makes a "
            "batch of dances.",
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
                RIG.Input(
                    "rig",
                    optional=True,
                    tooltip="Output of Rig: the dancer's joints, for a single picture. Without it "
                    "the model finds them.",
                ),
            ],
            outputs=[
                REFERENCE.Output(display_name="reference", is_output_list=True),
                io.Image.Output(
                    display_name="fitted", is_output_list=True, tooltip="The picture in its frame."
                ),
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
        rig: Rig | None = None,
    ) -> io.NodeOutput:
        if rig is not None and len(image) > 1:
            raise InputError(f"A rig is of one picture, but this is a batch of {len(image)}.")
        encoder = ScaledVAE(vae or model.vae, model.config.vae.scale)
        references, frames = [], []
        for i, picture in enumerate(image):
            marks = one_of(subject, i, len(image), "subject masks")
            parts = one_of(part_map, i, len(image), "part maps")
            reference, frame = encoded(model, encoder, picture, marks, parts, rig)
            references.append(reference)
            frames.append(frame)
            warn_of_dropped_alpha(picture)
        return io.NodeOutput(references, frames)


def encoded(
    model: HostModel,
    vae: ScaledVAE,
    image: Tensor,
    subject: Tensor | None,
    part_map: Tensor | None,
    rig: Rig | None,
) -> tuple[Reference, Tensor]:
    """The reference of the host's picture `[h w c]`, and the picture in its frame `[1 h w 3]`.

    Raises:
        InputError: an input cannot be used, or the model takes no rig.
    """
    from ..musedance_core.diffusion.segment import Reference
    from ..musedance_core.media.frame_limits import require_frame_of
    from ..musedance_core.staged_reference import stage_reference

    require_frame_of(model.config, None, None, rig=rig)
    if model.config.plans_dance:
        source = picture_source(image, subject, part_map, rig)
        staged = stage_reference(model.ready(), vae, source)
        assert staged.dancer is not None
        frame = staged.dancer.at_rest()[0][:3].clamp(0, 1)
        return staged, rearrange(frame, "c h w -> 1 h w c")
    fitted = fitted_picture(image, subject, part_map, model.config.clip.size)
    latents = vae.encode(fitted.image[None])
    reference = Reference(fitted.image, latents, fitted.part_map)
    return reference, rearrange(fitted.image, "c h w -> 1 h w c")


def picture_source(
    image: Tensor, subject: Tensor | None, part_map: Tensor | None, rig: Rig | None
) -> PictureSource:
    """The host's picture `[h w c]`, and what is known of the dancer in it.

    Raises:
        InputError: an input cannot be used.
    """
    from ..musedance_core.dance.rig import part_weights
    from ..musedance_core.media.images import require_mask, require_picture
    from ..musedance_core.parts import part_ids, require_part_colours
    from ..musedance_core.staged_reference import PictureSource

    picture = require_picture(as_picture(image), "The image")
    mask, weights = subject_mask(subject, picture), None
    if part_map is not None:
        require_part_colours(rearrange(part_map[0], "h w c -> c h w"), "The part map")
        ids = part_ids(rearrange(part_map[0], "h w c -> c h w"))
        marked = as_picture((ids > 0).float()).convert("L")
        mask = require_mask(marked, picture, "The part map")
        weights = part_weights(ids)
    return PictureSource(picture, mask, rig, weights)


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
