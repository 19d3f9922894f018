"""Splits of source videos into train, validation and test, with no music in two of them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from ..dataset.format import SPLITS
from ..errors import InputError

STARTS = 8
"""Random starts of the search for the best split."""


def split_sources(
    sources: Mapping[str, str],
    clips: Mapping[str, int],
    shares: tuple[float, float, float],
    seed: int,
    fixed: Mapping[str, str],
) -> dict[str, str]:
    """Each source's split: "train", "validation" or "test".

    Sources with the same music stay together. The splits' shares of the clips come as near to
    `shares` as these groups allow, as far as exchanging two groups at a time finds it. The result
    depends on `seed`, not on the order of the mappings.

    Args:
        sources: the track id of each source.
        clips: the number of clips of each source, at least one.
        shares: shares of train, validation and test; they sum to 1. A share of 0 leaves a split
            empty, every other split gets at least one group.
        seed: seed of the random starts.
        fixed: the splits of tracks that have one already; they do not change.

    Raises:
        InputError: the shares do not sum to 1, or there are too few groups for the splits to fill.
        ValueError: `sources` and `clips` name different sources, or a source has no clip.
    """
    if set(sources) != set(clips) or min(clips.values(), default=1) < 1:
        raise ValueError("every source needs a track and at least one clip")
    if not all(share >= 0 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise InputError(f"The shares of {', '.join(SPLITS)} must sum to 1, got {shares}.")
    groups: dict[str, list[str]] = defaultdict(list)
    for source in sorted(sources):
        groups[sources[source]].append(source)
    sizes = {track: sum(clips[source] for source in group) for track, group in groups.items()}
    split = _split_tracks(groups, sizes, shares, seed, fixed)
    return {source: split[track] for source, track in sources.items()}


def track_splits(tracks: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
    """The splits of the tracks whose sources have one already.

    Where the sources of a track are in different splits, because a new source joins their music,
    train goes before validation before test: a model may have been trained on it.

    Args:
        tracks: the track id of each source.
        before: the split of each source that has one.
    """
    known = sorted(tracks.keys() & before.keys(), key=lambda s: -SPLITS.index(before[s]))
    return {tracks[source]: before[source] for source in known}


def _split_tracks(
    groups: Mapping[str, Sequence[str]],
    sizes: Mapping[str, int],
    shares: tuple[float, float, float],
    seed: int,
    fixed: Mapping[str, str],
) -> dict[str, str]:
    """The split of each track, from its sources and its number of clips."""
    split = {track: fixed[track] for track in groups if track in fixed}
    # Sorted by the first source, so that the names of tracks do not matter.
    free = sorted(groups.keys() - split.keys(), key=lambda track: groups[track][0])
    names = [name for name, share in zip(SPLITS, shares, strict=True) if share > 0]
    empty = [i for i, name in enumerate(names) if name not in split.values()]
    if split:
        _check_new_groups(free, [names[i] for i in empty])
    else:
        _check_groups(groups, names)
    # Clips that each split still lacks after the fixed tracks.
    targets = np.array([share for share in shares if share > 0]) * sum(sizes.values())
    for track, name in split.items():
        targets -= sizes[track] * (np.array(names) == name)
    counts = np.array([sizes[track] for track in free], dtype=np.int64)
    chosen = _best_assignment(counts, targets, empty, np.random.default_rng(seed))
    return split | {track: names[i] for track, i in zip(free, chosen, strict=True)}


def _check_new_groups(free: Sequence[str], empty: Sequence[str]) -> None:
    """Refuse new tracks that are too few to fill the empty splits."""
    if len(free) < len(empty):
        raise InputError(
            f"Videos stay in the split that metadata.jsonl gives them, and {len(free)} new songs "
            f"cannot fill {', '.join(empty)}: add videos with other music, set a share to 0, or "
            f"delete metadata.jsonl to split all of them again."
        )


def _check_groups(groups: Mapping[str, Sequence[str]], names: Sequence[str]) -> None:
    """Refuse tracks that are too few to fill the splits `names`."""
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


# The search below works on arrays: `sizes [g]` clips of each group, `targets [s]` clips that each
# split should get, `chosen [g]` the split of each group, `empty` the splits that need a group.


def _best_assignment(
    sizes: np.ndarray, targets: np.ndarray, empty: Sequence[int], rng: np.random.Generator
) -> list[int]:
    """The split of each group: the best of a few random starts after local search."""
    starts = [_random_start(sizes, targets, empty, rng) for _ in range(STARTS)]
    tries = [_local_search(start, sizes, targets, empty) for start in starts]
    best = min(tries, key=lambda chosen: _squared_error(chosen, sizes, targets))
    return [int(split) for split in best]


def _random_start(
    sizes: np.ndarray, targets: np.ndarray, empty: Sequence[int], rng: np.random.Generator
) -> np.ndarray:
    """A random group for every empty split, then each next group to the split that lacks most."""
    chosen = np.zeros(len(sizes), dtype=np.int64)
    lacking = targets.astype(np.float64)
    for place, group in enumerate(rng.permutation(len(sizes))):
        split = empty[place] if place < len(empty) else int(lacking.argmax())
        chosen[group] = split
        lacking[split] -= sizes[group]
    return chosen


def _local_search(
    chosen: np.ndarray, sizes: np.ndarray, targets: np.ndarray, empty: Sequence[int]
) -> np.ndarray:
    """Move or exchange groups between two splits as long as that comes nearer to the targets."""
    pairs = [(a, b) for a in range(len(targets)) for b in range(len(targets)) if a != b]
    while True:
        options = [_best_exchange(chosen, sizes, targets, a, b, a in empty) for a, b in pairs]
        errors = [_squared_error(option, sizes, targets) for option in options]
        if not errors or min(errors) >= _squared_error(chosen, sizes, targets) - 1e-9:
            return chosen
        chosen = options[int(np.argmin(errors))]


def _best_exchange(
    chosen: np.ndarray, sizes: np.ndarray, targets: np.ndarray, a: int, b: int, needs_group: bool
) -> np.ndarray:
    """`chosen` after the best move of one group from split a to b, in exchange for one or for none.

    Args:
        needs_group: whether split a may not be left empty.
    """
    ours, theirs = np.flatnonzero(chosen == a), np.flatnonzero(chosen == b)
    # Clips that leave a: rows are its groups, columns the groups of b, the last one "none".
    leaving = sizes[ours][:, None] - np.append(sizes[theirs], 0)[None, :]
    if needs_group and len(ours) == 1:  # the only group leaves in exchange alone
        leaving = leaving[:, :-1]
    if not leaving.size:
        return chosen
    lacking = targets - np.bincount(chosen, sizes, len(targets))
    errors = (lacking[a] + leaving) ** 2 + (lacking[b] - leaving) ** 2
    i, j = np.unravel_index(int(errors.argmin()), errors.shape)
    exchanged = chosen.copy()
    exchanged[ours[i]] = b
    if j < len(theirs):
        exchanged[theirs[j]] = a
    return exchanged


def _squared_error(chosen: np.ndarray, sizes: np.ndarray, targets: np.ndarray) -> float:
    """Squared distance of the splits' clips from the targets."""
    return float(((np.bincount(chosen, sizes, len(targets)) - targets) ** 2).sum())
