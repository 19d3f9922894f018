"""Quality of a sticker checkpoint against baselines, on held-out dancers and songs.

    python benchmarks/quality.py [CHECKPOINT] --out FOLDER [--clips 24] [--pairs 10]

1. The tables of `musedance evaluate` for the model, for its choreographer and skinning alone
   without the denoiser (as EDGE plans a dance from music), for its dance to another clip's song,
   for the still picture, and for the true dance to another clip's song. `--music-to-video FILE`
   adds a denoiser without picture and sentence (as MM-Diffusion), `--videos FOLDER` another
   system's videos.
2. Calm against energetic music with the same beats and sentence: amount and sharpness of motion.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from dancer_poses import Planner, speed
from dancer_results import with_interval
from music_to_video import sample_music_to_video
from torch import Tensor

from musedance_core.evaluation.clip import Clip, quantise
from musedance_core.evaluation.harness import load_networks
from musedance_core.evaluation.judges.networks import load_judges
from musedance_core.evaluation.measure import MetricNetworks, measure
from musedance_core.evaluation.options import EvaluationOptions, Sampling
from musedance_core.evaluation.report.files import write_report
from musedance_core.evaluation.report.summary import Row, summarise
from musedance_core.evaluation.samples import (
    Sample,
    covered,
    generate,
    sampled_clips,
    scene_clip,
)
from musedance_core.evaluation.scenes import Scene, scene_world, world_scenes
from musedance_core.media.video import write_video
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.world.songs import make_song

FRAMES, FPS = 48, 12
CALM, ENERGETIC = ("ballad", 0.1), ("techno", 1.0)
"""Genre and energy of calm and of energetic music."""
PAIR_TEMPI = (96.0, 120.0)
PAIR_SEED = 4000
Make = Callable[[int, Scene], Sample]


def baseline(
    label: str, scenes: Sequence[Scene], make: Make, networks: MetricNetworks, out: Path
) -> Row:
    """Evaluates what `make(i, scene)` returns for every scene."""
    place = f"clips/{label.replace(' ', '-')}"
    (out / place).mkdir(parents=True)

    def clips() -> Iterator[Clip]:
        for i, scene in enumerate(scenes):
            sample = make(i, scene)
            frames, video = quantise(sample.frames), f"{place}/{scene.name}.mp4"
            write_video(out / video, [frames], FPS, scene.song, scene.start)
            clip = scene_clip(scene, frames, video, f"truth/{scene.name}.mp4", FPS)
            yield replace(clip, motion=sample.motion, covered=covered(sample, scene))

    return summarise(label, "a baseline", [measure(clip, networks) for clip in clips()])


def table(
    pipeline: MuseDancePipeline,
    scenes: list[Scene],
    sampling: Sampling,
    networks: MetricNetworks,
    out: Path,
) -> list[Row]:
    """Evaluates the model and its baselines."""
    clips = sampled_clips(pipeline, scenes, sampling, out, "clips/model")
    rows = [summarise("MuseDance", "the model", [measure(clip, networks) for clip in clips])]
    world = scene_world(pipeline.config, "test")
    indices = [int(scene.name.split("-")[1]) for scene in scenes]

    def seeded(i: int) -> Sampling:
        return replace(sampling, seed=sampling.seed + i)

    def draft(i: int, scene: Scene) -> Sample:
        return generate(pipeline, scene, seeded(i), draft=True)

    def to_another_song(i: int, scene: Scene) -> Sample:
        other = scenes[(i + 1) % len(scenes)]
        changed = replace(scene, song=other.song, grid=other.grid, start=other.start)
        return generate(pipeline, changed, seeded(i))

    def still(i: int, scene: Scene) -> Sample:
        return Sample(scene.reference.expand(FRAMES, -1, -1, -1))

    def truth_to_another_song(i: int, scene: Scene) -> Sample:
        other = indices[(i + 1) % len(indices)]
        return Sample(world.clips([indices[i]], FRAMES, to=[other]).frames[0])

    baselines: dict[str, Make] = {
        "choreographer and skinning alone": draft,
        "to another song": to_another_song,
        "still picture": still,
        "truth of another song": truth_to_another_song,
    }
    return rows + [baseline(name, scenes, make, networks, out) for name, make in baselines.items()]


def other_system(folder: Path, scenes: Sequence[Scene], networks: MetricNetworks, out: Path) -> Row:
    """Evaluates another system's videos, named as the scenes are."""
    from musedance_core.media.video import read_video

    def read(i: int, scene: Scene) -> Sample:
        frames: Tensor = read_video(folder / f"{scene.name}.mp4")[0]
        size = scene.truth.shape[-2:]
        return Sample(torch.nn.functional.interpolate(frames, size, mode="area"))

    return baseline(folder.name, scenes, read, networks, out)


def music_to_video(
    file: str, scenes: Sequence[Scene], sampling: Sampling, networks: MetricNetworks, out: Path
) -> Row:
    """Evaluates a denoiser that was trained without picture and sentence."""
    pipeline = MuseDancePipeline.from_pretrained(file, device="cpu")

    def make(i: int, scene: Scene) -> Sample:
        return sample_music_to_video(pipeline, scene, sampling.seed + i)

    return baseline("music to video", scenes, make, networks, out)


def music_matters(planner: Planner, pairs: int) -> None:
    """Compares dances to calm and energetic music."""
    louder, sharper = [], []
    for i in range(pairs):
        tempo = float(np.linspace(*PAIR_TEMPI, pairs)[i])
        sentence = planner.dances.scene(i).sentence
        speeds = []
        for genre, level in (CALM, ENERGETIC):
            song = make_song(PAIR_SEED, i, 16.0, tempo, genre, level)
            features = planner.pipeline.encode_song(song.wave, song.grid)
            speeds.append(speed(planner.choreograph(features, sentence, i, 6.0)))
        calm, energetic = speeds
        louder.append(float(np.log(energetic.mean() / calm.mean())))
        sharper.append(float(energetic.std() / energetic.mean() - calm.std() / calm.mean()))
    for name, found in (
        ("moves more, by a factor of e to the", louder),
        ("is sharper by", sharper),
    ):
        wins = np.mean(np.array(found) > 0)
        print(f"to energetic music it {name} {with_interval(found)}, in {wins:.0%} of pairs")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--out", required=True, help="folder of the report; replaced if there")
    parser.add_argument("--clips", type=int, default=24, help="test clips")
    parser.add_argument("--pairs", type=int, default=10, help="of calm and energetic music")
    parser.add_argument("--videos", type=Path, nargs="*", default=[], help="of other systems")
    parser.add_argument("--music-to-video", metavar="FILE", help="of benchmarks/music_to_video.py")
    parser.add_argument("--steps", type=int, help="denoising steps (default: the model's)")
    parser.add_argument("--sampler", help="(default: the model's)")
    args = parser.parse_args()
    out = Path(args.out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    sampling = Sampling(steps=args.steps, sampler=args.sampler)
    command = shlex.join(["python", *sys.argv])
    options = EvaluationOptions((args.checkpoint,), str(out), sampling=sampling, command=command)
    judges = load_judges()
    networks = replace(
        load_networks(options),
        identity=judges.identity,
        motion=judges.motion,
        dance=judges.recognise,
    )
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    scenes = list(world_scenes(pipeline.config, "test", args.clips, FRAMES))
    rows = table(pipeline, scenes, sampling, networks, out)
    if args.music_to_video:
        rows.append(music_to_video(args.music_to_video, scenes, sampling, networks, out))
    rows += [other_system(folder, scenes, networks, out) for folder in args.videos]
    write_report(out, rows, options)
    print((out / "results.md").read_text(), flush=True)
    music_matters(Planner.of(pipeline, "test"), args.pairs)


if __name__ == "__main__":
    main()
