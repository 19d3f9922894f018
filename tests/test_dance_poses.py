"""A dance as poses is made by the choreographer alone, and its silhouettes fit its drawings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from musedance_core import MuseDancePipeline, Waveform


@pytest.fixture(scope="module")
def pipe(written: Path) -> MuseDancePipeline:
    return MuseDancePipeline.from_pretrained(written, device="cpu")


def test_no_denoiser_runs_for_poses(
    pipe: MuseDancePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("the denoiser ran")

    monkeypatch.setattr(pipe.model.unet, "forward", refuse)
    monkeypatch.setattr(pipe.model.reference, "forward", refuse)
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8000 * 3)).astype(np.float32)
    poses = pipe.pose(
        Waveform(noise, 8000), "it hops", beats=[0.0, 0.5, 1.0], seconds=1.0, size=(96, 128)
    )
    assert poses.frames.shape == (24, 3, 128, 96) and poses.masks.shape == (24, 128, 96)
    drawn = poses.frames.amax(dim=1) > 0.9
    assert float(poses.masks[drawn].mean()) > 0.95
    (frame, *rest) = poses.to_json()
    assert len(rest) == 23 and (frame["canvas_width"], frame["canvas_height"]) == (96, 128)
    assert len(frame["people"][0]["pose_keypoints_2d"]) == 54 and torch.isfinite(poses.masks).all()
