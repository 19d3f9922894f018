"""The patch autoencoder, which starts as a PCA, and Stable Diffusion's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from einops import rearrange
from torch import Tensor

from musedance_core.config import VAEConfig
from musedance_core.models.vae import DiffusersAutoencoder, PatchAutoencoder, build_vae
from musedance_core.presets import preset

PATCHED = replace(preset("sticker").vae, latent_channels=16, refiner_width=16, refiner_blocks=1)
CHANNELS = PATCHED.latent_channels


def pictures(count: int = 24, size: int = 32, seed: int = 0) -> Tensor:
    """Smooth random pictures `[b 3 s s]` in 0..1."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, size // 4, size // 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic")
    return smooth.clamp(0, 1)


@pytest.fixture(params=[4, 8])
def fitted(request: pytest.FixtureRequest) -> PatchAutoencoder:
    torch.manual_seed(0)
    vae = PatchAutoencoder(replace(PATCHED, reduction=request.param))
    vae.fit_pca(pictures())
    return vae.eval().requires_grad_(False)


def test_latents_start_with_unit_variance_on_average_and_no_correlation(
    fitted: PatchAutoencoder,
) -> None:
    latents = rearrange(fitted.encode(pictures()), "b c h w -> c (b h w)")
    assert torch.allclose(latents.mean(1), torch.zeros(CHANNELS), atol=1e-3)
    spread = torch.cov(latents)
    assert spread.diagonal().mean() == pytest.approx(1, abs=2e-3)
    assert (spread - spread.diagonal().diag()).abs().max() < 2e-3


def test_equal_errors_in_any_channel_are_equal_errors_in_the_picture(
    fitted: PatchAutoencoder,
) -> None:
    latents = fitted.encode(pictures()) * 0.3  # far from where decoding clamps
    errors = []
    for c in range(CHANNELS):
        off = latents.clone()
        off[:, c] += 0.05
        errors.append((fitted.decode(off) - fitted.decode(latents)).square().mean())
    assert torch.stack(errors).std() < 0.01 * torch.stack(errors).mean()


def test_the_fit_is_the_best_linear_code(fitted: PatchAutoencoder) -> None:
    """The error of a PCA is the sum of the eigenvalues left out."""
    images = pictures()
    patches = torch.nn.functional.pixel_unshuffle(images * 2 - 1, fitted.patch)
    patches = rearrange(patches, "b d h w -> (b h w) d")
    left = torch.linalg.eigvalsh(torch.cov(patches.T))[:-CHANNELS].sum() / patches.shape[1]
    decoded = fitted.decode(fitted.encode(images)) * 2 - 1
    error = (decoded - (images * 2 - 1)).square().mean()
    assert 0.5 * left < error <= left * 1.001  # clamping to 0..1 can only help


def test_encoding_inverts_decoding(fitted: PatchAutoencoder) -> None:
    latents = fitted.encode(pictures()) * 0.3  # far from where decoding clamps
    assert torch.allclose(fitted.encode(fitted.decode(latents)), latents, atol=1e-3)


def test_any_multiple_of_the_patch_decodes_to_pixels_in_range(fitted: PatchAutoencoder) -> None:
    latents = fitted.encode(torch.rand(2, 3, 24, 40))
    assert latents.shape == (2, CHANNELS, 24 // fitted.patch, 40 // fitted.patch)
    images = fitted.decode(latents * 100)
    assert images.shape == (2, 3, 24, 40) and images.min() == 0 and images.max() == 1


def test_the_convolutional_networks_train_from_the_first_step() -> None:
    torch.manual_seed(0)
    vae = PatchAutoencoder(PATCHED)
    vae.fit_pca(pictures())
    images = pictures()
    optimiser = torch.optim.Adam(vae.parameters(), 1e-3)
    losses = []
    for _ in range(12):
        loss = (vae.decode(vae.encode(images)) - images).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad is not None for p in vae.parameters())


def test_pictures_that_are_all_alike_are_refused() -> None:
    with pytest.raises(ValueError, match="do not vary"):
        PatchAutoencoder(PATCHED).fit_pca(torch.full((8, 3, 32, 32), 0.5))


def test_stable_diffusions_autoencoder_scales_latents_and_takes_0_to_1() -> None:
    torch.manual_seed(0)
    config = VAEConfig(channels=(32, 32), reduction=2, latent_channels=4)
    vae = build_vae(config).eval().requires_grad_(False)
    assert isinstance(vae, DiffusersAutoencoder)
    images = pictures(1, 16)
    latents = vae.encode(images)
    oracle = vae.kl.encode(images * 2 - 1).latent_dist.mode() * 0.18215
    assert latents.shape == (1, 4, 8, 8) and torch.equal(latents, oracle)
    decoded = vae.kl.decode(latents / 0.18215).sample
    assert torch.equal(vae.decode(latents), (decoded / 2 + 0.5).clamp(0, 1))
