"""What to listen to, and when to dance what."""

from __future__ import annotations

from typing import Any

from comfy_api.v0_0_2 import io

from .types import CATEGORY, Guidance, Prompts


class GuidanceWeights(io.ComfyNode):
    """Guidance per condition, on top of that of all together."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        def weight(name: str, what: str) -> io.Float.Input:
            tooltip = f"Adds this much of what {what} alone changes; a pass more per step unless 0."
            return io.Float.Input(name, default=0.0, min=-10.0, max=10.0, step=0.1, tooltip=tooltip)

        return io.Schema(
            node_id="MuseDance_Guidance",
            display_name="Guidance per condition",
            category=CATEGORY,
            description="Stress the sentence, the music with its beats, or the picture by itself.",
            search_aliases=["musedance guidance", "cfg", "music guidance", "text guidance"],
            inputs=[
                weight("text", "the sentence"),
                weight("music", "the music with its beats"),
                weight("reference", "the picture"),
                io.Float.Input(
                    "rescale",
                    default=0.7,
                    min=0.0,
                    max=1.0,
                    step=0.05,
                    advanced=True,
                    tooltip="How far guided contrast is pulled back to what it was.",
                ),
            ],
            outputs=[Guidance.Output(display_name="weights")],
        )

    @classmethod
    def execute(cls, text: float, music: float, reference: float, rescale: float) -> io.NodeOutput:
        weights = {"text": text, "music": music, "reference": reference}
        return io.NodeOutput({"weights": weights, "rescale": rescale})


class PromptTimeline(io.ComfyNode):
    """Sentences along the song."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_PromptTimeline",
            display_name="Prompt timeline",
            category=CATEGORY,
            description="Another sentence from another time on. A segment dances the sentence that "
            "holds where it begins.",
            search_aliases=["musedance prompt", "prompt schedule", "choreography"],
            inputs=[
                io.Clip.Input("clip", tooltip="The text encoder, from Load MuseDance."),
                io.String.Input(
                    "text",
                    default="0:00 it sways a lot / 0:08 big hops on the spot",
                    multiline=True,
                    tooltip="Times of the song and sentences, parted by slashes or lines. Without "
                    "a time: one sentence for the whole song.",
                ),
            ],
            outputs=[Prompts.Output(display_name="prompts")],
        )

    @classmethod
    def execute(cls, clip: Any, text: str) -> io.NodeOutput:
        from ..musedance_core.diffusion.prompts import parse_prompts

        entries = parse_prompts(text)
        return io.NodeOutput(
            [
                (seconds, clip.encode_from_tokens_scheduled(clip.tokenize(sentence)))
                for seconds, sentence in entries
            ]
        )
