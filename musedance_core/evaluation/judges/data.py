"""What the judges learn from and are measured on: truth of the world, as a viewer would see it.

Pictures are rounded to 8 bits. Where asked for, they went through the autoencoder first, so that
its blur is neither another dancer nor another dance to the judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange
from torch import Tensor

from ...models.vae import DiffusersAutoencoder, PatchAutoencoder
from ...world.captions import labels
from ...world.cast import Appearance, Cast
from ...world.choreography import perform, random_dance, stack_poses
from ...world.clips import FPS, World
from ...world.render import render
from ...world.stickers import Subject, augment
from .networks import luminance

CHUNK = 16
BLOCK = 4
"""Dancers come in blocks of 4 x 4; see `dancers`."""
RECOLOURED = 4
LATENT_NOISE = 0.2
IDENTITY_STREAM = 4


@dataclass(frozen=True)
class RoundTrip:
    """Pictures through the autoencoder: a `share` of the calls, with noise on the latents.

    The noise's size is drawn evenly from 0..`noise`; latents have about unit variance.
    """

    vae: PatchAutoencoder | DiffusersAutoencoder
    share: float
    noise: float

    @torch.no_grad()
    def __call__(self, frames: Tensor, generator: torch.Generator) -> Tensor:
        """`frames [n 3 h w]` in 0..1 -> uint8 of the same shape."""
        goes, size = torch.rand(2, generator=generator).tolist()
        if goes < self.share:
            latents = self.vae.encode(frames)
            noise = torch.randn(latents.shape, generator=generator)
            frames = self.vae.decode(latents + size * self.noise * noise)
        return frames.mul(255).round().to(torch.uint8)


@dataclass(frozen=True)
class Dances:
    """Clips for the motion encoder.

    luma [n f h w] uint8; labels [n 3] int64 of move, side and size; tempo [n] is the binary
    logarithm of the beats per second that the dancer follows.
    """

    luma: Tensor
    labels: Tensor
    tempo: Tensor


def dances(world: World, indices: Sequence[int], frames: int, trip: RoundTrip) -> Dances:
    """The clips of `world` with these indices."""
    luma, spoken, tempo = [], [], []
    for first in range(0, len(indices), CHUNK):
        chosen = indices[first : first + CHUNK]
        batch = world.clips(chosen, frames)
        for index, clip in zip(chosen, batch.frames, strict=True):
            seen = trip(clip, torch.Generator().manual_seed(index))
            luma.append(luminance(seen.float()).round().to(torch.uint8))
        spoken += [labels(dance) for dance in batch.dances]
        beats = batch.beat_count[:, -1] - batch.beat_count[:, 0]
        tempo.append(torch.log2(beats * FPS / (frames - 1)))
    return Dances(torch.stack(luma), torch.tensor(spoken), torch.cat(tempo))


@dataclass(frozen=True)
class Dancers:
    """Pictures of dancers: views [n v 3 h w] uint8; puppet [n] says what they are.

    n is a multiple of 16 (a block). The views of a dancer differ in pose, place, size and
    background. Inside a block of 4 x 4, the rows share a background in every even view, the columns
    in every odd one, so that the background tells nobody who it is. The last quarter of a block
    are its first dancers in other colours.
    """

    views: Tensor
    puppet: Tensor


def dancers(cast: Cast, count: int, views: int, seed: int, trip: RoundTrip) -> Dancers:
    """The first `count` dancers of the cast, a multiple of 16, each in `views` pictures."""
    pictures, puppet = [], []
    for block in range(count // BLOCK**2):
        rng = np.random.default_rng((seed, IDENTITY_STREAM, block))
        subjects = [cast.appearance(rng).subject for _ in range(BLOCK**2 - RECOLOURED)]
        subjects += [augment(subject, rng) for subject in subjects[:RECOLOURED]]
        puppet += [len(subject.part_ids) > 1 for subject in subjects]
        drawn = torch.stack([_view(cast, subjects, view, rng) for view in range(views)], dim=1)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + block)
        seen = [trip(picture, generator) for picture in rearrange(drawn, "b v ... -> (b v) 1 ...")]
        pictures.append(rearrange(torch.cat(seen), "(b v) ... -> b v ...", v=views))
    return Dancers(torch.cat(pictures), torch.tensor(puppet))


def _view(cast: Cast, subjects: Sequence[Subject], view: int, rng: np.random.Generator) -> Tensor:
    """One picture `[b 3 h w]` of each dancer of a block."""
    shared = [cast.appearance(rng).background for _ in range(BLOCK)]
    looks: list[Appearance] = [cast.appearance(rng) for _ in subjects]
    groups = [i // BLOCK if view % 2 == 0 else i % BLOCK for i in range(len(subjects))]
    poses = [
        perform(random_dance(rng), rng.uniform(0, 2, 1), rng.random(1), float(rng.random()))
        for _ in subjects
    ]
    backgrounds = torch.stack([shared[group] for group in groups])
    places = torch.tensor([look.place for look in looks])
    return render(subjects, backgrounds, stack_poses(poses), places).frames[:, 0]
