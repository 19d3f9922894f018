"""The song."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from comfy_api.v0_0_2 import io

from .errors import readable_errors
from .types import CATEGORY, MODEL, MUSIC, Audio, Music

if TYPE_CHECKING:
    from ..musedance_core.audio.waveform import Waveform
    from .host_models import HostModel


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


def audio_under(music: Music, start: float, seconds: float) -> Audio:
    """The song from `start` on as the host's AUDIO, silence past its end."""
    piece = music.song.cut(start, seconds)
    return {"waveform": torch.from_numpy(piece.samples)[None], "sample_rate": piece.sample_rate}
