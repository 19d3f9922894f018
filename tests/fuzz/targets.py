"""The product's readers, each with small good files to be mutated."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from seeds import (
    RATE,
    RECORD,
    ROOT,
    SD15,
    Files,
    beat_texts,
    beats,
    checkpoint,
    json_lines,
    motion_modules,
    part_maps,
    pictures,
    prompts,
    rigs,
    sound,
    sounds,
    stable_diffusion,
    videos,
    vocabulary,
)

from musedance_core.audio.beat_files import parse_beats, read_beats
from musedance_core.audio.beats import beat_frames
from musedance_core.audio.waveform import Waveform, load_waveform, require_music
from musedance_core.checkpoint.animatediff import motion_weights
from musedance_core.checkpoint.clip_tokenizer import read_clip_tokenizer
from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.checkpoint.format import load_checkpoint
from musedance_core.checkpoint.inspect import describe
from musedance_core.checkpoint.sd15 import read_stable_diffusion
from musedance_core.dance.motion import standing
from musedance_core.dance.openpose_json import read_rig_or_openpose
from musedance_core.dance.pose_image import draw_pose
from musedance_core.dance.pose_video import pose_keypoints
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import JOINTS, PARTS
from musedance_core.dataset.format import read_metadata, verify_splits
from musedance_core.dataset.reading import read_part_maps, read_sound, read_track
from musedance_core.diffusion.prompts import parse_prompts
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.errors import InputError
from musedance_core.media.beat_plot import draw_beat_plot
from musedance_core.media.images import fit_picture, load_mask, load_picture
from musedance_core.media.staging import cut_out, stage
from musedance_core.media.video import first_frame_seconds, read_video
from musedance_core.preparation.captions.caption_file import read_captions
from musedance_core.preparation.decoding import UnusableVideo, probe_seconds, read_thumbnails
from musedance_core.preparation.sources import find_sources
from musedance_core.training.config_file import load_config, model_config
from musedance_core.training.runtime.states import METADATA, METADATA_TYPES, read_state_metadata


@dataclass(frozen=True)
class Target:
    """One reader.

    Attributes:
        seeds: good files by name; one of them is mutated.
        load: reads the file at a path, uses what it got, and checks that it is sound.
        refused: seeds that must be refused as they are.
        companions: files that lie beside it, unchanged.
    """

    seeds: Files
    load: Callable[[Path], object]
    refused: frozenset[str] = frozenset()
    companions: Files = field(default_factory=dict)


def targets(folder: Path) -> dict[str, Target]:
    """All targets by name; their seeds are made in `folder`."""
    return dict(_all_targets(folder))


def _all_targets(folder: Path) -> Iterator[tuple[str, Target]]:
    yield "checkpoint", Target(checkpoint(folder), _load_checkpoint)
    yield (
        "motion modules",
        Target(motion_modules(folder), _load_motion, frozenset({"payload.ckpt"})),
    )
    yield "stable diffusion", Target(stable_diffusion(folder), _load_stable_diffusion)
    tokenizer = vocabulary()
    for name, data in tokenizer.items():
        others = {other: tokenizer[other] for other in tokenizer if other != name}
        yield name, Target({name: data}, _load_tokenizer, companions=others)
    yield "picture", Target(pictures(), _load_picture)
    yield "sound", Target(sounds(), _load_sound)
    films = videos(folder)
    yield "video", Target(films, _load_video)
    with_sound = {name: data for name, data in films.items() if name != "video.avi"}
    yield "source video", Target(with_sound, _load_source)
    yield "beats", Target(beats(), _load_beats)
    yield "beat labels", Target(beat_texts("labels"), _load_beats)
    yield "beat annotations", Target(beat_texts("annotations"), _load_beats)
    yield "beat table", Target(beat_texts("table"), _load_beats)
    yield "timeline node", Target(beats(), _load_timeline)
    yield "prompts", Target(prompts(), _load_prompts)
    yield "rig", Target(rigs(), _load_rig)
    lines = [{"file_name": f"{name}.mp4", "text": f"{name} hops"} for name in "abc"]
    yield "captions", Target({"captions.jsonl": json_lines(lines)}, read_captions)
    yield (
        "list of videos",
        Target(
            {"videos.txt": b"a.mp4\nb.mp4\n"}, _load_list, companions={"a.mp4": b"", "b.mp4": b""}
        ),
    )
    clips = [json.loads(replace(RECORD, file_name=f"{i}.mp4").to_json()) for i in range(3)]
    yield "metadata", Target({"metadata.jsonl": json_lines(clips)}, _load_metadata)
    yield "part maps", Target({"maps.npz": part_maps()}, _load_part_maps)
    yield "track", Target({"track.wav": sound("wav")}, _load_track)
    configs = {p.name: p.read_bytes() for p in sorted((ROOT / "train/configs").glob("*/*.yaml"))}
    yield "config", Target(configs, _load_config)
    state = {name: kind() for name, kind in METADATA_TYPES.items()}
    yield "training state", Target({METADATA: json.dumps(state).encode()}, _load_state)
    cached = folder / "key.safetensors"
    save_file({"frames": torch.rand(2, 3, 4, 4)}, cached)
    yield "segment cache", Target({cached.name: cached.read_bytes()}, _load_segment)


def _load_checkpoint(path: Path) -> None:
    describe(path)
    loaded = load_checkpoint(path)
    assert all(w.isfinite().all() for w in loaded.model.state_dict().values())
    loaded.tokenizer.encode(["it hops"])


def _load_motion(path: Path) -> None:
    motion_weights(path, read_foreign(path))


def _load_stable_diffusion(path: Path) -> None:
    read_stable_diffusion(path, SD15)


def _load_tokenizer(path: Path) -> None:
    read_clip_tokenizer(path.parent).encode(["it hops"])


def _load_picture(path: Path) -> None:
    picture = load_picture(path)
    fitted = fit_picture(picture, None, 32)
    assert fitted.image.isfinite().all()
    load_mask(path, picture)

    # In its frame, as a dancer in one piece.
    cutout = cut_out(picture, None, 64)
    size = (cutout.pixels.shape[-1], cutout.pixels.shape[-2])
    joints = torch.full((len(JOINTS), 2), torch.nan)
    rig = Rig(size, joints, torch.zeros(len(JOINTS)), torch.full((len(PARTS), 4, 4), 0.1))
    assert stage(cutout, rig).at_rest()[0].isfinite().all()


def _load_sound(path: Path) -> None:
    wave = load_waveform(path)
    require_music(wave, str(path))
    assert np.isfinite(wave.mono().resampled(RATE).samples).all()


def _load_video(path: Path) -> None:
    frames, fps = read_video(path)
    assert frames.isfinite().all() and 0 < fps < float("inf")
    first_frame_seconds(path)


def _load_source(path: Path) -> None:
    try:
        assert probe_seconds(path) < float("inf")
        read_thumbnails(path, 12, 8, 16)
    except UnusableVideo:  # such a source is left out, with a line in the report
        raise InputError(f"{path} is no source.") from None


def _load_beats(path: Path) -> None:
    _use_beats(read_beats(path))


def _load_timeline(path: Path) -> None:
    _use_beats(parse_beats(path.read_text(encoding="utf-8", errors="replace"), str(path)))


def _use_beats(grid: Any) -> None:
    for changed in (grid, grid.halved(), grid.doubled(), grid.shifted(-1.5)):
        assert np.isfinite(beat_frames(changed, 0.0, 48, 12).count).all()
        draw_beat_plot(Waveform(np.ones((1, RATE), np.float32), RATE), changed)
        json.dumps(changed.to_json(), allow_nan=False)
        assert len(changed.bar_numbers()) == len(changed.times)


def _load_prompts(path: Path) -> None:
    """A prompt never names a file: the sentence of error must do without."""
    entries = parse_prompts(path.read_text(encoding="utf-8", errors="replace"))
    # An empty sentence leaves the move to the song.
    assert entries and all(
        np.isfinite(seconds) and text == text.strip() for seconds, text in entries
    )


def _load_rig(path: Path) -> None:
    rig = read_rig_or_openpose(path)
    keypoints = pose_keypoints(standing(2, 24), (32, 32), rig)
    assert not keypoints.isinf().any() and draw_pose(keypoints, (32, 32)).isfinite().all()


def _load_list(path: Path) -> None:
    find_sources(path, path.parent / "dataset")


def _load_metadata(path: Path) -> None:
    records = read_metadata(path.parent)
    verify_splits(records)
    for record in records:
        record.to_json().encode()
        with suppress(InputError):  # the media are missing
            read_track(path.parent, record)


def _load_part_maps(path: Path) -> None:
    read_part_maps(path.parent, RECORD, [0, 2], 32)


def _load_track(path: Path) -> None:
    wave = read_sound(path)
    assert np.isfinite(wave.samples).all() and wave.seconds < float("inf")


def _load_config(path: Path) -> None:
    model_config(load_config(path, ["output_dir=somewhere"]))


def _load_state(path: Path) -> None:
    read_state_metadata(path.parent)


def _load_segment(path: Path) -> None:
    SegmentCache(path.parent).read(path.stem)
