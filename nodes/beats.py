"""The beats of a song, tracked or edited; and how well a dance is on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from comfy_api.v0_0_2 import io
from einops import rearrange
from torch import Tensor

from ..musedance_core.errors import InputError
from ..musedance_core.ranges import require_within
from . import host
from .errors import readable_errors
from .images import as_image
from .music import RATES, TIMES, count_frames, song_of
from .types import BEATS, CATEGORY, SHOWS_OUTPUT, Audio

if TYPE_CHECKING:
    from ..musedance_core.audio.beats import BeatGrid
    from ..musedance_core.audio.waveform import Waveform

BUILT_IN, LIBROSA = "built in", "librosa"
EDITS = ("as heard", "halve", "double")
PEAKS = 2000
TEMPI, OFFSETS, SHIFTS = (20.0, 400.0), (-1.0, 3600.0), (-10.0, 10.0)
"""Bounds of beats a minute, and of seconds, where -1 is no offset. The host does not check numbers
that other nodes give."""


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
            **SHOWS_OUTPUT,
            inputs=[
                io.Audio.Input("audio", tooltip="The whole song, the same audio as for Song."),
                io.Float.Input(
                    "bpm",
                    default=0.0,
                    min=0.0,
                    max=TEMPI[1],
                    step=0.1,
                    tooltip="The tempo in beats per minute, where you know it; 0 estimates it.",
                ),
                io.Float.Input(
                    "offset",
                    default=-1.0,
                    min=OFFSETS[0],
                    max=OFFSETS[1],
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
                    min=SHIFTS[0],
                    max=SHIFTS[1],
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
                    options=[BUILT_IN, LIBROSA, *host.beat_trackers()],
                    default=BUILT_IN,
                    optional=True,
                    advanced=True,
                    tooltip="The beat tracker: MuseDance's own, librosa, or a checkpoint of Beat "
                    "This! (.ckpt) in models/beat_this, which needs pip install beat_this.",
                ),
                *frame_inputs(),
                io.Int.Input(
                    "meter",
                    default=0,
                    min=0,
                    max=12,
                    optional=True,
                    tooltip="Beats a bar, where you know them: 2 to 12; 0 leaves them to the "
                    "tracker.",
                ),
            ],
            outputs=[
                BEATS.Output(display_name="beats"),
                io.Float.Output(display_name="tempo"),
                io.Image.Output(display_name="strip", tooltip="A plot of the song with its beats."),
                io.Float.Output(
                    display_name="beat_times",
                    is_output_list=True,
                    tooltip="Every beat in seconds from the song's start.",
                ),
                io.Float.Output(
                    display_name="downbeat_times",
                    is_output_list=True,
                    tooltip="Every downbeat in seconds from the song's start.",
                ),
                io.Float.Output(
                    display_name="pulse",
                    is_output_list=True,
                    tooltip="One number per frame: 1 on a beat, falling to 0 until the next.",
                ),
                io.Float.Output(
                    display_name="phase",
                    is_output_list=True,
                    tooltip="One number per frame: 0 on a beat, rising to 1 until the next.",
                ),
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
        fps: float = 24.0,
        start: float = 0.0,
        seconds: float = 0.0,
        meter: int = 0,
    ) -> io.NodeOutput:
        from ..musedance_core.audio.beats import beat_pulse
        from ..musedance_core.media.beat_plot import draw_beat_plot

        song = song_of(audio)
        frames = count_frames(song, fps, start, seconds)
        require_within("shift in seconds", shift, SHIFTS)
        by_hand = bool(timeline.strip())
        grid = beat_grid(song, bpm, offset, timeline, tracker, meter)
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
        curve = beat_pulse(grid, start, frames, fps)
        lists = [x.tolist() for x in (grid.times, grid.downbeats, curve.pulse, curve.phase)]
        shown = {"musedance_timeline": [data]}
        return io.NodeOutput(grid, float(grid.tempo), plot, *lists, ui=shown)


def frame_inputs() -> list[Any]:
    """The frames of the lists with one number per frame."""
    return [
        io.Float.Input(
            "fps",
            default=24.0,
            min=1.0,
            max=120.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Frames per second of pulse and phase.",
        ),
        io.Float.Input(
            "start",
            default=0.0,
            min=0.0,
            max=36000.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="Where in the song pulse and phase begin, in seconds.",
        ),
        io.Float.Input(
            "seconds",
            default=0.0,
            min=0.0,
            max=36000.0,
            step=0.1,
            optional=True,
            advanced=True,
            tooltip="Length of pulse and phase; 0 is the rest of the song.",
        ),
    ]


def beat_grid(
    song: Waveform, bpm: float, offset: float, timeline: str, tracker: str, meter: int = 0
) -> BeatGrid:
    """The beats by hand, else the even grid, else the tracked ones.

    `meter` is for the last two, and for beats by hand without any bars; 0 leaves it open.

    Raises:
        InputError: the beats cannot be read or tracked, or the settings contradict each other.
    """
    from ..musedance_core.audio.beat_files import parse_beats
    from ..musedance_core.audio.beat_this import track_beats_with_beat_this
    from ..musedance_core.audio.beats import BEATS_PER_BAR, regular_grid
    from ..musedance_core.audio.tracker import TRACKERS, track_beats
    from ..musedance_core.ranges import METER, require_whole

    if meter:
        require_whole("meter", meter, METER)
    require_within("offset in seconds", offset, OFFSETS)
    if bpm:
        require_within("bpm", bpm, TEMPI)
    if offset >= 0 and not bpm:
        raise InputError("offset needs bpm: an even grid is made of both.")
    if timeline.strip():
        return parse_beats(timeline, "The timeline", meter or BEATS_PER_BAR)
    if bpm and offset >= 0:
        return regular_grid(bpm, offset, song.seconds, meter or BEATS_PER_BAR)
    if tracker in (BUILT_IN, LIBROSA):
        name = TRACKERS[0] if tracker == BUILT_IN else LIBROSA
        return track_beats(song, bpm or None, tracker=name, meter=meter or None)
    if bpm:
        raise InputError(
            f"bpm is for the built-in tracker and librosa; {tracker} works without it."
        )
    grid = track_beats_with_beat_this(song, host.beat_tracker_path(tracker))
    return grid.in_meter(meter) if meter else grid


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
                io.Image.Input(
                    "frames",
                    tooltip="The dance: frames of any model or program, transparent ones, too.",
                ),
                BEATS.Input("beats", tooltip="Output of Beats."),
                io.Float.Input(
                    "fps",
                    default=12.0,
                    min=1.0,
                    max=120.0,
                    step=0.01,
                    tooltip="Frames per second of these frames.",
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

        require_within("rate in frames a second", fps, RATES)
        require_within("start in seconds", start, TIMES)
        if not bool(torch.isfinite(frames).all()):
            raise InputError("The frames hold values that are not finite numbers.")
        result = beat_score(rearrange(frames, "f h w c -> f c h w"), fps, beats, start)
        return io.NodeOutput(result.score, result.chance, as_image(draw_score(result)))
