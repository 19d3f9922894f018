"""A whole song, segment by segment."""

from __future__ import annotations

import logging
from typing import Any

import torch
from comfy_api.v0_0_2 import io

from . import host
from .restore import restore
from .sample import Job, dance_inputs, denoising_inputs, settings_of
from .types import CATEGORY, Guidance, Prompts, Tail


class ChainSegments(io.ComfyNode):
    """Plans segments, carries the tail from one to the next, decodes and shows each as it is done.

    Finished segments are kept in the host's temporary folder under what they depend on, so that a
    run that was cancelled goes on behind the last of them.
    """

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_Chain",
            display_name="Chain segments",
            category=CATEGORY,
            description="The dance to the whole song, or to a part of it. Cancel when you have "
            "seen enough: the next run goes on where this one stopped.",
            search_aliases=["musedance", "dance to song", "long video", "animate"],
            inputs=[
                *dance_inputs(),
                Prompts.Input("prompts", tooltip="How to dance, from Prompt timeline."),
                *denoising_inputs(),
                io.Float.Input(
                    "seconds",
                    default=8.0,
                    min=0.0,
                    max=36000.0,
                    step=0.1,
                    tooltip="Length of the video; 0 takes the rest of the song.",
                ),
                io.Conditioning.Input(
                    "negative", optional=True, tooltip="What guidance leads away from."
                ),
                Guidance.Input("weights", optional=True, tooltip="From Guidance per condition."),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="Another autoencoder than the checkpoint's, such as SD1.5's.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="frames"),
                io.Float.Output(display_name="fps"),
                io.Audio.Output(display_name="sound", tooltip="The song under these frames."),
                Tail.Output(display_name="tail"),
            ],
        )

    @classmethod
    def execute(
        cls,
        model: Any,
        reference: dict[str, Any],
        music: dict[str, Any],
        beats: Any,
        prompts: list[tuple[float, Any]],
        seed: int,
        steps: int,
        sampler: str,
        guidance: float,
        start: float,
        seconds: float,
        negative: list[Any] | None = None,
        weights: dict[str, Any] | None = None,
        vae: Any = None,
    ) -> io.NodeOutput:
        from ..musedance_core.diffusion.runner import plan_segments

        settings = settings_of(model, steps, sampler, guidance, weights)
        job = Job(model, reference, music, beats, negative, seed, start, settings)
        clip, scale, vae = model.config.clip, model.config.vae.scale, vae or model.vae
        frames = max(1, round((seconds or music["seconds"] - start) * clip.fps))
        plans = plan_segments(frames, clip.frames)
        progress = host.Progress(model, settings.steps * len(plans))
        tail, shown = job.beginning(), torch.empty(0)
        for plan in plans:
            made = finished_or_made(job, tail, prompts, progress)
            whole = model.config.unet.copy_pixels  # what is restored is restored as a whole
            decoded = vae.decode(made["latents"][: None if whole else plan.frames] / scale)
            if whole:
                decoded = restore(decoded, reference, vae, made["warp"])
            if plan.index == 0:
                shown = decoded.new_empty(frames, *decoded.shape[1:])
            kept = decoded[: plan.frames]
            shown[plan.first : plan.first + plan.frames] = kept
            progress.show(kept[len(kept) // 2])
            tail = job.after(tail, {name: x[: plan.frames] for name, x in made.items()})
        sound = sound_under(music, start, frames / clip.fps)
        return io.NodeOutput(shown, float(clip.fps), sound, tail)


def finished_or_made(
    job: Job, before: dict[str, Any], prompts: list[tuple[float, Any]], progress: host.Progress
) -> dict[str, torch.Tensor]:
    """The segment after `before`, whole, out of the folder of finished ones or made now."""
    from safetensors import SafetensorError

    from ..musedance_core.diffusion.prompts import at_time
    from ..musedance_core.diffusion.segment_cache import SegmentCache
    from ..musedance_core.errors import InputError

    fps = job.model.config.clip.fps
    positive = at_time(prompts, before["start"] + before["frame"] / fps)
    store, key = SegmentCache(host.temporary_folder()), key_of(job, before, positive)
    made = store.read(key)
    if made is None:
        made = job.segment(before, positive, progress)
        try:
            store.write(key, made)
        except (OSError, SafetensorError, InputError) as error:
            logging.warning("MuseDance: a finished segment could not be kept: %s", error)
    else:
        progress.skip(job.settings.steps)
    return made


def key_of(job: Job, before: dict[str, Any], positive: list[Any]) -> str:
    """A name for all that the segment after `before` depends on."""
    from ..musedance_core.diffusion.segment_cache import cache_key

    settings, parts = job.settings, job.reference["part_map"]
    return cache_key(
        [job.model.identity, str(job.model.dtype), job.seed],
        [settings.steps, settings.sampler, settings.guidance.scale, settings.guidance.rescale],
        dict(settings.guidance.weights),
        [before["start"], before["frame"], before["index"]],
        before["latents"],
        job.reference["latent"],
        None if parts is None else parts,
        job.music["mel"],
        job.beats.times,
        positive[0][0],
        None if job.negative is None else job.negative[0][0],
    )


def sound_under(music: dict[str, Any], start: float, seconds: float) -> dict[str, Any]:
    """The host's AUDIO from `start` on, silence past the song's end."""
    piece = music["song"].cut(start, seconds)
    waveform = torch.from_numpy(piece.samples)[None]
    return {"waveform": waveform, "sample_rate": piece.sample_rate}
