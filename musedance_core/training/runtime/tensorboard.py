"""Clips for TensorBoard: moving pictures as a GIF in an image summary, and their sound."""

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
    """A clip to look at: `frames [f 3 h w]` in 0..1, its sound, and its file where there is one."""

    frames: Tensor
    fps: int
    sound: Waveform
    video: Path | None


def show_in_tensorboard(writer: Any, step: int, name: str, shown: LoggedClip) -> None:
    """Add a clip to a `SummaryWriter`."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    h, w = shown.frames.shape[-2:]
    picture = Summary.Image(
        height=h, width=w, colorspace=3, encoded_image_string=gif_bytes(shown.frames, shown.fps)
    )
    summary = Summary(value=[Summary.Value(tag=f"{name}/frames", image=picture)])
    writer._get_file_writer().add_summary(summary, step)
    sound = torch.from_numpy(shown.sound.mono().samples[0])
    writer.add_audio(f"{name}/sound", sound, step, sample_rate=shown.sound.sample_rate)
    writer.flush()
