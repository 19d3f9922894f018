"""Plots of a sticker checkpoint on dancers and songs of the test split.

    python benchmarks/plots.py [CHECKPOINT] --out docs/results [--clips 24] [--sweep 60]

motion.png: speed of the joints beside that of the true dance and the beats.
timesteps.png: held-out loss of the denoiser by timestep, and its increase with a wrong condition.
guidance.png: beats, moves and takes over the choreographer's guidance.
Needs `pip install matplotlib`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from dancer_poses import SECONDS, Planner, poses, speed, takes
from matplotlib.figure import Figure

from musedance_core.diffusion.choreography import DanceSettings
from musedance_core.evaluation.judges.networks import Judges, load_judges
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.data.dances import DanceScene
from musedance_core.training.stages.diffusion import EVALUATION_TIMES
from musedance_core.training.stages.stage2 import Stage2

ROWS = 3
SLOWEST, FASTEST = 70.0, 95.0
"""BPM of the songs of motion.png, whose doubled beats can still be danced."""
GUIDANCE = (1.0, 1.5, 2.0, 3.0)
GROUPS = 4
WRONG = {
    "text": "another sentence",
    "music": "another song",
    "beats": "beats late by half a beat",
    "no_beats": "no beats",
    "map": "another part map",
}


def slow_scenes(planner: Planner) -> list[DanceScene]:
    """Returns the first scenes of slow songs."""
    scenes: list[DanceScene] = []
    index = 0
    while len(scenes) < ROWS:
        scene = planner.dances.scene(index)
        index += 1
        if SLOWEST <= scene.grid.tempo <= FASTEST:
            scenes.append(scene)
    return scenes


def plot_motion(planner: Planner, path: Path) -> None:
    """Plots one dance a row; left with the song's beats, right with doubled beats."""
    figure = Figure((10, 6), layout="constrained")
    rows = figure.subplots(ROWS, 2, sharex=True)
    for i, (scene, row) in enumerate(zip(slow_scenes(planner), rows, strict=True)):
        grids = {"as tracked": scene.grid, "doubled": scene.grid.doubled()}
        for axes, (name, grid) in zip(row, grids.items(), strict=True):
            for beat in grid.times - scene.start:
                axes.axvline(beat, color="#cbd5e1", linewidth=1, zorder=0)
            for motion, colour, label in (
                (planner.truth(scene, grid), "#94a3b8", "a true take"),
                (planner.plan(scene, i, grid), "#c2410c", "MuseDance"),
            ):
                speeds = speed(motion)
                times = (np.arange(len(speeds)) + 0.5) / motion.fps
                axes.plot(times, speeds, color=colour, label=label)
            title = f"{scene.sentence}; beats {name}"
            axes.set(title=title, xlim=(0, SECONDS), ylim=(0, None))
            axes.title.set_fontsize(9)
    rows[0][0].legend(fontsize=8)
    figure.supxlabel("seconds; lines are beats", fontsize=9)
    figure.supylabel("mean speed of joints, body heights a second", fontsize=9)
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


def plot_guidance(planner: Planner, judges: Judges, dances: int, path: Path) -> None:
    """Plots means over validation dances at every guidance scale."""
    curves: dict[str, list[float]] = {}
    for scale in GUIDANCE:
        settings = DanceSettings.of(planner.pipeline.model, guidance=scale)
        changed = Planner(planner.pipeline, planner.dances, settings)
        found = [*poses(changed, judges, dances, None)[:3], takes(changed, GROUPS)[0]]
        for result in found:
            curves.setdefault(result.name, []).append(float(np.mean(result.values)))
        print(f"guidance {scale}:", {name: round(values[-1], 3) for name, values in curves.items()})
    figure = Figure((12, 3), layout="constrained")
    for axes, (name, values) in zip(figure.subplots(1, len(curves)), curves.items(), strict=True):
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
    parser.add_argument("--sweep", type=int, default=60, help="dances a guidance")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    plot_motion(Planner.of(pipeline, "test"), args.out / "motion.png")
    plot_timesteps(pipeline, args.clips, args.out / "timesteps.png")
    planner = Planner.of(pipeline, "validation")
    plot_guidance(planner, load_judges(), args.sweep, args.out / "guidance.png")


if __name__ == "__main__":
    main()
