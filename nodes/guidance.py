"""Sentences along the song, and guidance per condition."""

from __future__ import annotations

from typing import Any

from comfy_api.v0_0_2 import io

from ..musedance_core.errors import InputError
from ..musedance_core.ranges import require_within
from .errors import readable_errors
from .types import CATEGORY, GUIDANCE, PROMPTS, Weights

WEIGHTS = (-10.0, 10.0)
"""Bounds of the weight of one condition."""


class GuidancePerCondition(io.ComfyNode):
    """Guidance weights of single conditions, on top of the guidance of all together."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        def weight(name: str, condition: str) -> io.Float.Input:
            tooltip = (
                f"Adds this much of the change that {condition} alone makes; one more pass per "
                f"step unless 0."
            )
            low, high = WEIGHTS
            return io.Float.Input(name, default=0.0, min=low, max=high, step=0.1, tooltip=tooltip)

        return io.Schema(
            node_id="MuseDance_Guidance",
            display_name="Emphasize text, music or picture",
            category=CATEGORY,
            description="Guidance per condition: follow the sentence, the music with its beats, or "
            "the picture more strictly than the others.",
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
                    tooltip="How far the contrast that guidance adds is scaled back.",
                ),
            ],
            outputs=[GUIDANCE.Output(display_name="weights")],
        )

    @classmethod
    @readable_errors
    def execute(cls, text: float, music: float, reference: float, rescale: float) -> io.NodeOutput:
        for name, weight in (("text", text), ("music", music), ("reference", reference)):
            require_within(f"weight of {name}", weight, WEIGHTS)
        require_within("rescale", rescale, (0.0, 1.0))
        return io.NodeOutput(Weights(text, music, reference, rescale))


class PromptTimeline(io.ComfyNode):
    """A prompt timeline, encoded."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_PromptTimeline",
            display_name="Sentences over time",
            category=CATEGORY,
            description="How to dance: one sentence for the whole song, or a prompt timeline with "
            "another sentence from another time on. A segment uses the sentence at its beginning.",
            search_aliases=["musedance prompt", "prompt timeline", "schedule", "choreography"],
            inputs=[
                io.Clip.Input("clip", tooltip="The text encoder of Load MuseDance."),
                io.String.Input(
                    "text",
                    default="0:00 it sways a lot / 0:08 big hops on the spot",
                    multiline=True,
                    tooltip="Times of the song and sentences, separated by slashes or line breaks; "
                    "or one sentence without a time for the whole song.",
                ),
            ],
            outputs=[PROMPTS.Output(display_name="prompts")],
        )

    @classmethod
    @readable_errors
    def execute(cls, clip: Any, text: str) -> io.NodeOutput:
        from ..musedance_core.diffusion.prompts import parse_prompts

        # More often forgotten than meant: a sentence without a move leaves it to the song, too.
        if not text.strip():
            raise InputError("The prompt timeline is empty: write a sentence, such as big hops.")
        return io.NodeOutput(
            tuple(
                (seconds, clip.encode_from_tokens_scheduled(clip.tokenize(sentence)))
                for seconds, sentence in parse_prompts(text)
            )
        )
