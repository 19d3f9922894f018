"""Sections of benchmarks/dancer.py on poses alone: no picture is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from dancer_results import Result
from dances import human_range, played_beats

from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.waveform import load_waveform
from musedance_core.dance.motion import DanceMotion
from musedance_core.diffusion.choreography import DanceScore, DanceSettings, choreograph
from musedance_core.diffusion.segment import SongFeatures
from musedance_core.evaluation.judges.networks import Judges
from musedance_core.metrics.beat_alignment import BeatTrack, beat_alignment, shuffled_control
from musedance_core.metrics.beat_lag import beat_lag, energy_lag, shift_slope
from musedance_core.metrics.dance import (
    beat_match,
    foot_slide,
    joint_accelerations,
    joint_speeds,
    seam_ratio,
    standing_joints,
    take_ratio,
)
from musedance_core.metrics.motion import motion_beats, visible_window
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.training.config import DataConfig
from musedance_core.training.data.dances import DanceScene, WorldDances
from musedance_core.world.clip_music import clip_music
from musedance_core.world.dances import MOVES, SIDES, SIZES, Dance, Take, dance_motion, random_take
from musedance_core.world.dances.moves import MOVE_TABLE
from musedance_core.world.songs import make_song

SECONDS = 4.0
SONGS = 32
SHIFTS = (-2, -1, 1, 2)
"""Shifts of the beats, in poses."""
REACH = 3
FASTEST_SHIFTED = 120.0
"""Highest BPM at which a shift by the largest of `SHIFTS` is unambiguous in moves on half-beats."""
FASTEST, SLOWEST = 190.0, 55.0
FAST = 150.0
"""BPM from which songs are counted apart."""
TAKE_SEED = 301
SEAM_SEED, SEAM_START = 4001, 1.0
GROUP = 6
"""Sentences that are compared with each other, all to the same music."""
SENTENCES = ("jump on the spot", "step to the side and touch", "dance", "big waves with the arms")


@dataclass(frozen=True)
class Planner:
    """Plans dances of the sentences and songs of one split.

    Attributes:
        pipeline: the model.
        dances: sentences, songs and true dances.
        settings: steps and guidance; None is the model's default.
    """

    pipeline: MuseDancePipeline
    dances: WorldDances
    settings: DanceSettings | None = None

    @classmethod
    def of(cls, pipeline: MuseDancePipeline, split: str) -> Planner:
        """A planner for one split of the world."""
        data = DataConfig(songs=SONGS)
        return cls(pipeline, WorldDances(pipeline.config, data, pipeline.tokenizer, split))

    def plan(
        self,
        scene: DanceScene,
        seed: int,
        grid: BeatGrid | None = None,
        text: str | None = None,
        seconds: float = SECONDS,
    ) -> DanceMotion:
        """Plans the dance of a scene, to other beats or another sentence where they are given."""
        _, mel = self.dances.songs[scene.song]
        song = SongFeatures(mel, grid or scene.grid)
        text = scene.sentence if text is None else text
        return self.choreograph(song, text, seed, scene.start, seconds)

    def choreograph(
        self, song: SongFeatures, text: str, seed: int, start: float, seconds: float = SECONDS
    ) -> DanceMotion:
        """Plans a dance to a song from `start` on."""
        prompts = [(0.0, self.pipeline.encode_text(text))]
        score = DanceScore(song, prompts, seed, start)
        return choreograph(self.pipeline.model, score, seconds, self.settings)

    def truth(
        self,
        scene: DanceScene,
        grid: BeatGrid | None = None,
        dance: Dance | None = None,
        take: Take | None = None,
    ) -> DanceMotion:
        """The true dance of a scene at the same rate: to other beats, of another sentence, or by
        another take where they are given."""
        dances = self.dances
        times = scene.start + np.arange(dances.frames * dances.poses) / dances.fps
        music = clip_music(dances.songs[scene.song][0], grid or scene.grid, times)
        return dance_motion(dance or scene.dance, music, take or scene.take, dances.fps)


def speed(motion: DanceMotion) -> np.ndarray:
    """Mean speed of the joints `[f-1]` in body heights a second."""
    speeds = joint_speeds(standing_joints(motion), motion.fps)
    return np.asarray(speeds.mean(axis=1))


def beat_track(motion: DanceMotion, beats: np.ndarray, song: str) -> BeatTrack:
    """Motion beats of poses beside the beats of the music."""
    window = visible_window(len(motion), motion.fps)
    return BeatTrack(motion_beats(speed(motion), motion.fps), beats, window, song)


def gains(tracks: Sequence[BeatTrack]) -> list[float]:
    """Beat alignment of every dance, less that with the music of other dances."""
    scores = [beat_alignment(track) for track in tracks]
    return [
        score.harmonic_mean - other
        for score, other in zip(scores, shuffled_control(tracks), strict=True)
        if score is not None and other is not None
    ]


def share(motion: DanceMotion, beats: np.ndarray) -> float:
    """Share of the motion that is periodic with the beat."""
    lag = beat_lag(speed(motion), motion.fps, beats)
    return 0.0 if lag is None else lag.share


def poses(planner: Planner, judges: Judges, count: int, recordings: Path | None) -> list[Result]:
    """Beats, moves, speeds and feet of many dances."""
    scenes = [planner.dances.scene(i) for i in range(count)]
    made = [planner.plan(scene, i) for i, scene in enumerate(scenes)]
    true = [planner.truth(scene) for scene in scenes]
    beats = [scene.grid.times - scene.start for scene in scenes]
    results = []
    gained, best = (
        gains([beat_track(m, b, str(s.song)) for m, b, s in zip(ms, beats, scenes, strict=True)])
        for ms in (made, true)
    )
    results.append(Result("poses", "gain of beat alignment", gained, ">= 0.65", best))
    shares, best = ([share(m, b) for m, b in zip(ms, beats, strict=True)] for ms in (made, true))
    results.append(Result("poses", "share with the beat", shares, ">= 0.85", best))
    if fast := [i for i, scene in enumerate(scenes) if scene.grid.tempo >= FAST]:
        name = f"share with the beat from {FAST:.0f} BPM on"
        ours, truth = ([values[i] for i in fast] for values in (shares, best))
        results.append(Result("poses", name, ours, ">= 0.85", truth))
    for name in ("move", "side", "size"):
        found, best = (
            [
                float(getattr(judges.recognise(m, b), name) == getattr(s.dance, name))
                for m, b, s in zip(ms, beats, scenes, strict=True)
                if name != "side" or s.dance.side != "either"
            ]
            for ms in (made, true)
        )
        classes = {"move": len(MOVES), "side": len(SIDES) - 1, "size": len(SIZES)}[name]
        chance = f"chance {1 / classes:.2f}"
        goal = f">= 0.85, {chance}" if name == "move" else chance
        results.append(Result("poses", f"{name} recognised", found, goal, best))
    results += feet(scenes, made, true)
    return results + (human(made, true, recordings) if recordings else [])


def feet(
    scenes: Sequence[DanceScene], made: Sequence[DanceMotion], true: Sequence[DanceMotion]
) -> list[Result]:
    """Slide of standing feet and the time that they stand, in dances of moves that neither glide
    nor turn the whole figure."""
    found, best = (
        [
            foot_slide(standing_joints(motion), played_beats(scene.grid, scene.start, motion))
            for scene, motion in zip(scenes, motions, strict=True)
            if MOVE_TABLE[scene.dance.move].keeps_feet
        ]
        for motions in (made, true)
    )
    slides = [[foot.slide for foot in some if foot.slide is not None] for some in (found, best)]
    stands = [[foot.stands for foot in some] for some in (found, best)]
    return [
        Result("poses", "slide of standing feet", slides[0], "<= 0.02", slides[1]),
        Result("poses", "share of the time in which a foot stands", stands[0], "", stands[1]),
    ]


def human(made: Sequence[DanceMotion], true: Sequence[DanceMotion], path: Path) -> list[Result]:
    """Joint speeds and accelerations of dances beside those of recordings of people."""
    limits = human_range(path)
    found, best = (
        [
            limits.share(joint_speeds(joints, motion.fps), joint_accelerations(joints, motion.fps))
            for motion in motions
            for joints in [standing_joints(motion)]
        ]
        for motions in (made, true)
    )
    people = [one.within for one in limits.recordings]
    results = [Result("poses", "speeds and accelerations within: the recordings", people)]
    for name, goal, title in (
        ("within", ">= 0.98", "speeds and accelerations within the recordings' range"),
        ("above", "<= 0.01", "speeds and accelerations above it"),
        ("below", "<= 0.01", "speeds and accelerations below it"),
        ("speed", "", "mean speed over the recordings'"),
    ):
        ours, truth = ([getattr(one, name) for one in some] for some in (found, best))
        results.append(Result("poses", title, ours, goal, truth))
    return results


def takes(planner: Planner, groups: int) -> list[Result]:
    """Distance between two seeds of a sentence over that between sentences, and their beats.

    No two dances share a seed: equal noise would bring dances of different sentences closer. The
    truth has the same sentences to the same music, by random takes.
    """
    ratios, matches, true_ratios, true_matches = [], [], [], []
    for group in range(groups):
        numbers = range(group * GROUP, (group + 1) * GROUP)
        scenes = [planner.dances.scene(i) for i in numbers]
        music = scenes[0]
        rng = np.random.default_rng((TAKE_SEED, group))
        made = [
            [planner.plan(music, 2 * i + k, text=scene.sentence) for k in (0, 1)]
            for i, scene in zip(numbers, scenes, strict=True)
        ]
        true = [
            [planner.truth(music, dance=scene.dance, take=random_take(rng)) for _ in (0, 1)]
            for scene in scenes
        ]
        for dances, some, found in ((made, ratios, matches), (true, true_ratios, true_matches)):
            joints = [[standing_joints(motion) for motion in motions] for motions in dances]
            some.append(take_ratio(joints))
            fps = planner.dances.fps
            scores = [beat_match(j, fps, music.grid, music.start) for js in joints for j in js]
            found += [score for score in scores if score is not None]
    name = "two seeds' distance over two sentences'"
    return [
        Result("takes", name, ratios, ">= 0.4", true_ratios),
        Result("takes", "beat alignment of the takes", matches, "", true_matches),
    ]


def edits(planner: Planner, count: int) -> list[Result]:
    """Dances to beats that were moved, halved and doubled, with the sound unchanged."""
    slopes: list[float] = []
    true_slopes: list[float] = []
    follow: dict[str, list[float]] = {"halved": [], "doubled": []}
    truth: dict[str, list[float]] = {"halved": [], "doubled": []}
    for i in range(40 * count):
        scene = planner.dances.scene(i)
        if scene.grid.tempo <= FASTEST_SHIFTED and len(slopes) < count:
            slopes.append(_slope(planner, scene, partial(planner.plan, scene, i)))
            true_slopes.append(_slope(planner, scene, partial(planner.truth, scene)))
        for name, grid in (("halved", scene.grid.halved()), ("doubled", scene.grid.doubled())):
            if len(follow[name]) < count and SLOWEST <= grid.tempo <= FASTEST:
                motion = planner.plan(scene, i, grid)
                follow[name].append(_prefers(motion, grid, scene))
                truth[name].append(_prefers(planner.truth(scene, grid), grid, scene))
        if min(len(slopes), *map(len, follow.values())) == count:
            break
    return [Result("edits", "slope of moved beats", slopes, "1 ± 0.1", true_slopes)] + [
        Result("edits", f"{name} beats danced", follow[name], "1", truth[name]) for name in follow
    ]


def _slope(planner: Planner, scene: DanceScene, dance: Callable[[BeatGrid], DanceMotion]) -> float:
    """Shift of the dance per shift of its beats."""
    still = speed(dance(scene.grid))
    lags = []
    for shift in SHIFTS:
        motion = dance(scene.grid.shifted(shift / planner.dances.fps))
        lags.append(energy_lag(speed(motion), still, REACH) or 0.0)
    return shift_slope(np.array([lags]), np.array(SHIFTS)).slope


def _prefers(motion: DanceMotion, grid: BeatGrid, scene: DanceScene) -> float:
    """1 if the dance has more in common with the edited beats than with the song's, else 0."""
    tracks = [beat_track(motion, g.times - scene.start, "") for g in (grid, scene.grid)]
    edited, own = (beat_alignment(track) for track in tracks)
    return float(
        edited is not None and own is not None and edited.harmonic_mean > own.harmonic_mean
    )


def songs(planner: Planner, paths: Sequence[Path], start: float) -> list[Result]:
    """Share of the motion with the tracked beats of songs, and gain over the other songs' beats."""
    results, tracks = [], []
    for path in paths:
        song = planner.pipeline.encode_song(load_waveform(path))
        beats = song.grid.times - start
        made = [planner.choreograph(song, text, 0, start, 8.0) for text in SENTENCES]
        tracks += [beat_track(motion, beats, path.stem) for motion in made]
        name = f"share with the beat, {path.stem} ({song.grid.tempo:.0f} BPM)"
        results.append(Result("songs", name, [share(m, beats) for m in made], ">= 0.85"))
    return [*results, Result("songs", "gain of beat alignment", gains(tracks), ">= 0.65")]


def seam_speeds(motion: DanceMotion, segment: int) -> float | None:
    """Mean speed of the joints within two poses of the seams between segments, over that 6 to 12
    poses away."""
    values = speed(motion)
    return seam_ratio(values, np.arange(len(values)) + 0.5, _seams(motion, segment))


def seam_accelerations(motion: DanceMotion, segment: int) -> float | None:
    """The same of accelerations."""
    values = joint_accelerations(standing_joints(motion), motion.fps).mean(axis=1)
    return seam_ratio(values, np.arange(len(values)) + 1.0, _seams(motion, segment))


def _seams(motion: DanceMotion, segment: int) -> np.ndarray:
    """Places between the last pose of a segment and the first of the next."""
    return np.arange(segment, len(motion), segment) - 0.5


def seams(planner: Planner, count: int, segments: int) -> list[Result]:
    """Speeds and accelerations at the seams of long dances; the truth is the world's own dances of
    the same sentences to the same songs, at the same places."""
    dances = planner.dances
    segment = dances.frames * dances.poses
    times = SEAM_START + np.arange(segments * segment) / dances.fps
    found: dict[str, list[float]] = {}
    for i in range(count):
        scene = dances.scene(i)
        song = make_song(SEAM_SEED, i, float(times[-1]) + 2.0)
        features = planner.pipeline.encode_song(song.wave, song.grid)
        made = planner.choreograph(features, scene.sentence, i, SEAM_START, len(times) / dances.fps)
        music = clip_music(song, song.grid, times)
        true = dance_motion(scene.dance, music, scene.take, dances.fps)
        for kind, motion in (("made", made), ("true", true)):
            for name, figure in (("speed", seam_speeds), ("acceleration", seam_accelerations)):
                value = figure(motion, segment)
                if value is not None:
                    found.setdefault(f"{name} {kind}", []).append(value)
    return [
        Result(
            *("long", f"{name} of joints at seams over that 6 to 12 poses away"),
            found.get(f"{name} made", []),
            goal,
            found.get(f"{name} true", []),
        )
        for name, goal in (("speed", "0.9 to 1.1"), ("acceleration", ""))
    ]


__all__ = [
    "Planner",
    "edits",
    "poses",
    "seam_accelerations",
    "seam_speeds",
    "seams",
    "songs",
    "takes",
]
