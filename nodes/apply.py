"""A segment of a dance as conditioning for the host's samplers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from comfy_api.v0_0_2 import io
from torch import Tensor

from ..musedance_core.errors import InputError
from .dance import (
    dance_inputs,
    memory_for_segments,
    require_shape,
    require_tail,
    sampling_settings,
    seed_input,
    segment_runner,
    start_input,
    tail_input,
)
from .errors import readable_errors
from .types import CATEGORY, TAIL, Conditioning, Latent, Music

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.diffusion.segment import Reference, SegmentInput
    from ..musedance_core.diffusion.tail import Tail
    from .host_models import HostModel


class ApplyDance(io.ComfyNode):
    """Picture, music, beats and the segment before, put on CONDITIONING."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_ApplyDance",
            display_name="Apply dance",
            category=CATEGORY,
            description="Puts picture, song, beats and the segment before on the conditioning, for "
            "KSampler and other samplers of ComfyUI. Connect the second model of Load MuseDance to "
            "the sampler, which makes 48 latents: one segment of the dance. Planned dances begin "
            "with the plan: set the sampler's denoise to 0.62.",
            search_aliases=["musedance ksampler", "dance conditioning", "apply", "native"],
            inputs=[
                *dance_inputs(),
                io.Conditioning.Input("positive", tooltip="The sentence: how to dance."),
                seed_input(
                    "Of the planned dance: another gives another take. The sampler has a seed of "
                    "its own."
                ),
                start_input(),
                io.Conditioning.Input(
                    "negative",
                    optional=True,
                    tooltip="A negative prompt; without one, guidance leads away from no sentence.",
                ),
                tail_input(),
                io.Latent.Input(
                    "samples",
                    optional=True,
                    tooltip="The latents that a sampler made of the segment to continue.",
                ),
            ],
            outputs=[
                io.Conditioning.Output(display_name="positive"),
                io.Conditioning.Output(display_name="negative"),
                io.Latent.Output(display_name="latent", tooltip="The planned frames, or zeros."),
                TAIL.Output(
                    display_name="tail",
                    tooltip="For Restore the picture, and for the next Apply dance.",
                ),
            ],
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
        start: float,
        negative: Conditioning | None = None,
        tail: Tail | None = None,
        samples: Latent | None = None,
    ) -> io.NodeOutput:
        from . import native

        runner = segment_runner(
            model,
            reference,
            music,
            beats,
            [(0.0, positive)],
            sampling_settings(model, 0, "ddim", 0.0, None),
            seed,
            start if tail is None else tail.start,
            negative,
        )
        if tail is None and samples is not None:
            raise InputError("samples are of a segment to continue: connect its tail, too.")
        before = runner.first_tail() if tail is None else _continued(model, tail, samples)
        require_tail(model, before)
        with memory_for_segments(model):
            plan, inputs = runner.undenoised(before)
            planned = _planned_latents(model, inputs)
        # Without a negative prompt, guidance leads away from no sentence, which is zeros.
        blank = [[torch.zeros_like(positive[0][0]), {"pooled_output": None}]]
        dropped = ("music", "reference")
        after = before.after(replace(plan, latents=planned), model.config.clip.frames)
        return io.NodeOutput(
            native.with_dance(positive, inputs),
            native.with_dance(blank if negative is None else negative, inputs, dropped),
            {"samples": planned / model.config.vae.scale},
            after,
        )


def _continued(model: HostModel, tail: Tail, samples: Latent | None) -> Tail:
    """The tail with the latents that a sampler made.

    Raises:
        InputError: the latents belong to another model, are too few or not finite.
    """
    from ..musedance_core.diffusion.segment import require_finite

    if samples is None:
        return tail
    latents, previous = samples["samples"], len(tail.latents)
    require_shape("latent at samples", latents.shape[1:], tail.latents.shape[1:])
    if len(latents) < previous:
        raise InputError(
            f"The latent at samples holds {len(latents)} frame, but the next segment continues the "
            f"last {previous}: connect the whole latent of the sampler."
        )
    last = latents[-previous:] * model.config.vae.scale
    require_finite(last, "The latents at samples", latents.dtype)
    return replace(tail, latents=last.to(tail.latents))


@torch.no_grad()
def _planned_latents(model: HostModel, inputs: SegmentInput) -> Tensor:
    """Latents `[f c h w]` of the planned frames, scaled; zeros in models that plan none."""
    frames = model.config.clip.frames
    if inputs.planned is not None:
        pictures, coverage = inputs.planned
        network = model.ready()
        warped = network.warp_reference(
            inputs.reference,
            pictures[None].to(inputs.reference),
            coverage[None].to(inputs.reference),
        )
        if warped is not None:
            return warped.latents[0].float().cpu()
    return torch.zeros(frames, *inputs.reference.shape[1:])
