"""Training of the judges: motion encoder and dancer embedder on the procedural world.

Each network is measured on the test split, and written with its figures in the file's metadata, as
soon as it is trained.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import InputError
from ...models.vae import DiffusersAutoencoder, PatchAutoencoder
from ...pipeline import MuseDancePipeline
from ...world.clips import World
from ...world.dances import MOVES, SIDES, SIZES
from .dance import DanceJudge, random_dances, train_dance_judge
from .data import LATENT_NOISE, Dancers, Dances, RoundTrip, dancers, dances
from .figures import dance_figures, identity_figures, motion_figures
from .networks import (
    FEWEST,
    MOST,
    DancerEmbedder,
    Judges,
    MotionEncoder,
    load_judges,
    save_judges,
)
from .options import NETWORKS, JudgesTraining

OTHER_SIDE = torch.tensor([SIDES.index(side) for side in ("either", "right", "left")])
"""Index of the other side, by that of a side."""
LENGTHS = (16, 24, 32, 48)
"""Frames of the clips of a batch."""
SHIFT = 4
"""Pixels by which a clip is shifted at most."""
TEMPERATURE = 0.1
"""Of the cosines that the identity loss compares."""
VIEWS = 8
"""Pictures of each dancer."""
BLOCK = 16
"""Dancers that share backgrounds; see `Dancers`."""


@dataclass(frozen=True)
class Optimisation:
    """AdamW with a linear warm-up over 1/20 of the steps and a cosine decay to zero."""

    rate: float = 2e-3
    weight_decay: float = 0.02
    clip: float = 1.0


def train_judges(options: JudgesTraining) -> None:
    """Train, write, measure on unseen truth, and write again.

    Raises:
        InputError: `output` is not a .safetensors file in a folder that exists, or networks are to
            be taken from a base that holds no judges. Both are checked before the training.
    """
    target = options.output
    if target.suffix != ".safetensors" or not target.parent.is_dir() or target.is_dir():
        raise InputError(f"{target} must be a .safetensors file in a folder that exists.")
    others = [name for name in NETWORKS if name not in options.networks]
    if others and options.base is None:
        raise InputError(f"The networks {' and '.join(others)} need --base to be taken from.")
    base = load_judges(options.base) if options.base and others else None
    torch.set_num_threads(options.threads)
    history: dict[str, Any] = {} if base is None else {name: base.history[name] for name in others}
    judges = base or Judges("", DancerEmbedder(), MotionEncoder(), DanceJudge(), {})
    judges = replace(judges, name=options.name, history=history)
    for name in options.networks:
        began = time.monotonic()
        judges, figures = PARTS[name](judges, options)
        history[name] = _history(options, (time.monotonic() - began) / 60) | {"test": figures}
        print(name, figures, flush=True)
        # A later part may take long or fail: what there is by now is kept.
        save_judges(target, judges)


def _history(options: JudgesTraining, minutes: float) -> dict[str, Any]:
    """The record of one network's training."""
    left_out = ("output", "command", "networks")
    settings = {name: value for name, value in asdict(options).items() if name not in left_out}
    return {
        "command": options.command,
        "options": {k: str(v) if isinstance(v, Path) else v for k, v in settings.items()},
        "minutes": round(minutes, 1),
        "torch": torch.__version__,
    }


def _identity(judges: Judges, options: JudgesTraining) -> tuple[Judges, dict[str, Any]]:
    """Trains the embedder, half of its data through the autoencoder, and measures it on truth and
    autoencoded truth."""
    vae = _autoencoder()
    embedder = _train_identity(options, RoundTrip(vae, 0.5, LATENT_NOISE)).half().float()
    cast = World("test", seed=options.seed).cast
    figures = {
        name: identity_figures(embedder, dancers(cast, options.test_dancers, 2, options.seed, trip))
        for name, trip in (("truth", RoundTrip(vae, 0, 0)), ("autoencoded", RoundTrip(vae, 1, 0)))
    }
    return replace(judges, embedder=embedder), figures


def _motion(judges: Judges, options: JudgesTraining) -> tuple[Judges, dict[str, Any]]:
    """Trains the motion encoder in the same way; its classifiers are thrown away in the end."""
    vae = _autoencoder()
    encoder, heads = _train_motion(options, RoundTrip(vae, 0.5, LATENT_NOISE))
    encoder, world = encoder.half().float(), World("test", seed=options.seed)
    figures = {}
    for name, trip in (("truth", RoundTrip(vae, 0, 0)), ("autoencoded", RoundTrip(vae, 1, 0))):
        clips = dances(world, range(options.test_clips), MOST, trip)
        figures[name] = {
            str(frames): motion_figures(encoder, heads, clips, frames) for frames in (MOST, FEWEST)
        }
    return replace(judges, encoder=encoder), figures


def _dance(judges: Judges, options: JudgesTraining) -> tuple[Judges, dict[str, Any]]:
    """Trains the judge of poses and measures it on other dances."""
    judge = train_dance_judge(options.dance_steps, options.seed, options.dances).half().float()
    unseen = random_dances(np.random.default_rng((options.seed, 1)), options.test_clips)
    return replace(judges, dance=judge), dance_figures(judge, unseen)


PARTS = {"identity": _identity, "motion": _motion, "dance": _dance}


def _autoencoder() -> PatchAutoencoder | DiffusersAutoencoder:
    """The embedded model's autoencoder: clips to be judged went through it."""
    return MuseDancePipeline.from_pretrained(device="cpu").model.vae.eval()


def _train_motion(options: JudgesTraining, trip: RoundTrip) -> tuple[MotionEncoder, nn.ModuleDict]:
    """Minimise the cross-entropy of move, side and size, and the error of the tempo.

    The side counts only where the sentence names one. Returns the encoder and its classifiers.
    """
    world = World("train", seed=options.seed, continued=0, switched=0)
    bank = dances(world, range(options.clips), MOST, trip)
    print(f"{options.clips} clips", flush=True)
    torch.manual_seed(options.seed)
    # Torch's own layers: judges never run inside a host.
    encoder = MotionEncoder()
    classes = {"move": len(MOVES), "side": len(SIDES), "size": len(SIZES), "tempo": 1}
    heads = nn.ModuleDict({name: nn.Linear(64, count) for name, count in classes.items()})

    def loss(generator: torch.Generator) -> dict[str, Tensor]:
        luma, labels, tempo = motion_batch(bank, options.motion_batch, generator)
        features = encoder(luma)
        answer = features.relu()
        move, side, size = labels.unbind(dim=-1)
        sides = F.cross_entropy(heads["side"](answer), side, reduction="none")
        return {
            "move": F.cross_entropy(heads["move"](answer), move),
            "side": (sides * (side != SIDES.index("either"))).mean(),
            "size": 0.5 * F.cross_entropy(heads["size"](answer), size),
            "tempo": F.smooth_l1_loss(heads["tempo"](features)[:, 0], tempo),
        }

    networks = nn.ModuleList([encoder, heads])
    _fit("motion", networks, loss, options.motion_steps, options.seed)
    return encoder, heads


def motion_batch(bank: Dances, size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Clips `[b f h w]` in 0..1 of one length, labels `[b 3]` and tempo `[b]`.

    Augmentation: a clip may be mirrored, which changes its side, shifted by a few pixels, and
    inverted to its negative; all are blurred or noisy at random.
    """

    def draw(low: int, high: int, *shape: int) -> Tensor:
        return torch.randint(low, high, shape, generator=generator)

    chosen = draw(0, len(bank.luma), size)
    frames = LENGTHS[int(draw(0, len(LENGTHS), 1))]
    labels = bank.labels[chosen].clone()
    clips = []
    for i, index in enumerate(chosen.tolist()):
        start = int(draw(0, bank.luma.shape[1] - frames + 1, 1))
        mirror, negative = draw(0, 2, 2).tolist()
        clip = bank.luma[index, start : start + frames].float() / 255
        if mirror:
            clip, labels[i, 1] = clip.flip(-1), OTHER_SIDE[labels[i, 1]]
        if negative:
            clip = 1 - clip
        x, y = draw(0, 2 * SHIFT + 1, 2).tolist()
        h, w = clip.shape[-2:]
        clips.append(F.pad(clip, (SHIFT,) * 4, mode="replicate")[:, y : y + h, x : x + w])
    return degrade(torch.stack(clips), generator), labels, bank.tempo[chosen]


def _train_identity(options: JudgesTraining, trip: RoundTrip) -> DancerEmbedder:
    """Contrastive loss: each dancer's other picture against all other pictures of the batch."""
    world = World("train", seed=options.seed)
    bank = dancers(world.cast, options.dancers, VIEWS, options.seed, trip)
    print(f"{options.dancers} dancers", flush=True)
    torch.manual_seed(options.seed)
    embedder = DancerEmbedder()

    def loss(generator: torch.Generator) -> dict[str, Tensor]:
        pictures = identity_batch(bank, options.identity_batch, generator)
        embeddings = embedder(torch.cat(pictures))
        similarity = embeddings @ embeddings.T / TEMPERATURE
        similarity.fill_diagonal_(-math.inf)
        n = len(embeddings) // 2
        return {"same": F.cross_entropy(similarity, torch.arange(2 * n).roll(n))}

    _fit("identity", embedder, loss, options.identity_steps, options.seed)
    return embedder


def identity_batch(bank: Dancers, blocks: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two pictures `[n 3 h w]` of each dancer of some blocks, from one even and one odd view."""
    chosen = torch.randperm(len(bank.views) // BLOCK, generator=generator)[:blocks]
    index = (chosen[:, None] * BLOCK + torch.arange(BLOCK)).flatten()
    even, odd = (torch.randint(VIEWS // 2, (2,), generator=generator) * 2).tolist()
    one, two = (
        degrade(bank.views[index, view].float() / 255, generator) for view in (even, odd + 1)
    )
    return one, two


def degrade(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Frames `[b k h w]` in 0..1 with mild noise, a third of them blurred."""
    soft = F.avg_pool2d(frames, 3, stride=1, padding=1, count_include_pad=False)
    blurred, noisy = torch.rand(2, len(frames), 1, 1, 1, generator=generator)
    frames = torch.where(blurred < 1 / 3, torch.lerp(frames, soft, blurred * 3), frames)
    noise = torch.randn(frames.shape, generator=generator)
    degraded: Tensor = (frames + 0.03 * noisy * noise).clamp(0, 1)
    return degraded


def _fit(
    name: str,
    network: nn.Module,
    loss: Callable[[torch.Generator], dict[str, Tensor]],
    steps: int,
    seed: int,
    settings: Optimisation = Optimisation(),
) -> None:
    """Minimise the sum of the losses."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.rate, weight_decay=settings.weight_decay
    )
    warm = max(1, steps // 20)
    began = time.monotonic()
    network.train()
    for step in range(steps):
        scale = min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * scale
        losses = loss(generator)
        optimiser.zero_grad()
        total = torch.stack(list(losses.values())).sum()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), settings.clip)
        optimiser.step()
        if step % 20 == 0 or step == steps - 1:
            values = "  ".join(f"{key} {value.item():.3f}" for key, value in losses.items())
            minutes = (time.monotonic() - began) / 60
            print(f"{name} step {step}  {values}  {minutes:.1f} min", flush=True)
    network.eval()
