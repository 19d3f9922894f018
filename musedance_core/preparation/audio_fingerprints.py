"""Audio fingerprints: source videos with the same music, also cut elsewhere, louder or re-encoded.

A fingerprint holds a sound's strongest spectral peaks. Pairs of nearby peaks vote for the time
offset between two sounds (as in Wang, "An industrial-strength audio search algorithm", 2003). At
the offsets with the most votes, the share of coinciding peaks decides.

Measured on songs of the dance world (24 s) that were not used to choose the threshold:

| one song, changed | missed |
|---|---|
| cut to 10..16 s and quieter; AAC at 64 kbit/s; noise at 30 dB or 20 dB | 0 of 60 each |
| cut, quieter, AAC at 64 kbit/s and noise at 30 dB, all at once | 1 of 60 |
| AAC at 32 kbit/s | 7 of 60 |

| two songs | wrongly matched | largest share of common peaks |
|---|---|---|
| of one genre at one tempo | 0 of 3,024 | 0.463 |
| any two | 0 of 19,900 | 0.400 |

A track of 4 minutes takes 0.24 s on one core. Grouping grows with the square of the number of
tracks; 60 such tracks of endlessly repeated bars, the worst case, take 4 s.
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
"""Sample rate in Hz, and window and hop of the spectrum in samples: frames of 16 ms, bins of
15.6 Hz."""


@dataclass(frozen=True)
class FingerprintThresholds:
    """Thresholds of peak picking and matching. Frames last 16 ms, bins are 15.6 Hz wide."""

    # Peaks
    lowest_bin: int = 64  # 1 kHz: bass lines and chords below it are alike in many songs
    bins: int = 512  # bins of the spectrum in use, from 0 Hz on
    peak_frames: int = 6  # a peak is the maximum within this many frames on either side
    peak_bins: int = 10  # and within this many bins on either side
    peaks_per_second: int = 30  # the loudest peaks of each second that are used
    floor: float = 1e-3  # quieter peaks, as a share of the loudest one, are left out

    # Pairs of peaks, which vote for a shift
    pairs_per_peak: int = 4  # near later peaks that a peak is paired with
    min_gap: int = 2  # frames between the peaks of a pair
    max_gap: int = 63
    max_bin_gap: int = 127  # bins between the peaks of a pair

    # Matching
    min_votes: float = 0.06  # votes for a shift, as a share of the peaks in the overlap
    max_shifts: int = 3  # shifts with the most votes that are compared peak by peak
    min_overlap: float = 8.0  # seconds that two sources must share
    min_overlap_share: float = 0.8  # of the shorter source, where that is less
    min_peaks: int = 40  # peaks in the overlap
    min_common_peaks: float = 0.47  # share of peaks that one song's fingerprints have in common

    chunk: int = 4_000_000  # votes counted at a time, which bounds memory


THRESHOLDS = FingerprintThresholds()


def audio_fingerprint(samples: np.ndarray, rate: int = RATE) -> np.ndarray:
    """The strongest spectral peaks of a sound.

    Args:
        samples: `[n]` in -1..1 at `rate` Hz.

    Returns:
        int32 `[peaks 2]`: frame of 16 ms and bin of 15.6 Hz, sorted by time. Silence and
        sounds shorter than 64 ms have no peaks.
    """
    wave = Waveform(np.asarray(samples, dtype=np.float32)[None], rate).resampled(RATE)
    if wave.samples.shape[1] < WINDOW:
        return np.zeros((0, 2), dtype=np.int32)
    levels = _magnitudes(wave.samples[0])
    # Local maxima over time and frequency.
    around = (2 * THRESHOLDS.peak_frames + 1, 2 * THRESHOLDS.peak_bins + 1)
    maxima = maximum_filter(levels, size=around, mode="constant")
    frames, bins = np.nonzero((levels == maxima) & (levels > THRESHOLDS.floor * levels.max()))
    # The loudest of each second, so that quiet passages have peaks too.
    seconds = frames * HOP // RATE
    order = np.lexsort((-levels[frames, bins], seconds))
    rank = np.arange(len(order)) - np.searchsorted(seconds[order], seconds[order])
    loudest = np.sort(order[rank < THRESHOLDS.peaks_per_second])
    return np.stack([frames[loudest], bins[loudest]], axis=1).astype(np.int32)


def _magnitudes(samples: np.ndarray) -> np.ndarray:
    """Magnitudes `[t bins]` of a sound's spectrum; 0 below the lowest bin.

    Args:
        samples: `[n]` at `RATE`.
    """
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    shape = np.hanning(WINDOW).astype(np.float32)
    chunks = [
        np.abs(rfft(windows[i : i + 1024] * shape, axis=1))[:, : THRESHOLDS.bins]
        for i in range(0, len(windows), 1024)
    ]
    levels: np.ndarray = np.concatenate(chunks)
    levels[:, : THRESHOLDS.lowest_bin] = 0
    return levels


def group_tracks(fingerprints: Mapping[str, np.ndarray]) -> dict[str, str]:
    """The track id of each source, "track-0001" and so on in the sorted order of the sources.

    A source that has music in common with another gets its id, so a medley joins its songs. Music
    played faster, slower or in another key is other music.

    Args:
        fingerprints: the `audio_fingerprint` of each source by its name.
    """
    names = sorted(fingerprints)
    peaks = [fingerprints[name] for name in names]
    same = [
        (query, other)
        for query, other, shift in _candidate_shifts(peaks)
        if common_peaks(peaks[query], peaks[other], shift) >= THRESHOLDS.min_common_peaks
    ]
    # Tracks are the connected components of the graph of equal pairs.
    rows, columns = np.array(same, dtype=np.int32).reshape(-1, 2).T  # SciPy 1.11 needs 32 bits
    links = coo_array((np.ones(len(same)), (rows, columns)), shape=(len(names), len(names)))
    _, groups = connected_components(links, directed=False)
    order = {group: number for number, group in enumerate(dict.fromkeys(groups.tolist()), start=1)}
    return {
        name: f"track-{order[group]:04d}"
        for name, group in zip(names, groups.tolist(), strict=True)
    }


def common_peaks(one: np.ndarray, other: np.ndarray, shift: int) -> float:
    """The share 0..1 of peaks that two fingerprints have in common where they overlap.

    Args:
        one, other: `audio_fingerprint`.
        shift: frames by which `one` comes later in `other`. Peaks may be one frame and one bin off.
    """
    times, bins = one[:, 0] + shift, one[:, 1]
    begin, end = max(times[0], other[0, 0]), min(times[-1], other[-1, 0])
    inside = (times >= begin) & (times <= end)
    rest = other[(other[:, 0] >= begin) & (other[:, 0] <= end)]
    fewer = min(int(inside.sum()), len(rest))
    if fewer < THRESHOLDS.min_peaks:
        return 0.0
    # One number a place: twice as many columns as bins, so that a neighbour stays in its row.
    columns = THRESHOLDS.bins * 2
    places = rest[:, 0].astype(np.int64) * columns + rest[:, 1]
    near = [places + frame * columns + bin_ for frame in (-1, 0, 1) for bin_ in (-1, 0, 1)]
    queried = times[inside].astype(np.int64) * columns + bins[inside]
    return float(np.isin(queried, np.concatenate(near)).sum()) / fewer


@dataclass(frozen=True)
class _PairIndex:
    """All sources' pairs of peaks, sorted by hash: `hashes [n]`, the number of the source `[n]` and
    the frame `[n]` of the first peak."""

    hashes: np.ndarray
    sources: np.ndarray
    times: np.ndarray


def _peak_pairs(peaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hashes `[n]` of pairs of nearby peaks, and the frames `[n]` of their first peaks."""
    times, bins = peaks.T.astype(np.int64)
    paired = np.zeros(len(peaks), dtype=np.int64)
    hashes, frames = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for step in range(1, len(peaks)):
        gap = times[step:] - times[:-step]
        if gap.min() > THRESHOLDS.max_gap:
            break
        near = (gap >= THRESHOLDS.min_gap) & (gap <= THRESHOLDS.max_gap)
        near &= paired[:-step] < THRESHOLDS.pairs_per_peak
        near &= np.abs(bins[step:] - bins[:-step]) <= THRESHOLDS.max_bin_gap
        first = np.flatnonzero(near)
        paired[first] += 1
        both_bins = bins[first] * THRESHOLDS.bins + bins[first + step]
        hashes.append(both_bins * (THRESHOLDS.max_gap + 1) + gap[first])
        frames.append(times[first])
    return np.concatenate(hashes), np.concatenate(frames)


def _index(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> _PairIndex:
    """The index of all sources' `_peak_pairs`."""
    hashes = np.concatenate([hashes for hashes, _ in pairs])
    order = np.argsort(hashes, kind="stable")
    sources = np.repeat(np.arange(len(pairs)), [len(hashes) for hashes, _ in pairs])
    times = np.concatenate([frames for _, frames in pairs])
    return _PairIndex(hashes[order], sources[order].astype(np.int32), times[order].astype(np.int32))


def _candidate_shifts(peaks: Sequence[np.ndarray]) -> Iterator[tuple[int, int, int]]:
    """(source, later source, shift) for the shifts with the most votes of every pair of sources.

    Args:
        peaks: the fingerprint of each source.
    """
    if not peaks:
        return
    pairs = [_peak_pairs(some) for some in peaks]
    index = _index(pairs)
    ends = np.array([(some[0, 0], some[-1, 0]) if len(some) else (0, 0) for some in peaks])
    for query, (hashes, frames) in enumerate(pairs):
        others, shifts, votes = _votes(index, query, hashes, frames)
        enough = _enough_votes(ends[query], ends[others], shifts, votes)
        order = np.flatnonzero(enough)[np.argsort(-votes[enough], kind="stable")]
        taken = np.zeros(len(peaks), dtype=np.int64)
        for other, shift in zip(others[order].tolist(), shifts[order].tolist(), strict=True):
            if taken[other] < THRESHOLDS.max_shifts:
                taken[other] += 1
                yield query, other, shift


def _votes(
    index: _PairIndex, query: int, hashes: np.ndarray, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Later sources `[n]`, shifts `[n]`, and how many pairs agree on them `[n]`, more than one.

    Args:
        index: the pairs of all sources.
        query: number of the source whose pairs vote.
        hashes, frames: its `_peak_pairs`.
    """
    # Entries begin..begin + count of the index have the same hash as a pair of the query.
    begin = np.searchsorted(index.hashes, hashes, "left")
    counts = np.searchsorted(index.hashes, hashes, "right") - begin
    # A (source, shift) is one number: source * span + shift, the shift made positive.
    span = 2 * int(max(index.times.max(initial=0), 0)) + 1
    places, votes = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for part in np.split(np.arange(len(hashes)), _chunk_borders(counts)):
        total = counts[part].sum()
        starts = begin[part] - np.cumsum(counts[part]) + counts[part]
        matches = np.repeat(starts, counts[part]) + np.arange(total)
        shift = index.times[matches] - np.repeat(frames[part], counts[part]) + span // 2
        place = index.sources[matches].astype(np.int64) * span + shift
        place, count = np.unique(place[index.sources[matches] > query], return_counts=True)
        places, inverse = np.unique(np.concatenate([places, place]), return_inverse=True)
        votes = np.bincount(inverse, np.concatenate([votes, count])).astype(np.int64)
    places, votes = places[votes > 1], votes[votes > 1]
    return places // span, places % span - span // 2, votes


def _chunk_borders(counts: np.ndarray) -> np.ndarray:
    """Indices at which to split, so that each part's counts sum to about `THRESHOLDS.chunk`."""
    chunk = np.cumsum(counts) // THRESHOLDS.chunk
    return np.flatnonzero(np.diff(chunk)) + 1


def _enough_votes(
    ends: np.ndarray, others: np.ndarray, shifts: np.ndarray, votes: np.ndarray
) -> np.ndarray:
    """Bool `[n]`: True for a long enough overlap with enough votes for its length.

    Args:
        ends: first and last frame of a fingerprint `[2]`.
        others: those of the fingerprints it is compared with `[n 2]`.
        shifts: frames by which it comes later in them `[n]`.
        votes: pairs that agree on these shifts `[n]`.
    """
    begin = np.maximum(ends[0] + shifts, others[:, 0])
    seconds = (np.minimum(ends[1] + shifts, others[:, 1]) - begin) * HOP / RATE
    shorter = np.minimum(ends[1] - ends[0], others[:, 1] - others[:, 0]) * HOP / RATE
    min_seconds = np.minimum(THRESHOLDS.min_overlap, THRESHOLDS.min_overlap_share * shorter)
    min_votes = THRESHOLDS.min_votes * THRESHOLDS.peaks_per_second * seconds
    enough: np.ndarray = (seconds >= min_seconds) & (votes >= min_votes)
    return enough
