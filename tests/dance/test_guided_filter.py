"""Coarse weights that follow the edges of a picture."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from musedance_core.dance.guided_filter import apply_guide, guided_coefficients


def test_blurred_weights_get_the_edges_of_the_picture_back() -> None:
    """Each of several weights at once, from a quarter of the resolution."""
    y, x = torch.meshgrid(torch.arange(96), torch.arange(128), indexing="ij")
    left, low = (x < 50).float(), (y > 61).float()
    picture = torch.stack([0.8 * left + 0.1, 0.3 + 0.6 * low, torch.full_like(left, 0.5)])
    true = torch.stack([left, low])
    small = F.interpolate(picture[None], (24, 32), mode="area")[0]
    coarse = F.interpolate(true[None], (24, 32), mode="area")
    coarse = F.avg_pool2d(coarse, 5, 1, 2, count_include_pad=False)[0]
    coefficients = guided_coefficients(small, coarse, 3, 1e-3)
    assert coefficients.shape == (2, 4, 24, 32)
    for i, (weight, along) in enumerate(zip(true, (1, 0), strict=True)):
        found = apply_guide(coefficients[i], picture)
        plain = F.interpolate(coarse[i][None, None], (96, 128), mode="bilinear")[0, 0]
        assert torch.equal(found > 0.5, weight > 0.5)
        assert found.diff(dim=along).abs().max() > 0.6 > 0.1 > plain.diff(dim=along).abs().max()


def test_without_edges_weights_are_only_smoothed() -> None:
    grey, weight = torch.full((3, 20, 20), 0.5), torch.zeros(1, 20, 20)
    weight[0, :, 10:] = 1
    found = apply_guide(guided_coefficients(grey, weight, 2, 1e-3)[0], grey)
    assert torch.allclose(found, found[:1].expand_as(found), atol=1e-5)
    assert (found[0].diff() >= -1e-5).all() and found[0, 0] < 0.01 and found[0, -1] > 0.99
