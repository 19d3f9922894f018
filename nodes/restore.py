"""The picture's own pixels in the frames of a dance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.errors import InputError
from .dance import ScaledVAE
from .errors import readable_errors
from .types import CATEGORY, REFERENCE, TAIL, VAE

if TYPE_CHECKING:
    from ..musedance_core.diffusion.segment import Reference
    from ..musedance_core.diffusion.tail import Tail


class RestorePicture(io.ComfyNode):
    """Composites decoded frames at the picture's own size, from its own pixels."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_RestorePicture",
            display_name="Restore the picture",
            category=CATEGORY,
            description="Makes frames at the picture's own size from small decoded ones: the "
            "picture's own pixels dance as planned, and where the frames show something else, that "
            "is added. Dance to the song does this by itself.",
            search_aliases=["musedance background", "deflicker", "sharpen", "composite"],
            inputs=[
                REFERENCE.Input("reference", tooltip="Output of Picture."),
                io.Image.Input("frames", tooltip="Decoded frames of one segment of its dance."),
                io.Vae.Input("vae", tooltip="The autoencoder that decoded the frames."),
                TAIL.Input("tail", tooltip="The tail of that segment."),
            ],
            outputs=[io.Image.Output(display_name="frames")],
        )

    @classmethod
    @readable_errors
    def execute(cls, reference: Reference, frames: Tensor, vae: VAE, tail: Tail) -> io.NodeOutput:
        from ..musedance_core.dance.motion import DanceMotion
        from ..musedance_core.diffusion.compositing import composite, correct
        from ..musedance_core.diffusion.segment import require_finite

        here, there = tuple(frames.shape[1:3]), tuple(reference.pixels.shape[1:])
        if here != there:
            raise InputError(
                f"The frames are {here[1]} x {here[0]} pixels, but the picture is encoded at "
                f"{there[1]} x {there[0]}."
            )
        segment, dancer = tail.segment, reference.dancer
        if segment is None or segment.poses is None or segment.latents is None or dancer is None:
            raise InputError("This model does not plan how the dancer moves: nothing to restore.")
        channels = segment.latents.shape[1]
        if channels != vae.latent_channels:
            raise InputError(
                f"The vae belongs to another model: it takes latents of {vae.latent_channels} "
                f"channels, and this dance has {channels}."
            )
        expected, fps = len(segment.latents), tail.fps
        if expected != len(frames):
            raise InputError(
                f"There are {len(frames)} frames, but the segment of this tail has {expected}."
            )
        motion = DanceMotion.from_features(segment.poses, fps * len(segment.poses) / expected)
        # Encoding undoes the scale of decoding, so any will do.
        decoded = rearrange(frames, "f h w c -> f c h w")
        seconds = np.arange(len(frames)) / fps
        corrections = correct(dancer, decoded, motion, ScaledVAE(vae, 1.0), fps)
        restored = torch.cat(list(composite(dancer, motion, seconds, corrections)))
        require_finite(restored, "The restored frames", frames.dtype)
        return io.NodeOutput(rearrange(restored, "f c h w -> f h w c"))
