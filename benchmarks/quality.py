"""Quality of a sticker checkpoint on held-out dancers and songs.

    python benchmarks/quality.py [CHECKPOINT] --out FOLDER [--each 2] [--pairs 10] [--segments 15]

1. The tables of `musedance evaluate` for the model, for the same model without music and beats, for
   the still picture, and for the true dance to another clip's song; `each` clips of every move.
2. Edited beats: whether the dance follows the halved or doubled grid.
3. Calm against energetic music with the same beats and sentence: amount and sharpness of motion.
4. A long song: seams, and the dancer's identity at the end.
5. The autoencoder's round trip of the truth: the ceiling of identity and background.
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
from torch import Tensor

from musedance_core.diffusion.guidance import Guidance
from musedance_core.evaluation.clip import Clip, quantise
from musedance_core.evaluation.harness import load_networks
from musedance_core.evaluation.judges.networks import load_judges
from musedance_core.evaluation.measure import MetricNetworks, measure
from musedance_core.evaluation.options import EvaluationOptions, Sampling
from musedance_core.evaluation.report.files import write_report
from musedance_core.evaluation.report.summary import Row, summarise
from musedance_core.evaluation.samples import generate, sampled_clips
from musedance_core.evaluation.scenes import SONGS, Scene, world_scenes
from musedance_core.media.video import write_video
from musedance_core.metrics.beat_lag import beat_lag
from musedance_core.metrics.bootstrap import mean_interval
from musedance_core.metrics.consistency import drift, seam_jump, similarity
from musedance_core.metrics.motion import motion_energy
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.world.clip_music import FASTEST, SLOWEST
from musedance_core.world.clips import World
from musedance_core.world.dances import MOVES
from musedance_core.world.songs import make_song

FRAMES, FPS = 48, 12
CALM, ENERGETIC = ("ballad", 0.1), ("techno", 1.0)
"""Genre and energy of calm and of energetic music."""
PAIR_TEMPI = (96.0, 120.0)
LONG_SEED = 4000
Make = Callable[[int, Scene], Tensor]


def balanced(pipeline: MuseDancePipeline, each: int) -> list[Scene]:
    """Returns the first `each` test scenes of every move."""
    by_move: dict[str, list[Scene]] = {move: [] for move in MOVES}
    for scene in world_scenes(pipeline.config, "test", 60 * each, FRAMES):
        assert scene.dance is not None
        if len(by_move[scene.dance.move]) < each:
            by_move[scene.dance.move].append(scene)
        if all(len(scenes) == each for scenes in by_move.values()):
            break
    return [scene for scenes in by_move.values() for scene in scenes]


def baseline(
    label: str, scenes: Sequence[Scene], make: Make, networks: MetricNetworks, out: Path
) -> Row:
    """Evaluates the video that `make(i, scene)` returns for every scene."""
    place = f"clips/{label.replace(' ', '-')}"
    (out / place).mkdir(parents=True)

    def clips() -> Iterator[Clip]:
        for i, scene in enumerate(scenes):
            frames, video = quantise(make(i, scene)), f"{place}/{scene.name}.mp4"
            write_video(out / video, [frames], FPS, scene.song, scene.start)
            yield Clip(
                name=scene.name,
                frames=frames,
                fps=FPS,
                reference=scene.reference,
                video=video,
                truth=scene.truth,
                truth_video=f"truth/{scene.name}.mp4",
                beats=scene.grid.shifted(-scene.start).times,
                beats_from="the scene",
                caption=scene.caption,
                dance=scene.dance,
                music=scene.music,
            )

    return summarise(label, "a baseline", [measure(clip, networks) for clip in clips()])


def table(
    pipeline: MuseDancePipeline,
    scenes: list[Scene],
    sampling: Sampling,
    networks: MetricNetworks,
    out: Path,
) -> list[Row]:
    """Evaluates the model and its baselines."""
    made = sampled_clips(pipeline, scenes, sampling, out, "clips/model")
    rows = [summarise("MuseDance", "the model", [measure(clip, networks) for clip in made])]
    strength = pipeline.config.schedule.guidance
    # v0 + s (v - v0) - s (v - v without music) is v0 + s (v without music - v0).
    deaf = Guidance(strength, {"music": -strength}, pipeline.config.schedule.guidance_rescale)
    world = World(
        *("test", pipeline.config.clip.size),
        songs=SONGS,
        mel_bins=pipeline.config.music.mel_bins,
        continued=0.0,
    )
    indices = [int(scene.name.split("-")[1]) for scene in scenes]

    def without_music(i: int, scene: Scene) -> Tensor:
        return animated(pipeline, scene, sampling.seed + i, sampling, deaf)

    def to_another_song(i: int, scene: Scene) -> Tensor:
        other = indices[(i + 1) % len(indices)]
        return world.clips([indices[i]], FRAMES, to=[other]).frames[0]

    def still(i: int, scene: Scene) -> Tensor:
        return scene.reference.expand(FRAMES, -1, -1, -1)

    def round_trip(i: int, scene: Scene) -> Tensor:
        with torch.no_grad():
            again: Tensor = pipeline.model.vae.decode(pipeline.model.vae.encode(scene.truth))
        return again

    made_by: dict[str, Make] = {
        "without music and beats": without_music,
        "still picture": still,
        "truth of another song": to_another_song,
        "truth through the autoencoder": round_trip,
    }
    return rows + [baseline(name, scenes, make, networks, out) for name, make in made_by.items()]


def animated(
    pipeline: MuseDancePipeline, scene: Scene, seed: int, sampling: Sampling, guidance: Guidance
) -> Tensor:
    """Samples the scene with the given guidance."""
    segments = pipeline.animate(
        scene.reference,
        pipeline.encode_song(scene.song, scene.grid),
        [(0.0, scene.caption)],
        frames=FRAMES,
        start=scene.start,
        part_map=scene.part_map,
        seed=seed,
        steps=sampling.steps,
        sampler=sampling.sampler,
        guidance=guidance,
    )
    return torch.cat([segment.frames for segment in segments])


def with_interval(values: Sequence[float]) -> str:
    """Formats mean and 95 % interval."""
    interval = mean_interval(np.array(values))
    low, high = (float("nan"), float("nan")) if interval is None else interval
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]; n = {len(values)}"


def edited(
    pipeline: MuseDancePipeline, scenes: Sequence[Scene], sampling: Sampling, count: int
) -> None:
    """Samples dances to a halved or doubled grid of an unchanged song."""
    found: dict[str, list[float]] = {"halved": [], "doubled": []}
    for i, scene in enumerate(scenes):
        grids = {"halved": scene.grid.halved(), "doubled": scene.grid.doubled()}
        for name, grid in grids.items():
            if len(found[name]) >= count or not SLOWEST <= grid.tempo <= FASTEST:
                continue
            seeded = replace(sampling, seed=sampling.seed + i)
            energy = motion_energy(generate(pipeline, replace(scene, grid=grid), seeded))
            shares = [_share(energy, g.times - scene.start) for g in (grid, scene.grid)]
            found[name].append(shares[0] - shares[1])
    for name, gains in found.items():
        wins = np.mean(np.array(gains) > 0)
        print(f"grid {name}: motion follows it more than the song's grid by {with_interval(gains)}")
        print(f"  in {wins:.0%} of the dances", flush=True)


def _share(energy: np.ndarray, beats: np.ndarray) -> float:
    lag = beat_lag(energy, FPS, beats)
    return 0.0 if lag is None else lag.share


def music_matters(
    pipeline: MuseDancePipeline, scenes: Sequence[Scene], sampling: Sampling, pairs: int
) -> None:
    """Compares calm and energetic music with the same dancer, sentence and beats."""
    louder, sharper = [], []
    for i, scene in enumerate(scenes[:pairs]):
        tempo = float(np.linspace(*PAIR_TEMPI, pairs)[i])
        energies = []
        for genre, level in (CALM, ENERGETIC):
            song = make_song(LONG_SEED, i, 16.0, tempo, genre, level)
            changed = replace(scene, song=song.wave, grid=song.grid, start=6.0)
            energies.append(
                motion_energy(
                    generate(pipeline, changed, replace(sampling, seed=sampling.seed + i))
                )
            )
        calm, energetic = energies
        louder.append(float(np.log(energetic.mean() / calm.mean())))
        sharper.append(float(energetic.std() / energetic.mean() - calm.std() / calm.mean()))
    for name, gains in (
        ("moves more, by a factor of e to the", louder),
        ("is sharper by", sharper),
    ):
        wins = np.mean(np.array(gains) > 0)
        print(
            f"to energetic music it {name} {with_interval(gains)}, in {wins:.0%} of pairs",
            flush=True,
        )


def long_dance(
    pipeline: MuseDancePipeline,
    scene: Scene,
    sampling: Sampling,
    segments: int,
    networks: MetricNetworks,
) -> None:
    """Samples a long dance of many segments."""
    assert networks.identity is not None
    song = make_song(LONG_SEED, 0, segments * FRAMES / FPS + 4, tempo=112.0)
    frames = segments * FRAMES
    truth = scene.truth[:1].expand(frames, -1, -1, -1)
    changed = replace(scene, song=song.wave, grid=song.grid, start=0.5, truth=truth)
    video = generate(pipeline, changed, sampling)
    similar = similarity(networks.identity, quantise(video), scene.reference)
    print(
        f"{segments} segments: seams {seam_jump(motion_energy(video), FRAMES):.2f} of the median,"
    )
    print(f"  identity at the end over the first segment's {drift(similar, FRAMES):.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--out", required=True, help="folder of the report; replaced if there")
    parser.add_argument("--each", type=int, default=2, help="test clips of every move")
    parser.add_argument("--pairs", type=int, default=10, help="of calm and energetic music")
    parser.add_argument("--edits", type=int, default=6, help="dances to each sort of edited beats")
    parser.add_argument("--segments", type=int, default=15, help="of the long dance")
    parser.add_argument("--steps", type=int, help="denoising steps (default: the model's)")
    parser.add_argument("--sampler", default="ddim")
    args = parser.parse_args()
    out = Path(args.out)
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    sampling = Sampling(steps=args.steps, sampler=args.sampler)
    command = shlex.join(["python", *sys.argv])
    options = EvaluationOptions((args.checkpoint,), str(out), sampling=sampling, command=command)
    judges = load_judges()
    networks = replace(load_networks(options), identity=judges.identity, motion=judges.motion)
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    scenes = balanced(pipeline, args.each)
    write_report(out, table(pipeline, scenes, sampling, networks, out), options)
    print((out / "results.md").read_text(), flush=True)
    mixed = [scenes[i] for i in np.random.default_rng(0).permutation(len(scenes))]
    edited(pipeline, mixed, sampling, args.edits)
    music_matters(pipeline, mixed, sampling, args.pairs)
    if args.segments > 1:
        long_dance(pipeline, mixed[0], sampling, args.segments, networks)


if __name__ == "__main__":
    main()
