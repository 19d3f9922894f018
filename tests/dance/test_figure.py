"""Pictures cut into layers."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.dance.dancer import unpremultiply
from musedance_core.dance.figure import LayeredFigure, split_figure
from musedance_core.dance.limb_checks import unseen_limbs
from musedance_core.dance.motion import BONE_INDEX, DanceMotion, standing
from musedance_core.dance.part_distances import GROUPS
from musedance_core.dance.posing import Body, pose_body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import BONES, INDEX, JOINTS, PART_INDEX, PARTS
from musedance_core.dance.skinning import Canvas, render

from .test_skinning import SIZE, at_rest, capsule, flattened, puppet


def rig_of(joints: Tensor, parts: Tensor | None = None) -> Rig:
    return Rig((SIZE, SIZE), joints, torch.ones(len(JOINTS)), parts)


def psnr(a: Tensor, b: Tensor) -> float:
    return 10 * math.log10(1 / max(1e-12, float(((a - b) ** 2).mean())))


def boxy_robot() -> tuple[Tensor, Body]:
    """A red box with thin dark arms at its sides, and legs; shoulders are inside the box."""
    body = Body.standing(0.8 * SIZE, SIZE / 2, 0.9 * SIZE)
    joints = body.joints.clone()
    for side, sign in (("right", -1.0), ("left", 1.0)):
        for joint, x, y in (("shoulder", 14, 36), ("elbow", 29, 44), ("wrist", 38, 54)):
            joints[INDEX[f"{side}_{joint}"]] = torch.tensor([SIZE / 2 + sign * x, float(y)])
    picture = torch.zeros(4, SIZE, SIZE)

    def paint(alpha: Tensor, colour: tuple[float, float, float]) -> None:
        layer = torch.cat([alpha * torch.tensor(colour)[:, None, None], alpha[None]])
        picture.copy_(layer + (1 - alpha) * picture)

    for name, (start, end) in BONES.items():
        radius = 5.0 if "arm" not in name else 3.0
        paint(capsule(joints[start], joints[end], radius), (0.1, 0.1, 0.15))
    paint(capsule(joints[INDEX["neck"]], joints[INDEX["head_top"]], 8.0), (0.9, 0.8, 0.2))
    box = torch.zeros(SIZE, SIZE)
    box[28:60, SIZE // 2 - 22 : SIZE // 2 + 22] = 1.0
    paint(box, (0.9, 0.2, 0.1))
    return picture, Body(joints, body.present, body.ground, body.height)


def turned(body: Body, name: str, degrees: float) -> DanceMotion:
    """The pose at rest with one segment, and what hangs on it, turned."""
    motion = at_rest(body)
    angle = torch.tensor(math.radians(degrees))
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()]).view(2, 2)
    outer = name.replace("upper_arm", "forearm").replace("thigh", "shin")
    for segment in {name, outer}:
        limb = motion.limbs[:, BONE_INDEX[segment]]
        motion.limbs[:, BONE_INDEX[segment]] = limb @ turn.T
    return motion


@pytest.mark.parametrize("given", [False, True])
def test_a_figure_at_rest_is_the_picture(given: bool) -> None:
    figure = puppet()
    picture = flattened(figure)
    parts = figure.layers[:, 3] if given else None
    split = split_figure(unpremultiply(picture), rig_of(figure.body.joints, parts))
    frame = render(split, pose_body(split.body, at_rest(split.body)), Canvas(SIZE, SIZE)).rgba[0]
    assert psnr(frame, picture) > 38


@pytest.mark.parametrize("opacity", [0.2, 0.498, 0.7])
def test_a_translucent_figure_is_cut_and_moves_as_a_solid_one(opacity: float) -> None:
    figure = puppet()
    picture = unpremultiply(flattened(figure))
    solid = split_figure(picture, rig_of(figure.body.joints))
    picture[3] *= opacity
    split = split_figure(picture, rig_of(figure.body.joints))
    assert torch.allclose(split.layers, solid.layers, atol=1e-4)
    posed = pose_body(split.body, turned(split.body, "left_forearm", 100))
    frames = [render(f, posed, Canvas(SIZE, SIZE), parts=True) for f in (solid, split)]
    # Layers over one another are no more opaque than each of them.
    assert torch.allclose(frames[1].rgba, frames[0].rgba * opacity, atol=1e-4)
    assert frames[0].part_ids is not None and frames[1].part_ids is not None
    assert torch.equal(frames[1].part_ids, frames[0].part_ids)


def test_details_of_a_translucent_figure_keep_their_own_opacity() -> None:
    figure = puppet()
    picture = unpremultiply(flattened(figure))
    picture[3] *= 0.4
    eye = (slice(None), slice(14, 18), slice(44, 48))
    picture[eye] = 1.0
    split = split_figure(picture, rig_of(figure.body.joints))
    frame = render(split, pose_body(split.body, at_rest(split.body)), Canvas(SIZE, SIZE)).rgba[0]
    assert (frame[3][eye[1:]] > 0.99).all()
    assert psnr(frame, torch.cat([picture[:3] * picture[3:], picture[3:]])) > 38


def test_layers_are_premultiplied() -> None:
    figure = puppet()
    layers = split_figure(unpremultiply(flattened(figure)), rig_of(figure.body.joints)).layers
    assert layers.min() >= 0
    assert layers.max() <= 1 + 1e-5
    assert (layers[:, :3] <= layers[:, 3:] + 1e-5).all()


@pytest.mark.parametrize("name", ["right_upper_arm", "left_forearm", "right_thigh", "left_shin"])
@pytest.mark.parametrize("degrees", [-80.0, 45.0, 110.0])
def test_a_turned_limb_leaves_no_hole_at_its_joint(name: str, degrees: float) -> None:
    figure = puppet()
    split = split_figure(unpremultiply(flattened(figure)), rig_of(figure.body.joints))
    posed = pose_body(split.body, turned(split.body, name, degrees))
    alpha = render(split, posed, Canvas(SIZE, SIZE)).rgba[0, 3]
    joint = posed.warped_joints[0, BONES[name][0]]
    steps = torch.arange(SIZE) + 0.5
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    near = (torch.stack([x, y], dim=-1) - joint).norm(dim=-1) < 2.5
    assert alpha[near].min() > 0.9
    # Nothing floats: from the joint, the limb is filled to its end.
    end = posed.warped_joints[0, BONES[name][1]]
    along = joint + torch.linspace(0, 1, 20)[:, None] * (end - joint)
    column, row = along.long().clamp(0, SIZE - 1).unbind(-1)
    assert alpha[row, column].min() > 0.9


def test_a_boxy_trunk_is_not_torn_by_arms() -> None:
    picture, body = boxy_robot()
    split = split_figure(unpremultiply(picture), rig_of(body.joints))
    box = (slice(29, 59), slice(SIZE // 2 - 21, SIZE // 2 + 21))
    arms = [i for i, name in enumerate(PARTS) if "arm" in name]
    order = split.order
    above = [i for i in arms if order.index(i) > order.index(PART_INDEX["torso"])]
    assert split.layers[PART_INDEX["torso"], 3][box].mean() > 0.97
    assert split.layers[above, 3][(slice(None), *box)].sum(dim=0).clamp(0, 1).mean() < 0.03
    # Arms beside the trunk move, and lie below it.
    assert split.body.has("right_forearm")
    assert split.body.has("left_forearm")
    assert PART_INDEX["right_upper_arm"] not in above


def test_part_weights_decide_where_colours_do_not() -> None:
    """A plain square: only the weights know its arm."""
    picture = torch.zeros(4, SIZE, SIZE)
    picture[:, 10:86, 24:72] = 0.6
    picture[3, 10:86, 24:72] = 1.0
    joints = torch.full((len(JOINTS), 2), math.nan)
    for name, place in (
        *(("pelvis", (46, 70)), ("chest", (46, 45)), ("neck", (46, 30)), ("head_top", (46, 12))),
        *(("left_shoulder", (62, 34)), ("left_elbow", (64, 54)), ("left_wrist", (64, 72))),
    ):
        joints[INDEX[name]] = torch.tensor(place, dtype=torch.float32)
    arm = slice(58, 72)
    parts = torch.zeros(len(PARTS), SIZE, SIZE)
    parts[PART_INDEX["torso"], 30:86, 24:58] = 1
    parts[PART_INDEX["head"], 10:30, 24:72] = 1
    parts[PART_INDEX["left_upper_arm"], 30:54, arm] = 1
    parts[PART_INDEX["left_forearm"], 54:80, arm] = 1
    split = split_figure(picture, rig_of(joints, parts))
    forearm = split.layers[PART_INDEX["left_forearm"], 3]
    assert forearm[58:76, 61:72].mean() > 0.9
    assert forearm[58:76, 24:54].mean() < 0.05


def test_a_figure_without_limbs_is_one_layer() -> None:
    picture = torch.zeros(4, 40, 60)
    picture[:, 5:35, 10:50] = 0.7
    picture[3, 5:35, 10:50] = 1.0
    absent = Rig((60, 40), torch.full((len(JOINTS), 2), math.nan), torch.zeros(len(JOINTS)))
    split = split_figure(picture, absent)
    torch.testing.assert_close(split.layers[PART_INDEX["torso"]], picture)
    assert not split.layers[1:].any()
    assert not split.body.present.any()


def test_limbs_that_cannot_be_told_apart_stay_with_the_trunk() -> None:
    """Arms that lie all over the chest would tear it."""
    picture, body = boxy_robot()
    joints = body.joints.clone()
    middle = SIZE / 2
    for joint, y in (("shoulder", 34.0), ("elbow", 44.0), ("wrist", 54.0)):
        joints[INDEX[f"right_{joint}"]] = torch.tensor([middle, y])
    split = split_figure(unpremultiply(picture), rig_of(joints))
    assert not split.body.has("right_upper_arm")
    assert not split.layers[PART_INDEX["right_upper_arm"]].any()
    frame = render(split, pose_body(split.body, at_rest(split.body)), Canvas(SIZE, SIZE)).rgba[0]
    assert psnr(frame, picture) > 36


def test_an_arm_whose_forearm_is_not_seen_stays_with_the_trunk() -> None:
    """Only its upper half was found: the other lies on pixels of the trunk."""
    joints = np.full((len(JOINTS), 2), np.nan, np.float32)
    for name, place in (("shoulder", (62, 30)), ("elbow", (64, 58)), ("wrist", (50, 80))):
        joints[INDEX[f"left_{name}"]] = place
    labels = np.zeros((SIZE, SIZE), np.int64)
    labels[26:60, 58:72] = GROUPS.index("left_arm")
    solid = np.ones((SIZE, SIZE), np.bool_)
    assert unseen_limbs(labels, solid, joints) == ["left_arm"]
    labels[56:84, 46:72] = GROUPS.index("left_arm")
    assert unseen_limbs(labels, solid, joints) == []


@pytest.mark.parametrize("seed", range(12))
def test_any_rig_and_picture_give_finite_layers(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    w, h = (int(n) for n in torch.randint(1, 48, (2,), generator=generator))
    picture = torch.rand(4, h, w, generator=generator)
    if seed % 3 == 0:
        picture[3] = (picture[3] > 0.5).float()
    joints = torch.rand(len(JOINTS), 2, generator=generator) * torch.tensor([w, h])
    if seed % 4 == 1:
        joints = joints * 4 - w
    if seed % 4 == 2:
        joints[torch.rand(len(JOINTS), generator=generator) < 0.4] = math.nan
    if seed % 4 == 3:
        joints[:] = joints[:1].clone()
    parts = torch.rand(len(PARTS), 9, 7, generator=generator) if seed % 2 else None
    figure = split_figure(picture, Rig((w, h), joints, torch.ones(len(JOINTS)), parts))
    assert torch.isfinite(figure.layers).all()
    assert torch.isfinite(figure.body.joints).all()
    motion = standing(3, 24)
    motion.limbs[:] = torch.nn.functional.normalize(
        torch.randn(motion.limbs.shape, generator=generator), dim=-1
    )
    rgba = render(figure, pose_body(figure.body, motion), Canvas(32, 24, 0.7)).rgba
    assert torch.isfinite(rgba).all()
    assert (rgba[:, :3] <= rgba[:, 3:] + 1e-4).all()


def test_larger_pictures_are_cut_alike() -> None:
    figure = puppet()
    picture = flattened(figure)
    small = split_figure(unpremultiply(picture), rig_of(figure.body.joints))
    twice = torch.nn.functional.interpolate(picture[None], scale_factor=2.0, mode="bilinear")[0]
    rig = rig_of(figure.body.joints).scaled((2 * SIZE, 2 * SIZE))
    large = split_figure(unpremultiply(twice), rig)
    reduced = torch.nn.functional.avg_pool2d(large.layers, 2)
    assert (reduced[:, 3] - small.layers[:, 3]).abs().mean() < 0.01


def test_a_split_figure_is_a_layered_figure_of_the_picture_size() -> None:
    picture, body = boxy_robot()
    split = split_figure(unpremultiply(picture), rig_of(body.joints))
    assert isinstance(split, LayeredFigure)
    assert split.layers.shape == (len(PARTS), 4, SIZE, SIZE)
    assert sorted(split.order) == list(range(len(PARTS)))


def test_a_spine_outside_of_the_picture_is_no_error(person: tuple[Image.Image, Rig]) -> None:
    picture, rig = person
    joints = rig.joints.clone()
    for name in ("pelvis", "chest", "neck"):
        joints[INDEX[name], 0] = -4.0
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = split_figure(pixels, Rig(rig.size, joints, rig.confidence))
    assert torch.isfinite(figure.layers).all()
