"""Training and test data of the judges: rendered clips and pictures of the world.

Pictures are rounded to 8 bits. Optionally they pass through the autoencoder first, so that the
judges are insensitive to its blur.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ...dance.figure import LayeredFigure
from ...models.vae import DiffusersAutoencoder, PatchAutoencoder
from ...world.cast import Appearance, Cast
from ...world.clips import FPS, World, random_moment
from ...world.dances import labels, random_dance
from ...world.shots import shot
from ...world.stickers import augment
from .networks import luminance

CHUNK = 16
BLOCK = 4
"""Dancers are generated in blocks of 4 x 4; see `Dancers`."""
RECOLOURED = 4
LATENT_NOISE = 0.2
IDENTITY_STREAM = 4


@dataclass(frozen=True)
class RoundTrip:
    """Passes a `share` of the pictures through the autoencoder, with noise on the latents.

    The noise level is uniform in 0..`noise`; latents have about unit variance.
    """

    vae: PatchAutoencoder | DiffusersAutoencoder
    share: float
    noise: float

    @torch.no_grad()
    def __call__(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        """`frames [n 3 h w]` in 0..1 -> uint8 of the same shape."""
        chance, level = torch.rand(2, generator=generator).tolist()
        if chance < self.share:
            latents = self.vae.encode(frames)
            noise = torch.randn(latents.shape, generator=generator)
            frames = self.vae.decode(latents + level * self.noise * noise)
        return frames.mul(255).round().to(torch.uint8)


@dataclass(frozen=True)
class Dances:
    """Clips for the motion encoder.

    luma [n f h w] uint8; labels [n 3] int64 of move, side and size (`world.dances`); tempo
    [n] is the binary logarithm of the beats per second.
    """

    luma: Tensor
    labels: Tensor
    tempo: Tensor


def dances(world: World, indices: Sequence[int], frames: int, trip: RoundTrip) -> Dances:
    """Returns the clips of `world` with these indices."""
    luma, classes, tempo = [], [], []
    for first in range(0, len(indices), CHUNK):
        chosen = indices[first : first + CHUNK]
        batch = world.clips(chosen, frames)
        for index, clip in zip(chosen, batch.frames, strict=True):
            pixels = trip(clip, torch.Generator().manual_seed(index))
            luma.append(luminance(pixels.float()).round().to(torch.uint8))
        classes += [labels(dance)[:3] for dance in batch.dances]
        beats = batch.beat_count[:, -1] - batch.beat_count[:, 0]
        tempo.append(torch.log2(beats * FPS / (frames - 1)))
    return Dances(torch.stack(luma), torch.tensor(classes), torch.cat(tempo))


@dataclass(frozen=True)
class Dancers:
    """Pictures of dancers: views [n v 3 h w] uint8; puppet [n] bool.

    n is a multiple of 16 (a block). The views of a dancer differ in pose, place, size and
    background. Inside a block of 4 x 4, rows share a background in even views and columns in odd
    ones, so the background does not reveal the identity. The last quarter of a block repeats its
    first dancers in other colours.
    """

    views: Tensor
    puppet: Tensor


def dancers(cast: Cast, count: int, views: int, seed: int, trip: RoundTrip) -> Dancers:
    """Returns the first `count` dancers of the cast, a multiple of 16, in `views` pictures each."""
    pictures, puppet = [], []
    for block in range(count // BLOCK**2):
        rng = np.random.default_rng((seed, IDENTITY_STREAM, block))
        figures = [cast.figure(rng) for _ in range(BLOCK**2 - RECOLOURED)]
        figures += [augment(figure, rng) for figure in figures[:RECOLOURED]]
        puppet += [bool(figure.body.present.any()) for figure in figures]
        rendered = torch.stack([_view(cast, figures, view, rng) for view in range(views)], dim=1)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + block)
        processed = [
            trip(picture, generator) for picture in rearrange(rendered, "b v ... -> (b v) 1 ...")
        ]
        pictures.append(rearrange(torch.cat(processed), "(b v) ... -> b v ...", v=views))
    return Dancers(torch.cat(pictures), torch.tensor(puppet))


def _view(
    cast: Cast, figures: Sequence[LayeredFigure], view: int, rng: np.random.Generator
) -> Tensor:
    """Renders one picture `[b 3 h w]` of each dancer of a block."""
    shared = [cast.appearance(rng).background for _ in range(BLOCK)]
    pictures = []
    for i, figure in enumerate(figures):
        background = shared[i // BLOCK if view % 2 == 0 else i % BLOCK]
        appearance = Appearance(figure, background, cast.appearance(rng).place)
        pictures.append(shot(appearance, random_moment(random_dance(rng), rng)).picture)
    return torch.stack(pictures)
