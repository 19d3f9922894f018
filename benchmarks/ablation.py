"""The paper's Table 3 on the sticker world: the choreographer without music, motion or beats.

    python benchmarks/ablation.py --out runs/ablation [--init FILE] [--steps 600] [--dances 100]

Every row starts from the same checkpoint and trains a choreographer from scratch, for the same
number of steps, with the paper's modules that the row has; the denoiser's modules are switched off
with it. Each is then measured on the same held-out dances: loss, beats, recognised moves, and speed
at the seam between two segments. Finished rows are not trained again.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from dancer_poses import Planner, poses, seam_speeds, takes
from dancer_results import Result, write_results

from musedance_core.evaluation.judges.networks import Judges, load_judges
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.stages.choreographer import ChoreographerStage

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "train/configs/sticker/ablation.yaml"
MODULES = ("music", "beat", "motion")
ROWS = {
    "none": (),
    "music": ("music",),
    "music + motion": ("music", "motion"),
    "music + motion + beat": MODULES,
}
"""The paper's rows, in its order."""
FIGURES = ("gain of beat alignment", "share with the beat", "move recognised")
"""Figures of planned dances that are measured."""
SEAM_SECONDS = 8.0
BATCH = 50


def train_row(
    modules: tuple[str, ...], init: str, folder: Path, steps: int, more: list[str]
) -> Path:
    """Trains the row's checkpoint with the training script, with `more` values of its config, and
    returns its path."""
    switches = [f"model.dynamics.{name}={str(name in modules).lower()}" for name in MODULES]
    command = [sys.executable, str(ROOT / "train/choreographer.py"), str(CONFIG), *switches]
    command += [f"output_dir={folder}", f"init={init}", f"max_steps={steps}", *more]
    subprocess.run(command, check=True)
    return folder / "model.safetensors"


def score_row(label: str, path: Path, judges: Judges, dances: int, groups: int) -> list[Result]:
    """Measures the row's checkpoint on held-out dances."""
    pipeline = MuseDancePipeline.from_pretrained(path, device="cpu")
    planner = Planner.of(pipeline, "test")
    scenes = [planner.dances.scene(i) for i in range(dances)]
    planned = {result.name: result for result in poses(planner, judges, dances, None)}
    found = [
        Result(label, "loss", held_out_loss(pipeline, dances), digits=4),
        *(planned[name] for name in FIGURES),
        takes(planner, groups)[0],
        Result(
            label,
            "speed at the seam over that 6 to 12 poses away",
            [
                ratio
                for i, scene in enumerate(scenes[: dances // 2])
                for motion in [planner.plan(scene, i, seconds=SEAM_SECONDS)]
                for ratio in [seam_speeds(motion, len(motion) // 2)]
                if ratio is not None
            ],
        ),
    ]
    return [Result(label, r.name, r.values, "", r.truth, r.digits) for r in found]


def held_out_loss(pipeline: MuseDancePipeline, dances: int) -> list[float]:
    """The loss of every held-out dance."""
    config = TrainConfig(output_dir="unused", data=DataConfig(songs=32))
    stage = ChoreographerStage(pipeline.model, pipeline.tokenizer, config).eval()
    source = stage.source("test")
    losses: list[float] = []
    with torch.no_grad():
        for first in range(0, dances, BATCH):
            batch = source(list(range(first, min(first + BATCH, dances))))
            losses += stage.losses_by_time(batch).mean(dim=0).tolist()
    return losses


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="of the training")
    parser.add_argument("--out", required=True, type=Path, help="folder of the runs")
    parser.add_argument("--init", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--steps", type=int, default=600, help="of training, per row")
    parser.add_argument("--dances", type=int, default=100, help="that are measured")
    parser.add_argument("--groups", type=int, default=4, help="of six sentences")
    args = parser.parse_args()
    judges, results = load_judges(), []
    for label, modules in ROWS.items():
        began = time.monotonic()
        folder = args.out / label.replace(" + ", "-")
        path = train_row(modules, args.init, folder, args.steps, args.overrides)
        print(f"{label}: trained in {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
        results += score_row(label, path, judges, args.dances, args.groups)
        write_results(args.out / "results.json", results, shlex.join(["python", *sys.argv]))
    print(table(results))


def table(results: list[Result]) -> str:
    """Returns one line a row, and for the loss the paired difference to the row above."""
    names = list(dict.fromkeys(result.name for result in results))
    lines = ["| modules | " + " | ".join(names) + " | less loss than above |"]
    lines.append("|---" * (len(names) + 2) + "|")
    before: np.ndarray | None = None
    for label in ROWS:
        row = {r.name: r for r in results if r.section == label}
        loss = np.array(row["loss"].values)
        less = "" if before is None else Result("", "", (before - loss).tolist(), digits=4).text
        lines.append(f"| {label} | " + " | ".join(row[n].text for n in names) + f" | {less} |")
        before = loss
    return "\n".join(lines)


if __name__ == "__main__":
    main()
