"""Measures of dances on joints: speeds, accelerations, sliding feet, and motion with the beat.

Joints are `[f 16 2]` in body heights, y down, at an even frame rate.
"""

from __future__ import annotations

from collections.abc import Sequence

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
STANDING = 0.004
"""A foot stands while its ankle is at most so high above its place on the ground, in body
heights."""
ANKLES = (INDEX["right_ankle"], INDEX["left_ankle"])


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


def foot_slide(joints: np.ndarray, beats: float) -> float:
    """Way that a standing foot slides in a beat, in body heights, mean of both feet.

    Args:
        joints: `[f 16 2]`.
        beats: number of beats that they last.
    """
    ankles = joints[:, ANKLES]
    ground = ankles[..., 1].max()
    stands = ankles[..., 1] >= ground - STANDING
    both = stands[1:] & stands[:-1]
    way = np.abs(np.diff(ankles[..., 0], axis=0))
    return float((way * both).sum() / len(ANKLES) / beats)


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
