"""Effect of each condition: held-out loss with wrong conditions, and how dances follow beats.

    python benchmarks/conditioning.py [CHECKPOINT] [--clips 32] [--dances 8] [--moves hop slide]

1. Loss on test clips at fixed noise with one wrong condition (picture, sentence, music, beats or
   part map of another clip, late beats, none): the paired difference to correct conditions, with a
   95 % interval. Then the same on clips with a bystander, where only the part map identifies the
   dancer.
2. The same dancer to another song: the share of motion with either song's beats, and its tempo.
3. Beats shifted by -2, -1, 1 and 2 frames at 120 BPM at most: the shift of the dance per shift of
   the beats (slope 1 is exact).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch

from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.mel import song_log_mel
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.segment import SamplingSettings, SongFeatures
from musedance_core.evaluation.scenes import Scene, world_scenes
from musedance_core.metrics.beat_lag import beat_lag, energy_lag, shift_slope
from musedance_core.metrics.bootstrap import mean_interval
from musedance_core.metrics.motion import motion_energy
from musedance_core.pipeline import DEFAULT_CHECKPOINT, MuseDancePipeline
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.stages.stage2 import Stage2
from musedance_core.world.dances import MOVES

FRAMES, FPS = 48, 12
SHIFTS = (-2, -1, 1, 2)
FASTEST = 120.0
"""Highest BPM at which a shift of two frames is unambiguous."""
TEMPI = np.arange(50.0, 200.5, 0.5)


def with_interval(values: np.ndarray) -> str:
    """Formats mean and interval."""
    interval = mean_interval(values)
    low, high = (float("nan"), float("nan")) if interval is None else interval
    return f"{values.mean():.4f} [{low:.4f}, {high:.4f}]"


def losses(
    pipeline: MuseDancePipeline, clips: int, moves: Sequence[str], bystanders: float
) -> None:
    """Measures the held-out loss with correct and wrong conditions, clip by clip."""
    data = DataConfig(songs=32, frames=16, moves=tuple(moves), bystanders=bystanders)
    config = TrainConfig(output_dir="unused", data=data)
    stage = Stage2(pipeline.model, pipeline.tokenizer, config).eval()
    source, found = stage.source("test"), {}
    with torch.no_grad():
        for first in range(0, clips, 8):
            batch = source(list(range(first, min(first + 8, clips))))
            for name, variant in stage.condition_variants(batch).items():
                found.setdefault(name, []).append(stage.losses_by_time(variant).mean(dim=0))
    right = torch.cat(found.pop("right")).numpy()
    company = ", a bystander in each" if bystanders else ""
    print(f"held-out loss of {clips} test clips{company}: {with_interval(right)}")
    for name, pieces in found.items():
        wrong = torch.cat(pieces).numpy()
        worse = float((wrong > right).mean())
        print(
            f"  {name}: higher by {with_interval(wrong - right)}, in {worse:.0%} of clips",
            flush=True,
        )


def dance(
    pipeline: MuseDancePipeline,
    scene: Scene,
    mel: torch.Tensor,
    grid: BeatGrid,
    start: float,
    settings: SamplingSettings,
) -> np.ndarray:
    """Returns the motion energy of the scene's dancer to this song and grid."""
    segments = pipeline.animate(
        scene.reference,
        SongFeatures(mel, grid),
        [(0.0, scene.caption)],
        frames=FRAMES,
        start=start,
        part_map=scene.part_map,
        steps=settings.steps,
        guidance=settings.guidance,
    )
    return motion_energy(torch.cat([segment.frames for segment in segments]))


def motion_tempo(energy: np.ndarray) -> float:
    """Returns the tempo in BPM that explains most of the energy's variance."""

    def share(tempo: float) -> float:
        lag = beat_lag(energy, FPS, np.arange(0, FRAMES / FPS + 1, 60 / tempo))
        return 0.0 if lag is None else lag.share

    return float(max(TEMPI, key=share))


def swapped(
    pipeline: MuseDancePipeline, scenes: Sequence[Scene], settings: SamplingSettings
) -> None:
    """Samples every dancer to its own song and to the next scene's."""
    bins = pipeline.config.music.mel_bins
    own, other, tempo = [], [], []
    for scene, next_one in zip(scenes, [*scenes[1:], scenes[0]], strict=True):
        for song in (scene, next_one):
            energy = dance(
                pipeline, scene, song_log_mel(song.song, bins), song.grid, song.start, settings
            )
            for grid_of in (scene, next_one):
                beats = grid_of.grid.times - grid_of.start
                lag = beat_lag(energy, FPS, beats)
                (own if grid_of is song else other).append(0.0 if lag is None else lag.share)
            tempo = song.grid.tempo
            ratio = motion_tempo(energy) / tempo
            tempo.append(min(abs(ratio * factor - 1) for factor in (0.5, 1, 2)) < 0.08)
    print(f"motion with the beats of the song that was played: {with_interval(np.array(own))}")
    print(f"  with those of the other song: {with_interval(np.array(other))}")
    print(f"  difference: {with_interval(np.array(own) - np.array(other))}")
    print(f"  tempo of the motion is the played song's (or half, double) in {np.mean(tempo):.0%}")


def shifted(
    pipeline: MuseDancePipeline, scenes: Sequence[Scene], settings: SamplingSettings
) -> None:
    """Samples every dance with shifted beats and unchanged sound."""
    bins, rows = pipeline.config.music.mel_bins, []
    for scene in scenes:
        mel = song_log_mel(scene.song, bins)
        still = dance(pipeline, scene, mel, scene.grid, scene.start, settings)
        lags = []
        for shift in SHIFTS:
            grid = scene.grid.shifted(shift / FPS)
            shifted_energy = dance(pipeline, scene, mel, grid, scene.start, settings)
            lags.append(energy_lag(shifted_energy, still) or 0.0)
        rows.append(lags)
        slope = shift_slope(np.array([lags]), np.array(SHIFTS)).slope
        print(f"  {scene.caption!r} at {scene.grid.tempo:.0f} BPM: slope {slope:.2f}", flush=True)
    found = shift_slope(np.array(rows), np.array(SHIFTS))
    print(f"shifted beats: slope {found.slope:.3f} {found.interval}")


def slow_scenes(pipeline: MuseDancePipeline, count: int, moves: Sequence[str]) -> list[Scene]:
    """Returns test scenes of songs up to `FASTEST` BPM, alternating the moves."""
    by_move: dict[str, list[Scene]] = {move: [] for move in moves}
    for scene in world_scenes(pipeline.config, "test", 40 * count, FRAMES, moves):
        assert scene.dance is not None
        if scene.grid.tempo <= FASTEST:
            by_move[scene.dance.move].append(scene)
        each = -(-count // len(moves))
        if all(len(found) >= each for found in by_move.values()):
            break
    turns = [scene for found in zip(*by_move.values(), strict=False) for scene in found]
    return turns[:count]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", nargs="?", default=DEFAULT_CHECKPOINT)
    parser.add_argument("--clips", type=int, default=32, help="of the held-out loss")
    parser.add_argument("--dances", type=int, default=8, help="that are made with other beats")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--guidance", type=float, help="(default: the model's)")
    parser.add_argument("--moves", nargs="+", default=list(MOVES), choices=MOVES)
    args = parser.parse_args()
    pipeline = MuseDancePipeline.from_pretrained(args.checkpoint, device="cpu")
    for bystanders in (0.0, 1.0):
        losses(pipeline, args.clips, args.moves, bystanders)
    scenes = slow_scenes(pipeline, args.dances, args.moves)
    settings = SamplingSettings(args.steps, Guidance.of(pipeline.config.schedule, args.guidance))
    swapped(pipeline, scenes, settings)
    shifted(pipeline, scenes, settings)


if __name__ == "__main__":
    main()
