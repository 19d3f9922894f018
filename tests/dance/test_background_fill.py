"""The background behind a figure: its colours and its pattern go on."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from musedance_core.dance.background_fill import fill_background

H, W = 144, 192


def figure() -> Tensor:
    """A standing ellipse."""
    y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    away = (((x - 90) / 26) ** 2 + ((y - 80) / 50) ** 2).sqrt()
    return ((1 - away) * 26 + 0.5).clamp(0, 1)


def scene(name: str) -> Tensor:
    y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
    inside = {
        "stripes": ((x / 8) % 2 < 1),
        "slanting stripes": (((x + 2 * y) / 12) % 2 < 1),
        "tiles": ((x / 12) % 2 < 1) ^ ((y / 12) % 2 < 1),
        "floor": y > 100,
    }[name]
    light, dark = torch.tensor([0.9, 0.85, 0.7]), torch.tensor([0.3, 0.35, 0.6])
    return torch.where(inside, light[:, None, None], dark[:, None, None])


@pytest.mark.parametrize("name", ["stripes", "slanting stripes", "tiles", "floor"])
@pytest.mark.parametrize("lighter", [0.0, 0.15])
def test_patterns_go_on_behind_the_figure(name: str, lighter: float) -> None:
    """Also where the light changes from side to side."""
    background = scene(name) + torch.linspace(-lighter, lighter, W) / 2
    alpha = figure()
    filled = fill_background(background * (1 - alpha), alpha)
    off = (filled - background).abs().amax(dim=0)
    assert (off > 0.15).float().sum() < 0.03 * (alpha > 0).sum()


def test_nothing_is_copied_into_colours_without_a_pattern() -> None:
    """Grain that agrees with no shift of itself is continued smoothly, as it always was."""
    grain = 0.5 + 0.1 * torch.randn(3, H, W, generator=torch.Generator().manual_seed(0))
    alpha = figure()
    filled = fill_background((grain * (1 - alpha)).clamp(0, 1), alpha)
    assert (filled - 0.5)[:, alpha > 0.99].abs().max() < 0.1


def test_pixels_around_the_figure_stay() -> None:
    background, alpha = scene("tiles"), figure()
    filled = fill_background(background * (1 - alpha), alpha)
    far = torch.nn.functional.max_pool2d(alpha[None], 15, 1, 7)[0] == 0
    assert torch.equal(filled[:, far], background[:, far])
    assert filled.min() >= 0 and filled.max() <= 1
