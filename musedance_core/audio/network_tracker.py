"""Beat tracking with the shipped network and the decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor

from .beat_decoder import decode_beats, decode_meter
from .beat_network import FRAMES_PER_SECOND, BeatNetwork, beat_mel, load_beat_network
from .beats import BeatGrid, assumed_grid, steady_tempo
from .waveform import Waveform


@dataclass(frozen=True)
class TrackerConfig:
    """Limits of the tracker, chosen on validation songs."""

    song: float = 0.3
    """Confidence of a song, 0..1, below which no beat is found in it."""
    with_tempo: float = 0.1
    """The same where the tempo is given: somebody knows that there is one."""
    fewest: int = 4
    """Smallest number of beats."""
    neighbours: int = 2
    """Beats on both sides that count for the confidence in a beat."""
    given_tempo: float = 0.06
    """Share by which beats may be off a tempo that is given."""


TRACKER = TrackerConfig()


@dataclass(frozen=True)
class OnsetEvidence:
    """Onsets as evidence beside the network's logits, for songs that are unlike the training songs;
    chosen on validation songs."""

    weight: float = 1.0
    """Logits per standard deviation of the onset strength ..."""
    lowest: float = -1.0
    highest: float = 3.0
    """... which is cut to this range."""
    window: int = 400
    """Frames, 8 s, over which the onset strength is normalised."""


ONSETS = OnsetEvidence()
CHUNK, MARGIN = 6000, 1100
"""Frames of activations that are computed at once, and on both sides of them as context, which is
more than the network sees."""


def track_beats_with_network(
    wave: Waveform,
    bpm: float | None = None,
    meter: int | None = None,
    network: BeatNetwork | None = None,
) -> BeatGrid:
    """Beats, downbeats and confidences of a whole song.

    A song without a pulse gets an even grid at `bpm`, or at 120 BPM, which is marked as `assumed`.

    Args:
        wave: the whole song.
        bpm: the tempo where it is known; None estimates it.
        meter: beats a bar where it is known; None finds 2, 3 or 4.
        network: None loads the shipped one.
    """
    network = network or load_beat_network()
    mel = beat_mel(wave, network.config.mel_bins)
    activation = activations(network, mel)
    logits, probability = activation.numpy(), activation.sigmoid().numpy()
    # Onsets help to find the beats, but confidence is the network's: noise has onsets too.
    evidence = torch.from_numpy(logits[0] + ONSETS.weight * onset_strength(mel, logits.shape[1]))
    tempi = None
    if bpm is not None:
        tempi = (bpm * (1 - TRACKER.given_tempo), bpm * (1 + TRACKER.given_tempo))
    frames = decode_beats(evidence.sigmoid().numpy(), FRAMES_PER_SECOND, tempi)
    confidence = _confidence(probability[0], frames)
    limit = TRACKER.song if bpm is None else TRACKER.with_tempo
    if len(frames) < TRACKER.fewest or confidence.mean() < limit:
        return assumed_grid(wave.seconds, bpm, meter)
    times = _refined(logits[0], frames) / FRAMES_PER_SECOND
    positions = decode_meter(_peaks(probability[1], frames, reach=2), meter)
    return BeatGrid(times, times[positions == 0], steady_tempo(times), confidence=confidence)


@torch.no_grad()
def activations(network: BeatNetwork, mel: Tensor) -> Tensor:
    """Logits `[2 t/2]` of beat and downbeat for the log-mel `[t mel]` of a song of any length."""
    pieces = []
    for first in range(0, len(mel), 2 * CHUNK):
        begin = max(0, first - 2 * MARGIN)
        piece = network(mel[None, begin : first + 2 * (CHUNK + MARGIN)])[0]
        skipped = (first - begin) // 2
        pieces.append(piece[:, skipped : skipped + CHUNK])
    return torch.cat(pieces, dim=1)


def onset_strength(mel: Tensor, frames: int) -> np.ndarray:
    """Normalised onset strength `[frames]` at the rate of the activations.

    It is the mean rise of the log-mel over all bands, in standard deviations from its mean over the
    seconds around it.

    Args:
        mel: log-mel `[t mel]` with two frames per activation.
        frames: number of activations.
    """
    flux = torch.zeros(2 * frames)
    rise = (mel[1:] - mel[:-1]).clamp_min(0).mean(dim=1)[: 2 * frames - 1]
    flux[1 : 1 + len(rise)] = rise
    onset = rearrange(flux, "(t two) -> t two", two=2).amax(dim=1).double()
    half = min(ONSETS.window, frames) // 2
    padded = F.pad(onset[None, None], (half, half), mode="replicate")
    mean, square = (F.avg_pool1d(x, 2 * half + 1, 1)[0, 0] for x in (padded, padded.square()))
    deviation = (square - mean.square()).clamp_min(1e-6).sqrt()
    return ((onset - mean) / deviation).clamp(ONSETS.lowest, ONSETS.highest).numpy()


def _peaks(probability: np.ndarray, frames: np.ndarray, reach: int = 1) -> np.ndarray:
    """The largest probability within `reach` frames of each of `frames`."""
    near = frames[:, None] + np.arange(-reach, reach + 1)
    return np.asarray(probability[np.clip(near, 0, len(probability) - 1)].max(axis=1))


def _confidence(probability: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """The mean of each beat's probability and that of its neighbourhood, 0..1."""
    peaks = _peaks(probability, frames)
    if not len(peaks):
        return peaks
    width = 2 * TRACKER.neighbours + 1
    around = np.convolve(
        np.pad(peaks, TRACKER.neighbours, mode="edge"), np.ones(width) / width, "valid"
    )
    return np.asarray((peaks + around) / 2)


def _refined(logits: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Times of beats in frames, float64 `[n]`, strictly rising: vertices of parabolas through the
    peaks of the logits `[t]` beside `frames`."""
    near = np.clip(frames[:, None] + np.arange(-1, 2), 0, len(logits) - 1)
    peak = near[np.arange(len(frames)), logits[near].argmax(axis=1)]
    before, here, after = (logits[np.clip(peak + i, 0, len(logits) - 1)] for i in (-1, 0, 1))
    bend = before - 2 * here + after
    offset = np.where(bend < -1e-6, (before - after) / np.minimum(2 * bend, -1e-6), 0)
    # None is before the song. Beats are five frames apart at least, so that they never meet.
    return np.asarray(np.maximum(peak + np.clip(offset, -0.5, 0.5), 0))
