"""Mattes: exact in front of plain backgrounds, refused elsewhere, soft where masks are coarse."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from musedance_core.media.matting import border_of, plain_matte, subject_alpha

SIZE = 64
COLOUR = torch.tensor([1.0, 0.7, 0.0])[:, None, None]


def disc(radius: float = 14.0) -> Tensor:
    """Coverage `[SIZE SIZE]` of a disc in the middle, with a soft edge of one pixel."""
    steps = torch.arange(SIZE) + 0.5 - SIZE / 2
    distance = (steps[:, None] ** 2 + steps**2).sqrt()
    return (radius - distance + 0.5).clamp(0, 1)


def gradient() -> Tensor:
    """A sky `[3 SIZE SIZE]` that is neither flat nor linear."""
    down = torch.linspace(0.2, 0.8, SIZE)[:, None].expand(SIZE, SIZE)
    return torch.stack([down, down**2, torch.full_like(down, 0.9)])


def over(alpha: Tensor, background: Tensor) -> Tensor:
    return background + alpha * (COLOUR - background)


def patches() -> Tensor:
    """A background that is anything but plain."""
    coarse = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    return F.interpolate(coarse, (SIZE, SIZE))[0]


def test_in_front_of_a_plain_background_the_matte_is_exact() -> None:
    alpha = disc()
    matte = plain_matte(over(alpha, gradient()))
    assert matte is not None and matte.shape == (4, SIZE, SIZE)
    assert (matte[3] - alpha).abs().max() < 0.12 and (matte[3] - alpha).abs().mean() < 0.005
    seen = matte[3] > 0.02
    assert (matte[:3] - COLOUR).abs()[:, seen].max() < 0.05, "no colour of the sky is left in it"


def test_a_new_background_shows_through_the_edge() -> None:
    alpha, other = disc(), gradient().flip(0)
    matte = plain_matte(over(alpha, gradient()))
    assert matte is not None
    composed = other + matte[3:] * (matte[:3] - other)
    assert (composed - over(alpha, other)).abs().max() < 0.12


def test_what_is_like_the_background_within_the_dancer_stays() -> None:
    sky = gradient()
    picture = over(disc(), sky)
    picture[:, 30:34, 30:34] = sky[:, 30:34, 30:34]
    matte = plain_matte(picture)
    assert matte is not None and (matte[3, 26:38, 26:38] == 1).all()
    assert torch.equal(matte[:3, 30:34, 30:34], picture[:, 30:34, 30:34])


def test_a_little_noise_does_no_harm() -> None:
    noise = torch.randn(3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)) * 0.01
    matte = plain_matte((over(disc(), gradient()) + noise).clamp(0, 1))
    assert matte is not None and (matte[3] - disc()).abs().mean() < 0.01
    assert matte[3, :10].max() == 0


@pytest.mark.parametrize("name", ["busy", "nothing", "glow", "almost all", "a dot"])
def test_other_pictures_have_no_plain_matte(name: str) -> None:
    glow = torch.exp(
        -((torch.linspace(-2, 2, SIZE)[:, None] ** 2) + torch.linspace(-2, 2, SIZE) ** 2)
    )
    picture = {
        "busy": over(disc(), patches()),
        "nothing": torch.full((3, SIZE, SIZE), 0.5),
        "glow": (0.2 + 0.6 * glow).expand(3, -1, -1),
        "almost all": over(disc(40.0), gradient()),
        "a dot": over(disc(1.5), gradient()),
    }[name]
    assert plain_matte(picture) is None


@pytest.mark.parametrize("size", [(64, 256), (256, 64), (40, 41)])
def test_mattes_have_the_size_of_their_picture(size: tuple[int, int]) -> None:
    picture = torch.full((3, *size), 0.2)
    picture[:, size[0] // 4 : -size[0] // 4, size[1] // 4 : -size[1] // 4] = 0.9
    matte = plain_matte(picture)
    assert matte is not None and matte.shape == (4, *size)
    assert 0.1 < matte[3].mean() < 0.4


def test_coarse_weights_snap_to_the_edges_of_the_picture() -> None:
    alpha = disc(18)
    coarse = F.interpolate(F.avg_pool2d(alpha[None, None], 9, 1, 4), (16, 16), mode="area")[0]
    weights = torch.zeros(10, 16, 16)
    weights[0], weights[3] = 0.6 * coarse[0], 0.4 * coarse[0]
    found = subject_alpha(over(alpha, gradient()), weights)
    assert found.shape == (SIZE, SIZE) and found.min() >= 0 and found.max() <= 1
    before = F.interpolate(coarse[None], (SIZE, SIZE), mode="bilinear")[0, 0]
    assert (found - alpha).abs().mean() < 0.4 * (before - alpha).abs().mean()
    assert found[28:36, 28:36].min() > 0.95 and found[:8].max() < 0.05
    assert ((found > 0.05) & (found < 0.95)).any(), "its edge is soft"


def test_without_edges_the_outline_is_that_of_the_weights() -> None:
    weights = torch.zeros(10, SIZE, SIZE)
    weights[0] = F.avg_pool2d(disc(16)[None], 5, 1, 2)[0]
    found = subject_alpha(torch.full((3, 256, 256), 0.5), weights)
    there = F.interpolate(disc(16)[None, None], (256, 256), mode="bilinear")[0, 0] > 0.5
    assert ((found > 0.5) & there).sum() / ((found > 0.5) | there).sum() > 0.9


def test_the_border_is_a_sixteenth_of_the_shorter_side() -> None:
    border = border_of(32, 64)
    assert border[:2].all() and border[:, -2:].all() and not border[2:-2, 2:-2].any()
    assert border_of(2, 9).all()
