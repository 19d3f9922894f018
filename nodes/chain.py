"""A dance to a whole song."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from comfy_api.v0_0_2 import io
from einops import rearrange

from . import host
from .dance import (
    ScaledVAE,
    dance_inputs,
    denoising_inputs,
    memory_for_segments,
    require_vae,
    sampling_settings,
    segment_runner,
)
from .errors import readable_errors
from .music import audio_under
from .types import CATEGORY, GUIDANCE, PROMPTS, TAIL, VAE, Conditioning, Music, Prompts, Weights

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.diffusion.segment import Reference
    from .host_models import HostModel


class ChainSegments(io.ComfyNode):
    """All segments of a dance, each continuing the one before, decoded as soon as it is finished.

    Finished segments are cached in the host's temporary folder, so that a cancelled run resumes
    after the last of them.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Chain",
            display_name="Dance to the song",
            category=CATEGORY,
            description="The picture dances to the whole song, or to a part of it, in segments "
            "that continue one another. Cancel at any time: the next run resumes where this one "
            "stopped.",
            search_aliases=["musedance", "chain segments", "long video", "animate"],
            inputs=[
                *dance_inputs(),
                PROMPTS.Input("prompts", tooltip="Output of Sentences over time."),
                *denoising_inputs(),
                io.Float.Input(
                    "seconds",
                    default=8.0,
                    min=0.0,
                    max=36000.0,
                    step=0.1,
                    tooltip="Length of the video; 0 is the rest of the song.",
                ),
                io.Conditioning.Input(
                    "negative", optional=True, tooltip="A negative prompt, for guidance above 1."
                ),
                GUIDANCE.Input(
                    "weights", optional=True, tooltip="Output of Emphasize text, music or picture."
                ),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="An autoencoder other than the checkpoint's, such as SD1.5's.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="frames"),
                io.Float.Output(display_name="fps"),
                io.Audio.Output(display_name="sound", tooltip="The song under these frames."),
                TAIL.Output(display_name="tail"),
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
        prompts: Prompts,
        seed: int,
        steps: int,
        sampler: str,
        guidance: float,
        start: float,
        seconds: float,
        negative: Conditioning | None = None,
        weights: Weights | None = None,
        vae: VAE | None = None,
    ) -> io.NodeOutput:
        from ..musedance_core.diffusion.segment_cache import SegmentCache
        from ..musedance_core.diffusion.segment_plan import plan_segments

        settings = sampling_settings(model, steps, sampler, guidance, weights)
        cache = SegmentCache(host.temporary_folder(), model.identity)
        runner = segment_runner(
            model, reference, music, beats, prompts, settings, seed, start, negative, cache
        )
        decoder = vae or model.vae
        require_vae(model, decoder)

        # The whole video is one IMAGE of the host, allocated once and filled piece by piece.
        length = seconds or music.song.seconds - start
        total = max(1, round(length * runner.fps))
        segments = len(plan_segments(total, runner.fps, model.config.clip.seconds))
        progress = host.Progress(model, settings.steps * segments)
        frames, tail = torch.empty(0), runner.first_tail()
        with memory_for_segments(model):
            for segment in runner.run(total, ScaledVAE(decoder, model.config.vae.scale), progress):
                pictures = rearrange(segment.frames, "f c h w -> f h w c")
                if not len(frames):
                    frames = pictures.new_empty(total, *pictures.shape[1:])
                frames[segment.first : segment.first + len(pictures)] = pictures
                progress.show(pictures[len(pictures) // 2])
                tail = segment.tail
        audio = audio_under(music, start, total / runner.fps)
        return io.NodeOutput(frames, float(runner.fps), audio, tail)
