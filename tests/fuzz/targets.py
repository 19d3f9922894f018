"""The product's readers, each with small good files that are made here to be mutated."""

from __future__ import annotations

import io
import json
import os
import wave
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from musedance_core.audio.beats import beat_frames, parse_beats, read_beats
from musedance_core.audio.waveform import Waveform, load_waveform, require_music
from musedance_core.checkpoint.animatediff import motion_weights
from musedance_core.checkpoint.clip_tokenizer import read_clip_tokenizer
from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.checkpoint.format import load_checkpoint, save_checkpoint
from musedance_core.checkpoint.inspect import describe
from musedance_core.checkpoint.sd15 import read_stable_diffusion
from musedance_core.config import ChoreographerConfig, RigConfig
from musedance_core.dance.motion import standing
from musedance_core.dance.openpose_json import read_rig_or_openpose, to_openpose_json
from musedance_core.dance.pose_image import draw_pose
from musedance_core.dance.pose_video import pose_keypoints
from musedance_core.dance.posing import Body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import JOINTS, PARTS, to_openpose
from musedance_core.dataset.format import ClipRecord, read_metadata, verify_splits
from musedance_core.dataset.reading import read_part_maps, read_sound, read_track
from musedance_core.diffusion.prompts import parse_prompts
from musedance_core.diffusion.segment_cache import SegmentCache
from musedance_core.errors import InputError
from musedance_core.media.beat_plot import draw_beat_plot
from musedance_core.media.images import fit_picture, load_mask, load_picture
from musedance_core.media.staging import cut_out, stage
from musedance_core.media.video import first_frame_seconds, read_video, write_video
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import END, START, train_tokenizer
from musedance_core.preparation.captions.caption_file import read_captions
from musedance_core.preparation.decoding import UnusableVideo, probe_seconds, read_thumbnails
from musedance_core.preparation.sources import find_sources
from musedance_core.presets import preset
from musedance_core.training.config_file import load_config, model_config
from musedance_core.training.runtime.states import METADATA, METADATA_TYPES, read_state_metadata

ROOT = Path(__file__).parents[2]
RATE, SONG_SECONDS = 16_000, 1.0
EXECUTED = "executed"
"""Name of the folder that the planted payload would make."""

STICKER, SD15 = preset("sticker"), preset("sd15")
TINY = replace(
    STICKER,
    clip=replace(STICKER.clip, size=16, frames=4),
    unet=replace(STICKER.unet, latent_channels=4, channels=(16, 16), heads=2, text_width=16),
    dynamics=replace(STICKER.dynamics, token_width=16, heads=2),
    mask=replace(STICKER.mask, channels=(8, 8, 8, 8)),
    vae=replace(STICKER.vae, latent_channels=4, refiner_width=8, refiner_blocks=1),
    text=replace(STICKER.text, vocab_size=260, width=16, layers=1, heads=2),
    music=replace(STICKER.music, width=16, layers=1, heads=2),
    rig=RigConfig(size=32, channels=(8, 16), heads=2),
    choreographer=ChoreographerConfig(width=16, layers=1, heads=2, norm_groups=4),
)
RECORD = ClipRecord(
    **{"file_name": "clips/a-0.mp4", "audio": "clips/a-0.wav", "track": "tracks/a.wav"},
    **{"start": 0.5, "frames": 3, "fps": 12, "width": 16, "height": 16, "text": "it hops"},
    **{"source": "a.mp4", "track_id": "t", "split": "train", "tempo": 120.0},
    **{"beats": (0.0, 0.5, 1.0), "downbeats": (0.0,), "part_maps": "maps.npz", "motion": 0.1},
    **{"subject": (0.0, 0.0, 1.0, 1.0), "content": "0" * 64},
)

Files = dict[str, bytes]


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
    return dict(_targets(folder))


def _targets(folder: Path) -> Iterator[tuple[str, Target]]:
    motion = _motion(folder)
    yield "checkpoint", Target(_checkpoint(folder), _load_checkpoint)
    yield "motion modules", Target(motion, _load_motion, frozenset({"payload.ckpt"}))
    yield "stable diffusion", Target(_stable_diffusion(folder), _load_stable_diffusion)
    vocabulary = _vocabulary()
    for name in vocabulary:
        others = {other: data for other, data in vocabulary.items() if other != name}
        yield name, Target({name: vocabulary[name]}, _load_tokenizer, companions=others)
    yield "picture", Target(_pictures(), _load_picture)
    yield "sound", Target(_sounds(), _load_sound)
    videos = _videos(folder)
    yield "video", Target(videos, _load_video)
    with_sound = {name: data for name, data in videos.items() if name != "video.avi"}
    yield "source video", Target(with_sound, _load_source)
    yield "beats", Target(_beats(), _load_beats)
    yield "timeline node", Target(_beats(), _load_timeline)
    yield "prompts", Target(_prompts(), _load_prompts)
    yield "rig", Target(_rigs(), _load_rig)
    lines = [{"file_name": f"{name}.mp4", "text": f"{name} hops"} for name in "abc"]
    yield "captions", Target({"captions.jsonl": _json_lines(lines)}, read_captions)
    yield (
        "list of videos",
        Target(
            {"videos.txt": b"a.mp4\nb.mp4\n"}, _load_list, companions={"a.mp4": b"", "b.mp4": b""}
        ),
    )
    clips = [json.loads(replace(RECORD, file_name=f"{i}.mp4").to_json()) for i in range(3)]
    yield "metadata", Target({"metadata.jsonl": _json_lines(clips)}, _load_metadata)
    yield "part maps", Target({"maps.npz": _part_maps()}, _load_part_maps)
    yield "track", Target({"track.wav": _sound("wav")}, _load_track)
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


def _load_prompts(path: Path) -> None:
    """A prompt never names a file: the sentence of error must do without."""
    entries = parse_prompts(path.read_text(encoding="utf-8", errors="replace"))
    assert entries and all(np.isfinite(seconds) and text for seconds, text in entries)


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


def _checkpoint(folder: Path) -> Files:
    torch.manual_seed(0)
    path = folder / "tiny.safetensors"
    provenance = {"trained": True, "stages": [{"part": "vae", "steps": 7}], "note": "x"}
    save_checkpoint(path, MuseDance(TINY), train_tokenizer(["it hops"], 260), provenance)
    return {path.name: path.read_bytes()}


class Payload:
    """Pickles as a call that makes a folder."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (EXECUTED,)


def _motion(folder: Path) -> Files:
    at = "down_blocks.0.motion_modules.0.temporal_transformer"
    weights = {f"{at}.norm.weight": torch.rand(8), f"{at}.proj_in.weight": torch.rand(8, 8)}
    tables = {
        "plain.ckpt": weights,
        "nested.ckpt": {"state_dict": weights, "global_step": 3},
        "payload.ckpt": {"state_dict": weights, "step": Payload()},
    }
    files = {}
    for name, table in tables.items():
        data = io.BytesIO()
        torch.save(table, data)
        files[name] = data.getvalue()
    path = folder / "motion.safetensors"
    save_file(weights, path)
    return {**files, path.name: path.read_bytes()}


def _stable_diffusion(folder: Path) -> Files:
    unet, vae = "model.diffusion_model", "first_stage_model"
    weights = {
        f"{unet}.time_embed.0.weight": torch.rand(8, 4),
        f"{unet}.input_blocks.1.0.in_layers.0.weight": torch.rand(8),
        f"{vae}.decoder.mid.attn_1.q.weight": torch.rand(4, 4, 1, 1),
        f"{vae}.decoder.up.2.block.0.conv1.weight": torch.rand(4, 4, 3, 3),
        "cond_stage_model.transformer.text_model.final_layer_norm.weight": torch.rand(4),
        "alphas_cumprod": torch.rand(4),
    }
    path = folder / "sd.safetensors"
    save_file(weights, path)
    return {path.name: path.read_bytes()}


def _vocabulary() -> Files:
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{c}</w>" for c in letters), "th", "the</w>", START, END]
    return {
        "vocab.json": json.dumps({token: i for i, token in enumerate(tokens)}).encode(),
        "merges.txt": b"#version: 0.2\nt h\nth e</w>\n",
    }


def _pictures() -> Files:
    pixels = np.random.default_rng(0).integers(0, 256, (48, 40, 4), np.uint8)
    pixels[..., 3] = 255
    pixels[:4, :, 3] = 0
    sticker = Image.fromarray(pixels)
    opaque = sticker.convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    grey = Image.fromarray(np.arange(48 * 40, dtype=np.uint16).reshape(48, 40) * 30)
    animation: dict[str, Any] = {"save_all": True, "append_images": [sticker]}
    kinds: tuple[tuple[str, Image.Image, dict[str, Any]], ...] = (
        ("sticker.png", sticker, {}),
        ("palette.png", opaque.quantize(16), {"transparency": 0}),
        ("grey.png", grey, {}),
        ("animated.png", sticker, animation),
        ("turned.jpg", opaque, {"exif": exif}),
        ("progressive.jpg", opaque, {"progressive": True}),
        ("sticker.gif", sticker, animation),
        ("sticker.webp", sticker, animation),
        ("plain.bmp", opaque, {}),
        ("sticker.tiff", sticker, {"compression": "tiff_lzw"}),
        ("deflated.tiff", opaque, {"compression": "tiff_adobe_deflate"}),
        ("float.tiff", Image.fromarray(pixels[..., 0].astype(np.float32) / 255), {}),
        ("plain.tga", sticker, {}),
        ("plain.ppm", opaque, {}),
        ("sticker.ico", sticker, {}),
    )
    files = {}
    for name, picture, options in kinds:
        data = io.BytesIO()
        kind = {".jpg": "JPEG", ".tiff": "TIFF"}.get(
            Path(name).suffix, Path(name).suffix[1:].upper()
        )
        picture.save(data, format=kind, **options)
        files[name] = data.getvalue()
    return files


def _song() -> np.ndarray:
    time = np.arange(round(SONG_SECONDS * RATE)) / RATE
    return np.asarray(0.5 * np.sin(2 * np.pi * 440 * time) * np.exp(-(time % 0.5) * 20))


def _sound(kind: str) -> bytes:
    data, samples = io.BytesIO(), (_song() * 32767).astype("<i2")
    if kind == "wav":
        with wave.open(data, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples.tobytes())
        return data.getvalue()
    codec, container = {
        "flac": ("flac", "flac"),
        "opus": ("libopus", "ogg"),
        "mp3": ("libmp3lame", "mp3"),
        "m4a": ("aac", "mp4"),
        "aac": ("aac", "adts"),
        "mka": ("aac", "matroska"),
    }[kind]
    with av.open(data, "w", format=container) as output:
        stream: Any = output.add_stream(codec, rate=RATE)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            output.mux(packet)
    return data.getvalue()


def _sounds() -> Files:
    kinds = ("wav", "flac", "opus", "mp3", "m4a", "aac", "mka")
    vorbis = (ROOT / "assets/demo-song.ogg").read_bytes()[:30_000]
    return {"song.ogg": vorbis, **{f"song.{kind}": _sound(kind) for kind in kinds}}


def _videos(folder: Path) -> Files:
    torch.manual_seed(0)
    frames = torch.rand(8, 3, 32, 32)
    sound = Waveform(_song()[None].astype(np.float32), RATE)
    files = {}
    for suffix in (".mp4", ".mkv", ".webm"):
        path = folder / f"video{suffix}"
        write_video(path, [frames], 12, sound)
        files[path.name] = path.read_bytes()
    data = io.BytesIO()
    with av.open(data, "w", format="avi") as output:
        stream: Any = output.add_stream("mpeg4", rate=Fraction(12))
        stream.width = stream.height = 32
        for picture in (frames * 255).byte().permute(0, 2, 3, 1).numpy():
            output.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))))
        output.mux(stream.encode(None))
    return {**files, "video.avi": data.getvalue()}


def _beats() -> Files:
    times = [round(0.1 + 0.5 * i, 2) for i in range(8)]
    grid = {"tempo": 120.0, "beats": times, "downbeats": times[::4]}
    return {"beats.json": json.dumps(grid).encode(), "list.json": json.dumps(times).encode()}


def _rigs() -> Files:
    joints = Body.standing(90, 50, 98).joints
    rig = Rig((100, 100), joints, torch.ones(len(joints)))
    frames = to_openpose_json(to_openpose(joints)[None], rig.size)
    frames[0]["people"].append({"pose_keypoints_2d": [0.5, 0.4, 0.9] * 25})
    shares = {"people": [{"pose_keypoints_2d": [round(i / 54, 3) for i in range(54)]}]}
    return {
        "rig.json": json.dumps(rig.to_json()).encode(),
        "poses.json": json.dumps(frames).encode(),
        "shares.json": json.dumps({**shares, "canvas_width": 9, "canvas_height": 7}).encode(),
    }


def _prompts() -> Files:
    texts = {
        "slashes.txt": "0:00 it sways / 0:08 big hops / 1:02.5 it spins",
        "brackets.txt": "[0:00] it sways [0:08] 2 big hops",
        "lines.txt": "0 it sways; 8 big hops\n(16) it spins and/or hops",
        "sentence.txt": "2 big hops",
    }
    return {name: text.encode() for name, text in texts.items()}


def _json_lines(values: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(value) for value in values).encode()


def _part_maps() -> bytes:
    data = io.BytesIO()
    np.savez(data, ids=np.arange(3 * 16 * 16, dtype=np.uint8).reshape(3, 16, 16) % 25)
    return data.getvalue()
