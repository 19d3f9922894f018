"""Scenes of the world and the dances sampled for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from musedance_core.evaluation.options import Sampling
from musedance_core.evaluation.samples import (
    Sample,
    covered,
    encode_scene,
    generate,
    uncovered,
)
from musedance_core.evaluation.scenes import WORLD_SIZE, Scene, world_scenes
from musedance_core.pipeline import MuseDancePipeline

FEW = Sampling(steps=1)


@pytest.fixture(scope="module")
def pipeline(written: Path) -> MuseDancePipeline:
    return MuseDancePipeline.from_pretrained(written, device="cpu")


@pytest.fixture(scope="module")
def scene(pipeline: MuseDancePipeline) -> Scene:
    return next(world_scenes(pipeline.config, "test", 1, 6))


def test_scenes_know_the_dancer_and_the_dance(scene: Scene) -> None:
    assert scene.truth.shape == (6, 3, WORLD_SIZE, WORLD_SIZE)
    assert scene.mask is not None and scene.part_map is not None
    inside = scene.mask > 0.99
    assert inside.any() and bool((scene.part_map[inside] > 0).all())
    assert scene.rig is not None and scene.rig.size == (WORLD_SIZE, WORLD_SIZE)
    assert scene.motion is not None and len(scene.motion) == 6
    assert scene.caption and scene.dance is not None
    assert scene.background is not None
    assert torch.equal(
        scene.reference[..., scene.mask == 0], scene.background[..., scene.mask == 0]
    )


def test_a_sample_has_the_size_of_the_picture_and_its_poses(
    pipeline: MuseDancePipeline, scene: Scene
) -> None:
    sample = generate(pipeline, scene, FEW)
    assert sample.frames.shape == scene.truth.shape
    assert sample.motion is not None and len(sample.motion) == 12
    hidden = covered(sample, scene)
    assert hidden is not None and scene.mask is not None
    assert bool(hidden[scene.mask > 0].all()) and not bool(hidden.all())
    # Outside of the dancer the picture stays as it is.
    still = (sample.frames - scene.reference)[..., ~hidden]
    assert still.abs().max() < 1.5 / 255


def test_places_that_the_dancer_leaves_are_measured(scene: Scene) -> None:
    assert scene.mask is not None
    alpha = scene.mask.expand(6, 1, -1, -1).clone()
    alpha[3:] = 0
    gone = uncovered(Sample(scene.truth, alpha=alpha), scene)
    assert gone is not None and not gone[:3].any()
    assert torch.equal(gone[3:], (scene.mask > 0).expand(3, -1, -1))
    assert uncovered(Sample(scene.truth), scene) is None


def test_a_given_dance_is_followed_instead_of_a_planned_one(
    pipeline: MuseDancePipeline, scene: Scene
) -> None:
    assert scene.motion is not None
    reference = encode_scene(pipeline, scene)
    sample = generate(pipeline, scene, FEW, reference=reference, motion=scene.motion, draft=True)
    assert sample.motion is not None and reference.dancer is not None
    followed = sample.motion.at(np.arange(6) / 12).features()
    torch.testing.assert_close(followed, scene.motion.features(), atol=1e-4, rtol=0)
    expected = reference.dancer.frames(scene.motion)[0][:, :3]
    torch.testing.assert_close(sample.frames, expected, atol=0.02, rtol=0)
