"""Reading clips: exactly the requested frames, part maps that fit them, one sentence for damage."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from musedance_core.dataset.format import ClipRecord
from musedance_core.dataset.reading import (
    content_hash,
    read_arrays,
    read_frames,
    read_part_maps,
    read_sound,
    read_track,
)
from musedance_core.errors import InputError
from musedance_core.media.video import write_video

FRAMES, WIDTH, HEIGHT = 12, 48, 96


@pytest.fixture
def record(tmp_path: Path) -> ClipRecord:
    """A clip whose frame k is grey k/16, with part id k on the left half and 25 on the right."""
    for name in ("clips", "tracks", "maps"):
        (tmp_path / name).mkdir()
    grey = torch.arange(FRAMES)[:, None, None, None] / 16
    frames = grey.expand(-1, 3, HEIGHT, WIDTH)
    write_video(tmp_path / "clips/a.mp4", [frames], 12)
    sound = np.random.default_rng(0).integers(-9000, 9000, 32_000).astype(np.int16)
    wavfile.write(tmp_path / "tracks/a.wav", 16_000, sound)
    ids = np.full((FRAMES, HEIGHT, WIDTH), 25, np.uint8)
    ids[:, :, : WIDTH // 2] = np.arange(FRAMES)[:, None, None]
    np.savez_compressed(tmp_path / "maps/a.npz", ids=ids)
    return ClipRecord(
        file_name="clips/a.mp4",
        audio="clips/a.wav",
        track="tracks/a.wav",
        start=0.5,
        frames=FRAMES,
        fps=12,
        width=WIDTH,
        height=HEIGHT,
        text="",
        source="a",
        track_id="a",
        split="train",
        tempo=120,
        beats=(0.0, 0.5),
        downbeats=(0.0,),
        part_maps="maps/a.npz",
        motion=0.1,
        subject=(0, 0, 1, 1),
        content="",
    )


@pytest.mark.parametrize("indices", [range(FRAMES), [7], [11, 0, 3, 3], [5, 4], []])
def test_a_number_is_exactly_that_frame(
    tmp_path: Path, record: ClipRecord, indices: list[int]
) -> None:
    frames = read_frames(tmp_path, record, indices, 32)
    assert frames.shape == (len(indices), 3, 32, 32) and frames.dtype == torch.float32
    middle = frames[:, :, 16, 16].mean(dim=1)
    assert torch.allclose(middle, torch.tensor(list(indices)) / 16, atol=0.02)
    maps = read_part_maps(tmp_path, record, indices, 32)
    assert maps is not None and maps.shape == (len(indices), 32, 32) and maps.dtype == torch.int64
    assert maps[:, 16, 10].tolist() == list(indices) and (maps[:, 16, 20] == 25).all()


def test_the_margins_of_an_upright_clip_have_the_first_frames_colour(
    tmp_path: Path, record: ClipRecord
) -> None:
    """For any requested frames, the margins and their part maps do not change."""
    frames = read_frames(tmp_path, record, [2, 9], 32)
    assert frames[:, :, :, :8].max() < 0.02 and frames[:, :, :, 24:].max() < 0.02
    assert frames[0, :, :, 8:24].min() > 0.1
    maps = read_part_maps(tmp_path, record, [2, 9], 32)
    assert maps is not None and not maps[:, :, :8].any() and not maps[:, :, 24:].any()
    assert maps[:, :, 8:24].all()


def test_part_maps_of_another_size_cover_the_same_place(tmp_path: Path, record: ClipRecord) -> None:
    whole = read_part_maps(tmp_path, record, [4], 32)
    with np.load(tmp_path / record.part_maps) as arrays:
        np.savez_compressed(tmp_path / record.part_maps, ids=arrays["ids"][:, ::2, ::2])
    half = read_part_maps(tmp_path, record, [4], 32)
    assert whole is not None and half is not None and torch.equal(whole, half)
    assert read_part_maps(tmp_path, replace(record, part_maps=""), [4], 32) is None


def test_the_track_is_read_bit_by_bit(tmp_path: Path, record: ClipRecord) -> None:
    _, samples = wavfile.read(tmp_path / record.track)
    wave = read_track(tmp_path, record)
    assert wave.sample_rate == 16_000 and np.array_equal(wave.samples[0] * 32768, samples)
    stereo = np.stack([samples, -samples], axis=1)
    wavfile.write(tmp_path / "stereo.wav", 16_000, stereo)
    assert np.array_equal(read_sound(tmp_path / "stereo.wav").samples.T * 32768, stereo)


def cut(path: Path, share: float) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])


def flip(path: Path, share: float) -> None:
    data = bytearray(path.read_bytes())
    for i in range(int(share * len(data)), int(share * len(data)) + 40):
        data[i] ^= 0xA5
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.99])
def test_a_truncated_file_is_named(tmp_path: Path, record: ClipRecord, share: float) -> None:
    for name in (record.file_name, record.part_maps, record.track):
        cut(tmp_path / name, share)
    with pytest.raises(InputError, match=r"clips/a\.mp4"):
        read_frames(tmp_path, record, range(FRAMES), 32)
    with pytest.raises(InputError, match=r"maps/a\.npz"):
        read_part_maps(tmp_path, record, [0], 32)
    with pytest.raises(InputError, match=r"tracks/a\.wav"):
        read_track(tmp_path, record)


def test_a_missing_file_or_one_of_another_kind_is_named(tmp_path: Path, record: ClipRecord) -> None:
    for text in ("", "no media at all " * 100, None):
        for name in (record.file_name, record.part_maps, record.track):
            (tmp_path / name).unlink()
            if text is not None:
                (tmp_path / name).write_text(text)
        for read in (read_frames, read_part_maps):
            with pytest.raises(InputError, match=r"/a\."):
                read(tmp_path, record, [0], 32)
        with pytest.raises(InputError, match=r"tracks/a\.wav"):
            read_track(tmp_path, record)
        for name in (record.file_name, record.part_maps, record.track):
            (tmp_path / name).write_text("")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_flipped_bytes_in_part_maps_are_detected(
    tmp_path: Path, record: ClipRecord, share: float
) -> None:
    flip(tmp_path / record.part_maps, share)
    with pytest.raises(InputError, match=r"maps/a\.npz"):
        read_part_maps(tmp_path, record, [0], 32)


def test_every_truncation_and_changed_header_of_a_sound_is_detected(
    tmp_path: Path, record: ClipRecord
) -> None:
    path = tmp_path / record.track
    data = path.read_bytes()
    for length in range(61):
        path.write_bytes(data[:length])
        with pytest.raises(InputError, match=r"tracks/a\.wav"):
            read_sound(path)
    for place in range(44):
        for mask in (0x01, 0x80, 0xFF):
            path.write_bytes(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :])
            with contextlib.suppress(InputError):
                assert read_sound(path).sample_rate > 0


def test_every_changed_byte_of_part_maps_is_detected_or_harmless(
    tmp_path: Path, record: ClipRecord
) -> None:
    path = tmp_path / record.part_maps
    np.savez_compressed(path, ids=np.arange(FRAMES, dtype=np.uint8)[:, None, None])
    data, whole = path.read_bytes(), read_arrays(path, ["ids"])["ids"]
    for place in range(len(data)):
        for mask in (0x01, 0xFF):
            path.write_bytes(data[:place] + bytes([data[place] ^ mask]) + data[place + 1 :])
            with contextlib.suppress(InputError):
                assert np.array_equal(read_arrays(path, ["ids"])["ids"], whole)


@pytest.mark.parametrize("header", ["{'descr': '|u1', (", "{'a': ", "[" * 1000])
def test_part_maps_with_a_damaged_header_are_refused(
    tmp_path: Path, record: ClipRecord, header: str
) -> None:
    path = tmp_path / record.part_maps
    with ZipFile(path, "w") as file:
        size = len(header).to_bytes(2, "little")
        file.writestr("ids.npy", b"\x93NUMPY\x01\x00" + size + header.encode())
    with pytest.raises(InputError, match=path.name):
        read_part_maps(tmp_path, record, [0], 32)


def test_a_record_whose_file_cannot_exist(tmp_path: Path, record: ClipRecord) -> None:
    with pytest.raises(InputError, match="lacks the file"):
        read_track(tmp_path, replace(record, track="a" * 5000))


def test_a_record_that_does_not_match_its_files(tmp_path: Path, record: ClipRecord) -> None:
    longer = replace(record, frames=FRAMES + 1)
    with pytest.raises(InputError, match=r"clips/a\.mp4 has 12 frames, not 13"):
        read_frames(tmp_path, longer, [0], 32)
    with pytest.raises(InputError, match="13 frames"):
        read_part_maps(tmp_path, longer, [0], 32)
    with pytest.raises(InputError, match="48 x 96"):
        read_frames(tmp_path, replace(record, width=96), [0], 32)
    with pytest.raises(InputError, match=r"lasts 2.00 s"):
        read_track(tmp_path, replace(record, start=1.5))
    with pytest.raises(ValueError, match="there is no 12"):
        read_frames(tmp_path, record, [12], 32)


def test_part_maps_with_unknown_ids_or_pickles_are_refused(
    tmp_path: Path, record: ClipRecord
) -> None:
    path = tmp_path / record.part_maps
    np.savez(path, ids=np.full((FRAMES, 8, 4), 26, np.uint8))
    with pytest.raises(InputError, match="part id 26"):
        read_part_maps(tmp_path, record, [0], 32)
    np.savez(path, ids=np.array([{"a": 1}] * FRAMES, dtype=object))
    with pytest.raises(InputError, match=r"maps/a\.npz"):
        read_part_maps(tmp_path, record, [0], 32)


def test_the_content_hash_depends_on_both_files(tmp_path: Path, record: ClipRecord) -> None:
    video, track = tmp_path / record.file_name, tmp_path / record.track
    before = content_hash(video, track)
    assert before == content_hash(video, track) and len(before) == 64
    assert content_hash(track, video) != before
    flip(track, 0.5)
    assert content_hash(video, track) != before
