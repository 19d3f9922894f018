"""Sources into train, validation and test, so that no music is in two of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from ..dataset.format import SPLITS
from ..errors import InputError

STARTS = 8


def split_sources(
    sources: Mapping[str, str],
    clips: Mapping[str, int],
    shares: tuple[float, float, float],
    seed: int,
    kept: Mapping[str, str],
) -> dict[str, str]:
    """Each source's split: "train", "validation" or "test".

    Sources with the same music stay together. The splits' shares of the clips come as near to
    `shares` as these groups allow, as far as exchanging two groups at a time finds it. Which group
    goes where is drawn by `seed`; the order of the mappings changes nothing.

    Args:
        sources: the track id of each source.
        clips: how many clips each source has, one at least.
        shares: of train, validation and test; they sum to 1. A share of 0 leaves a split empty,
            every other split gets a group.
        kept: the splits that tracks have already, and keep.

    Raises:
        InputError: the shares are no shares, or there are too few groups for the splits to fill.
        ValueError: `sources` and `clips` name different sources, or a source has no clip.
    """
    if set(sources) != set(clips) or min(clips.values(), default=1) < 1:
        raise ValueError("every source needs a track and one clip at least")
    if not all(share >= 0 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise InputError(f"The shares of {', '.join(SPLITS)} must sum to 1, got {shares}.")
    groups: dict[str, list[str]] = defaultdict(list)
    for source in sorted(sources):
        groups[sources[source]].append(source)
    sizes = {track: sum(clips[source] for source in group) for track, group in groups.items()}
    split = _split_tracks(groups, sizes, shares, seed, kept)
    return {source: split[track] for source, track in sources.items()}


def _split_tracks(
    groups: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    shares: tuple[float, float, float],
    seed: int,
    kept: Mapping[str, str],
) -> dict[str, str]:
    """The split of each track, from its sources and its number of clips."""
    split = {track: kept[track] for track in groups if track in kept}
    free = sorted(groups.keys() - split.keys(), key=lambda track: groups[track][0])
    names = [name for name, share in zip(SPLITS, shares, strict=True) if share > 0]
    must = [i for i, name in enumerate(names) if name not in split.values()]
    if split:
        _check_free(free, [names[i] for i in must])
    else:
        _check_groups(groups, names)
    targets = np.array([share for share in shares if share > 0]) * sum(sizes.values())
    for track, name in split.items():
        targets -= sizes[track] * (np.array(names) == name)
    counts = np.array([sizes[track] for track in free], dtype=np.int64)
    chosen = _best(counts, targets, must, np.random.default_rng(seed))
    return split | {track: names[i] for track, i in zip(free, chosen, strict=True)}


def splits_of_tracks(tracks: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The split that each track has because of its sources, for those where one has.

    Where they differ, since a new source joins their music, train goes before validation before
    test: a model may have been trained on it.

    Args:
        tracks: the track id of each source.
        before: the split of each source that has one.
    """
    known = sorted(tracks.keys() & before.keys(), key=lambda s: -SPLITS.index(before[s]))
    return {tracks[source]: before[source] for source in known}


def _check_free(free: Sequence[str], empty: Sequence[str]) -> None:
    if len(free) < len(empty):
        raise InputError(
            f"Videos keep the split that metadata.jsonl gives them, and {len(free)} new songs "
            f"cannot fill {', '.join(empty)}: add videos with other music, set a share to 0, or "
            f"delete metadata.jsonl to split all of them again."
        )


def _check_groups(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> None:
    if len(groups) >= len(names):
        return
    videos = sum(len(group) for group in groups.values())
    if not videos:
        raise InputError("There is not one clip to split.")
    songs = "share one song" if len(groups) == 1 else f"have only {len(groups)} songs"
    have = "The only video has one song" if videos == 1 else f"All {videos} videos {songs}"
    raise InputError(
        f"{have}, and no song may be in two splits, so {', '.join(names)} cannot all be filled: "
        f"add videos with other music or set a share to 0."
    )


def _best(
    sizes: np.ndarray, targets: np.ndarray, must: Sequence[int], rng: np.random.Generator
) -> list[int]:
    """The split of each group: the best of a few random starts, each improved; the splits `must`
    get one at least."""
    starts = [_start(sizes, targets, must, rng) for _ in range(STARTS)]
    tries = [_improved(start, sizes, targets, must) for start in starts]
    best = min(tries, key=lambda chosen: _miss(chosen, sizes, targets))
    return [int(split) for split in best]


def _start(
    sizes: np.ndarray, targets: np.ndarray, must: Sequence[int], rng: np.random.Generator
) -> np.ndarray:
    """One group for every split of `must`, then each next group to the split that lacks most."""
    chosen = np.zeros(len(sizes), dtype=np.int64)
    lacking = targets.astype(np.float64)
    for place, group in enumerate(rng.permutation(len(sizes))):
        split = must[place] if place < len(must) else int(lacking.argmax())
        chosen[group] = split
        lacking[split] -= sizes[group]
    return chosen


def _improved(
    chosen: np.ndarray, sizes: np.ndarray, targets: np.ndarray, must: Sequence[int]
) -> np.ndarray:
    """Move or exchange groups between two splits as long as that comes nearer to the targets."""
    pairs = [(a, b) for a in range(len(targets)) for b in range(len(targets)) if a != b]
    while True:
        options = [_exchange(chosen, sizes, targets, a, b, a in must) for a, b in pairs]
        misses = [_miss(option, sizes, targets) for option in options]
        if not misses or min(misses) >= _miss(chosen, sizes, targets) - 1e-9:
            return chosen
        chosen = options[int(np.argmin(misses))]


def _exchange(
    chosen: np.ndarray, sizes: np.ndarray, targets: np.ndarray, a: int, b: int, must: bool
) -> np.ndarray:
    """`chosen` after the best move of a group from split a to b, for a group of b or for none.

    must: whether a may not be left empty.
    """
    ours, theirs = np.flatnonzero(chosen == a), np.flatnonzero(chosen == b)
    given = sizes[ours][:, None] - np.append(sizes[theirs], 0)[None, :]
    if must and len(ours) == 1:  # the only group leaves in exchange alone
        given = given[:, :-1]
    if not given.size:
        return chosen
    lacking = targets - np.bincount(chosen, sizes, len(targets))
    misses = (lacking[a] + given) ** 2 + (lacking[b] - given) ** 2
    i, j = np.unravel_index(int(misses.argmin()), misses.shape)
    moved = chosen.copy()
    moved[ours[i]] = b
    if j < len(theirs):
        moved[theirs[j]] = a
    return moved


def _miss(chosen: np.ndarray, sizes: np.ndarray, targets: np.ndarray) -> float:
    """Squared distance of the splits' clips from the targets."""
    return float(((np.bincount(chosen, sizes, len(targets)) - targets) ** 2).sum())
