"""Load a checkpoint."""

from __future__ import annotations

from comfy_api.v0_0_2 import io

from . import host, host_models
from .errors import readable_errors
from .types import CATEGORY, MODEL


class LoadMuseDance(io.ComfyNode):
    """A checkpoint's dancing model, and its autoencoder and text encoder for the host's nodes."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Load",
            display_name="Load MuseDance",
            category=CATEGORY,
            description="Loads a MuseDance checkpoint from models/musedance. The sticker model "
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
                    tooltip="Also load a checkpoint that was converted from public weights and "
                    "never trained to dance. It will not dance.",
                ),
            ],
            outputs=[
                MODEL.Output(display_name="model"),
                io.Vae.Output(display_name="vae"),
                io.Clip.Output(display_name="clip"),
                io.Model.Output(
                    display_name="sampler_model",
                    tooltip="For KSampler and other samplers of ComfyUI, with Apply dance.",
                ),
            ],
        )

    @classmethod
    @readable_errors
    def execute(cls, checkpoint: str, allow_untrained: bool) -> io.NodeOutput:
        model = host_models.load_model(checkpoint, allow_untrained)
        return io.NodeOutput(model, model.vae, model.clip, model.native)
