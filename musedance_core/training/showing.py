"""Clips for TensorBoard: moving pictures as a GIF in an image summary, and their sound."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from PIL import Image
from torch import Tensor

from ..audio.waveform import Waveform


@dataclass(frozen=True)
class Shown:
    """A clip to look at: `frames [f 3 h w]` in 0..1, its sound, and its file where there is one."""

    frames: Tensor
    fps: int
    sound: Waveform
    video: Path | None


def as_gif(frames: Tensor, fps: int) -> bytes:
    """`frames [f 3 h w]` in 0..1 as an animated GIF that starts again."""
    pixels = rearrange((frames.clamp(0, 1) * 255).round().byte().cpu(), "f c h w -> f h w c")
    first, *rest = [Image.fromarray(picture) for picture in pixels.numpy()]
    data = io.BytesIO()
    duration = round(1000 / fps)
    first.save(data, "GIF", save_all=True, append_images=rest, duration=duration, loop=0)
    return data.getvalue()


def show_in_tensorboard(writer: Any, step: int, name: str, shown: Shown) -> None:
    """Add a clip to a `SummaryWriter`."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    h, w = shown.frames.shape[-2:]
    picture = Summary.Image(
        height=h, width=w, colorspace=3, encoded_image_string=as_gif(shown.frames, shown.fps)
    )
    summary = Summary(value=[Summary.Value(tag=f"{name}/frames", image=picture)])
    writer._get_file_writer().add_summary(summary, step)
    sound = torch.from_numpy(shown.sound.mono().samples[0])
    writer.add_audio(f"{name}/sound", sound, step, sample_rate=shown.sound.sample_rate)
    writer.flush()
