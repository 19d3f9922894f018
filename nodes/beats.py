"""The beats of a song, tracked or edited; and how well a dance is on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from comfy_api.v0_0_2 import io
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..musedance_core.errors import InputError
from . import host
from .errors import readable_errors
from .music import song_of
from .types import BEATS, CATEGORY, Audio

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.audio.waveform import Waveform

BUILT_IN = "built in"
EDITS = ("as heard", "halve", "double")
PEAKS = 2000


class ExtractBeats(io.ComfyNode):
    """The beats of the whole song in seconds, tracked, laid on a grid or edited by hand."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_ExtractBeats",
            display_name="Beats",
            category=CATEGORY,
            description="Tracks the beats of the whole song, or takes yours. The model gets them "
            "one-hot, frame by frame, and the dance follows them.",
            search_aliases=["musedance beats", "extract beats", "beat tracking", "bpm", "tempo"],
            # The timeline needs its data even where the beats come from the host's cache.
            has_intermediate_output=True,
            inputs=[
                io.Audio.Input("audio", tooltip="The whole song, the same audio as for Song."),
                io.Float.Input(
                    "bpm",
                    default=0.0,
                    min=0.0,
                    max=400.0,
                    step=0.1,
                    tooltip="The tempo in beats per minute, where you know it; 0 estimates it.",
                ),
                io.Float.Input(
                    "offset",
                    default=-1.0,
                    min=-1.0,
                    max=3600.0,
                    step=0.01,
                    advanced=True,
                    tooltip="Time of one beat in seconds. With bpm it makes an even grid, without "
                    "any tracking; -1 tracks the beats.",
                ),
                io.Combo.Input(
                    "edit",
                    options=list(EDITS),
                    default=EDITS[0],
                    tooltip="halve keeps every other beat; double adds one between any two.",
                ),
                io.Float.Input(
                    "shift",
                    default=0.0,
                    min=-10.0,
                    max=10.0,
                    step=0.01,
                    tooltip="Moves all beats later by this many seconds.",
                ),
                io.String.Input(
                    "timeline",
                    default="",
                    multiline=True,
                    advanced=True,
                    tooltip='Beats by hand: {"beats": [0.5, 1.0, ...]} or [0.5, 1.0, ...], in '
                    "seconds from the song's start. They replace the tracked beats.",
                ),
                io.Combo.Input(
                    "tracker",
                    options=[BUILT_IN, *host.beat_trackers()],
                    default=BUILT_IN,
                    optional=True,
                    advanced=True,
                    tooltip="The beat tracker: librosa, or a checkpoint of Beat This! (.ckpt) in "
                    "models/beat_this, which needs pip install beat_this.",
                ),
            ],
            outputs=[
                BEATS.Output(display_name="beats"),
                io.Float.Output(display_name="tempo"),
                io.Image.Output(display_name="strip", tooltip="A plot of the song with its beats."),
            ],
        )

    @classmethod
    @readable_errors
    def execute(
        cls,
        audio: Audio,
        bpm: float,
        offset: float,
        edit: str,
        shift: float,
        timeline: str,
        tracker: str = BUILT_IN,
    ) -> io.NodeOutput:
        from ..musedance_core.media.beat_plot import draw_beat_plot

        song = song_of(audio)
        by_hand = bool(timeline.strip())
        grid = beat_grid(song, bpm, offset, timeline, tracker)
        if grid.assumed:
            host.show_text(
                f"No beat was found in this song: the dance gets an even grid of {grid.tempo:g} "
                f"BPM. Set bpm and offset, or edit the beats."
            )

        # The timeline edits the beats before `edit` and `shift`.
        data = timeline_data(song, grid, tracked=not by_hand)
        grid = {"halve": grid.halved, "double": grid.doubled}.get(edit, lambda: grid)()
        grid = grid.shifted(shift) if shift else grid
        plot = as_image(draw_beat_plot(song, grid))
        return io.NodeOutput(grid, float(grid.tempo), plot, ui={"musedance_timeline": [data]})


def beat_grid(song: Waveform, bpm: float, offset: float, timeline: str, tracker: str) -> BeatGrid:
    """The beats by hand, else the even grid, else the tracked ones.

    Raises:
        InputError: the beats cannot be read or tracked, or the settings contradict each other.
    """
    from ..musedance_core.audio.beat_files import parse_beats
    from ..musedance_core.audio.beat_this import track_beats_with_beat_this
    from ..musedance_core.audio.beats import regular_grid
    from ..musedance_core.audio.tracker import track_beats

    if offset >= 0 and not bpm:
        raise InputError("offset needs bpm: an even grid is made of both.")
    if timeline.strip():
        return parse_beats(timeline, "The timeline")
    if bpm and offset >= 0:
        return regular_grid(bpm, offset, song.seconds)
    if tracker == BUILT_IN:
        return track_beats(song, bpm or None)
    if bpm:
        raise InputError(f"bpm is for the built-in tracker; {tracker} works without it.")
    return track_beats_with_beat_this(song, host.beat_tracker_path(tracker))


def timeline_data(song: Waveform, grid: BeatGrid, tracked: bool) -> dict[str, Any]:
    """The beats and the song's outline for the timeline in the browser.

    `tracked` is False for beats that came from the timeline itself.
    """
    from ..musedance_core.audio.envelope import onsets, peaks

    return {
        "heard": tracked,
        "seconds": round(song.seconds, 4),
        "peaks": [round(float(peak), 3) for peak in peaks(song, PEAKS)],
        "onsets": [round(float(time), 3) for time in onsets(song)],
        **grid.to_json(),
    }


class BeatSyncScore(io.ComfyNode):
    """Beat alignment of frames, against the score of the same motion by chance."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_BeatScore",
            display_name="Beat score",
            category=CATEGORY,
            description="Beat alignment score: how near the moments of least motion are to the "
            "beats, 0 to 1, and the same motion's score by chance. Only the difference counts.",
            search_aliases=["musedance score", "beat alignment", "beat-sync score"],
            inputs=[
                io.Image.Input("frames", tooltip="The dance."),
                BEATS.Input("beats", tooltip="Output of Beats."),
                io.Float.Input(
                    "fps", default=12.0, min=1.0, max=120.0, step=0.01, tooltip="Frames per second."
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
                io.Image.Output(display_name="plot", tooltip="Motion over time, with beats."),
            ],
        )

    @classmethod
    @readable_errors
    def execute(cls, frames: Tensor, beats: BeatGrid, fps: float, start: float) -> io.NodeOutput:
        from ..musedance_core.metrics.beat_score import beat_score, draw_score

        result = beat_score(rearrange(frames, "f h w c -> f c h w"), fps, beats, start)
        return io.NodeOutput(result.score, result.chance, as_image(draw_score(result)))


def as_image(plot: Image.Image) -> Tensor:
    """An RGB picture as the host's IMAGE `[1 h w 3]` in 0..1."""
    return torch.from_numpy(np.array(plot)).float()[None] / 255
