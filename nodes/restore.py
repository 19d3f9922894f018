"""What a dance shows of the picture, as the picture has it."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.v0_0_2 import io

from .types import CATEGORY, Reference, Tail


class RestorePicture(io.ComfyNode):
    """Gives decoded frames the picture's own pixels where they show it, at rest or moved."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_RestorePicture",
            display_name="Restore the picture",
            category=CATEGORY,
            description="Where frames show the picture, at rest or moved as the model planned, "
            "they get the picture's own pixels: backgrounds do not flicker, dancers keep their "
            "edges. Chain segments does that by itself.",
            search_aliases=["musedance background", "deflicker", "sharpen", "composite"],
            inputs=[
                Reference.Input("reference", tooltip="The picture, from Encode reference."),
                io.Image.Input("frames", tooltip="Decoded frames of the dance of that picture."),
                io.Vae.Input("vae", tooltip="What decoded them."),
                Tail.Input("tail", tooltip="The tail of the segment that these frames are."),
            ],
            outputs=[io.Image.Output(display_name="frames")],
        )

    @classmethod
    def execute(
        cls, reference: dict[str, Any], frames: torch.Tensor, vae: Any, tail: dict[str, Any]
    ) -> io.NodeOutput:
        from ..musedance_core.errors import InputError

        here, there = frames.shape[1:3], reference["pixels"].shape[1:3]
        if here != there:
            raise InputError(
                f"The frames are {here[1]} x {here[0]} pixels, but what the model sees of the "
                f"picture is {there[1]} x {there[0]}."
            )
        warp = tail["warp"]
        if warp is None:
            raise InputError("This model does not plan how the dancer moves: nothing to restore.")
        if len(warp) != len(frames):
            raise InputError(
                f"There are {len(frames)} frames, but the segment of this tail has {len(warp)}."
            )
        return io.NodeOutput(restore(frames, reference, vae, warp))


def restore(
    frames: torch.Tensor, reference: dict[str, Any], vae: Any, warp: torch.Tensor
) -> torch.Tensor:
    """The host's `frames [f h w 3]` of a segment whose picture was planned to move by
    `warp [f 2 6]`, restored."""
    from ..musedance_core.diffusion.compositing import composite

    def redraw(pictures: torch.Tensor) -> torch.Tensor:
        drawn: torch.Tensor = vae.decode(vae.encode(pictures.movedim(1, -1)))
        return drawn.movedim(-1, 1).to(pictures)

    decoded, picture = frames.float().cpu().movedim(-1, 1), reference["pixels"][0].movedim(-1, 0)
    parts = reference["part_map"]
    dancer = None if parts is None else parts[0].cpu() > 0
    out = composite(decoded, picture.to(decoded), warp.to(decoded), redraw, dancer)
    return out.movedim(1, -1)
