"""Train the judges by which generated clips are scored, and measure them on unseen truth.

python train/judges.py OUTPUT.safetensors --name sticker-judges-2 [--motion-steps N ...]

The seed fixes data and order. The file is written twice: once the networks are trained, and again
with their figures on the test split in its metadata.
"""

from __future__ import annotations

import argparse
import math
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from musedance_core.errors import InputError
from musedance_core.evaluation.judges.data import (
    LATENT_NOISE,
    Dancers,
    Dances,
    RoundTrip,
    dancers,
    dances,
)
from musedance_core.evaluation.judges.figures import identity_figures, motion_figures
from musedance_core.evaluation.judges.networks import (
    FEWEST,
    MOST,
    MOVES,
    SIDED_MOVES,
    DancerEmbedder,
    Judges,
    MotionEncoder,
    load_judges,
    save_judges,
)
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.world.clips import World

LENGTHS = (16, 24, 32, 48)
SHIFT = 4
TEMPERATURE = 0.1
VIEWS = 8
BLOCK = 16


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, write, measure, write again."""
    options = parser().parse_args(arguments)
    target = options.output
    if target.suffix != ".safetensors" or not target.parent.is_dir() or target.is_dir():
        parser().error(f"{target} must be a .safetensors file in a folder that exists")
    torch.set_num_threads(options.threads)
    began = time.monotonic()
    vae = MuseDancePipeline.from_pretrained(device="cpu").model.vae.eval()
    try:
        kept = load_judges(options.embedder).embedder if options.embedder else None
    except InputError as error:
        parser().error(str(error))
    encoder = train_motion(options, RoundTrip(vae, 0.5, LATENT_NOISE))
    embedder = kept or train_identity(options, RoundTrip(vae, 0.5, LATENT_NOISE))
    people = f"{options.dancers} dancers in {VIEWS} pictures"
    if options.embedder:
        people = f"the dancers of {options.embedder.name}"
    settings = {name: value for name, value in vars(options).items() if name != "output"}
    history = {
        "command": shlex.join(["python", *sys.argv]) if arguments is None else "main()",
        "data": f"world truth, split train, {options.clips} clips of {MOST} frames and {people}; "
        f"half of them through the autoencoder of {DEFAULT_CHECKPOINT.name}",
        "options": {k: str(v) if isinstance(v, Path) else v for k, v in settings.items()},
        "minutes": round((time.monotonic() - began) / 60, 1),
        "torch": torch.__version__,
    }
    save_judges(options.output, Judges(options.name, embedder, encoder, history))
    judges = load_judges(options.output)
    figures = measure(judges, options, RoundTrip(vae, 0, 0), RoundTrip(vae, 1, 0))
    save_judges(
        options.output, Judges(options.name, embedder, encoder, history | {"test": figures})
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("output", type=Path, help="the .safetensors file to write")
    parser.add_argument("--name", required=True, help="a name no other judges have")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clips", type=int, default=2400, help="for training")
    parser.add_argument("--dancers", type=int, default=2400, help="for training")
    parser.add_argument("--embedder", type=Path, help="judges whose embedder of dancers is kept")
    parser.add_argument("--test-clips", type=int, default=440)
    parser.add_argument("--test-dancers", type=int, default=800)
    parser.add_argument("--motion-steps", type=int, default=700)
    parser.add_argument("--motion-batch", type=int, default=32)
    parser.add_argument("--identity-steps", type=int, default=500)
    parser.add_argument("--identity-batch", type=int, default=6, help="blocks of 16 dancers")
    return parser


def train_motion(options: argparse.Namespace, trip: RoundTrip) -> MotionEncoder:
    """Cross-entropy of move, side (where it shows) and size, and the error of the tempo."""
    world = World("train", seed=options.seed, continued=0, switched=0)
    bank = dances(world, range(options.clips), MOST, trip)
    print(f"{options.clips} clips", flush=True)
    torch.manual_seed(options.seed)
    # Torch's own layers: judges never run inside a host.
    encoder, metronome = MotionEncoder(), nn.Linear(64, 1)

    def loss(generator: torch.Generator) -> dict[str, Tensor]:
        luma, labels, tempo = motion_batch(bank, options.motion_batch, generator)
        reading = encoder(luma)
        move, side, size = labels.unbind(dim=-1)
        sided = torch.isin(move, torch.tensor([MOVES.index(name) for name in SIDED_MOVES]))
        sides = F.cross_entropy(reading.side_logits, side, reduction="none")
        return {
            "move": F.cross_entropy(reading.move_logits, move),
            "side": (sides * sided).mean(),
            "size": 0.5 * F.cross_entropy(reading.size_logits, size),
            "tempo": F.smooth_l1_loss(metronome(reading.features)[:, 0], tempo),
        }

    networks = nn.ModuleList([encoder, metronome])
    fit("motion", networks, loss, options.motion_steps, 2e-3, options.seed)
    return encoder


def motion_batch(bank: Dances, size: int, generator: torch.Generator) -> tuple[Tensor, ...]:
    """Clips [b f h w] of one length, labels [b 3] and tempo [b].

    A clip may be mirrored, which changes its side, moved by some pixels and turned into its
    negative.
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
            clip, labels[i, 1] = clip.flip(-1), 1 - labels[i, 1]
        if negative:
            clip = 1 - clip
        x, y = draw(0, 2 * SHIFT + 1, 2).tolist()
        h, w = clip.shape[-2:]
        clips.append(F.pad(clip, (SHIFT,) * 4, mode="replicate")[:, y : y + h, x : x + w])
    seen = worn(torch.stack(clips), generator)
    return seen, labels, bank.tempo[chosen]


def train_identity(options: argparse.Namespace, trip: RoundTrip) -> DancerEmbedder:
    """Tell each dancer's other picture from the pictures of all other dancers of the batch."""
    world = World("train", seed=options.seed)
    bank = dancers(world.cast, options.dancers, VIEWS, options.seed, trip)
    print(f"{options.dancers} dancers", flush=True)
    torch.manual_seed(options.seed)
    embedder = DancerEmbedder()

    def loss(generator: torch.Generator) -> dict[str, Tensor]:
        pictures = identity_batch(bank, options.identity_batch, generator)
        found = embedder(torch.cat(pictures))
        alike = found @ found.T / TEMPERATURE
        alike.fill_diagonal_(-math.inf)
        n = len(found) // 2
        return {"same": F.cross_entropy(alike, torch.arange(2 * n).roll(n))}

    fit("identity", embedder, loss, options.identity_steps, 2e-3, options.seed)
    return embedder


def identity_batch(bank: Dancers, blocks: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Two pictures [n 3 h w] of each dancer of some blocks, one of an even, one of an odd view."""
    chosen = torch.randperm(len(bank.views) // BLOCK, generator=generator)[:blocks]
    index = (chosen[:, None] * BLOCK + torch.arange(BLOCK)).flatten()
    even, odd = (torch.randint(VIEWS // 2, (2,), generator=generator) * 2).tolist()
    one, two = (worn(bank.views[index, view].float() / 255, generator) for view in (even, odd + 1))
    return one, two


def worn(frames: Tensor, generator: torch.Generator) -> Tensor:
    """Frames [b k h w] with mild noise, a third of them blurred."""
    soft = F.avg_pool2d(frames, 3, stride=1, padding=1, count_include_pad=False)
    blurred, noisy = torch.rand(2, len(frames), 1, 1, 1, generator=generator)
    frames = torch.where(blurred < 1 / 3, torch.lerp(frames, soft, blurred * 3), frames)
    noise = torch.randn(frames.shape, generator=generator)
    return (frames + 0.03 * noisy * noise).clamp(0, 1)


def fit(
    name: str,
    network: nn.Module,
    loss: Callable[[torch.Generator], dict[str, Tensor]],
    steps: int,
    rate: float,
    seed: int,
) -> None:
    """Minimise the sum of the losses; the rate rises, then falls along a cosine to zero."""
    generator = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(network.parameters(), rate, weight_decay=0.02)
    warm = max(1, steps // 20)
    began = time.monotonic()
    network.train()
    for step in range(steps):
        scale = min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in optimiser.param_groups:
            group["lr"] = rate * scale
        losses = loss(generator)
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if step % 20 == 0 or step == steps - 1:
            said = "  ".join(f"{key} {value.item():.3f}" for key, value in losses.items())
            minutes = (time.monotonic() - began) / 60
            print(f"{name} step {step}  {said}  {minutes:.1f} min", flush=True)
    network.eval()


def measure(
    judges: Judges, options: argparse.Namespace, plain: RoundTrip, blurred: RoundTrip
) -> dict[str, object]:
    """Figures on truth of the test split, as it is and through the autoencoder."""
    world = World("test", seed=options.seed)
    figures: dict[str, object] = {}
    for name, trip in (("truth", plain), ("autoencoded", blurred)):
        clips = dances(world, range(options.test_clips), MOST, trip)
        people = dancers(world.cast, options.test_dancers, 2, options.seed, trip)
        figures[name] = {
            f"motion_{frames}": motion_figures(judges, clips, frames) for frames in (MOST, FEWEST)
        } | {"identity": identity_figures(judges, people)}
        print(name, figures[name], flush=True)
    return figures


if __name__ == "__main__":
    main()
