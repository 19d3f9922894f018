"""`musedance animate`: a picture, a song and a sentence become a video."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ..diffusion.sampler_names import SAMPLER_NAMES
from ..errors import InputError
from ..media.frame_limits import require_rate_of_format
from . import argtypes
from .beat_source import require_one_source_of_beats
from .command import Command, add_device, add_precision, add_steps, fill
from .song_inputs import (
    SongInputs,
    add_beats,
    add_song,
    add_song_part,
    add_take,
    beats_origin,
    load_song_inputs,
)
from .targets import check_output, check_target, require_background_fits

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor
    from tqdm import tqdm

    from ..dance.rig import Rig
    from ..dance_video import DanceVideo
    from ..diffusion.guidance import StepInfo
    from ..media.background import Background
    from ..pipeline import MuseDancePipeline

DESCRIPTION = """\
Make PICTURE dance to SONG.

The picture may have any size, shape and transparency; the video has its size and shape. The dancer
is found in an opaque picture and cut out of its background, which stands still. A picture with
transparency is a sticker: it gets a plain background and room to dance, so that its figure fills at
most 62 % of the frame's width and height; ask for a larger --size where that is too small. The song
may be any audio file, or a video with sound, of any length.
"""
QUALITIES = ("full", "draft")


@dataclass(frozen=True)
class AnimateOptions:
    """The arguments; see their help. None means the model's own value, or nothing."""

    picture: str
    song: str
    text: str
    out: str
    loop: bool
    checkpoint: str | None
    seconds: float | None
    start: float
    mask: str | None
    seed: int
    quality: str | None
    size: int | None
    fps: float | None
    background: str | tuple[int, int, int] | Path | None
    rig: str | None
    steps: int | None
    sampler: str | None
    guidance: float | None
    text_guidance: float | None
    music_guidance: float | None
    reference_guidance: float | None
    beats: str | None
    tracker: str | None
    beat_this: str | None
    meter: int | None
    device: str
    dtype: str
    allow_untrained: bool
    preview_sheet: str | None
    audio_track: int | None

    def __post_init__(self) -> None:
        require_one_source_of_beats(self)
        require_background_fits(self.background, self.out)
        if self.fps is not None:
            require_rate_of_format(self.fps, self.out)
        if self.loop and not self.out.lower().endswith((".gif", ".webp", ".png")):
            raise InputError(f"--loop is for .gif, .webp and .png, not for {self.out}.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("picture", metavar="PICTURE", help="the picture to animate")
    add_song(parser)
    _add_video(parser)
    add("--checkpoint", metavar="FILE", help="the model (default: the embedded sticker model)")
    add("--mask", metavar="FILE", help="a picture of the same shape, white where the dancer is")
    add(
        "--rig",
        metavar="FILE",
        help="the dancer's joints, as `musedance rig --json` writes them, or OpenPose JSON "
        "(default: found)",
    )
    add(
        "--background",
        type=argtypes.background,
        metavar="B",
        help="behind the dancer: a picture, a colour such as white or #ffd400, or transparent, for "
        ".webp, .gif, .png, .webm and folders (default: the picture's own)",
    )
    add_take(parser)
    _add_sampling(parser.add_argument_group("quality and guidance"))
    add_beats(parser)
    add_device(parser)
    add_precision(parser)
    add("--preview-sheet", metavar="FILE.png", help="also write a contact sheet of the frames")


def _add_video(parser: argparse.ArgumentParser) -> None:
    """The file to write, and the part of the song that it shows."""
    add = parser.add_argument
    add(
        "--out",
        required=True,
        metavar="FILE",
        help="the video to write: .mp4, .mov, .m4v, .mkv or .webm with sound; .gif, .webp or .png "
        "without, repeating for ever; or a folder, with a slash at its end, for PNG pictures",
    )
    add(
        "--size",
        type=argtypes.frame_size,
        metavar="N",
        help="the longer side of the frame in pixels (default: the picture's own, 256 to 1024)",
    )
    add(
        "--fps",
        type=argtypes.frame_rate,
        metavar="N",
        help="frames a second, 1 to 60 (default: 24)",
    )
    add(
        "--loop",
        action="store_true",
        help="cut a .gif, .webp or .png after the last whole phrase of 8 beats, or of 4 or 2 in a "
        "short video, so that it repeats without a break; refused for other formats",
    )
    add_song_part(parser)


def _add_sampling(group: argparse._ArgumentGroup) -> None:
    """Quality against time, and the weight of each condition."""
    add = group.add_argument
    add(
        "--quality",
        choices=tuple(QUALITIES),
        metavar="Q",
        help="draft: the planned dance alone; full: what the denoiser draws as well, which takes "
        "longer and adds next to nothing so far (default: draft for models that plan the dance, "
        "but full with --steps or --sampler)",
    )
    add(
        "--sampler",
        choices=SAMPLER_NAMES,
        metavar="NAME",
        help="ddim, euler or dpmpp_2m; the last needs the fewest steps (default: the model's)",
    )
    add_steps(group)
    for name, condition in (
        ("text", "the sentence"),
        ("music", "music and beats"),
        ("reference", "the picture"),
    ):
        add(
            f"--{name}-guidance",
            type=argtypes.guidance_weight,
            metavar="W",
            help=f"guidance by {condition} alone, added to --guidance; costs one more pass a step "
            "unless 0 (default: the model's)",
        )


@dataclass(frozen=True)
class AnimateInputs:
    """The input files, loaded and checked; all but picture and song may be absent."""

    picture: Image
    mask: Image | None
    music: SongInputs
    rig: Rig | None
    background: Background


def run(options: AnimateOptions) -> int:
    """Check all inputs, then track beats, denoise and write.

    Raises:
        InputError: an input cannot be used, or the output cannot be written; a video that was there
            before stays.
    """
    import torch

    from ..media.contact_sheet import write_contact_sheet
    from ..pipeline import MuseDancePipeline

    began = time.monotonic()
    # Whatever can be refused is refused before the model is loaded, which may take a minute.
    _check_targets(options)
    inputs = _load_inputs(options)
    pipeline = MuseDancePipeline.from_pretrained(
        options.checkpoint, options.device, getattr(torch, options.dtype), options.allow_untrained
    )
    with closing(Progress()) as progress:
        video = _dance(pipeline, inputs, options, progress)
        sheet = None if options.preview_sheet is None else SheetFrames(len(video))
        video.save(options.out, None if sheet is None else sheet.add)
    if options.preview_sheet is not None and sheet is not None:
        labels = [f"{video.start + k / video.fps:.2f} s" for k in sheet.numbers]
        write_contact_sheet(options.preview_sheet, sheet.frames, labels)

    print(
        f"{options.out}: {video.seconds:.2f} s of dance ({len(video)} frames), "
        f"{beats_origin(options, video.beats)}, made in {time.monotonic() - began:.1f} s."
    )
    return 0


def _load_inputs(options: AnimateOptions) -> AnimateInputs:
    """Load picture, mask, song, sentences and beats.

    Raises:
        InputError: one of them cannot be used, or the song does not last as long as the video.
    """
    from ..dance.openpose_json import read_rig_or_openpose
    from ..media.background import load_background
    from ..media.images import load_mask, load_picture
    from ..media.staging import require_rig_of

    picture = load_picture(options.picture)
    mask = load_mask(options.mask, picture) if options.mask else None
    music = load_song_inputs(options)
    rig = read_rig_or_openpose(options.rig, picture.size) if options.rig else None
    if rig is not None:
        require_rig_of(rig, picture)
    background = options.background
    behind = load_background(background) if isinstance(background, Path) else background
    return AnimateInputs(picture, mask, music, rig, behind)


def _dance(
    pipeline: MuseDancePipeline,
    inputs: AnimateInputs,
    options: AnimateOptions,
    progress: Progress,
) -> DanceVideo:
    """The video, whose frames are made when it is saved."""
    from ..diffusion.guidance import CONDITIONS, Guidance

    weights = {name: getattr(options, f"{name}_guidance") for name in CONDITIONS}
    video = pipeline(
        inputs.picture,
        inputs.music.song,
        inputs.music.prompts,
        seconds=options.seconds,
        start=options.start,
        seed=options.seed,
        steps=options.steps,
        sampler=options.sampler,
        size=options.size,
        fps=options.fps,
        background=inputs.background,
        rig=inputs.rig,
        draft=None if options.quality is None else options.quality == "draft",
        guidance=Guidance.of(pipeline.config.schedule, options.guidance, weights),
        mask=inputs.mask,
        beats=inputs.music.tracked(options),
        on_step=progress.advance,
    )
    return video.loop() if options.loop else video


class SheetFrames:
    """Collects evenly spread frames of a video of `total` frames, which arrive in chunks.

    Attributes:
        numbers: the numbers of the frames to collect.
        frames: those that have arrived, each `[c h w]` in 0..1 and as small as a tile.
    """

    def __init__(self, total: int) -> None:
        from ..media.contact_sheet import spread

        self.numbers = spread(total)
        self.frames: list[Tensor] = []
        self._first = 0

    def add(self, chunk: Tensor) -> None:
        """Take the frames to collect out of the next chunk `[f c h w]`."""
        from ..media.contact_sheet import reduced

        numbers = range(self._first, self._first + len(chunk))
        # Copied, so that the rest of the chunk can be freed.
        self.frames += [reduced(chunk[k - self._first]) for k in self.numbers if k in numbers]
        self._first = numbers.stop


class Progress:
    """A progress bar over denoising steps, from the first step on."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def advance(self, info: StepInfo) -> None:
        """Count one more step."""
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=info.segments * info.steps, unit="step")
        self._bar.set_description(f"segment {info.segment + 1} of {info.segments}", refresh=False)
        self._bar.update()

    def close(self) -> None:
        """End the line of the bar."""
        if self._bar is not None:
            self._bar.close()


def _check_targets(options: AnimateOptions) -> None:
    """Refuse files to write that could only fail later, or that would overwrite an input."""
    inputs = [options.picture, options.song, options.mask, options.beats]
    inputs += [options.checkpoint, options.beat_this, options.rig]
    if isinstance(options.background, Path):
        inputs.append(str(options.background))
    check_output(options.out, inputs)
    if options.preview_sheet is not None:
        check_target(options.preview_sheet, (".png",), [*inputs, options.out])


COMMAND = Command(
    "animate",
    "make a picture dance to a song",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(AnimateOptions, arguments),
    run,
)
