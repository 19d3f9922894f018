"""Measures of dances on joints: speeds, accelerations, sliding feet, and motion with the beat.

Joints are `[f 16 2]` in body heights, y down, at an even frame rate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from ..audio.beats import BeatGrid
from ..dance.motion import DanceMotion
from ..dance.posing import Body, pose_body
from ..dance.skeleton import INDEX
from .beat_alignment import BeatTrack, beat_alignment
from .beat_lag import beat_lag
from .motion import motion_beats, visible_window

SCALE = 1000.0
"""Pixels of the body that is measured."""
ANKLES = (INDEX["right_ankle"], INDEX["left_ankle"])


@dataclass(frozen=True)
class Contact:
    """Bounds of a foot's contact with the ground."""

    ground: float = 90.0
    """Percentile of the ankle's height, counted downwards, that is its height on the ground: single
    frames do not move the ground."""
    low: float = 0.006
    """Greatest height of a standing foot above its ground, in body heights."""
    raised: float = 0.03
    """Height of one foot's ground above the other's from which that foot never stands."""


CONTACT = Contact()


def standing_joints(motion: DanceMotion) -> np.ndarray:
    """Joints `[f 16 2]` of a standing person in the poses of `motion`; the feet are at y = 0."""
    posed = pose_body(Body.standing(SCALE, 0.0, 0.0), motion)
    joints: Tensor = posed.warped_joints / SCALE
    return joints.double().numpy()


def joint_speeds(joints: np.ndarray, fps: float) -> np.ndarray:
    """Speeds `[f-1 16]` in body heights a second."""
    return np.asarray(np.linalg.norm(np.diff(joints, axis=0), axis=-1) * fps)


def joint_accelerations(joints: np.ndarray, fps: float) -> np.ndarray:
    """Magnitudes of the accelerations `[f-2 16]` in body heights a second squared."""
    return np.asarray(np.linalg.norm(np.diff(joints, n=2, axis=0), axis=-1) * fps**2)


@dataclass(frozen=True)
class FootSlide:
    """Motion of feet on the ground.

    Attributes:
        slide: way along the ground in a beat of standing, in body heights, of both feet; None if no
            foot ever stands.
        stands: share of the time in which a foot stands, mean of both feet.
    """

    slide: float | None
    stands: float


def foot_slide(joints: np.ndarray, beats: float) -> FootSlide:
    """Slide of standing feet.

    Every foot has a ground of its own, the height below which its ankle rarely is. Landing and
    lifting off do not count as standing.

    Args:
        joints: `[f 16 2]`.
        beats: number of beats that they last.
    """
    ankles = joints[:, ANKLES]
    down = ankles[..., 1]
    ground = np.percentile(down, CONTACT.ground, axis=0)
    low = (down >= ground - CONTACT.low) & (ground >= ground.max() - CONTACT.raised)
    # A foot stands from one frame to the next if it is low before and after them as well.
    both = np.pad(low[1:] & low[:-1], ((1, 1), (0, 0)), constant_values=True)
    stands = both[:-2] & both[1:-1] & both[2:]
    way = np.abs(np.diff(ankles[..., 0], axis=0))
    standing_beats = stands.sum() * beats / len(stands)
    slide = float((way * stands).sum() / standing_beats) if stands.any() else None
    return FootSlide(slide, float(stands.mean()))


@dataclass(frozen=True)
class SeamReach:
    """Distances from a seam, in poses."""

    near: float = 2.0
    """Poses up to here are at the seam; it lies between two poses."""
    far: tuple[float, float] = (6.0, 12.0)
    """Poses within these distances are what they are compared with."""


SEAM = SeamReach()


def seam_ratio(values: np.ndarray, positions: np.ndarray, seams: np.ndarray) -> float | None:
    """Mean of `values [n]` at the seams over their mean some way off; 1 is no seam.

    Args:
        values: speeds or accelerations.
        positions: place of each value `[n]`, counted in poses.
        seams: places of the seams, such as k - 0.5 between the poses k - 1 and k.

    Returns:
        The ratio, or None without a seam or without motion.
    """
    away = np.abs(positions[None] - seams[:, None])
    near = away <= SEAM.near
    far = (away >= SEAM.far[0]) & (away <= SEAM.far[1])
    if not near.any() or not far.any():
        return None
    at_seams, off = (values[np.nonzero(places)[1]].mean() for places in (near, far))
    return float(at_seams / off) if off > 0 else None


def joint_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Mean distance of the same joints in the same frames, in body heights."""
    return float(np.linalg.norm(one - other, axis=-1).mean())


def take_ratio(takes: Sequence[Sequence[np.ndarray]]) -> float:
    """Mean distance between takes of one sentence over that between different sentences.

    `takes[i][k]` are the joints of take k of sentence i, all to the same music.
    """
    same = [
        joint_distance(one, other)
        for dances in takes
        for k, one in enumerate(dances)
        for other in dances[:k]
    ]
    different = [
        joint_distance(one, other)
        for i, dances in enumerate(takes)
        for others in takes[:i]
        for one, other in zip(dances, others, strict=True)
    ]
    return float(np.mean(same) / np.mean(different))


def beat_share(joints: np.ndarray, fps: float, beats: np.ndarray) -> float | None:
    """Share 0..1 of the variance of the speed that is periodic with the beat.

    None for fewer than two `beats`, in seconds from the first frame, or for constant motion.
    """
    lag = beat_lag(joint_speeds(joints, fps).mean(axis=1), fps, beats)
    return None if lag is None else lag.share


def beat_match(joints: np.ndarray, fps: float, grid: BeatGrid, start: float) -> float | None:
    """Harmonic mean of the beat alignment of the joints' speed; see `beat_alignment`.

    Args:
        joints: `[f 16 2]`.
        fps: frames a second.
        grid: beats of the song.
        start: seconds of the song at the first frame.
    """
    speed = joint_speeds(joints, fps).mean(axis=1)
    window = visible_window(len(joints), fps)
    track = BeatTrack(motion_beats(speed, fps), grid.times - start, window)
    scored = beat_alignment(track)
    return None if scored is None else scored.harmonic_mean
