"""A dance to a whole song."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.errors import InputError, brief
from ..musedance_core.media.colours import TRANSPARENT, named_colour
from ..musedance_core.ranges import DEFAULT_FPS
from . import host
from .dance import (
    ScaledVAE,
    VideoSettings,
    dance_inputs,
    denoising_inputs,
    guidance_inputs,
    memory_for_segments,
    require_vae,
    sampling_settings,
    segment_runner,
)
from .errors import readable_errors
from .images import as_picture
from .music import audio_under, count_frames
from .types import CATEGORY, PROMPTS, TAIL, VAE, Conditioning, Music, Prompts, Weights

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.diffusion.runner import SegmentRunner
    from ..musedance_core.diffusion.segment import Reference
    from ..musedance_core.diffusion.tail import Tail
    from ..musedance_core.media.background import Background
    from .host_models import HostModel

DRAFT, FULL = "draft", "full"
STILL, COLOUR = "still", "colour"
DRAFT_PLANNING = 0.1
"""Share of planning in the work of a draft, for the progress bar; the rest is rendering."""


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
                *guidance_inputs(),
                io.Vae.Input(
                    "vae",
                    optional=True,
                    tooltip="An autoencoder other than the checkpoint's, such as SD1.5's.",
                ),
                *video_inputs(),
            ],
            outputs=[
                io.Image.Output(
                    display_name="frames", tooltip="All frames; with alpha where transparent."
                ),
                io.Float.Output(display_name="fps"),
                io.Audio.Output(display_name="sound", tooltip="The song under these frames."),
                TAIL.Output(display_name="tail"),
                io.Mask.Output(
                    display_name="alpha", tooltip="White where the dancer is, frame by frame."
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
        fps: float = DEFAULT_FPS,
        size: int = 0,
        quality: str = DRAFT,
        background: str = STILL,
        colour: str = "white",
        plate: Tensor | None = None,
        partial: bool = False,
    ) -> io.NodeOutput:
        from ..musedance_core.diffusion.segment_cache import SegmentCache

        settings = sampling_settings(model, steps, sampler, guidance, weights)
        decoder = vae or model.vae
        require_vae(model, decoder)
        scaled = ScaledVAE(decoder, model.config.vae.scale)
        behind = chosen_background(background, colour, plate)
        video = video_settings(model, fps, size, quality, behind)
        reference = in_frame(model, reference, scaled, size, behind)
        cache = SegmentCache(host.temporary_folder(), model.identity)
        runner = segment_runner(
            *(model, reference, music, beats, prompts, settings, seed, start, negative),
            video=video,
            cache=cache,
            on_setup=lambda index, share: progress.setup(index, share),
        )
        wanted = count_frames(music.song, runner.fps, start, seconds)
        total = frames_to_make(runner, wanted, partial)
        progress = progress_of(runner, model, total)
        with memory_for_segments(model):
            frames, alpha, tail = rendered(runner, scaled, total, progress)
        audio = audio_under(music, start, total / runner.fps)
        return io.NodeOutput(frames, float(runner.fps), audio, tail, alpha)


def progress_of(runner: SegmentRunner, model: HostModel, total: int) -> host.Progress:
    """The bar over the segments of the first `total` frames."""
    from ..musedance_core.diffusion.segment_plan import plan_segments

    segments = len(plan_segments(total, runner.fps, model.config.clip.seconds))
    if runner.inputs.denoise:
        return host.Progress(model, runner.inputs.settings.steps, segments)
    return host.Progress(model, 1, segments, denoised=DRAFT_PLANNING)


def rendered(
    runner: SegmentRunner, vae: ScaledVAE, total: int, progress: host.Progress
) -> tuple[Tensor, Tensor, Tail]:
    """The first `total` frames `[f h w c]`, the dancer's alpha `[f h w]`, 1 where it is not known,
    and the tail after them.

    The whole video is one IMAGE of the host, allocated once and filled piece by piece.
    """
    frames, alpha, tail = torch.empty(0), torch.empty(0), runner.first_tail()
    for segment in runner.run(total, vae, progress):
        pictures = rearrange(segment.frames, "f c h w -> f h w c")
        if not len(frames):
            height, width, channels = pictures.shape[1:]
            host.require_room(total, width, height, channels + 1)
            frames = pictures.new_empty(total, *pictures.shape[1:])
            alpha = pictures.new_ones(total, *pictures.shape[1:3])
        piece = slice(segment.first, segment.first + len(pictures))
        frames[piece] = pictures
        if segment.alpha is not None:
            alpha[piece] = rearrange(segment.alpha, "f 1 h w -> f h w")
        progress.show(pictures[len(pictures) // 2], piece.stop / total)
        tail = segment.tail
    return frames, alpha, tail


def frames_to_make(runner: SegmentRunner, total: int, partial: bool) -> int:
    """All `total` frames, or where `partial` those whose segments are finished already.

    Raises:
        InputError: none of them is.
    """
    if not partial:
        return total
    finished = runner.finished(total)
    if not finished:
        raise InputError(
            "No segment of this dance is finished yet: turn partial off, or take back the changes "
            "since the cancelled run."
        )
    return finished


def chosen_background(background: str, colour: str, plate: Tensor | None) -> Background:
    """The background of the widgets and the clean plate `[b h w c]`; None is the picture's own.

    Raises:
        InputError: a clean plate and another background, several plates, or no such colour.
    """
    from ..musedance_core.media.background import as_background

    if plate is not None:
        if background != STILL:
            raise InputError(f"plate is a background already: set background to {STILL}.")
        if len(plate) != 1:
            raise InputError(f"plate takes one picture, not a batch of {len(plate)}.")
        return as_background(as_picture(plate[0]))
    if background == COLOUR:
        # No name of a file, as on the command line: a host's clients see only its own folders.
        named = named_colour(colour)
        if named is None:
            raise InputError(
                f"There is no colour {brief(colour)}: give a name such as white, or #ffd400."
            )
        return named
    return None if background == STILL else TRANSPARENT


def video_settings(
    model: HostModel, fps: float, size: int, quality: str, background: Background
) -> VideoSettings:
    """The widgets' settings for a model; one that plans no dance takes only their defaults.

    Raises:
        InputError: one is out of range, or not for this model.
    """
    from ..musedance_core.media.frame_limits import require_frame_of

    plans = model.config.plans_dance
    rate = fps if plans or fps != DEFAULT_FPS else None
    require_frame_of(model.config, size or None, rate, background=background)
    return VideoSettings(fps, not plans or quality == FULL)


def in_frame(
    model: HostModel, reference: Reference, vae: ScaledVAE, size: int, background: Background
) -> Reference:
    """The reference in a frame of that size with that background; 0 and None are its own."""
    from ..musedance_core.staged_reference import StagedReference, stage_reference

    if not isinstance(reference, StagedReference) or (not size and background is None):
        return reference
    return stage_reference(model.ready(), vae, reference.source, size or None, background)


def video_inputs() -> list[Any]:
    """Settings of the video for models that plan the dance, and `partial` for all."""
    return [
        *frame_inputs(),
        *background_inputs(),
        io.Boolean.Input(
            "partial",
            default=False,
            optional=True,
            advanced=True,
            tooltip="After a cancelled run with the same settings: its finished segments alone, "
            "without making more.",
        ),
    ]


def frame_inputs() -> list[Any]:
    """Rate, size and quality of the frames."""
    return [
        io.Float.Input(
            "fps",
            default=DEFAULT_FPS,
            min=12.0,
            max=60.0,
            step=0.01,
            optional=True,
            tooltip="Frames per second of the video.",
        ),
        io.Int.Input(
            "size",
            default=0,
            min=0,
            max=2048,
            step=2,
            optional=True,
            tooltip="Longer side of the frames in pixels, from 64 on; 0 is the picture's own, 256 "
            "to 1024.",
        ),
        io.Combo.Input(
            "quality",
            options=[DRAFT, FULL],
            default=DRAFT,
            optional=True,
            tooltip="draft shows the planned dance alone, without steps and sampler; full adds "
            "what the denoiser draws, which takes much longer and adds next to nothing so far.",
        ),
    ]


def background_inputs() -> list[Any]:
    """The picture, colour or transparency behind the dancer."""
    return [
        io.Combo.Input(
            "background",
            options=[STILL, TRANSPARENT, COLOUR],
            default=STILL,
            optional=True,
            tooltip="still is the picture's own; transparent gives frames with alpha, for Save "
            "Animated WEBP or PNG; Save Video takes none with alpha.",
        ),
        io.String.Input(
            "colour",
            default="white",
            optional=True,
            tooltip="The background where it is a colour: a name, or #ffd400.",
        ),
        io.Image.Input(
            "plate",
            optional=True,
            tooltip="A picture behind the dancer, such as the same place without anybody.",
        ),
    ]
