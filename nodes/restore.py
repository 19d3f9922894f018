"""What a dance shows of the picture, as the picture has it."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.v0_0_2 import io

from .types import CATEGORY, Reference, Tail


class RestorePicture(io.ComfyNode):
    """Gives decoded frames the picture's own pixels where they show it, still or moved."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_RestorePicture",
            display_name="Restore the picture",
            category=CATEGORY,
            description="Where frames show the picture, still or moved, they get the picture's own "
            "pixels: backgrounds do not flicker, dancers keep their edges. Chain segments does "
            "that by itself where the model is made for it.",
            search_aliases=["musedance background", "deflicker", "sharpen", "composite"],
            inputs=[
                Reference.Input("reference", tooltip="The picture, from Encode reference."),
                io.Image.Input("frames", tooltip="Decoded frames of the dance of that picture."),
                io.Vae.Input("vae", tooltip="What decoded them."),
                Tail.Input(
                    "tail",
                    optional=True,
                    tooltip="The tail of the segment that these frames are: it knows how the "
                    "dancer moves. Without it only what stands still is restored.",
                ),
            ],
            outputs=[io.Image.Output(display_name="frames")],
        )

    @classmethod
    def execute(
        cls,
        reference: dict[str, Any],
        frames: torch.Tensor,
        vae: Any,
        tail: dict[str, Any] | None = None,
    ) -> io.NodeOutput:
        from ..musedance_core.errors import InputError

        here, there = frames.shape[1:3], reference["pixels"].shape[1:3]
        if here != there:
            raise InputError(
                f"The frames are {here[1]} x {here[0]} pixels, but what the model sees of the "
                f"picture is {there[1]} x {there[0]}."
            )
        warp = None if tail is None else tail["warp"]
        if warp is not None and len(warp) != len(frames):
            raise InputError(
                f"There are {len(frames)} frames, but the segment of this tail has {len(warp)}."
            )
        return io.NodeOutput(restore(frames, reference, vae, tail))


def restore(
    frames: torch.Tensor, reference: dict[str, Any], vae: Any, tail: dict[str, Any] | None
) -> torch.Tensor:
    """The host's `frames [f h w 3]` restored; `tail` is that of the segment they begin."""
    from ..musedance_core.restoring import restored

    def redraw(pictures: torch.Tensor) -> torch.Tensor:
        drawn: torch.Tensor = vae.decode(vae.encode(pictures.movedim(1, -1)))
        return drawn.movedim(-1, 1).to(pictures)

    decoded, picture = frames.float().movedim(-1, 1), reference["pixels"][0].movedim(-1, 0)
    warp = None if tail is None or tail["warp"] is None else tail["warp"][: len(frames)]
    return restored(decoded, picture.to(decoded), redraw, warp).movedim(1, -1)
