"""Beat tracking accuracy on songs with exact beats, and on real songs against librosa.

    python benchmarks/beat_tracking.py [--songs 50] [--seed 1] [SONG ...]

The synthesiser's songs have exact beats, so F is against the truth. Real songs have none here; for
them F is the agreement with `librosa.beat.beat_track` on the same sound at 22,050 Hz.
"""

from __future__ import annotations

import argparse

import librosa
import numpy as np

from musedance_core.audio.tracker import track_beats
from musedance_core.audio.waveform import Waveform, load_waveform
from musedance_core.world.songs import make_song

TOLERANCE, SKIPPED = 0.07, 3.0


def f_measure(truth: np.ndarray, tracked: np.ndarray) -> float:
    """F-measure with one-to-one matching within 70 ms; the first 3 s are skipped."""
    truth, free = truth[truth > SKIPPED], list(tracked[tracked > SKIPPED])
    total, hits = len(truth) + len(free), 0
    for t in truth:
        near = [h for h in free if abs(h - t) <= TOLERANCE]
        if near:
            free.remove(min(near, key=lambda h: abs(h - t)))
            hits += 1
    return 2 * hits / max(total, 1)


def librosa_alone(wave: Waveform) -> np.ndarray:
    """Returns the beats of librosa's own call, as in its manual."""
    sound = librosa.resample(wave.mono().samples[0], orig_sr=wave.sample_rate, target_sr=22_050)
    _, beats = librosa.beat.beat_track(y=sound, sr=22_050, units="time")
    return np.asarray(beats)


def world_songs(count: int, seed: int) -> None:
    """Measures songs of the synthesiser, with and without the known tempo."""
    informed, alone, others, octaves, lags = [], [], [], 0, []
    for index in range(count):
        song = make_song(seed, index)
        truth = song.grid.times
        with_tempo = track_beats(song.wave, song.grid.tempo).times
        tracked = track_beats(song.wave)
        informed.append(f_measure(truth, with_tempo))
        alone.append(f_measure(truth, tracked.times))
        others.append(f_measure(truth, librosa_alone(song.wave)))
        ratio = tracked.tempo / song.grid.tempo
        octaves += int(min(abs(ratio - 2), abs(ratio - 0.5)) < 0.1)
        near = truth[np.abs(truth[:, None] - with_tempo).argmin(0)]
        lags.append(float(np.median(with_tempo - near)))
        print(
            f"{index:3d} {song.genre:9s} {song.grid.tempo:6.1f} BPM  F at BPM {informed[-1]:.3f}"
            f"  alone {alone[-1]:.3f} at {tracked.tempo:.1f} BPM  librosa {others[-1]:.3f}"
        )
    print(
        f"{count} songs: F given the BPM {np.mean(informed):.3f} (lowest {min(informed):.3f}), "
        f"alone {np.mean(alone):.3f}, librosa by itself {np.mean(others):.3f}, "
        f"octave errors {octaves}, median lag {1000 * np.median(lags):.0f} ms"
    )


def real_song(path: str) -> None:
    """Measures one file: tempo, and agreement with librosa's beats."""
    song = load_waveform(path)
    grid, other = track_beats(song), librosa_alone(song)
    shift = np.median(grid.times - other[np.abs(other[:, None] - grid.times).argmin(0)])
    print(
        f"{path}: {song.seconds:.1f} s, {grid.tempo:.1f} BPM, {len(grid.times)} beats, "
        f"librosa {len(other)}, agreement {f_measure(other, grid.times):.3f}, "
        f"ours {1000 * shift:+.0f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="SONG", help="real songs to measure as well")
    parser.add_argument("--songs", type=int, default=50, help="how many songs of the synthesiser")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.songs:
        world_songs(args.songs, args.seed)
    for path in args.files:
        real_song(path)


if __name__ == "__main__":
    main()
