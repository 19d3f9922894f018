"""One segment of a dance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfy_api.v0_0_2 import io

from . import host
from .dance import (
    dance_inputs,
    denoising_inputs,
    guidance_inputs,
    memory_for_segments,
    require_tail,
    sampling_settings,
    segment_runner,
    tail_input,
)
from .errors import readable_errors
from .types import CATEGORY, TAIL, Conditioning, Music, Weights

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.diffusion.segment import Reference
    from ..musedance_core.diffusion.tail import Tail
    from .host_models import HostModel


class Sample(io.ComfyNode):
    """One segment, which continues another where its tail is given."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Sample",
            display_name="Dance one segment",
            category=CATEGORY,
            description="Denoises one segment of the dance: up to 48 latents, one a frame. With "
            "the tail of another segment it continues that one. Dance to the song does this for a "
            "whole song.",
            search_aliases=["musedance sampler", "ksampler", "animate", "dance", "sample segment"],
            inputs=[
                *dance_inputs(),
                io.Conditioning.Input("positive", tooltip="The sentence: how to dance."),
                *denoising_inputs(),
                io.Int.Input(
                    "frames",
                    default=48,
                    min=1,
                    max=48,
                    tooltip="How many of the segment's frames to use.",
                ),
                *guidance_inputs(),
                tail_input(),
            ],
            outputs=[io.Latent.Output(display_name="latent"), TAIL.Output(display_name="tail")],
        )

    @classmethod
    @readable_errors
    def execute(
        cls,
        model: HostModel,
        reference: Reference,
        music: Music,
        beats: BeatGrid,
        positive: Conditioning,
        seed: int,
        steps: int,
        sampler: str,
        guidance: float,
        start: float,
        frames: int,
        negative: Conditioning | None = None,
        weights: Weights | None = None,
        tail: Tail | None = None,
    ) -> io.NodeOutput:
        settings = sampling_settings(model, steps, sampler, guidance, weights)
        runner = segment_runner(
            model,
            reference,
            music,
            beats,
            [(0.0, positive)],
            settings,
            seed,
            start if tail is None else tail.start,
            negative,
            on_setup=lambda index, share: progress.setup(index, share),
        )
        before = runner.first_tail() if tail is None else tail
        require_tail(model, before)
        progress = host.Progress(model, settings.steps, first=before.index)
        with memory_for_segments(model):
            segment = runner.segment_after(before, progress)
        part = segment.first(frames / model.config.clip.frames)
        assert part.latents is not None
        return io.NodeOutput(
            {"samples": part.latents / model.config.vae.scale}, before.after(part, frames)
        )
