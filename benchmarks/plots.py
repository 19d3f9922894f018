"""Plots of a sticker checkpoint on dancers and songs of the test split.

    python benchmarks/plots.py [CHECKPOINT] --out docs/results [--clips 24] [--sweep 11]

motion.png: motion energy beside that of the true dance and the beats.
timesteps.png: held-out loss by timestep, and its increase with a wrong condition.
guidance.png: beat following, background and identity over guidance.
Needs `pip install matplotlib`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from guidance import figures
from matplotlib.figure import Figure

from musedance_core.diffusion.guidance import Guidance
from musedance_core.evaluation.options import Sampling
from musedance_core.evaluation.samples import generate
from musedance_core.evaluation.scenes import Scene, world_scenes
from musedance_core.metrics.motion import energy_times, motion_energy
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.stages.diffusion import EVALUATION_TIMES
from musedance_core.training.stages.stage2 import Stage2
from musedance_core.world.dances import MOVES

FRAMES, FPS, SHOWN = 48, 12, ("hop", "slide", "step-touch")
GUIDANCE = (1.0, 1.5, 2.0, 3.0, 4.0)
WRONG = {
    "text": "another sentence",
    "music": "another song",
    "beats": "beats late by half a beat",
    "no_beats": "no beats",
    "map": "another part map",
}


def first_of(pipeline: MuseDancePipeline, moves: Sequence[str]) -> list[Scene]:
    """Returns the first test scene of every move."""
    found: dict[str, Scene] = {}
    for scene in world_scenes(pipeline.config, "test", 60, FRAMES):
        assert scene.dance is not None
        found.setdefault(scene.dance.move, scene)
    return [found[move] for move in moves]


def plot_motion(pipeline: MuseDancePipeline, sampling: Sampling, path: Path) -> None:
    """Plots one move a row; left with the song's beats, right with doubled beats."""
    figure = Figure((10, 6), layout="constrained")
    rows = figure.subplots(len(SHOWN), 2, sharex=True)
    for scene, row in zip(first_of(pipeline, SHOWN), rows, strict=True):
        assert scene.dance is not None
        for axes, grid, name in zip(
            row, (scene.grid, scene.grid.doubled()), ("as tracked", "doubled"), strict=True
        ):
            made = motion_energy(generate(pipeline, replace(scene, grid=grid), sampling)) * 255
            times = energy_times(made, FPS)
            for beat in grid.times - scene.start:
                axes.axvline(beat, color="#cbd5e1", linewidth=1, zorder=0)
            if name == "as tracked":
                axes.plot(times, motion_energy(scene.truth) * 255, color="#94a3b8", label="truth")
            axes.plot(times, made, color="#c2410c", label="MuseDance")
            axes.set(
                title=f"{scene.dance.move}; beats {name}", xlim=(0, FRAMES / FPS), ylim=(0, None)
            )
            axes.title.set_fontsize(9)
    rows[0][0].legend(fontsize=8)
    figure.supxlabel("seconds; lines are beats", fontsize=9)
    figure.supylabel("grey levels from frame to frame", fontsize=9)
    figure.savefig(path, dpi=100)


def plot_timesteps(pipeline: MuseDancePipeline, clips: int, path: Path) -> None:
    """Plots the loss with correct conditions and its increase with wrong ones by timestep."""
    config = TrainConfig(output_dir="unused", data=DataConfig(songs=32, frames=16))
    stage = Stage2(pipeline.model, pipeline.tokenizer, config).eval()
    batch = stage.source("test")(list(range(clips)))
    with torch.no_grad():
        losses = {
            name: stage.losses_by_time(variant).mean(dim=1).numpy()
            for name, variant in stage.condition_variants(batch).items()
        }
    right = losses.pop("right")
    print("loss by timestep", dict(zip(EVALUATION_TIMES, right.round(4).tolist(), strict=True)))
    figure = Figure((10, 3.5), layout="constrained")
    left, axes = figure.subplots(1, 2)
    left.plot(EVALUATION_TIMES, right, marker="o", color="#c2410c")
    left.set(title=f"held-out loss, {clips} clips", xlabel="timestep", ylim=(0, None))
    for name, label in WRONG.items():
        axes.plot(EVALUATION_TIMES, losses[name] - right, marker="o", label=label)
        print(f"  {name} adds", (losses[name] - right).round(4).tolist())
    axes.axhline(0, color="#94a3b8", linewidth=1)
    axes.legend(fontsize=8)
    axes.set(title="what a wrong condition adds", xlabel="timestep")
    figure.savefig(path, dpi=100)


def plot_guidance(
    pipeline: MuseDancePipeline, scenes: Sequence[Scene], steps: int, path: Path
) -> None:
    """Plots means over the scenes at every guidance scale."""
    curves = {
        "share of the motion with the beat": 0,
        "identity": 2,
        "background, grey levels off": 3,
    }
    rows = []
    for strength in GUIDANCE:
        guidance = Guidance.of(pipeline.config.schedule, strength)
        rows.append(figures(pipeline, scenes, guidance, steps).mean(axis=0))
        means = {name: round(float(rows[-1][k]), 3) for name, k in curves.items()}
        print(f"guidance {strength}:", means)
    figure = Figure((10, 3), layout="constrained")
    for axes, (name, k) in zip(figure.subplots(1, 3), curves.items(), strict=True):
        values = [float(row[k]) for row in rows]
        axes.plot(GUIDANCE, values, marker="o", color="#c2410c")
        axes.set(title=name, xlabel="guidance", ylim=(0, 1.1 * max(1.0, *values)))
        axes.title.set_fontsize(9)
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--out", required=True, type=Path, help="folder of the plots")
    parser.add_argument("--clips", type=int, default=24, help="of the held-out loss")
    parser.add_argument("--sweep", type=int, default=len(MOVES), help="dances a guidance")
    parser.add_argument("--steps", type=int, default=10)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    plot_motion(pipeline, Sampling(steps=args.steps), args.out / "motion.png")
    plot_timesteps(pipeline, args.clips, args.out / "timesteps.png")
    scenes = first_of(pipeline, MOVES)[: args.sweep]
    plot_guidance(pipeline, scenes, args.steps, args.out / "guidance.png")


if __name__ == "__main__":
    main()
