"""Log-mel features with Kaldi's filter bank, which AST was trained on."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .waveform import Waveform

RATE = 16_000
WINDOW, HOP, FFT = 400, 160, 512
PREEMPHASIS, LOWEST = 0.97, 20.0
FLOOR = 1.1920928955078125e-07
HOP_SECONDS = HOP / RATE
PIECE = 6000
"""Frames, a minute, whose spectrum is computed at once: a long song would need gigabytes."""
LOUDNESS = 0.1
"""Root mean square that every song is scaled to."""


def _mel(hertz: Tensor) -> Tensor:
    return 1127.0 * torch.log1p(hertz / 700.0)


def mel_filters(mel_bins: int) -> Tensor:
    """Filters `[FFT/2 + 1, mel_bins]` that are triangles in mel space."""
    lowest, highest = _mel(torch.tensor([LOWEST, RATE / 2], dtype=torch.float64))
    edges = torch.linspace(float(lowest), float(highest), mel_bins + 2, dtype=torch.float64)
    bins = _mel(torch.arange(FFT // 2 + 1, dtype=torch.float64) * RATE / FFT)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins - left) / (centre - left)
    falling = (right - bins) / (right - centre)
    return torch.minimum(rising, falling).clamp_min(0).float()


def log_mel(samples: Tensor, mel_bins: int) -> Tensor:
    """`samples [... n]` at 16 kHz in -1..1 -> `[... t mel_bins]`, 25 ms windows every 10 ms.

    The natural logarithm of mel power. Each window has its mean removed, pre-emphasis and a Hann
    window.
    """
    filters = mel_filters(mel_bins).to(samples.device)
    pieces = torch.split(samples.unfold(-1, WINDOW, HOP), PIECE, dim=-2)
    return torch.cat([_log_mel_of_frames(piece, filters) for piece in pieces], dim=-2)


def _log_mel_of_frames(frames: Tensor, filters: Tensor) -> Tensor:
    """`frames [... t WINDOW]` -> `[... t mel]`."""
    frames = frames - frames.mean(dim=-1, keepdim=True)
    before = torch.cat([frames[..., :1], frames[..., :-1]], dim=-1)
    frames = frames - PREEMPHASIS * before
    window = torch.hann_window(WINDOW, periodic=False, device=frames.device)
    power = torch.fft.rfft(frames * window, n=FFT).abs() ** 2
    out: Tensor = (power @ filters).clamp_min(FLOOR).log()
    return out


def song_samples(wave: Waveform) -> Tensor:
    """A song's mono samples `[n]` at 16 kHz and `LOUDNESS`, without a constant offset."""
    mono = wave.mono()
    centred = mono.samples - mono.samples.mean(dtype=np.float64).astype(np.float32)
    sound = Waveform(centred, mono.sample_rate).resampled(RATE).samples[0]
    level = float(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
    return torch.from_numpy(sound * np.float32(LOUDNESS / max(level, 1e-6)))


def song_log_mel(wave: Waveform, mel_bins: int) -> Tensor:
    """Log-mel `[t mel_bins]` of a song at `LOUDNESS`; window t begins at t * 10 ms."""
    return log_mel(F.pad(song_samples(wave), (0, WINDOW)), mel_bins)


def clip_window(mel: Tensor, start: float, frames: int, fps: int, length: int = 1024) -> Tensor:
    """The log-mel `[length mel]` of a window with a clip in its middle.

    It is padded with silence beyond the ends of the song.

    Args:
        mel: log-mel `[t mel]` of the whole song.
        start: start of the clip in seconds of the song.
        frames: number of video frames in the clip.
        fps: video frames per second.
        length: length of the window in mel frames of 10 ms.
    """
    spare = length * 0.010 - frames / fps
    first = round((start - spare / 2) / 0.010)
    piece = mel[max(first, 0) : max(first + length, 0)]
    before = min(max(-first, 0), length)
    after = length - before - len(piece)
    return F.pad(piece, (0, 0, before, after), value=math.log(FLOOR))
