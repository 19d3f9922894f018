"""Measures one clip, by itself and against its ground truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from einops import rearrange
from torch import Tensor

from ..dance.motion import DanceMotion
from ..errors import InputError
from ..metrics.beat_alignment import BeatTrack, beat_alignment, chance_level
from ..metrics.beat_lag import REACH, BeatLag, beat_lag, energy_lag
from ..metrics.consistency import (
    Embed,
    background_error,
    background_region,
    drift,
    flicker,
    large_enough,
    seam_jump,
    similarity,
)
from ..metrics.image import psnr, ssim
from ..metrics.motion import motion_beats, motion_energy, visible_window
from ..world.dances import Dance
from .clip import Clip
from .judges.networks import MOST, Recognition
from .report.measures import MEASURES

LEAST_SHARE = 0.1
"""A lag is reported only if this share of the motion is periodic with the beat."""

Values = dict[str, float]


@dataclass(frozen=True)
class MetricNetworks:
    """Optional networks behind metrics; a figure whose network is None is left out.

    lpips: mean distance of frames from true ones, both [f 3 h w] in 0..1. fvd: features [d] of a
    video [f 3 h w]. identity: embeddings [n d] of pictures [n 3 h w]. motion: features [b d] of
    videos [b f 3 h w] of the sticker world; of longer videos it reads the first `MOST` frames.
    dance: recognises a dance to beats in seconds from its first pose.
    """

    lpips: Callable[[Tensor, Tensor], float] | None = None
    fvd: Callable[[Tensor], Tensor] | None = None
    identity: Embed | None = None
    motion: Callable[[Tensor], Tensor] | None = None
    dance: Callable[[DanceMotion, np.ndarray], Recognition] | None = None


@dataclass(frozen=True)
class VideoFigures:
    """Measurements of one video.

    values: figures by name. energy: motion energy [f-1]. track: beats of motion and music.
    features: features [d] for distances between sets. beat: the duration of a beat in seconds.
    """

    values: Values
    energy: np.ndarray
    track: BeatTrack | None
    features: dict[str, np.ndarray] = field(default_factory=dict)
    beat: float | None = None


@dataclass(frozen=True)
class MeasuredClip:
    """Measurements of a clip and, if available, of its ground truth; without the pixels."""

    name: str
    fps: float
    video: str
    truth_video: str | None
    caption: str
    beats: np.ndarray | None
    beats_from: str
    sample: VideoFigures
    truth: VideoFigures | None

    def beats_inside(self) -> np.ndarray:
        """Returns the music's beats within the video's duration."""
        if self.beats is None:
            return np.zeros(0)
        end = (len(self.sample.energy) + 1) / self.fps
        return self.beats[(self.beats >= 0) & (self.beats <= end)]


def measure(clip: Clip, networks: MetricNetworks) -> MeasuredClip:
    """Measures the clip and its truth in the same way and compares them.

    Raises:
        InputError: scikit-image is missing, a backbone file has another call convention, or a
            figure is not finite.
    """
    region = background_region(clip.frames if clip.truth is None else clip.truth, clip.reference)
    if clip.covered is not None:
        region = region & ~clip.covered
    sample = _measure_video(clip, clip.frames, clip.motion, region, networks)
    truth = None
    if clip.truth is not None:
        truth = _measure_video(clip, clip.truth, clip.true_motion, region, networks)
        against = _against_truth(clip.frames, clip.truth, sample.energy, truth.energy, clip.fps)
        if networks.lpips is not None:
            against["lpips"] = networks.lpips(clip.frames, clip.truth)
        sample = replace(sample, values={**against, **sample.values})
        _require_finite(f"the truth of {clip.name}", truth)
    _require_finite(clip.name, sample)
    return MeasuredClip(
        clip.name,
        clip.fps,
        clip.video,
        clip.truth_video,
        clip.caption,
        clip.beats,
        clip.beats_from,
        sample,
        truth,
    )


def _require_finite(whose: str, figures: VideoFigures) -> None:
    everything: dict[str, float | np.ndarray] = {**figures.values, **figures.features}
    for name, value in everything.items():
        if not np.isfinite(value).all():
            raise InputError(f"The figure {MEASURES[name].label!r} of {whose} is not finite.")


def _measure_video(
    clip: Clip,
    frames: Tensor,
    motion: DanceMotion | None,
    region: Tensor,
    networks: MetricNetworks,
) -> VideoFigures:
    energy = motion_energy(frames)
    values: dict[str, float | None] = {"seam": seam_jump(energy, clip.segment)}
    track = beat = None
    if clip.beats is not None:
        window = visible_window(len(frames), clip.fps)
        track = BeatTrack(motion_beats(energy, clip.fps), clip.beats, window, clip.music)
        late = beat_lag(energy, clip.fps, clip.beats)
        values |= _beat_values(track, late)
        beat = None if late is None else late.period
    if large_enough(region):
        values["background"] = background_error(frames, clip.reference, region)
        values["flicker"] = flicker(frames, region)
    if networks.identity is not None:
        similar = similarity(networks.identity, frames, clip.reference)
        values |= {"identity": float(similar.mean()), "drift": drift(similar, clip.segment)}
    features = {}
    if networks.fvd is not None:
        features["fvd"] = networks.fvd(frames).double().numpy()
    if networks.motion is not None:
        read = networks.motion(rearrange(frames[:MOST], "f c h w -> 1 f c h w"))
        features["world_frechet"] = read[0].cpu().double().numpy()
    dance, beats = clip.dance, clip.beats
    if not (networks.dance is None or motion is None or beats is None or dance is None):
        values |= _recognised(networks.dance(motion, beats), dance)
    known = {name: value for name, value in values.items() if value is not None}
    return VideoFigures(known, energy, track, features, beat)


def _beat_values(track: BeatTrack, late: BeatLag | None) -> dict[str, float | None]:
    scored = beat_alignment(track)
    values: dict[str, float | None] = {}
    if scored is not None:
        values |= {
            "alignment": scored.harmonic_mean,
            "motion_to_music": scored.motion_to_music,
            "music_to_motion": scored.music_to_motion,
            "coverage": scored.coverage,
            "alignment_chance": chance_level(track),
        }
    if late is not None:
        values["lag_share"] = late.share
        values["lag"] = late.seconds if late.share >= LEAST_SHARE else None
    return values


def _against_truth(
    frames: Tensor, truth: Tensor, energy: np.ndarray, true_energy: np.ndarray, fps: float
) -> Values:
    values = {"psnr": psnr(frames, truth), "ssim": ssim(frames, truth)}
    if np.ptp(energy) > 0 and np.ptp(true_energy) > 0:
        values["motion_correlation"] = float(np.corrcoef(energy, true_energy)[0, 1])
    if true_energy.mean() > 0:
        values["motion_ratio"] = float(energy.mean() / true_energy.mean())
    if len(energy) > 2 * REACH + 3:
        late = energy_lag(energy, true_energy)
        values |= {} if late is None else {"truth_lag": late / fps}
    return values


def _recognised(found: Recognition, dance: Dance) -> Values:
    """Returns 1 for each of move, side and size that was recognised, else 0.

    The side counts only where the sentence names one.
    """
    values = {"move": float(found.move == dance.move), "size": float(found.size == dance.size)}
    if dance.side != "either":
        values["side"] = float(found.side == dance.side)
    return values
