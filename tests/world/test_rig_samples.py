"""Puppets and rig samples: purity, splits, joints inside their parts, absent parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from musedance_core.dance.skeleton import BONES, INDEX, JOINTS, PART_INDEX, PARTS
from musedance_core.world.puppets import random_puppet
from musedance_core.world.rig_samples import RigSample, RigSamples

SIZE = 96


@pytest.fixture(scope="module")
def samples() -> list[RigSample]:
    source = RigSamples("train", SIZE, seed=5)
    return [source[i] for i in range(40)]


def test_a_sample_depends_on_split_seed_and_index_alone(samples: list[RigSample]) -> None:
    again = RigSamples("train", SIZE, seed=5)[3]
    for name in ("picture", "part_map", "subject"):
        assert torch.equal(getattr(again, name), getattr(samples[3], name))
    assert torch.equal(again.joints.nan_to_num(-1), samples[3].joints.nan_to_num(-1))
    for other in (RigSamples("test", SIZE, 5)[3], RigSamples("train", SIZE, 6)[3], samples[4]):
        assert not torch.equal(other.picture, samples[3].picture)


def test_shapes_and_ranges(samples: list[RigSample]) -> None:
    for sample in samples:
        assert sample.picture.shape == (4, SIZE, SIZE) and sample.joints.shape == (len(JOINTS), 2)
        assert sample.picture.min() >= 0 and sample.picture.max() <= 1
        assert sample.part_map.min() >= 0 and sample.part_map.max() <= len(PARTS)
        inside = sample.joints[torch.isfinite(sample.joints)]
        assert (inside >= 0).all() and (inside <= SIZE).all()
        assert torch.equal(sample.part_map > 0, sample.part_map.bool() & (sample.subject >= 0.5))


def test_some_samples_are_opaque_and_some_have_no_limbs(samples: list[RigSample]) -> None:
    opaque = [bool((s.picture[3] == 1).all()) for s in samples]
    limbless = [bool(torch.isnan(s.joints[INDEX["right_shoulder"] :]).all()) for s in samples]
    assert 10 < sum(opaque) < 30 and 3 < sum(limbless) < 20


def test_joints_lie_in_their_parts() -> None:
    for seed in range(25):
        figure = random_puppet(np.random.default_rng(seed), 160)
        alpha, body = figure.layers[:, 3], figure.body
        for name, (start, end) in BONES.items():
            if body.present[start] and body.present[end]:
                middle = (body.joints[start] + body.joints[end]) / 2
                x, y = (int(v) for v in middle)
                assert alpha[PART_INDEX[name], y - 1 : y + 2, x - 1 : x + 2].max() > 0.2, (
                    seed,
                    name,
                )
            else:
                assert alpha[PART_INDEX[name]].max() == 0


def test_layers_are_premultiplied_and_every_part_is_in_the_order() -> None:
    for seed in range(10):
        figure = random_puppet(np.random.default_rng(seed), 64)
        assert sorted(figure.order) == list(range(len(PARTS)))
        assert (figure.layers[:, :3] <= figure.layers[:, 3:] + 1e-4).all()
        assert figure.layers[PART_INDEX["torso"], 3].max() == 1


def test_pixels_of_a_limb_segment_need_its_joints(samples: list[RigSample]) -> None:
    hidden = 0
    for sample in samples:
        there = torch.isfinite(sample.joints).all(-1)
        for name, ends in BONES.items():
            if not there[list(ends)].all():
                assert not (sample.part_map == 1 + PART_INDEX[name]).any()
            else:
                hidden += bool((sample.part_map == 1 + PART_INDEX[name]).sum() == 0)
    assert hidden < len(samples)  # thighs under skirts, upper arms behind trunks
