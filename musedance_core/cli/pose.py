"""`musedance pose`: the dance to a song as an OpenPose video and OpenPose JSON."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import InputError
from ..media.frame_limits import require_rate_of_format
from . import argtypes
from .beat_source import require_one_source_of_beats
from .command import Command, add_device, add_steps, fill
from .song_inputs import (
    add_beats,
    add_song,
    add_song_part,
    add_take,
    beats_origin,
    load_song_inputs,
)
from .targets import check_output, check_target

if TYPE_CHECKING:
    from ..dance_poses import DancePoses

DESCRIPTION = """\
Make up a dance to SONG and write it as the poses of a person.

The video shows OpenPose skeletons, and the JSON file holds their keypoints, frame by frame, in
pixels: both are what ControlNet and other pose-driven models of images and videos read. The dancer
is inside the frame all the time, and the same seed gives the same dance.
"""


@dataclass(frozen=True)
class PoseOptions:
    """The arguments; see their help. None means the model's own value, or nothing."""

    song: str
    text: str
    out: str | None
    json: str | None
    size: tuple[int, int]
    fps: float
    seconds: float | None
    start: float
    seed: int
    rig: str | None
    checkpoint: str | None
    steps: int | None
    guidance: float | None
    beats: str | None
    tracker: str | None
    beat_this: str | None
    meter: int | None
    device: str
    audio_track: int | None

    def __post_init__(self) -> None:
        if self.out is None and self.json is None:
            raise InputError("There is nothing to write: give --out, --json or both.")
        if self.out is not None:
            require_rate_of_format(self.fps, self.out)
        require_one_source_of_beats(self)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add_song(parser)
    add("--out", metavar="FILE", help="the video to write, in any format of `musedance animate`")
    add("--json", metavar="FILE.json", help="write the keypoints there, a list of frames")
    add(
        "--size",
        type=argtypes.width_height,
        default=(512, 512),
        metavar="WxH",
        help="width and height in pixels (default: 512x512)",
    )
    add(
        "--fps",
        type=argtypes.frame_rate,
        default=24.0,
        metavar="N",
        help="frames a second, 1 to 60 (default: 24)",
    )
    add_song_part(parser)
    add_take(parser)
    add(
        "--rig",
        metavar="FILE.json",
        help="proportions of the dancer: joints as `musedance rig --json` writes them, or OpenPose "
        "JSON (default: a standing person's)",
    )
    add("--checkpoint", metavar="FILE", help="the model (default: the embedded sticker model)")
    add_steps(parser)
    add_beats(parser)
    add_device(parser)


def run(options: PoseOptions) -> int:
    """Check all inputs, then track beats, choreograph and write.

    Raises:
        InputError: an input cannot be used, or an output cannot be written.
    """
    began = time.monotonic()
    _check_targets(options)
    poses = _dance(options)
    if options.out is not None:
        poses.save(options.out)
    if options.json is not None:
        poses.save_json(options.json)

    print(
        f"{' and '.join(name for name in (options.out, options.json) if name)}: "
        f"{poses.seconds:.2f} s of dance ({len(poses)} frames), "
        f"{beats_origin(options, poses.beats)}, made in {time.monotonic() - began:.1f} s."
    )
    return 0


def _dance(options: PoseOptions) -> DancePoses:
    """Load and check the inputs, and choreograph."""
    from ..dance.openpose_json import read_rig_or_openpose
    from ..pipeline import MuseDancePipeline

    # Whatever can be refused is refused before the model is loaded.
    music = load_song_inputs(options)
    rig = read_rig_or_openpose(options.rig) if options.rig else None
    pipeline = MuseDancePipeline.from_pretrained(options.checkpoint, options.device)
    return pipeline.pose(
        music.song,
        music.prompts,
        seconds=options.seconds,
        start=options.start,
        seed=options.seed,
        steps=options.steps,
        guidance=options.guidance,
        beats=music.tracked(options),
        size=options.size,
        fps=options.fps,
        rig=rig,
    )


def _check_targets(options: PoseOptions) -> None:
    """Refuse files to write that could only fail later, or that would overwrite an input."""
    inputs = [options.song, options.rig, options.beats, options.checkpoint, options.beat_this]
    if options.out is not None:
        check_output(options.out, inputs)
    if options.json is not None:
        check_target(options.json, (".json",), [*inputs, options.out])


COMMAND = Command(
    "pose",
    "make up a dance to a song, as OpenPose poses",
    DESCRIPTION,
    add_arguments,
    lambda arguments: fill(PoseOptions, arguments),
    run,
)
