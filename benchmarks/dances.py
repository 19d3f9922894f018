"""Dances measured on joints, for every move of the world: the table of benchmarks/README.md.

    python benchmarks/dances.py [--each 12] [--judge 1500] [--recordings human.json]

Every row: share of the joints' motion that is periodic with the beat, beat alignment, joint speeds
and accelerations, slide of standing feet in a beat of standing and the share of the time in which
they stand, mean distance of takes over that of sentences,
and, with `--judge STEPS`, the share of dances whose move a judge recognises after so many steps of
training. `--recordings` adds the range of human joints: a file with `clips` of joint `positions`
in metres. `measure` takes any dances.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from musedance_core.audio.beats import BeatGrid
from musedance_core.dance.motion import DanceMotion
from musedance_core.dance.skeleton import INDEX, JOINTS
from musedance_core.evaluation.judges.dance import (
    FPS,
    FRAMES,
    DanceJudge,
    JudgedDances,
    accuracy,
    joints,
    random_dances,
    train_dance_judge,
)
from musedance_core.metrics.dance import (
    beat_match,
    beat_share,
    foot_slide,
    joint_accelerations,
    joint_speeds,
    standing_joints,
    take_ratio,
)
from musedance_core.world.clip_music import ClipMusic, clip_music
from musedance_core.world.dances import MOVES, Dance, dance_motions, random_take
from musedance_core.world.dances.moves import MOVE_TABLE
from musedance_core.world.songs import Song, make_song

SONGS = 12
TAKES = 6
SONG_SECONDS = 12.0
RANGE = (1.0, 99.0)
"""Percentiles of the recordings between which a dance should be."""


@dataclass(frozen=True)
class Measures:
    """Means over dances.

    Attributes:
        beat_share, beat_match: of the joints' motion; see `metrics.dance`.
        speed, acceleration: mean of all joints, in body heights and seconds.
        fastest: 99th percentile of the wrists' speed.
        hardest: 99th percentile of the wrists' acceleration.
        slide: of standing feet, in body heights a beat of standing; NaN where none stands.
        stands: share of the time in which a foot stands.
        human: share of speeds and accelerations of joints within the recordings' range, at both
            ends; NaN without recordings.
    """

    beat_share: float
    beat_match: float
    speed: float
    acceleration: float
    fastest: float
    hardest: float
    slide: float
    stands: float
    human: float


@dataclass(frozen=True)
class HumanShare:
    """A dance beside recordings of people, over all joints and poses.

    Joints rest in recordings too, so that the lower end of the range says little about a dance that
    hardly moves; its mean speed does.

    Attributes:
        within: share of speeds and accelerations between the two ends of the recordings' range.
        below, above: shares of those beyond the lower and the upper end.
        speed: mean speed over that of the recordings.
    """

    within: float
    below: float
    above: float
    speed: float


@dataclass(frozen=True)
class HumanRange:
    """Lowest and highest speeds `[2 16]` and accelerations `[2 16]` of each joint in recordings.

    Attributes:
        speed, acceleration: the ends of the ranges.
        mean_speed: of all joints.
        recordings: the recordings themselves.
    """

    speed: np.ndarray
    acceleration: np.ndarray
    mean_speed: float
    recordings: list[HumanShare] = field(default_factory=list)

    def share(self, speeds: np.ndarray, accelerations: np.ndarray) -> HumanShare:
        """Compares speeds `[f-1 16]` and accelerations `[f-2 16]` with the range."""
        pairs = ((speeds, self.speed), (accelerations, self.acceleration))
        below = float(np.mean([(values < ends[0]).mean() for values, ends in pairs]))
        above = float(np.mean([(values > ends[1]).mean() for values, ends in pairs]))
        return HumanShare(1 - below - above, below, above, float(speeds.mean()) / self.mean_speed)


def measure(
    motions: Sequence[DanceMotion],
    grids: Sequence[BeatGrid],
    starts: Sequence[float],
    human: HumanRange | None = None,
) -> Measures:
    """Measures dances of a standing person.

    Args:
        motions: the dances.
        grids: beats of each dance's song.
        starts: seconds of the song at the first pose of each.
        human: range of recordings.
    """
    rows = []
    wrists = [INDEX["left_wrist"], INDEX["right_wrist"]]
    for motion, grid, start in zip(motions, grids, starts, strict=True):
        places, fps = standing_joints(motion), motion.fps
        speeds, hard = joint_speeds(places, fps), joint_accelerations(places, fps)
        feet = foot_slide(places, played_beats(grid, start, motion))
        beats = grid.times[(grid.times >= start) & (grid.times <= start + len(motion) / fps)]
        rows.append(
            (
                beat_share(places, fps, beats - start),
                beat_match(places, fps, grid, start),
                speeds.mean(),
                hard.mean(),
                np.percentile(speeds[:, wrists], 99),
                np.percentile(hard[:, wrists], 99),
                np.nan if feet.slide is None else feet.slide,
                feet.stands,
                np.nan if human is None else human.share(speeds, hard).within,
            )
        )
    table = np.array(rows, dtype=np.float64)
    return Measures(*(float(np.nanmean(c)) if np.isfinite(c).any() else np.nan for c in table.T))


def played_beats(grid: BeatGrid, start: float, motion: DanceMotion) -> float:
    """Number of beats between the first and the last pose of a dance."""
    count = grid.count(np.array([start, start + (len(motion) - 1) / motion.fps]))
    return float(np.ptp(count))


def human_range(path: str | Path) -> HumanRange:
    """Range of speeds and accelerations in a file of recordings, seen from the front."""
    data = json.loads(Path(path).read_text())
    names = [_recorded(name) for name in JOINTS]
    order = [data["joints"].index(name) for name in names]
    speeds, accelerations = [], []
    for clip in data["clips"].values():
        places = np.array(clip["positions"])[:, order] / clip["height"]
        flat = _from_the_front(places)
        if len(flat) > 3:
            speeds.append(joint_speeds(flat, clip["fps"]))
            accelerations.append(joint_accelerations(flat, clip["fps"]))
    together = np.concatenate(speeds)
    limits = HumanRange(
        np.percentile(together, RANGE, axis=0),
        np.percentile(np.concatenate(accelerations), RANGE, axis=0),
        float(together.mean()),
    )
    pairs = zip(speeds, accelerations, strict=True)
    return replace(limits, recordings=[limits.share(*pair) for pair in pairs])


def _recorded(name: str) -> str:
    side, _, rest = name.partition("_")
    return f"{rest}_{side[0]}" if side in ("left", "right") else name


def _from_the_front(places: np.ndarray) -> np.ndarray:
    """x and y `[f 16 2]` of places `[f 16 3]`, after undoing the turn of the hips."""
    hips = places[:, INDEX["left_hip"]] - places[:, INDEX["right_hip"]]
    turn = np.unwrap(np.arctan2(hips[:, 2], hips[:, 0]))
    width = min(9, len(turn) // 2 * 2 - 1)
    padded = np.pad(turn, width // 2, mode="edge")
    smooth = np.convolve(padded, np.ones(width) / width, "valid")[:, None]
    from_pelvis = places - places[:, :1]
    x = from_pelvis[..., 0] * np.cos(smooth) + from_pelvis[..., 2] * np.sin(smooth)
    return np.stack([x + places[:, :1, 0], places[..., 1]], axis=-1)


def world_dances(
    move: str, number: int, songs: Sequence[Song], seed: int
) -> tuple[list[DanceMotion], list[BeatGrid], list[float]]:
    """Dances of one move by different takes to different songs: motions, beats, starts."""
    rng = np.random.default_rng((seed, MOVES.index(move)))
    chosen = [songs[i % len(songs)] for i in range(number)]
    starts = [float(rng.uniform(1, SONG_SECONDS - FRAMES / FPS - 1)) for _ in chosen]
    music: list[ClipMusic] = [
        clip_music(song, song.grid, start + np.arange(FRAMES) / FPS)
        for song, start in zip(chosen, starts, strict=True)
    ]
    takes = [random_take(rng) for _ in chosen]
    motions = dance_motions([Dance(move)] * number, music, takes, FPS)
    return motions, [song.grid for song in chosen], starts


def takes_over_sentences(song: Song, seed: int) -> float:
    """`take_ratio` of the plain sentences of all moves, all to the same bars of a song."""
    rng = np.random.default_rng((seed, len(MOVES)))
    music = clip_music(song, song.grid, 1 + np.arange(0, FRAMES, 4) / FPS)
    motions = [
        dance_motions(
            [Dance(move)] * TAKES, [music] * TAKES, [random_take(rng) for _ in range(TAKES)], FPS
        )
        for move in MOVES
    ]
    return take_ratio([[standing_joints(motion) for motion in some] for some in motions])


def recognised(
    judge: DanceJudge, move: str, motions: Sequence[DanceMotion], count: np.ndarray
) -> float:
    """Share of the motions with a move that the judge recognises, given their beats `[n f]`."""
    data = JudgedDances(
        [Dance(move)] * len(motions),
        torch.stack([joints(motion) for motion in motions]),
        torch.from_numpy(count).float(),
    )
    return accuracy(judge, data)["move"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--each", type=int, default=12, help="dances of every move")
    parser.add_argument("--judge", type=int, default=0, help="steps of training of a judge")
    parser.add_argument("--recordings", help="JSON file of human joints")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    human = human_range(options.recordings) if options.recordings else None
    judge = train_dance_judge(options.judge) if options.judge else None
    songs = [make_song(options.seed, i, SONG_SECONDS) for i in range(SONGS)]

    names = ("share with the beat", "alignment", "speed", "acceleration", "wrist 99 %", "its acc.")
    print("| move |", " | ".join((*names, "slide", "stands", "human", "recognised")), "|")
    print("|---" * (len(names) + 5) + "|")
    rows = []
    for move in MOVES:
        motions, grids, starts = world_dances(move, options.each, songs, options.seed)
        result = measure(motions, grids, starts, human)
        count = np.stack(
            [grid.count(s + np.arange(FRAMES) / FPS) for grid, s in zip(grids, starts, strict=True)]
        )
        known = recognised(judge, move, motions, count) if judge else np.nan
        row = np.array([*vars(result).values(), known])
        rows.append(row)
        print(_line(move, row), flush=True)
    keeps = np.array([MOVE_TABLE[move].keeps_feet for move in MOVES])
    table = np.array(rows)
    print(_line("mean", _mean(table)))
    print(_line("mean without moves that glide, roll or spin", _mean(table[keeps])))
    print(f"\ntakes over sentences: {takes_over_sentences(songs[0], options.seed):.2f}")
    if judge:
        test = accuracy(judge, random_dances(np.random.default_rng((options.seed, 2)), 2000))
        print("judge on unseen dancers:", ", ".join(f"{k} {v:.3f}" for k, v in test.items()))


def _mean(rows: np.ndarray) -> np.ndarray:
    """Mean of each column over the rows that have a value; NaN where none has."""
    return np.array(
        [
            column[~np.isnan(column)].mean() if not np.isnan(column).all() else np.nan
            for column in rows.T
        ]
    )


def _line(name: str, row: np.ndarray) -> str:
    decimals = (2, 2, 2, 1, 1, 0, 4, 2, 3, 2)
    cells = ("" if np.isnan(v) else f"{v:.{d}f}" for v, d in zip(row, decimals, strict=True))
    return f"| {name} | " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
