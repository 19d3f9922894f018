"""Accuracy of beat trackers on rendered songs with exact beats, on real songs, and without music.

    python benchmarks/beat_tracking.py [--songs 100] [--split test] [--weights FILE]
        [--truth FOLDER SONG ...]

Rendered songs of the test split have styles, a soundfont and pieces that training never had; they
need FluidSynth and soundfonts (`musedance_core/world/scores/soundfonts.py`). A real
SONG is measured against FOLDER/NAME.beats, which holds its beats as seconds and places in the bar,
between the first and the last of them.
F is that of mir_eval within 70 ms from 5 s on; AMLt accepts other metrical levels. In brackets are
95 % bootstrap intervals. Needs mir_eval: pip install "musedance[beats]".
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import librosa
import mir_eval
import numpy as np

from musedance_core.audio.beat_files import read_beats
from musedance_core.audio.beat_network import load_beat_network
from musedance_core.audio.beats import BeatGrid
from musedance_core.audio.network_tracker import track_beats_with_network
from musedance_core.audio.waveform import Waveform, load_waveform
from musedance_core.metrics.beat_tracking import TOLERANCE
from musedance_core.metrics.bootstrap import mean_interval
from musedance_core.world.scores.songs import BeatSong, beat_song

Tracker = Callable[[Waveform], BeatGrid]
OCTAVE = 0.04
"""Relative error below which a tempo is right."""


@dataclass(frozen=True)
class Row:
    """Figures of one tracker on one song; `octave` is its tempo over the true one."""

    f: float
    amlt: float
    downbeat_f: float
    octave: float
    found: bool


def librosa_alone(wave: Waveform) -> BeatGrid:
    """The beats of librosa's own call, as in its manual; every fourth is a downbeat."""
    sound = librosa.resample(wave.mono().samples[0], orig_sr=wave.sample_rate, target_sr=22_050)
    tempo, beats = librosa.beat.beat_track(y=sound, sr=22_050, units="time")
    if len(beats) < 2:
        return BeatGrid(np.array([0.0, 1.0]), np.zeros(0), 60.0, assumed=True)
    return BeatGrid(np.asarray(beats), np.asarray(beats)[::4], float(np.atleast_1d(tempo)[0]))


def measure(truth: np.ndarray, downbeats: np.ndarray, grid: BeatGrid) -> Row:
    """The figures of tracked beats."""
    with warnings.catch_warnings():
        # mir_eval warns of songs in which nothing was found.
        warnings.simplefilter("ignore")
        trim = mir_eval.beat.trim_beats
        tracked = np.zeros(0) if grid.assumed else grid.times
        first, last = truth[0] - TOLERANCE, truth[-1] + TOLERANCE
        tracked = tracked[(tracked >= first) & (tracked <= last)]
        f = mir_eval.beat.f_measure(trim(truth), trim(tracked))
        amlt = mir_eval.beat.continuity(trim(truth), trim(tracked))[3]
        bars = np.zeros(0) if grid.assumed else grid.downbeats
        downbeat_f = mir_eval.beat.f_measure(trim(downbeats), trim(bars))
    period = np.median(np.diff(truth))
    octave = period / np.median(np.diff(tracked)) if len(tracked) > 1 else np.nan
    return Row(f, amlt, downbeat_f, float(octave), not grid.assumed)


def interval(values: list[float]) -> str:
    """Mean with its interval."""
    bounds = mean_interval(np.array(values))
    return f"{np.mean(values):.3f}" + (f" [{bounds[0]:.3f}, {bounds[1]:.3f}]" if bounds else "")


def summarise(name: str, rows: list[Row], meters: list[int]) -> None:
    """Prints the figures of a tracker on songs with a pulse."""
    ratios = np.array([row.octave for row in rows])

    def near(value: float) -> np.ndarray:
        return np.abs(ratios / value - 1) < OCTAVE

    threes = [r.downbeat_f > 0.5 for r, meter in zip(rows, meters, strict=True) if meter == 3]
    print(
        f"| {name} | {interval([r.f for r in rows])} | {interval([r.amlt for r in rows])} ", end=""
    )
    print(f"| {interval([r.downbeat_f for r in rows])} ", end="")
    print(f"| {np.mean(near(1)):.3f} | {np.mean(near(2) | near(0.5)):.3f} ", end="")
    print(f"| {np.mean(near(1.5) | near(2 / 3) | near(3) | near(1 / 3) | near(0.75)):.3f} ", end="")
    print(f"| {np.mean(threes) if threes else float('nan'):.3f} of {len(threes)} |")


HEADER = (
    "| tracker | F | AMLt | downbeat F | tempo right | x2 or /2 | x3/2, x2/3 ... | in three |\n"
    "|---|---|---|---|---|---|---|---|"
)


def rendered(count: int, split: str, trackers: dict[str, Tracker], seed: int) -> None:
    """Measures rendered songs, and sounds without a pulse."""
    songs: list[BeatSong] = [beat_song(seed, index, split) for index in range(count)]
    pulsing = [song for song in songs if song.meter]
    silent = [song for song in songs if not song.meter]
    kinds = sorted({song.style for song in pulsing})
    print(f"\n{len(pulsing)} rendered songs of the {split} split: {', '.join(kinds)}\n\n{HEADER}")
    every: dict[str, list[Row]] = {}
    for name, track in trackers.items():
        rows = [measure(song.beats, song.downbeats, track(song.wave)) for song in pulsing]
        summarise(name, rows, [song.meter for song in pulsing])
        every[name] = rows
    print("\nmean F by style: " + ", ".join(trackers))
    for kind in kinds:
        chosen = [i for i, song in enumerate(pulsing) if song.style == kind]
        means = [f"{np.mean([rows[i].f for i in chosen]):.2f}" for rows in every.values()]
        print(f"  {kind} ({len(chosen)}): {', '.join(means)}")
    if silent:
        print(f"\nno beat found, of {len(silent)} sounds without a pulse:")
        for name, track in trackers.items():
            print(f"  {name}: {np.mean([track(song.wave).assumed for song in silent]):.3f}")


def real(paths: list[str], truth: Path, trackers: dict[str, Tracker]) -> None:
    """Measures real songs against files of beats."""
    print("\n| song | BPM | " + " | ".join(f"{name}: F, AMLt, BPM" for name in trackers) + " |")
    means: dict[str, list[Row]] = {name: [] for name in trackers}
    for path in paths:
        exact = read_beats(truth / f"{Path(path).stem}.beats")
        wave = load_waveform(path)
        wave = wave.cut(0, min(wave.seconds, float(exact.times[-1]) + 60 / exact.tempo))
        cells = []
        for name, track in trackers.items():
            grid = track(wave)
            row = measure(exact.times, exact.downbeats, grid)
            means[name].append(row)
            cells.append(f"{row.f:.3f}, {row.amlt:.3f}, {grid.tempo:.1f}")
        print(f"| {Path(path).stem} | {exact.tempo:.1f} | " + " | ".join(cells) + " |", flush=True)
    for name, rows in means.items():
        print(f"{name}: F {interval([r.f for r in rows])}, AMLt {interval([r.amlt for r in rows])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="SONG", help="real songs")
    parser.add_argument("--truth", type=Path, metavar="FOLDER", help="beats of the real songs")
    parser.add_argument("--songs", type=int, default=100, help="number of rendered songs")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, help="the network; default: the shipped one")
    args = parser.parse_args()
    network = load_beat_network(args.weights) if args.weights else load_beat_network()
    trackers: dict[str, Tracker] = {
        "own": partial(track_beats_with_network, network=network),
        "librosa": librosa_alone,
    }
    if args.songs:
        rendered(args.songs, args.split, trackers, args.seed)
    if args.files:
        real(args.files, args.truth, trackers)


if __name__ == "__main__":
    main()
