"""Deduplication: copies of a clip are found; other dances and other dancers are not."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import av
import numpy as np
import pytest
from einops import rearrange
from PIL import Image
from torch import Tensor

from musedance_core.preparation.deduplication import clip_signature, find_duplicates
from musedance_core.world.clips import World

CLIPS = 6


def pixels(frames: Tensor) -> np.ndarray:
    return (rearrange(frames, "f c h w -> f h w c") * 255).round().byte().numpy()


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    world = World("train", songs=2, mel_bins=16, edited=0.0)
    return [pixels(clip) for clip in world.clips(range(CLIPS), frames=48).frames]


@pytest.fixture(scope="module")
def signatures(clips: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"clip-{i}": clip_signature(clip) for i, clip in enumerate(clips)}


def encoded(frames: np.ndarray, crf: int = 30) -> np.ndarray:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=12)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": str(crf)}
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def scaled(frames: np.ndarray) -> np.ndarray:
    return np.stack([np.asarray(Image.fromarray(frame).resize((150, 150))) for frame in frames])


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "the same": lambda frames: frames,
    "encoded": encoded,
    "scaled": scaled,
    "brighter": lambda frames: (frames * 1.08 + 6).clip(0, 255).astype(np.uint8),
    "darker": lambda frames: (frames * 0.9).astype(np.uint8),
    "scaled, darker and encoded": lambda frames: encoded(
        (scaled(frames) * 0.92 + 5).astype(np.uint8), 26
    ),
}


@pytest.mark.parametrize("name", COPIES)
def test_copies_are_found(
    clips: list[np.ndarray], signatures: dict[str, np.ndarray], name: str
) -> None:
    copies = {f"copy-{i}": clip_signature(COPIES[name](clip)) for i, clip in enumerate(clips)}
    found = find_duplicates({**signatures, **copies})
    assert found == {f"copy-{i}": f"clip-{i}" for i in range(CLIPS)}


def test_other_dancers_in_other_dances_are_no_duplicates(signatures: dict[str, np.ndarray]) -> None:
    assert find_duplicates(signatures) == {}
    assert find_duplicates({}) == {}


def puppet(moves: str, colour: int = 20) -> np.ndarray:
    """A square that moves sideways, or up and down, in front of one soft background."""
    blocks = np.random.default_rng(7).integers(60, 190, (6, 6, 3), dtype=np.uint8)
    room = np.asarray(Image.fromarray(blocks).resize((48, 48)))
    frames = np.stack([room] * 48)
    for k, frame in enumerate(frames):
        way = round(12 * np.sin(k / 48 * 2 * np.pi * (2 if moves == "fast" else 1)))
        x, y = (18, 18 + way) if moves == "up" else (18 + way, 18)
        frame[y : y + 12, x : x + 12] = colour
    return frames


def test_one_dancer_in_several_dances_is_several_clips() -> None:
    signatures = {name: clip_signature(puppet(name)) for name in ("side", "up", "fast")}
    assert find_duplicates(signatures) == {}


def test_two_dancers_in_one_dance_are_two_clips() -> None:
    dark, light = clip_signature(puppet("side")), clip_signature(puppet("side", colour=240))
    assert find_duplicates({"a": dark, "b": light}) == {}


def test_mirrored_copies_are_no_duplicates(
    clips: list[np.ndarray], signatures: dict[str, np.ndarray]
) -> None:
    mirrored = {"a-mirror": clip_signature(clips[3][:, :, ::-1])}
    assert find_duplicates({**signatures, **mirrored}) == {}


def test_the_first_in_sorted_order_stays_for_any_order_of_the_input(
    clips: list[np.ndarray],
) -> None:
    one, two = clip_signature(clips[0]), clip_signature(clips[1])
    keys = {"c": one, "a": one, "d": two, "b": one, "e": two}
    expected = {"b": "a", "c": "a", "e": "d"}
    assert find_duplicates(keys) == expected
    assert find_duplicates(dict(reversed(keys.items()))) == expected


def test_a_clip_of_one_colour_has_a_signature_too() -> None:
    plain = clip_signature(np.full((3, 8, 8, 3), 90, np.uint8))
    assert np.isfinite(plain).all() and plain.dtype == np.float32
    assert find_duplicates({"a": plain, "b": plain}) == {"b": "a"}


def test_only_pictures_have_signatures() -> None:
    for wrong in (np.zeros((2, 4, 4, 3)), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 4, 4, 3))):
        with pytest.raises(ValueError, match="uint8"):
            clip_signature(wrong)
