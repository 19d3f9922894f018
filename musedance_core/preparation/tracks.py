"""Which sources have the same music, also cut elsewhere, louder, encoded or a little noisy.

A fingerprint is the constellation of a sound's strongest spectral peaks. Pairs of near peaks vote
for how far two sounds are shifted against each other; at the best shifts, the share of peaks that
coincide decides.

Measured on songs of the dance world (24 s) other than those by which the threshold was chosen:

| one song, changed | missed |
|---|---|
| cut to 10..16 s and quieter; AAC at 64 kbit/s; noise at 30 dB or 20 dB | 0 of 60 each |
| cut, quieter, AAC at 64 kbit/s and noise at 30 dB, all at once | 1 of 60 |
| AAC at 32 kbit/s | 7 of 60 |

| two songs | taken for one | most peaks in common |
|---|---|---|
| of one genre at one tempo | 0 of 3,024 | 0.463 |
| any two | 0 of 19,900 | 0.400 |

A track of 4 minutes takes 0.24 s of one core; grouping grows with the square of their number, and
60 such tracks of endlessly repeated bars, the worst case, take 4 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import rfft
from scipy.ndimage import maximum_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ..audio.waveform import Waveform

RATE, WINDOW, HOP = 16_000, 1024, 256
LOWEST, BINS = 64, 512
"""Bins of 15.6 Hz: what lies below 1 kHz, bass lines and chords, is what alike songs share."""
AROUND_FRAMES, AROUND_BINS = 6, 10
PEAKS_PER_SECOND = 30
FLOOR = 1e-3
"""Peaks are louder than this share of the loudest."""
FAN, NEAREST, FARTHEST, WIDEST = 4, 2, 63, 127
SHORTEST = 8.0
"""Seconds that two sources must share; of a source below 10 s, eight tenths."""
SHORTEST_SHARE = 0.8
FEWEST_PEAKS = 40
FEWEST_VOTES = 0.06
"""Votes for a shift, by peaks in the overlap, that make it worth a look."""
SHIFTS = 3
COINCIDING = 0.47
CHUNK = 4_000_000


def audio_fingerprint(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """The peaks of a sound.

    Args:
        samples: `[n]` in -1..1 at `rate` Hz.

    Returns:
        int32 `[peaks 2]`: frame of 16 ms and bin of 15.6 Hz, in the order of time. Silence and what
        is shorter than 64 ms has none.
    """
    wave = Waveform(np.asarray(samples, dtype=np.float32)[None], rate).resampled(RATE)
    if wave.samples.shape[1] < WINDOW:
        return np.zeros((0, 2), dtype=np.int32)
    levels = _levels(wave.samples[0])
    around = maximum_filter(
        levels, size=(2 * AROUND_FRAMES + 1, 2 * AROUND_BINS + 1), mode="constant"
    )
    frames, bins = np.nonzero((levels == around) & (levels > FLOOR * levels.max()))
    seconds = frames * HOP // RATE
    order = np.lexsort((-levels[frames, bins], seconds))
    rank = np.arange(len(order)) - np.searchsorted(seconds[order], seconds[order])
    kept = np.sort(order[rank < PEAKS_PER_SECOND])
    return np.stack([frames[kept], bins[kept]], axis=1).astype(np.int32)


def _levels(samples: np.ndarray) -> np.ndarray:
    """Magnitudes `[t BINS]` of a sound `[n]`, nothing below the lowest bin."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    shape = np.hanning(WINDOW).astype(np.float32)
    pieces = [
        np.abs(rfft(windows[i : i + 1024] * shape, axis=1))[:, :BINS]
        for i in range(0, len(windows), 1024)
    ]
    levels: np.ndarray = np.concatenate(pieces)
    levels[:, :LOWEST] = 0
    return levels


def group_tracks(fingerprints: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The id of each source's music, "track-0001" and so on in the sorted order of the sources.

    Whoever has music in common with a source of a group belongs to that group, so a medley joins
    its songs. Music played faster, slower or in another key is other music.
    """
    names = sorted(fingerprints)
    peaks = [fingerprints[name] for name in names]
    same = [
        (query, other)
        for query, other, shift in _candidates(peaks)
        if coinciding(peaks[query], peaks[other], shift) >= COINCIDING
    ]
    rows, columns = np.array(same, dtype=np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(same)), (rows, columns)), shape=(len(names), len(names)))
    _, groups = connected_components(links, directed=False)
    order = {group: number for number, group in enumerate(dict.fromkeys(groups.tolist()), start=1)}
    return {
        name: f"track-{order[group]:04d}"
        for name, group in zip(names, groups.tolist(), strict=True)
    }


def coinciding(one: np.ndarray, other: np.ndarray, shift: int) -> float:
    """The share 0..1 of peaks that two fingerprints have in common where they overlap.

    Args:
        shift: frames by which `one` comes later in `other`; peaks may be one frame and one bin off.
    """
    times, bins = one[:, 0] + shift, one[:, 1]
    begin, end = max(times[0], other[0, 0]), min(times[-1], other[-1, 0])
    inside = (times >= begin) & (times <= end)
    rest = other[(other[:, 0] >= begin) & (other[:, 0] <= end)]
    fewer = min(int(inside.sum()), len(rest))
    if fewer < FEWEST_PEAKS:
        return 0.0
    places = rest[:, 0].astype(np.int64) * BINS * 2 + rest[:, 1]
    near = [places + frame * BINS * 2 + bin_ for frame in (-1, 0, 1) for bin_ in (-1, 0, 1)]
    wanted = times[inside].astype(np.int64) * BINS * 2 + bins[inside]
    return float(np.isin(wanted, np.concatenate(near)).sum()) / fewer


@dataclass(frozen=True)
class _Index:
    """The pairs of peaks of all sources, sorted by hash."""

    hashes: np.ndarray
    sources: np.ndarray
    times: np.ndarray


def _pairs(peaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes `[n]` of each peak with the next `FAN` that are near, and their frames `[n]`."""
    times, bins = peaks.T.astype(np.int64)
    paired = np.zeros(len(peaks), dtype=np.int64)
    hashes, frames = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for step in range(1, len(peaks)):
        gap = times[step:] - times[:-step]
        if gap.min() > FARTHEST:
            break
        near = (gap >= NEAREST) & (gap <= FARTHEST) & (paired[:-step] < FAN)
        near &= np.abs(bins[step:] - bins[:-step]) <= WIDEST
        first = np.flatnonzero(near)
        paired[first] += 1
        hashes.append((bins[first] * BINS + bins[first + step]) * (FARTHEST + 1) + gap[first])
        frames.append(times[first])
    return np.concatenate(hashes), np.concatenate(frames)


def _index(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> _Index:
    hashes = np.concatenate([hashes for hashes, _ in pairs])
    order = np.argsort(hashes, kind="stable")
    sources = np.repeat(np.arange(len(pairs)), [len(hashes) for hashes, _ in pairs])
    times = np.concatenate([frames for _, frames in pairs])
    return _Index(hashes[order], sources[order].astype(np.int32), times[order].astype(np.int32))


def _candidates(peaks: Sequence[np.ndarray]) -> Iterator[tuple[int, int, int]]:
    """(source, later source, shift) where enough pairs agree, the `SHIFTS` best of each two."""
    if not peaks:
        return
    pairs = [_pairs(some) for some in peaks]
    index = _index(pairs)
    ends = np.array([(some[0, 0], some[-1, 0]) if len(some) else (0, 0) for some in peaks])
    for query, (hashes, frames) in enumerate(pairs):
        others, shifts, votes = _votes(index, query, hashes, frames)
        worth = _worth(ends[query], ends[others], shifts, votes)
        order = np.flatnonzero(worth)[np.argsort(-votes[worth], kind="stable")]
        taken = np.zeros(len(peaks), dtype=np.int64)
        for other, shift in zip(others[order].tolist(), shifts[order].tolist(), strict=True):
            if taken[other] < SHIFTS:
                taken[other] += 1
                yield query, other, shift


def _votes(
    index: _Index, query: int, hashes: np.ndarray, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Later sources, shifts and how many pairs agree on them; single votes are left out."""
    begin = np.searchsorted(index.hashes, hashes, "left")
    counts = np.searchsorted(index.hashes, hashes, "right") - begin
    span = 2 * int(max(index.times.max(initial=0), 0)) + 1
    places, votes = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for part in np.split(np.arange(len(hashes)), _cuts(counts)):
        total = counts[part].sum()
        starts = begin[part] - np.cumsum(counts[part]) + counts[part]
        found = np.repeat(starts, counts[part]) + np.arange(total)
        shift = index.times[found] - np.repeat(frames[part], counts[part]) + span // 2
        place = index.sources[found].astype(np.int64) * span + shift
        place, count = np.unique(place[index.sources[found] > query], return_counts=True)
        places, inverse = np.unique(np.concatenate([places, place]), return_inverse=True)
        votes = np.bincount(inverse, np.concatenate([votes, count])).astype(np.int64)
    places, votes = places[votes > 1], votes[votes > 1]
    return places // span, places % span - span // 2, votes


def _cuts(counts: np.ndarray) -> np.ndarray:
    """Where to cut so that the parts' counts sum to about `CHUNK`."""
    chunk = np.cumsum(counts) // CHUNK
    return np.flatnonzero(np.diff(chunk)) + 1


def _worth(
    ends: np.ndarray, others: np.ndarray, shifts: np.ndarray, votes: np.ndarray
) -> np.ndarray:
    """Bool `[n]`: whether a fingerprint from `ends [2]` overlaps for long enough, when it comes
    `shifts [n]` later, with those from `others [n 2]`, and `votes [n]` are many for that."""
    begin = np.maximum(ends[0] + shifts, others[:, 0])
    seconds = (np.minimum(ends[1] + shifts, others[:, 1]) - begin) * HOP / RATE
    shorter = np.minimum(ends[1] - ends[0], others[:, 1] - others[:, 0]) * HOP / RATE
    enough = seconds >= np.minimum(SHORTEST, SHORTEST_SHARE * shorter)
    worth: np.ndarray = enough & (votes >= FEWEST_VOTES * PEAKS_PER_SECOND * seconds)
    return worth
