"""Splits: no music in two of them, shares as near as possible, the same for the same seed."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict

import numpy as np
import pytest

from musedance_core.errors import InputError
from musedance_core.preparation.splits import split_sources, track_splits

SHARES = (0.8, 0.1, 0.1)


def random_sources(seed: int, sources: int, songs: int) -> tuple[dict[str, str], dict[str, int]]:
    rng = np.random.default_rng(seed)
    tracks = {f"video-{i}.mp4": f"track-{rng.integers(songs):04d}" for i in range(sources)}
    return tracks, {name: int(rng.integers(1, 30)) for name in tracks}


def shares(split: dict[str, str], clips: dict[str, int]) -> list[float]:
    counts: Counter[str] = Counter()
    for source, name in split.items():
        counts[name] += clips[source]
    return [counts[name] / sum(clips.values()) for name in ("train", "validation", "test")]


@pytest.mark.parametrize("seed", range(5))
def test_no_music_is_in_two_splits_and_none_is_empty(seed: int) -> None:
    tracks, clips = random_sources(seed, sources=30, songs=8)
    split = split_sources(tracks, clips, SHARES, seed, {})
    assert set(split) == set(tracks)
    where = defaultdict(set)
    for source, name in split.items():
        where[tracks[source]].add(name)
    assert all(len(names) == 1 for names in where.values())
    assert set(split.values()) == {"train", "validation", "test"}


def test_shares_are_met_where_groups_are_small() -> None:
    tracks, clips = random_sources(0, sources=300, songs=250)
    assert shares(split_sources(tracks, clips, SHARES, 0, {}), clips) == pytest.approx(
        SHARES, abs=2e-3
    )


@pytest.mark.parametrize("seed", range(12))
def test_few_groups_come_as_near_as_any_assignment(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 40, size=7)
    clips = {f"{i}": int(size) for i, size in enumerate(sizes)}
    reached = shares(split_sources({n: f"t{n}" for n in clips}, clips, SHARES, seed, {}), clips)
    errors = [
        sum((np.bincount(way, sizes, 3) / sizes.sum() - SHARES) ** 2)
        for way in itertools.product(range(3), repeat=len(sizes))
        if len(set(way)) == 3
    ]
    assert sum((np.array(reached) - SHARES) ** 2) <= min(errors) + 1e-4


def test_the_split_depends_on_the_seed_and_not_on_the_order() -> None:
    tracks, clips = random_sources(3, sources=40, songs=20)
    split = split_sources(tracks, clips, SHARES, 5, {})
    reordered = split_sources(dict(reversed(tracks.items())), clips, SHARES, 5, {})
    assert reordered == split == split_sources(tracks, clips, SHARES, 5, {})
    assert (
        len({tuple(sorted(split_sources(tracks, clips, SHARES, s, {}).items())) for s in range(6)})
        > 1
    )


def test_the_names_of_tracks_do_not_matter() -> None:
    tracks, clips = random_sources(4, sources=20, songs=9)
    renamed = {source: f"zz-{track[::-1]}" for source, track in tracks.items()}
    assert split_sources(renamed, clips, SHARES, 1, {}) == split_sources(
        tracks, clips, SHARES, 1, {}
    )


def test_a_share_of_zero_leaves_a_split_empty() -> None:
    tracks, clips = random_sources(1, sources=12, songs=6)
    assert set(split_sources(tracks, clips, (0.9, 0.0, 0.1), 0, {}).values()) == {"train", "test"}
    assert set(
        split_sources({"a": "t", "b": "t"}, {"a": 1, "b": 2}, (1, 0, 0), 0, {}).values()
    ) == {"train"}


def test_three_groups_fill_three_splits_however_large() -> None:
    clips = {"a": 1, "b": 1000, "c": 3}
    split = split_sources({n: n for n in clips}, clips, SHARES, 0, {})
    assert split["b"] == "train" and len(set(split.values())) == 3


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        ({"a": "t", "b": "t", "c": "t"}, "All 3 videos share one song"),
        ({"a": "t", "b": "t", "c": "u"}, "All 3 videos have only 2 songs"),
        ({"a": "t"}, "only video"),
        ({}, "not one clip"),
    ],
)
def test_too_few_groups_are_refused(tracks: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        split_sources(tracks, dict.fromkeys(tracks, 4), SHARES, 0, {})


def test_shares_that_do_not_sum_to_1_are_refused() -> None:
    for wrong in ((0.5, 0.2, 0.2), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5)):
        with pytest.raises(InputError, match="sum to 1"):
            split_sources({"a": "t"}, {"a": 1}, wrong, 0, {})


def test_every_source_needs_a_clip() -> None:
    for clips in ({"a": 0}, {"b": 1}, {}):
        with pytest.raises(ValueError, match="source"):
            split_sources({"a": "t"}, clips, (1, 0, 0), 0, {})


@pytest.mark.parametrize("seed", range(4))
def test_tracks_keep_their_split_when_others_are_added(seed: int) -> None:
    tracks, clips = random_sources(seed, sources=20, songs=12)
    before = split_sources(tracks, clips, SHARES, seed, {})
    more = {f"a-{i}.mp4": f"new-{i}" for i in range(30)}
    all_tracks, all_clips = more | tracks, dict.fromkeys(more, 5) | clips
    fixed = track_splits(all_tracks, before)
    after = split_sources(all_tracks, all_clips, SHARES, seed + 1, fixed)
    assert {source: after[source] for source in before} == before
    assert shares(after, all_clips) == pytest.approx(SHARES, abs=0.05)
    assert split_sources(tracks, clips, SHARES, seed + 1, fixed) == before


def test_music_that_was_in_train_stays_in_train() -> None:
    before = {"a": "test", "b": "train", "c": "test", "d": "validation", "e": "test"}
    tracks = {"a": "t", "b": "t", "new": "t", "c": "u", "d": "u", "e": "v", "f": "w"}
    assert track_splits(tracks, before) == {"t": "train", "u": "validation", "v": "test"}


def test_shares_that_the_fixed_splits_cannot_meet_are_refused() -> None:
    tracks, clips = {"a": "t", "b": "u"}, {"a": 3, "b": 3}
    fixed = {"t": "train", "u": "test"}
    assert split_sources(tracks, clips, (1, 0, 0), 0, fixed) == {"a": "train", "b": "test"}
    with pytest.raises(InputError, match=r"0 new songs cannot fill validation.*metadata\.jsonl"):
        split_sources(tracks, clips, SHARES, 0, fixed)
    more = split_sources(tracks | {"c": "w"}, clips | {"c": 1}, SHARES, 0, fixed)
    assert more == {"a": "train", "b": "test", "c": "validation"}
