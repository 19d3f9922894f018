"""The song as the model hears it."""

from __future__ import annotations

from typing import Any

import numpy as np
from comfy_api.v0_0_2 import io

from .types import CATEGORY, Model, Music


class EmbedMusic(io.ComfyNode):
    """The whole song as log-mel, of which every segment's AST tokens are made."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="MuseDance_EmbedMusic",
            display_name="Embed music (AST)",
            category=CATEGORY,
            description="Hears the whole song once: how strongly and how smoothly to dance. When "
            "to move is what the beats say.",
            search_aliases=["musedance audio", "audio embedding", "ast", "song"],
            inputs=[
                Model.Input("model", tooltip="What Load MuseDance gives."),
                io.Audio.Input("audio", tooltip="The whole song, not only the part to dance to."),
            ],
            outputs=[Music.Output(display_name="music")],
        )

    @classmethod
    def execute(cls, model: Any, audio: dict[str, Any]) -> io.NodeOutput:
        from ..musedance_core.audio.mel import song_log_mel
        from ..musedance_core.audio.waveform import require_music

        song = waveform_of(audio)
        require_music(song, "The audio")
        mel = song_log_mel(song, model.config.music.mel_bins)
        return io.NodeOutput({"mel": mel, "song": song, "seconds": song.seconds})


def waveform_of(audio: dict[str, Any]) -> Any:
    """The host's AUDIO, the first of its batch, as a waveform."""
    from ..musedance_core.audio.waveform import Waveform

    samples = audio["waveform"][0].float().cpu().numpy()
    return Waveform(np.ascontiguousarray(samples), int(audio["sample_rate"]))
