"""Beats: heard, told, edited; and how well a dance keeps them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from . import host
from .music import waveform_of
from .types import CATEGORY, Beats

BUILT_IN = "built in"
EDITS = ("as heard", "halve", "double")
PEAKS = 2000


class ExtractBeats(io.ComfyNode):
    """The beats of the whole song, in seconds, open to every edit."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_ExtractBeats",
            display_name="Extract beats (one-hot)",
            category=CATEGORY,
            description="Hears the beats of the whole song, or takes them from you. The dance "
            "follows these beats, whatever the song says.",
            search_aliases=["musedance beats", "beat tracking", "bpm", "tempo", "rhythm"],
            # What the timeline shows is sent again where the beats come out of the cache.
            has_intermediate_output=True,
            inputs=[
                io.Audio.Input("audio", tooltip="The whole song, the same as for Embed music."),
                io.Float.Input(
                    "bpm",
                    default=0.0,
                    min=0.0,
                    max=400.0,
                    step=0.1,
                    tooltip="The tempo, where you know it; 0 hears it.",
                ),
                io.Float.Input(
                    "offset",
                    default=-1.0,
                    min=-1.0,
                    max=3600.0,
                    step=0.01,
                    advanced=True,
                    tooltip="Seconds at which one beat lies. With a bpm it lays an even grid "
                    "without listening; -1 listens.",
                ),
                io.Combo.Input(
                    "edit",
                    options=list(EDITS),
                    default=EDITS[0],
                    tooltip="Every other beat, or one more between any two.",
                ),
                io.Float.Input(
                    "shift",
                    default=0.0,
                    min=-10.0,
                    max=10.0,
                    step=0.01,
                    tooltip="Seconds by which all beats come later.",
                ),
                io.String.Input(
                    "timeline",
                    default="",
                    multiline=True,
                    advanced=True,
                    tooltip='Beats by hand: {"beats": [0.5, 1.0, ...]} or [0.5, 1.0, ...], in '
                    "seconds from the song's start. They replace what is heard.",
                ),
                io.Combo.Input(
                    "tracker",
                    options=[BUILT_IN, *host.beat_trackers()],
                    default=BUILT_IN,
                    optional=True,
                    advanced=True,
                    tooltip="Who listens: librosa, or a checkpoint of Beat This! (.ckpt) in "
                    "models/beat_this, for which pip install beat_this.",
                ),
            ],
            outputs=[
                Beats.Output(display_name="beats"),
                io.Float.Output(display_name="tempo"),
                io.Image.Output(display_name="strip", tooltip="The song with its beats."),
            ],
        )

    @classmethod
    def execute(
        cls,
        audio: dict[str, Any],
        bpm: float,
        offset: float,
        edit: str,
        shift: float,
        timeline: str,
        tracker: str = BUILT_IN,
    ) -> io.NodeOutput:
        from ..musedance_core.audio.beat_this import track_beats_with_beat_this
        from ..musedance_core.audio.beats import parse_beats, regular_grid
        from ..musedance_core.audio.tracker import track_beats
        from ..musedance_core.audio.waveform import require_music
        from ..musedance_core.errors import InputError
        from ..musedance_core.media.beat_plot import draw_beat_plot

        song = waveform_of(audio)
        require_music(song, "The audio")
        if offset >= 0 and not bpm:
            raise InputError("offset needs bpm: together they say where every beat is.")
        if timeline.strip():
            grid = parse_beats(timeline, "The timeline")
        elif bpm and offset >= 0:
            grid = regular_grid(bpm, offset, song.seconds)
        elif tracker != BUILT_IN:
            if bpm:
                raise InputError(f"bpm is for the built-in tracker; {tracker} hears without it.")
            grid = track_beats_with_beat_this(song, host.beat_tracker_path(tracker))
        else:
            grid = track_beats(song, bpm or None)
        seen = _seen(song, grid, heard=not timeline.strip())
        grid = {"halve": grid.halved, "double": grid.doubled}.get(edit, lambda: grid)()
        grid = grid.shifted(shift) if shift else grid
        strip = torch.from_numpy(np.array(draw_beat_plot(song, grid))).float()[None] / 255
        return io.NodeOutput(grid, float(grid.tempo), strip, ui={"musedance_timeline": [seen]})


def _seen(song: Any, grid: Any, heard: bool) -> dict[str, Any]:
    """What the browser's timeline shows: the beats before edit and shift, and the song's outline.

    `heard` says whether the node heard these beats; otherwise they came from the timeline.
    """
    from ..musedance_core.audio.envelope import onsets, peaks

    return {
        "heard": heard,
        "seconds": round(song.seconds, 4),
        "peaks": [round(float(peak), 3) for peak in peaks(song, PEAKS)],
        "onsets": [round(float(time), 3) for time in onsets(song)],
        **grid.to_json(),
    }


class BeatSyncScore(io.ComfyNode):
    """How well frames keep the beats, against what the same motion would score by chance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_BeatScore",
            display_name="Beat-sync score",
            category=CATEGORY,
            description="How near the dance's rests are to the beats, 0 to 1, and what the same "
            "motion scores moved in time at random: only the difference says something.",
            search_aliases=["musedance score", "beat alignment", "sync"],
            inputs=[
                io.Image.Input("frames", tooltip="The dance."),
                Beats.Input("beats", tooltip="When to move, from Extract beats."),
                io.Float.Input(
                    "fps", default=12.0, min=1.0, max=120.0, step=0.01, tooltip="Frames a second."
                ),
                io.Float.Input(
                    "start",
                    default=0.0,
                    min=0.0,
                    max=36000.0,
                    step=0.01,
                    tooltip="Where in the song the dance starts, in seconds.",
                ),
            ],
            outputs=[
                io.Float.Output(display_name="score"),
                io.Float.Output(display_name="chance"),
                io.Image.Output(display_name="plot", tooltip="Motion against beats."),
            ],
        )

    @classmethod
    def execute(cls, frames: torch.Tensor, beats: Any, fps: float, start: float) -> io.NodeOutput:
        from ..musedance_core.metrics.beat_score import beat_score, draw_score

        found = beat_score(frames.movedim(-1, 1), fps, beats, start)
        plot = torch.from_numpy(np.array(draw_score(found))).float()[None] / 255
        return io.NodeOutput(found.score, found.chance, plot)
