"""Labels of pixels made whole."""

from __future__ import annotations

import numpy as np

from musedance_core.dance.label_cleaning import (
    in_one_piece,
    smoothed,
    spread,
    touching_changes,
    without_detached,
)
from musedance_core.dance.part_distances import GROUPS
from musedance_core.dance.skeleton import INDEX, JOINTS, PART_INDEX

H, W = 60, 40
ARM, LEG = GROUPS.index("left_arm"), GROUPS.index("left_leg")


def _solid() -> np.ndarray:
    return np.ones((H, W), np.bool_)


def test_labels_go_along_the_figure_before_they_cross_the_air() -> None:
    # A bent wire: its end is next to the other label, but on the way along it is far from there.
    solid = np.zeros((H, W), np.bool_)
    solid[10, 5:35] = solid[10:30, 34] = solid[30, 5:35] = True
    labels = np.full((H, W), 2)
    labels[10, 5:10] = 1
    stay = np.zeros((H, W), np.bool_)
    stay[10, 5:10] = stay[10, 30:35] = True
    assert (spread(labels, stay, solid)[30, 5:35] == 2).all()


def test_smoothing_keeps_straight_borders_and_takes_specks() -> None:
    labels = np.zeros((H, W), np.int64)
    labels[:, 20:] = 1
    assert (smoothed(labels, 2) == labels).all()
    speck = labels.copy()
    speck[30, 10] = 1
    assert (smoothed(speck, 2) == labels).all()


def test_a_change_that_hangs_on_its_old_part_is_taken_back() -> None:
    before = np.zeros((H, W), np.int64)
    before[:, 20:] = 1
    after = before.copy()
    after[10:20, 17:20] = 1  # beside label 1
    after[40:50, 5:8] = 1  # inside of label 0
    result = touching_changes(before, after, _solid())
    assert (result[10:20, 17:20] == 1).all()
    assert (result[40:50, 5:8] == 0).all()


def test_a_piece_that_hangs_on_another_limb_belongs_to_it() -> None:
    arm, shin = PART_INDEX["left_forearm"], PART_INDEX["left_shin"]
    solid = np.zeros((H, W), np.bool_)
    labels = np.full((H, W), PART_INDEX["torso"])
    solid[5:25, 10:20] = solid[35:55, 10:20] = True
    labels[5:25, 10:20] = arm
    labels[35:55, 10:20] = shin
    labels[50:55, 10:20] = arm
    assert (in_one_piece(labels, solid)[35:55, 10:20] == shin).all()


def test_pieces_without_bones_are_the_trunks_unless_they_are_hands() -> None:
    joints = np.full((len(JOINTS), 2), np.nan, np.float32)
    for name, place in (("shoulder", (20, 10)), ("elbow", (25, 20)), ("wrist", (25, 30))):
        joints[INDEX[f"left_{name}"]] = place
    solid = np.zeros((H, W), np.bool_)
    solid[8:32, 15:30] = solid[34:38, 22:29] = solid[50:54, 10:30] = True
    labels = np.where(np.arange(H)[:, None] < 45, ARM, LEG) * np.ones((1, W), np.int64)
    end = np.zeros((H, W), np.bool_)
    end[30:40, 20:30] = True
    ends = [end if number == ARM else np.zeros_like(end) for number in range(len(GROUPS))]
    result = without_detached(labels, solid, joints, ends)
    assert (result[34:38, 22:29] == ARM).all()
    assert (result[50:54, 10:30] == 0).all()
    assert (result[8:32, 15:30] == ARM).all()
