"""Clips in TensorBoard: an animated GIF as an image summary, and an audio summary."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...audio.waveform import Waveform
from ...media.animated import gif_bytes


@dataclass(frozen=True)
class LoggedClip:
    """A clip for the trackers: `frames [f 3 h w]` in 0..1, its sound, and its file if any."""

    frames: Tensor
    fps: int
    sound: Waveform
    video: Path | None


def add_clip(writer: Any, step: int, name: str, clip: LoggedClip) -> None:
    """Adds a clip to a `SummaryWriter` as NAME/frames and NAME/sound."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    h, w = clip.frames.shape[-2:]
    image = Summary.Image(
        height=h, width=w, colorspace=3, encoded_image_string=gif_bytes(clip.frames, clip.fps)
    )
    summary = Summary(value=[Summary.Value(tag=f"{name}/frames", image=image)])
    writer._get_file_writer().add_summary(summary, step)
    sound = torch.from_numpy(clip.sound.mono().samples[0])
    writer.add_audio(f"{name}/sound", sound, step, sample_rate=clip.sound.sample_rate)
    writer.flush()
