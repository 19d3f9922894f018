"""Pictures cut into layers."""

from __future__ import annotations

import math

import torch

from musedance_core.dance.figure import split_figure
from musedance_core.dance.posing import pose_body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import JOINTS, PART_INDEX
from musedance_core.dance.skinning import Canvas, render

from .test_skinning import SIZE, at_rest, flattened, puppet


def test_a_figure_at_rest_is_the_picture() -> None:
    figure = puppet()
    picture = flattened(figure)
    straight = torch.cat([picture[:3] / picture[3:].clamp_min(1e-6), picture[3:]])
    split = split_figure(straight, Rig((SIZE, SIZE), figure.body.joints, torch.ones(len(JOINTS))))
    frame = render(split, pose_body(split.body, at_rest(split.body)), Canvas(SIZE, SIZE)).rgba[0]
    assert 10 * math.log10(1 / float(((frame - picture) ** 2).mean())) > 36


def test_a_figure_without_limbs_is_one_layer() -> None:
    picture = torch.zeros(4, 40, 60)
    picture[:, 5:35, 10:50] = 0.7
    picture[3, 5:35, 10:50] = 1.0
    absent = Rig((60, 40), torch.full((len(JOINTS), 2), math.nan), torch.zeros(len(JOINTS)))
    layers = split_figure(picture, absent).layers
    torch.testing.assert_close(layers[PART_INDEX["torso"]], picture)
    assert not layers[1:].any()
