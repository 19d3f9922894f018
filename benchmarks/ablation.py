"""The paper's Table 3 on the sticker world: stage 2 without music, motion or beats.

    python benchmarks/ablation.py --out runs/ablation [--init FILE] [--steps 400] [--clips 12]

Every row starts from the same checkpoint with a frozen spatial half and trains its modules from
scratch for the same number of steps; the first row has none and trains nothing. Each then samples
the same test clips of 48 frames, in segments of 16. Finished rows are not trained again.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from musedance_core.evaluation.harness import load_networks
from musedance_core.evaluation.judges.networks import load_judges
from musedance_core.evaluation.measure import MetricNetworks, measure
from musedance_core.evaluation.options import EvaluationOptions, Sampling
from musedance_core.evaluation.report.files import write_report
from musedance_core.evaluation.report.summary import Row, summarise
from musedance_core.evaluation.samples import sampled_clips
from musedance_core.evaluation.scenes import world_scenes
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config import TrainConfig
from musedance_core.training.config_file import load_config
from musedance_core.training.runtime.initial_model import load_initial_model, write_model

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "train/configs/sticker/ablation.yaml"
FRAMES = 48
MODULES = ("music", "beat", "motion")
ROWS = {
    "none": (),
    "music": ("music",),
    "music + motion": ("music", "motion"),
    "music + motion + beat": MODULES,
}
"""The paper's rows, in its order."""


def overrides(modules: tuple[str, ...], init: str, folder: Path, steps: int) -> list[str]:
    """Returns the config overrides of one row."""
    patterns = [f"unet.*.{name}.*" for name in modules]
    patterns += [f"unet.{name}_tokens.*" for name in modules if name != "motion"]
    switches = [f"model.dynamics.{name}={str(name in modules).lower()}" for name in MODULES]
    fresh = f"fresh=[{', '.join(patterns)}]"
    return [f"output_dir={folder}", f"init={init}", f"max_steps={steps}", fresh, *switches]


def train_row(modules: tuple[str, ...], init: str, folder: Path, steps: int) -> Path:
    """Trains the row's checkpoint with the training script and returns its path."""
    path, config_overrides = folder / "model.safetensors", overrides(modules, init, folder, steps)
    if not modules:
        config: TrainConfig = load_config(CONFIG, config_overrides)
        folder.mkdir(parents=True, exist_ok=True)
        return write_model(load_initial_model(config), "stage2", config, 0, 0.0, {})
    command = [sys.executable, str(ROOT / "train/stage2.py"), str(CONFIG), *config_overrides]
    subprocess.run(command, check=True)
    return path


def score_row(
    label: str, path: Path, networks: MetricNetworks, options: EvaluationOptions, place: str
) -> Row:
    """Evaluates the row's checkpoint on the test clips."""
    pipeline = MuseDancePipeline.from_pretrained(path, device="cpu")
    moves = load_config(CONFIG, ["output_dir=unused"]).data.moves
    scenes = world_scenes(pipeline.config, options.split, options.clips, FRAMES, moves)
    clips = sampled_clips(pipeline, scenes, options.sampling, Path(options.out), place)
    measured = [measure(clip, networks) for clip in clips]
    return summarise(label, str(path), measured, [f"moves {', '.join(moves)}"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", required=True, help="folder of the runs and of the report")
    parser.add_argument("--init", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--steps", type=int, default=400, help="of training, per row")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--sampling-steps", type=int, default=10)
    args = parser.parse_args()
    report = Path(args.out) / "report"
    shutil.rmtree(report, ignore_errors=True)
    report.mkdir(parents=True)
    sampling = Sampling(steps=args.sampling_steps)
    command = shlex.join(["python", *sys.argv])
    options = EvaluationOptions(
        (), str(report), clips=args.clips, sampling=sampling, command=command
    )
    judges = load_judges()
    networks = replace(load_networks(options), identity=judges.identity, motion=judges.motion)
    rows = []
    for number, (label, modules) in enumerate(ROWS.items()):
        folder = Path(args.out) / label.replace(" + ", "-")
        began = time.monotonic()
        path = train_row(modules, args.init, folder, args.steps)
        print(f"{label}: trained in {(time.monotonic() - began) / 60:.1f} minutes", flush=True)
        rows.append(score_row(label, path, networks, options, f"clips/{number:02d}"))
    write_report(report, rows, options)
    print((report / "results.md").read_text())


if __name__ == "__main__":
    main()
