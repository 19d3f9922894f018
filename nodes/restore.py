"""The picture's own pixels in the frames of a dance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.errors import InputError
from .dance import ScaledVAE
from .errors import readable_errors
from .types import CATEGORY, REFERENCE, TAIL, VAE

if TYPE_CHECKING:
    from ..musedance_core.diffusion.runner import Tail
    from ..musedance_core.diffusion.segment import Reference


class RestorePicture(io.ComfyNode):
    """Composites the picture's own pixels into decoded frames, still or warped as planned."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_RestorePicture",
            display_name="Restore the picture",
            category=CATEGORY,
            description="Puts the picture's own pixels into the frames wherever these show it: "
            "backgrounds do not flicker, and dancers keep their edges. Dance to the song does this "
            "by itself.",
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
        from ..musedance_core.diffusion.compositing import restore_picture
        from ..musedance_core.diffusion.segment import require_finite

        here, there = tuple(frames.shape[1:3]), tuple(reference.pixels.shape[1:])
        if here != there:
            raise InputError(
                f"The frames are {here[1]} x {here[0]} pixels, but the fitted picture is "
                f"{there[1]} x {there[0]}."
            )
        warp = None if tail.segment is None else tail.segment.warp
        if warp is None:
            raise InputError("This model does not plan how the dancer moves: nothing to restore.")
        if len(warp) != len(frames):
            raise InputError(
                f"There are {len(frames)} frames, but the segment of this tail has {len(warp)}."
            )
        decoded = rearrange(frames, "f h w c -> f c h w")
        # Encoding undoes the scale of decoding, so any will do.
        restored = restore_picture(decoded, reference, warp, ScaledVAE(vae, 1.0))
        require_finite(restored, "The restored frames", frames.dtype)
        return io.NodeOutput(rearrange(restored, "f c h w -> f h w c"))
