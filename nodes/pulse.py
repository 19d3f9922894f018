"""The beat as numbers, masks and pictures, one a frame, to drive other nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from comfy_api.v0_0_2 import io
from einops import repeat

from ..musedance_core.audio.beats import DECAYS
from ..musedance_core.ranges import require_whole, require_within
from . import host
from .dance import start_input
from .errors import readable_errors
from .music import RATES, TIMES
from .types import BEATS, CATEGORY

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid


LARGEST_SIDE = 4096
"""Pixels."""
MOST_FRAMES = 1_000_000


class PulseOfBeats(io.ComfyNode):
    """Brightness that is 1 on every beat and falls to 0 until the next."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_BeatPulse",
            display_name="Beat pulse",
            category=CATEGORY,
            description="Numbers, masks and pictures that flash on every beat, one a frame, to "
            "drive other nodes: strengths, masks of effects, schedules.",
            search_aliases=["musedance pulse", "audio reactive", "beat mask", "beat schedule"],
            inputs=[
                BEATS.Input("beats", tooltip="Output of Beats."),
                io.Float.Input(
                    "fps",
                    default=24.0,
                    min=1.0,
                    max=120.0,
                    step=0.01,
                    tooltip="Frames per second of the video that follows the beat.",
                ),
                start_input(),
                io.Float.Input(
                    "seconds",
                    default=8.0,
                    min=0.01,
                    max=36000.0,
                    step=0.1,
                    tooltip="Length in seconds; it does not count where frames is given.",
                ),
                io.Int.Input(
                    "frames",
                    default=0,
                    min=0,
                    max=MOST_FRAMES,
                    tooltip="Length in frames; 0 takes seconds.",
                ),
                io.Int.Input(
                    "width",
                    default=256,
                    min=1,
                    max=LARGEST_SIDE,
                    tooltip="Width of masks and pictures in pixels.",
                ),
                io.Int.Input(
                    "height",
                    default=256,
                    min=1,
                    max=LARGEST_SIDE,
                    tooltip="Height of masks and pictures in pixels.",
                ),
                io.Combo.Input(
                    "decay",
                    options=list(DECAYS),
                    default=DECAYS[0],
                    tooltip="How the pulse falls from 1 on a beat to 0 at the next. square is 1 in "
                    "the first half and 0 in the second.",
                ),
            ],
            outputs=[
                io.Float.Output(
                    display_name="pulse",
                    is_output_list=True,
                    tooltip="One number per frame, 0 to 1.",
                ),
                io.Mask.Output(display_name="mask", tooltip="One mask per frame."),
                io.Image.Output(display_name="image", tooltip="One grey picture per frame."),
            ],
        )

    @classmethod
    @readable_errors
    def execute(
        cls,
        beats: BeatGrid,
        fps: float,
        start: float,
        seconds: float,
        frames: int,
        width: int,
        height: int,
        decay: str,
    ) -> io.NodeOutput:
        from ..musedance_core.audio.beats import beat_pulse

        # The host does not check numbers that other nodes give.
        for name, number, bounds in (
            ("rate in frames a second", fps, RATES),
            ("start in seconds", start, TIMES),
            ("length in seconds", seconds, TIMES),
        ):
            require_within(name, number, bounds)
        require_whole("number of frames", frames, (0, MOST_FRAMES))
        for name, side in (("width in pixels", width), ("height in pixels", height)):
            require_whole(name, side, (1, LARGEST_SIDE))
        count = frames or max(1, round(seconds * fps))
        host.require_room(count, width, height, 4)
        pulse = torch.from_numpy(beat_pulse(beats, start, count, fps, decay).pulse).float()
        # Copies, because nodes may write into their inputs.
        mask = repeat(pulse, "f -> f h w", h=height, w=width).clone()
        image = repeat(pulse, "f -> f h w c", h=height, w=width, c=3).clone()
        return io.NodeOutput(pulse.tolist(), mask, image)
