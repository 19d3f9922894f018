"""The choreographer's dances, measured on joints, next to the world's own dances.

    python benchmarks/choreographer.py [CHECKPOINT] [--clips 96] [--split test] [--judge 1500]
        [--recordings human.json] [--guidance 1.0] [--steps 8]

1. Share of the joints' motion that is periodic with the beat and beat alignment, to the own song
   and against the beats of another one; speeds, accelerations and sliding feet as in `dances.py`.
2. Beats shifted by -2, -1, 1 and 2 frames of the clip at 120 BPM at most: the shift of the dance
   per shift of the beats (slope 1 is exact). Halved and doubled beats: share of motion with them.
3. With `--judge STEPS`: share of the dances whose move, side and size a judge recognises after so
   many steps of training.
4. Two takes of a sentence: mean distance of joints over that between two sentences.
5. Dances of three segments: speed of the joints from one segment to the next over their usual one.
6. Clips a second, with all encoders.

Figures are means over clips with 95 % intervals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from dances import HumanRange, human_range, measure
from torch import Tensor

from musedance_core.audio.beats import BeatGrid, beat_frames
from musedance_core.checkpoint.format import load_checkpoint
from musedance_core.dance.motion import DanceMotion
from musedance_core.diffusion.choreography import (
    DanceScore,
    DanceSettings,
    choreograph,
    pose_noise,
    sample_features,
)
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.evaluation.judges.dance import (
    DanceJudge,
    JudgedDances,
    accuracy,
    joints,
    random_dances,
    train_dance_judge,
)
from musedance_core.metrics.beat_lag import energy_lag, shift_slope
from musedance_core.metrics.bootstrap import mean_interval
from musedance_core.metrics.dance import (
    beat_match,
    beat_share,
    joint_distance,
    joint_speeds,
    standing_joints,
)
from musedance_core.pipeline import DEFAULT_CHECKPOINT
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.data.dances import DanceScene, WorldDances
from musedance_core.training.stages.base import Batch
from musedance_core.training.stages.choreographer import ChoreographerStage
from musedance_core.training.stages.losses import ConditionMask
from musedance_core.world.dances import SIDES

SHIFTS = (-2, -1, 1, 2)
SLOWEST, FASTEST = 55.0, 120.0
"""BPM: shifts are unambiguous below the second, halved beats are danced above the first."""
BATCH = 32
SEGMENTS = 3
Score = Callable[[np.ndarray, BeatGrid, float], float | None]
LONG_DANCES = 24


class Dances:
    """Dances sampled for scenes of the world.

    Args:
        path: the checkpoint.
        split: of the world.
        songs: number of songs.
        steps, guidance: of sampling; None is the checkpoint's default.
    """

    def __init__(
        self, path: str, split: str, songs: int, steps: int | None, guidance: float | None
    ) -> None:
        checkpoint = load_checkpoint(path)
        self.model = checkpoint.model.eval()
        config = TrainConfig(output_dir="unused", data=DataConfig(songs=songs))
        self.stage = ChoreographerStage(self.model, checkpoint.tokenizer, config).eval()
        self.source: WorldDances = WorldDances(
            self.model.config, config.data, checkpoint.tokenizer, split
        )
        self.settings = DanceSettings.of(self.model, steps, guidance)

    @torch.no_grad()
    def sample(self, batch: Batch, seed: int = 0) -> list[DanceMotion]:
        """Dances from nothing before them, one for each sample of `batch`."""
        motions: list[DanceMotion] = []
        number = len(batch["ids"])
        for first in range(0, number, BATCH):
            part = {name: tensor[first : first + BATCH] for name, tensor in batch.items()}
            b = len(part["ids"])
            seeds = [seed * 100_003 + first + i for i in range(b)]
            noise = pose_noise(self.model, [torch.Generator().manual_seed(s) for s in seeds])
            keep = ConditionMask.keep_all(b, noise.device)
            features = sample_features(
                self.model,
                self.stage.text_tokens(part, keep.text),
                self.stage.clip_audio(part, keep),
                None,
                noise,
                self.settings,
            )
            motions += [DanceMotion.from_features(f, self.source.fps) for f in features]
        return motions

    def with_beats(self, batch: Batch, grids: Sequence[BeatGrid], starts: Sequence[float]) -> Batch:
        """The batch with the beats of these grids."""
        clip = self.model.config.clip
        beats = [
            beat_frames(g, s, clip.frames, clip.fps) for g, s in zip(grids, starts, strict=True)
        ]
        return {
            **batch,
            "beat_ids": torch.from_numpy(np.stack([one.ids for one in beats])),
            "beat_count": torch.from_numpy(np.stack([one.count for one in beats])).float(),
        }


def line(name: str, values: Sequence[float | None]) -> None:
    """Prints the mean of the values that exist, with its interval."""
    found = np.array([value for value in values if value is not None], dtype=np.float64)
    interval = mean_interval(found)
    low, high = (float("nan"), float("nan")) if interval is None else interval
    print(f"{name:<44}{found.mean():8.3f} [{low:.3f}, {high:.3f}]  n={len(found)}", flush=True)


def in_clip(grid: BeatGrid, start: float, seconds: float) -> np.ndarray:
    """Beats within a clip, in seconds from its start."""
    times = grid.times[(grid.times >= start) & (grid.times <= start + seconds)]
    return np.asarray(times - start)


def beats_and_bodies(
    name: str,
    motions: Sequence[DanceMotion],
    scenes: Sequence[DanceScene],
    human: HumanRange | None,
) -> None:
    """Prints how dances fit the beats and a human body."""
    places = [standing_joints(motion) for motion in motions]
    fps, seconds = motions[0].fps, len(motions[0]) / motions[0].fps
    grids, starts = [s.grid for s in scenes], [s.start for s in scenes]
    other = [*grids[1:], grids[0]]

    def each(score: Score, use: list[BeatGrid]) -> list[float | None]:
        return [score(p, g, s) for p, g, s in zip(places, use, starts, strict=True)]

    def share(p: np.ndarray, grid: BeatGrid, start: float) -> float | None:
        return beat_share(p, fps, in_clip(grid, start, seconds))

    def match(p: np.ndarray, grid: BeatGrid, start: float) -> float | None:
        return beat_match(p, fps, grid, start)

    line(f"{name}: motion with its own beat", each(share, grids))
    line(f"{name}: motion with the beat of another song", each(share, other))
    line(f"{name}: beat alignment", each(match, grids))
    line(f"{name}: beat alignment to another song", each(match, other))
    fast = [v for v, g in zip(each(share, grids), grids, strict=True) if g.tempo >= 150]
    if fast:
        line(f"{name}: motion with its own beat, 150 BPM on", fast)
    result = measure(motions, grids, starts, human)
    print(f"{name}: " + ", ".join(f"{k} {v:.3f}" for k, v in vars(result).items()), flush=True)


def edited_beats(dances: Dances, batch: Batch, scenes: Sequence[DanceScene]) -> None:
    """Prints how dances follow beats that were moved, halved and doubled."""
    clip = dances.model.config.clip
    slow = [i for i, s in enumerate(scenes) if SLOWEST <= s.grid.tempo <= FASTEST]
    part = {name: tensor[slow] for name, tensor in batch.items()}
    grids, starts = [scenes[i].grid for i in slow], [scenes[i].start for i in slow]
    fps, poses = dances.source.fps, dances.source.poses
    plain = [_energy(motion) for motion in dances.sample(part)]
    lags = []
    for shift in SHIFTS:
        moved = [grid.shifted(shift / clip.fps) for grid in grids]
        late = dances.sample(dances.with_beats(part, moved, starts))
        reach = 2 * poses + 2
        lags.append(
            [energy_lag(_energy(m), e, reach) or 0.0 for m, e in zip(late, plain, strict=True)]
        )
    slope = shift_slope(np.array(lags).T, np.array(SHIFTS) * poses)
    print(f"shift of the dance per shift of the beats: {slope.slope:.3f} {slope.interval}")
    for name, limit in (("halved", 2 * SLOWEST), ("doubled", 0.0)):
        some = [
            i
            for i, s in enumerate(scenes)
            if s.grid.tempo >= limit and (name == "halved" or s.grid.tempo <= 95)
        ]
        edited = [getattr(scenes[i].grid, name)() for i in some]
        begin = [scenes[i].start for i in some]
        chosen = dances.with_beats({n: t[some] for n, t in batch.items()}, edited, begin)
        shares = [
            beat_share(standing_joints(m), fps, in_clip(g, s, clip.seconds))
            for m, g, s in zip(dances.sample(chosen), edited, begin, strict=True)
        ]
        line(f"beats {name}: motion with them", shares)


def _energy(motion: DanceMotion) -> np.ndarray:
    return np.asarray(joint_speeds(standing_joints(motion), motion.fps).mean(axis=1))


def takes(dances: Dances, batch: Batch, motions: Sequence[DanceMotion]) -> None:
    """Prints the distance of takes over that of sentences, all to the music of one clip."""
    number = min(24, len(motions))
    same = {name: tensor[:number] for name, tensor in batch.items()}
    for name in ("window", "mel", "beat_ids", "beat_count"):
        same[name] = batch[name][:1].expand(number, *batch[name].shape[1:])
    one, two = ([standing_joints(m) for m in dances.sample(same, seed)] for seed in (1, 2))
    own = [joint_distance(a, b) for a, b in zip(one, two, strict=True)]
    others = [joint_distance(one[i], one[k]) for i in range(number) for k in range(i)]
    line("distance of two takes", own)
    line("distance of two sentences", others)
    print(f"takes over sentences: {np.mean(own) / np.mean(others):.3f}")


def seams(dances: Dances, scenes: Sequence[DanceScene]) -> None:
    """Prints the speed of joints at the seams of long dances over the usual one."""
    model, fps = dances.model, dances.source.fps
    seconds = SEGMENTS * model.config.clip.seconds
    jumps, sharp = [], []
    for i, scene in enumerate(scenes[:LONG_DANCES]):
        song, mel = dances.source.songs[scene.song]
        texts = model.text(dances.stage.tokenizer.encode([scene.sentence]))
        score = DanceScore(SongFeatures(mel, song.grid), [(0.0, texts)], i, 1.0)
        places = standing_joints(choreograph(model, score, seconds, dances.settings))
        speed = joint_speeds(places, fps).mean(axis=1)
        hard = np.linalg.norm(np.diff(places, n=2, axis=0), axis=-1).mean(axis=1)
        k = round(model.config.clip.seconds * fps)
        at = np.arange(k, len(places), k)
        jumps += list(speed[at - 1] / speed.mean())
        sharp += list(np.maximum(hard[at - 1], hard[at - 2]) / hard.mean())
    line("speed at a seam over the mean one", jumps)
    line("acceleration at a seam over the mean one", sharp)


def recognised(
    name: str, judge: DanceJudge, motions: Sequence[DanceMotion], scenes: Sequence[DanceScene]
) -> None:
    """Prints the shares of dances that the judge recognises."""
    frames = len(motions[0])
    count = [s.grid.count(s.start + np.arange(frames) / motions[0].fps) for s in scenes]
    data = JudgedDances(
        [scene.dance for scene in scenes],
        torch.stack([joints(motion) for motion in motions]),
        torch.from_numpy(np.stack(count)).float(),
    )
    with torch.no_grad():
        verdict = judge(data.places, data.count)
    for i, kind in enumerate(("move", "side", "size")):
        target = data.targets[:, i]
        right = (getattr(verdict, kind).argmax(dim=1) == target).double()
        named = target != SIDES.index("either") if kind == "side" else target >= 0
        line(f"{name}: {kind} recognised", right[named].tolist())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=str(DEFAULT_CHECKPOINT))
    parser.add_argument("--clips", type=int, default=96)
    parser.add_argument("--songs", type=int, default=24)
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--judge", type=int, default=0, help="steps of training of a judge")
    parser.add_argument("--recordings", help="JSON file of human joints")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--steps", type=int)
    options = parser.parse_args()
    human = human_range(options.recordings) if options.recordings else None
    dances = Dances(
        options.checkpoint, options.split, options.songs, options.steps, options.guidance
    )
    scenes = [
        replace(dances.source.scene(index), continued=False) for index in range(options.clips)
    ]
    batch = dances.source(list(range(options.clips)))
    truth: Tensor = batch["poses"]
    world = [DanceMotion.from_features(f, dances.source.fps) for f in truth]

    dances.sample(batch)  # the encoders remember the songs
    begin = time.perf_counter()
    motions = dances.sample(batch)
    print(f"{options.clips / (time.perf_counter() - begin):.1f} clips a second")
    beats_and_bodies("world", world, scenes, human)
    beats_and_bodies("choreographer", motions, scenes, human)
    if options.judge:
        judge = train_dance_judge(options.judge)
        unseen = accuracy(judge, random_dances(np.random.default_rng(5), 1000))
        print(f"judge on the world's dances by other dancers: move {unseen['move']:.3f}")
        recognised("world", judge, world, scenes)
        recognised("choreographer", judge, motions, scenes)
    edited_beats(dances, batch, scenes)
    takes(dances, batch, motions)
    seams(dances, scenes)


if __name__ == "__main__":
    main()
