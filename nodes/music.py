"""The song."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from ..musedance_core.errors import InputError
from ..musedance_core.ranges import require_within
from .errors import readable_errors
from .types import CATEGORY, MODEL, MUSIC, Audio, Music

if TYPE_CHECKING:
    from ..musedance_core.audio.waveform import Waveform
    from .host_models import HostModel


TIMES, RATES = (0.0, 36_000.0), (1.0, 120.0)
"""Bounds of seconds and of frames a second. The host does not check those that other nodes give."""


class EmbedMusic(io.ComfyNode):
    """The log-mel spectrogram of the whole song, from which AST makes each segment's tokens."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_EmbedMusic",
            display_name="Song",
            category=CATEGORY,
            description="Analyses the whole song for the music encoder (AST), which decides how "
            "strongly and how smoothly to dance. When to move comes from Beats.",
            search_aliases=["musedance audio", "audio embedding", "ast", "embed music"],
            inputs=[
                MODEL.Input("model", tooltip="Output of Load MuseDance."),
                io.Audio.Input("audio", tooltip="The whole song, not only the part to dance to."),
            ],
            outputs=[MUSIC.Output(display_name="music")],
        )

    @classmethod
    @readable_errors
    def execute(cls, model: HostModel, audio: Audio) -> io.NodeOutput:
        from ..musedance_core.audio.mel import song_log_mel

        song = song_of(audio)
        return io.NodeOutput(Music(song_log_mel(song, model.config.music.mel_bins), song))


def song_of(audio: Audio) -> Waveform:
    """The first sound of the host's AUDIO.

    Raises:
        InputError: it is silent, too short, or not finite.
    """
    from ..musedance_core.audio.waveform import Waveform, require_music

    samples = audio["waveform"][0].float().cpu().numpy()
    song = Waveform(np.ascontiguousarray(samples), int(audio["sample_rate"]))
    require_music(song, "The audio")
    return song


def require_start(song: Waveform, start: float) -> None:
    """Raises InputError where `start` is no number of seconds, or past the song's end."""
    require_within("start in seconds", start, TIMES)
    if start >= song.seconds:
        raise InputError(
            f"The song is {song.seconds:.2f} s long, so a start at {start:g} s is past its end."
        )


def count_frames(song: Waveform, fps: float, start: float, seconds: float) -> int:
    """Frames of `seconds` of the song from `start` on; 0 is the rest of it.

    Raises:
        InputError: `start` is past the song's end, or a number is out of its range.
    """
    require_start(song, start)
    require_within("length in seconds", seconds, TIMES)
    require_within("rate in frames a second", fps, RATES)
    return max(1, round((seconds or song.seconds - start) * fps))


def audio_under(music: Music, start: float, seconds: float) -> Audio:
    """The song from `start` on as the host's AUDIO, silence past its end."""
    piece = music.song.cut(start, seconds)
    return {"waveform": torch.from_numpy(piece.samples)[None], "sample_rate": piece.sample_rate}
