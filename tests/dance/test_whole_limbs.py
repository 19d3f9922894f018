"""Limbs of drawn figures move as a whole, or not at all."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import ndimage

from musedance_core.dance.figure import LayeredFigure, split_figure
from musedance_core.dance.motion import DanceMotion
from musedance_core.dance.part_distances import LIMBS
from musedance_core.dance.posing import pose_body
from musedance_core.dance.rig import Rig
from musedance_core.dance.segmentation import segment as segment_parts
from musedance_core.dance.skeleton import BONES, INDEX, PART_INDEX, PARTS
from musedance_core.dance.skinning import Canvas, render

from .drawn_figures import (
    RED,
    SHIRT,
    SKIN,
    TROUSERS,
    DrawnFigure,
    H,
    W,
    person,
    polygon,
    thick_line,
)
from .test_figure import psnr, turned
from .test_skinning import at_rest

TORSO = PART_INDEX["torso"]


def owners(figure: LayeredFigure) -> np.ndarray:
    """The part `[H W]` whose layer is on top, -1 where there is none."""
    result = np.full((H, W), -1)
    for part in figure.order:
        result[figure.layers[part, 3].numpy() > 0.6] = part
    return result


def share_of(figure: LayeredFigure, parts: list[int], pixels: np.ndarray) -> float:
    assert pixels.sum() > 20
    return float(np.isin(owners(figure)[pixels], parts).mean())


def limb(name: str) -> list[int]:
    return [PART_INDEX[segment] for segment in LIMBS[name]]


def split(drawn: DrawnFigure) -> LayeredFigure:
    return split_figure(drawn.picture, drawn.rig())


@cache
def split_named(name: str) -> LayeredFigure:
    return split(FIGURES[name]())


def with_cape() -> DrawnFigure:
    drawn = person()
    cape = polygon((62, 56), (98, 56), (126, 168), (34, 168))
    drawn.shapes.insert(0, ("cape", cape, RED))
    return drawn


def with_skirt() -> DrawnFigure:
    return person().add("skirt", polygon((60, 104), (100, 104), (124, 150), (36, 150)), RED)


def with_shadow() -> DrawnFigure:
    return person().add("shadow", thick_line((52, 196), (108, 196), radius=3), (0.1, 0.1, 0.1))


def with_sleeve() -> DrawnFigure:
    """Wide sleeves, which end before the hands, in another colour than the trunk."""
    drawn = person()
    for side, sign in (("right", -1), ("left", 1)):
        x, y = drawn.joints[f"{side}_elbow"]
        shoulder = drawn.joints[f"{side}_shoulder"]
        sleeve = thick_line(shoulder, (x + 6 * sign, y + 2), radius=7)
        at = next(i for i, shape in enumerate(drawn.shapes) if shape[0] == "trunk")
        drawn.shapes.insert(at, (f"{side}_sleeve", sleeve, RED))
    return drawn


def with_fingers() -> DrawnFigure:
    drawn = person()
    for side, sign in (("right", -1), ("left", 1)):
        x, y = drawn.joints[f"{side}_wrist"]
        for turn in (-0.5, 0.1, 0.7):
            end = (x + sign * 15 * math.cos(turn), y + 15 * math.sin(turn))
            drawn.add(f"{side}_finger", thick_line((x, y), end, radius=2), SKIN)
    return drawn


def with_arm_on_trunk(colour: tuple[float, float, float]) -> DrawnFigure:
    """The right arm hangs down in front of a wide trunk."""
    drawn = person(arms=False)
    drawn.shapes = [shape for shape in drawn.shapes if shape[0] != "trunk"]
    drawn.add("trunk", polygon((46, 54), (114, 54), (114, 118), (46, 118)), SHIRT)
    down = {"shoulder": (58, 62), "elbow": (57, 82), "wrist": (60, 102)}
    for joint, place in down.items():
        drawn.joints[f"right_{joint}"] = place
        del drawn.joints[f"left_{joint}"]
    return drawn.add("right_arm", thick_line(*down.values(), radius=5), colour)


def with_arm_beside_trunk() -> DrawnFigure:
    """The right arm hangs down along the trunk."""
    drawn = person(arms=False)
    down = {"shoulder": (63, 62), "elbow": (55, 88), "wrist": (53, 116)}
    for joint, place in down.items():
        drawn.joints[f"right_{joint}"] = place
        del drawn.joints[f"left_{joint}"]
    return drawn.add("right_arm", thick_line(*down.values(), radius=5), SKIN)


def with_spear() -> DrawnFigure:
    return person().add("spear", thick_line((18, 10), (18, 190), radius=2), (0.3, 0.2, 0.1))


def robot() -> DrawnFigure:
    """A robot whose segments do not touch."""
    drawn = DrawnFigure()
    j = drawn.joints
    for side in ("right", "left"):
        for names, radius in (
            (("shoulder", "elbow", "wrist"), 4.0),
            (("hip", "knee", "ankle"), 5.0),
        ):
            for a, b in pairwise(names):
                start, end = (np.array(j[f"{side}_{n}"], np.float32) for n in (a, b))
                gap = (radius + 1.5) * (end - start) / np.linalg.norm(end - start)
                cover = thick_line(tuple(start + gap), tuple(end - gap), radius=radius)
                drawn.add(f"{side}_{b}", cover, TROUSERS)
    drawn.add("trunk", polygon((68, 58), (92, 58), (92, 110), (68, 110)), RED)
    return drawn.add("head", polygon((66, 16), (94, 16), (94, 50), (66, 50)), SKIN)


FIGURES = {
    "person": person,
    "cape": with_cape,
    "skirt": with_skirt,
    "shadow": with_shadow,
    "sleeve": with_sleeve,
    "fingers": with_fingers,
    "arm on the trunk": lambda: with_arm_on_trunk(SKIN),
    "arm beside": with_arm_beside_trunk,
    "hidden arm": lambda: with_arm_on_trunk(SHIRT),
    "spear": with_spear,
    "robot": robot,
}


@pytest.mark.parametrize("name", FIGURES)
def test_layers_at_rest_are_the_picture(name: str) -> None:
    drawn, figure = FIGURES[name](), split_named(name)
    frame = render(figure, pose_body(figure.body, at_rest(figure.body)), Canvas(W, H)).rgba[0]
    picture = drawn.picture
    assert psnr(frame, torch.cat([picture[:3] * picture[3:], picture[3:]])) > 32


@pytest.mark.parametrize("name", ["person", "sleeve", "fingers", "skirt", "arm beside"])
@pytest.mark.parametrize("degrees", [-120, -60, -30, 30, 60, 120])
def test_no_pose_opens_a_gap(name: str, degrees: int) -> None:
    figure = split_named(name)
    segments = [s for group in LIMBS.values() for s in group if figure.body.has(s)]
    poses = [turned(figure.body, segment, degrees) for segment in segments]
    root, limbs = (torch.cat([getattr(pose, n) for pose in poses]) for n in ("root", "limbs"))
    posed = pose_body(figure.body, DanceMotion(root, limbs, poses[0].fps))
    for segment, alpha in zip(
        segments, render(figure, posed, Canvas(W, H)).rgba[:, 3], strict=True
    ):
        pieces, _ = ndimage.label(alpha.numpy() > 0.4, np.ones((3, 3)))
        sizes = np.bincount(pieces.ravel())[1:]
        assert (sizes > 0.001 * sizes.sum()).sum() == 1, segment


def test_a_person_dances_with_all_limbs() -> None:
    figure = split(person())
    assert all(figure.body.has(segment) for segments in LIMBS.values() for segment in segments)


@pytest.mark.parametrize("name", ["cape", "skirt", "shadow"])
def test_what_hangs_beside_legs_stays_with_the_trunk(name: str) -> None:
    drawn, figure = FIGURES[name](), split_named(name)
    assert share_of(figure, [TORSO], drawn.seen(name)) > 0.95


def test_shadows_do_not_keep_legs_from_dancing() -> None:
    assert split(with_shadow()).body.has("left_shin")


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_sleeve_goes_with_its_arm(side: str) -> None:
    drawn = with_sleeve()
    figure = split(drawn)
    assert figure.body.has(f"{side}_forearm")
    assert share_of(figure, limb(f"{side}_arm"), drawn.seen(f"{side}_sleeve")) > 0.95


@pytest.mark.parametrize("side", ["right", "left"])
def test_fingertips_go_with_the_arm(side: str) -> None:
    drawn = with_fingers()
    figure = split(drawn)
    assert figure.body.has(f"{side}_forearm")
    x, _ = drawn.joints[f"{side}_wrist"]
    fingers = drawn.picture[3].numpy() > 0.9
    columns = np.arange(W) + 0.5
    fingers &= (columns < x - 7) if side == "right" else (columns > x + 7)
    assert share_of(figure, limb(f"{side}_arm"), fingers) == 1


def test_an_arm_on_the_trunk_moves_only_if_its_border_is_seen() -> None:
    assert split(with_arm_beside_trunk()).body.has("right_forearm")
    hidden = split(with_arm_on_trunk(SHIRT))
    assert not hidden.body.has("right_upper_arm")
    assert not hidden.layers[limb("right_arm")].any()


def test_an_arm_that_holds_a_long_thing_stays_with_the_trunk() -> None:
    figure = split(with_spear())
    assert not figure.body.has("right_forearm")
    assert figure.body.has("left_shin")


def test_a_robot_with_gaps_dances() -> None:
    figure = split(robot())
    assert all(figure.body.has(segment) for segments in LIMBS.values() for segment in segments)


@pytest.mark.parametrize("least", [0.2, 0.9])
def test_limbs_whose_joints_are_doubtful_stay_with_the_trunk(least: float) -> None:
    figure = split_figure(person().picture, person().rig(least))
    assert all(figure.body.has(s) == (least > 0.5) for s in PARTS if s not in ("torso", "head"))


def test_joints_made_by_hand_are_never_doubtful() -> None:
    drawn = with_spear()
    assert split_figure(drawn.picture, drawn.rig(None)).body.has("right_forearm")


def test_limbs_whose_joints_a_person_moved_are_not_doubted() -> None:
    drawn = with_spear()
    found = drawn.rig()
    joints = found.joints.clone()
    joints[BONES["right_forearm"][1]] += 3.0
    edited = Rig((W, H), joints, found.confidence).with_certainty_of(found, 1.5)
    assert split_figure(drawn.picture, edited).body.has("right_forearm")
    left = Rig((W, H), found.joints + 1.0, found.confidence).with_certainty_of(found, 1.5)
    assert not split_figure(drawn.picture, left).body.has("right_forearm")


def test_a_joint_that_a_person_moves_changes_no_other_limb() -> None:
    drawn = person()
    # The network takes the inner half of the left arm for the trunk.
    parts = torch.full((len(PARTS), H, W), 0.01)
    for name, cover, _ in drawn.shapes:
        group = {"trunk": [TORSO], "head": [PART_INDEX["head"]]}.get(name) or limb(name)
        parts[group] = torch.maximum(parts[group], torch.from_numpy(cover).float())
    inner = slice(0, 120)
    parts[TORSO, :, inner] += 3 * parts[limb("left_arm")][:, :, inner].amax(dim=0)
    found = replace(drawn.rig(), parts=parts)
    joints = found.joints.clone()
    joints[INDEX["right_ankle"]] += torch.tensor([4.0, 0.0])
    edited = replace(found, joints=joints).with_certainty_of(found, 1.5)
    before, after = (
        segment_parts(drawn.picture, rig, (0, 0, W, H)).labels for rig in (found, edited)
    )
    left = [torch.isin(labels, torch.tensor(limb("left_arm"))) for labels in (before, after)]
    assert left[0].any() and torch.equal(*left)
