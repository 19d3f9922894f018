"""Does librosa hear the exact beats of the synthesiser's songs?"""

from __future__ import annotations

import argparse

import numpy as np

from musedance_core.audio.beats import track_beats
from musedance_core.world.songs import make_song


def f_measure(truth: np.ndarray, heard: np.ndarray, tolerance: float = 0.07) -> float:
    """F of beats matched one to one within `tolerance` seconds, the first 3 s left out."""
    truth, heard = truth[truth > 3], heard[heard > 3]
    free, hits = list(heard), 0
    for t in truth:
        near = [h for h in free if abs(h - t) <= tolerance]
        if near:
            free.remove(min(near, key=lambda h: abs(h - t)))
            hits += 1
    return 2 * hits / max(len(truth) + len(heard), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    told, untold, octave, lag = [], [], 0, []
    for index in range(args.songs):
        song = make_song(args.seed, index)
        with_tempo = track_beats(song.wave, song.grid.tempo).times
        alone = track_beats(song.wave)
        told.append(f_measure(song.grid.times, with_tempo))
        untold.append(f_measure(song.grid.times, alone.times))
        ratio = alone.tempo / song.grid.tempo
        octave += int(min(abs(ratio - 2), abs(ratio - 0.5)) < 0.1)
        near = song.grid.times[np.abs(song.grid.times[:, None] - with_tempo).argmin(0)]
        lag.append(np.median(with_tempo - near))
        print(
            f"{index:3d} {song.genre:9s} {song.grid.tempo:6.1f} BPM  F told {told[-1]:.3f}  "
            f"alone {untold[-1]:.3f} at {alone.tempo:.1f}"
        )
    print(
        f"{args.songs} songs: F told the tempo {np.mean(told):.3f} (lowest {min(told):.3f}), "
        f"alone {np.mean(untold):.3f}, octave errors {octave}, "
        f"median lag {1000 * np.median(lag):.0f} ms"
    )


if __name__ == "__main__":
    main()
