"""A dance as the poses of a person, for pose-driven models of images and videos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.ranges import DEFAULT_FPS
from . import host
from .dance import folded_seed, require_shape, seed_input, start_input, text_tokens
from .errors import readable_errors
from .music import audio_under, count_frames
from .rig import keypoints_rig
from .types import BEATS, CATEGORY, KEYPOINTS, MODEL, MUSIC, PROMPTS, RIG, Music, Prompts

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.dance.rig import Rig
    from ..musedance_core.dance_poses import DancePoses
    from ..musedance_core.diffusion.segment import OnShare
    from .host_models import HostModel


PLANNING = 0.8
"""Share of planning in the work, for the progress bar; the rest is drawing."""


class DancePose(io.ComfyNode):
    """A dance to the song as OpenPose drawings and keypoints, without a picture or a denoiser."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_DancePose",
            display_name="Dance pose",
            category=CATEGORY,
            description="Makes up a dance to the song and draws it as OpenPose skeletons, for Wan "
            "Animate, VACE, ControlNet and every other model that takes poses.",
            search_aliases=["musedance pose", "openpose", "dwpose", "controlnet", "pose video"],
            inputs=[
                MODEL.Input("model", tooltip="Output of Load MuseDance."),
                MUSIC.Input("music", tooltip="Output of Song."),
                BEATS.Input("beats", tooltip="Output of Beats."),
                PROMPTS.Input("prompts", tooltip="Output of Sentences over time."),
                seed_input(),
                start_input(),
                io.Float.Input(
                    "seconds",
                    default=8.0,
                    min=0.0,
                    max=36000.0,
                    step=0.1,
                    tooltip="Length of the dance; 0 is the rest of the song.",
                ),
                io.Float.Input(
                    "fps",
                    default=DEFAULT_FPS,
                    min=1.0,
                    max=60.0,
                    step=0.01,
                    tooltip="Frames per second, as the model behind takes them: 16 for Wan.",
                ),
                *frame_inputs(),
                RIG.Input(
                    "rig",
                    optional=True,
                    tooltip="Output of Rig: the proportions of the dancer. Without it they are "
                    "those of the keypoints, or a standing person's.",
                ),
                KEYPOINTS.Input(
                    "keypoints",
                    optional=True,
                    tooltip="Keypoints of the person who is to dance, from an OpenPose or DWPose "
                    "node, for the proportions; of several the largest.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="frames", tooltip="The OpenPose drawings."),
                KEYPOINTS.Output(display_name="keypoints", tooltip="The same as POSE_KEYPOINT."),
                io.Mask.Output(display_name="mask", tooltip="The silhouette of the figure."),
                io.Float.Output(display_name="fps"),
                io.Audio.Output(display_name="sound", tooltip="The song under these frames."),
            ],
        )

    @classmethod
    @readable_errors
    def execute(
        cls,
        model: HostModel,
        music: Music,
        beats: BeatGrid,
        prompts: Prompts,
        seed: int,
        start: float,
        seconds: float,
        fps: float,
        width: int,
        height: int,
        rig: Rig | None = None,
        keypoints: Any = None,
    ) -> io.NodeOutput:
        if rig is None and keypoints is not None:
            rig = keypoints_rig(keypoints)
        frames = count_frames(music.song, fps, start, seconds)
        size = (width, height)
        host.require_room(frames, width, height, 4)
        progress = host.Progress(model, 1, denoised=PLANNING)
        poses = planned_poses(
            *(model, music, beats, prompts, seed, start, frames, fps, size, rig),
            on_share=lambda share: progress.setup(0, share),
        )
        with host.explained_memory(f"{frames} frames of {width} x {height} pixels"):
            drawings = drawn(poses, progress)
        audio = audio_under(music, start, poses.seconds)
        return io.NodeOutput(drawings, poses.to_json(), poses.masks, float(fps), audio)


def planned_poses(
    model: HostModel,
    music: Music,
    beats: BeatGrid,
    prompts: Prompts,
    seed: int,
    start: float,
    frames: int,
    fps: float,
    size: tuple[int, int],
    rig: Rig | None,
    on_share: OnShare,
) -> DancePoses:
    """The dance as `frames` poses in a frame of `size`, for inputs that fit the model.

    Raises:
        InputError: an input was made for another model, the model plans no dance, or the rig has
            no proportions.
    """
    from ..musedance_core.dance_poses import dance_poses
    from ..musedance_core.diffusion.choreography import DanceScore
    from ..musedance_core.diffusion.segment import SongFeatures
    from ..musedance_core.media.frame_limits import require_width_and_height

    require_width_and_height(size)
    require_shape("music", music.mel.shape[1:], (model.config.music.mel_bins,))
    tokens = [(when, text_tokens(model, conditioning)) for when, conditioning in prompts]
    score = DanceScore(SongFeatures(music.mel, beats), tokens, folded_seed(seed), start)
    with host.explained_memory(f"a dance of {frames} poses"):
        return dance_poses(
            *(model.ready(), score, music.song),
            frames=frames,
            size=size,
            fps=fps,
            rig=rig,
            on_share=on_share,
        )


def drawn(poses: DancePoses, progress: host.Progress) -> Tensor:
    """The drawings as IMAGE `[f h w 3]`, allocated once and filled piece by piece."""
    width, height = poses.size
    frames, done = torch.empty(len(poses), height, width, 3), 0
    for chunk in poses.chunks():
        frames[done : done + len(chunk)] = rearrange(chunk, "f c h w -> f h w c")
        done += len(chunk)
        progress.show(frames[done - 1], done / len(poses))
    return frames


def frame_inputs() -> list[Any]:
    """Width and height of the drawings."""
    return [
        io.Int.Input(
            name,
            default=512,
            min=64,
            max=2048,
            step=8,
            tooltip=f"{name.capitalize()} of the frames in pixels.",
        )
        for name in ("width", "height")
    ]
