"""Load a checkpoint."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from . import host
from .types import CATEGORY, Model


class LoadMuseDance(io.ComfyNode):
    """A checkpoint's model, and its autoencoder and text encoder for the host's own nodes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Load",
            display_name="Load MuseDance",
            category=CATEGORY,
            description="Loads a MuseDance checkpoint from models/musedance; the sticker model "
            "comes with the pack, so nothing has to be downloaded.",
            search_aliases=["musedance", "dance model", "load dance checkpoint", "sticker"],
            inputs=[
                io.Combo.Input(
                    "checkpoint",
                    options=host.checkpoints(),
                    tooltip="A file of models/musedance, or the sticker model of the pack.",
                ),
                io.Boolean.Input(
                    "allow_untrained",
                    default=False,
                    advanced=True,
                    tooltip="Sample a file that was put together from public weights and never "
                    "trained to dance. It will not dance.",
                ),
            ],
            outputs=[
                Model.Output(display_name="model"),
                io.Vae.Output(display_name="vae"),
                io.Clip.Output(display_name="clip"),
            ],
        )

    @classmethod
    def execute(cls, checkpoint: str, allow_untrained: bool) -> io.NodeOutput:
        model = host.load_model(checkpoint, allow_untrained)
        return io.NodeOutput(model, model.vae, model.clip)
