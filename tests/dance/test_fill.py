"""Smooth fill behind a figure."""

from __future__ import annotations

import torch

from musedance_core.dance.background_fill import fill_background
from musedance_core.dance.fill import continued, fill_holes


def disc(side: int, radius: float) -> torch.Tensor:
    steps = torch.arange(side) + 0.5 - side / 2
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    return (radius - (x**2 + y**2).sqrt() + 0.5).clamp(0, 1)


def test_a_plain_background_stays_plain() -> None:
    alpha = disc(64, 20)
    plain = torch.tensor([0.2, 0.6, 0.9])[:, None, None].expand(3, 64, 64)
    picture = alpha * torch.tensor([0.9, 0.1, 0.1])[:, None, None] + (1 - alpha) * plain
    torch.testing.assert_close(fill_background(picture, alpha), plain, atol=1e-5, rtol=0)


def test_a_gradient_goes_on_behind_the_figure() -> None:
    alpha = disc(64, 14)
    slope = torch.linspace(0, 1, 64).expand(3, 64, 64)
    filled = fill_background(slope * (1 - alpha), alpha)
    assert (filled - slope).abs().max() < 0.2
    assert filled.diff(dim=-1).abs().max() < 0.1
    outside = alpha == 0
    far = torch.nn.functional.max_pool2d((~outside).float()[None], 9, 1, 4)[0] == 0
    torch.testing.assert_close(filled[:, far], slope[:, far])


def test_known_pixels_stay_and_all_others_are_within_their_range() -> None:
    values = torch.rand(3, 37, 23, generator=torch.Generator().manual_seed(0))
    known = torch.zeros(37, 23)
    known[:9, 5:12] = 1
    filled = fill_holes(values, known)
    torch.testing.assert_close(filled[:, known > 0], values[:, known > 0])
    seen = values[:, known > 0]
    assert (filled.amin(dim=(1, 2)) >= seen.amin(dim=1) - 1e-5).all()
    assert (filled.amax(dim=(1, 2)) <= seen.amax(dim=1) + 1e-5).all()


def test_behind_a_figure_that_fills_the_picture_its_border_goes_on() -> None:
    picture = torch.zeros(3, 40, 30)
    picture[:, :4] = picture[:, -4:] = picture[..., :4] = picture[..., -4:] = 0.7
    filled = fill_background(picture, torch.ones(40, 30))
    torch.testing.assert_close(filled, torch.full_like(filled, 0.7))


def test_colours_are_continued_from_the_nearest_pixels() -> None:
    values = torch.zeros(3, 20, 40)
    values[0, :, :20], values[2, :, 20:] = 1.0, 1.0
    known = torch.zeros(20, 40, dtype=torch.bool)
    known[:, 2:5] = known[:, 35:38] = True
    result = continued(values, known.numpy())
    assert result[0, :, 5:12].min() > 0.9
    assert result[2, :, 28:35].min() > 0.9
