"""Finished segments: what names them, what comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from musedance_core.diffusion.segment_cache import SegmentCache, cache_key


def test_everything_that_differs_gives_another_name() -> None:
    x = torch.zeros(2, 3)
    names = [
        cache_key(x, 1, "a"),
        cache_key(x + 1e-6, 1, "a"),
        cache_key(x.reshape(3, 2), 1, "a"),
        cache_key(x, 2, "a"),
        cache_key(x, 1, "b"),
        cache_key(x, 1, None),
        cache_key(x, [1, "a"]),
        cache_key(x),
    ]
    assert len(set(names)) == len(names)


def test_the_same_gives_the_same_name_wherever_it_lies() -> None:
    x = torch.arange(12.0).reshape(3, 4)
    assert cache_key(x, {"a": 1, "b": 2}) == cache_key(x.clone(), {"b": 2, "a": 1})
    assert cache_key(x.T) == cache_key(x.T.contiguous())
    assert cache_key(np.array([1.0, 2.0])) == cache_key(np.array([1.0, 2.0]))


def test_a_segment_comes_back_and_others_do_not(tmp_path: Path) -> None:
    store = SegmentCache(tmp_path / "new" / "folder")
    segment = {"latents": torch.randn(4, 3, 2, 2), "poses": torch.randn(8, 27)}
    assert store.read("one") is None
    store.write("one", segment)
    read = store.read("one")
    assert read is not None and set(read) == set(segment)
    assert all(torch.equal(read[name], segment[name]) for name in segment)
    assert store.read("two") is None
    assert [p.name for p in store.folder.iterdir()] == ["one.safetensors"]


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    store = SegmentCache(tmp_path)
    store.write("one", {"latents": torch.randn(4, 3, 2, 2)})
    path = tmp_path / "one.safetensors"
    path.write_bytes(path.read_bytes()[:50])
    assert store.read("one") is None
