"""Small good files of every kind, for mutation."""

from __future__ import annotations

import io
import json
import os
import wave
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from musedance_core.audio.waveform import Waveform
from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.config import ChoreographerConfig, RigConfig
from musedance_core.dance.openpose_json import to_openpose_json
from musedance_core.dance.posing import Body
from musedance_core.dance.rig import Rig
from musedance_core.dance.skeleton import to_openpose
from musedance_core.dataset.format import ClipRecord
from musedance_core.media.video import write_video
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import END, START, train_tokenizer
from musedance_core.presets import preset

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


def checkpoint(folder: Path) -> Files:
    torch.manual_seed(0)
    path = folder / "tiny.safetensors"
    provenance = {"trained": True, "stages": [{"part": "vae", "steps": 7}], "note": "x"}
    save_checkpoint(path, MuseDance(TINY), train_tokenizer(["it hops"], 260), provenance)
    return {path.name: path.read_bytes()}


class Payload:
    """Pickles as a call that makes a folder."""

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (EXECUTED,)


def motion_modules(folder: Path) -> Files:
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


def stable_diffusion(folder: Path) -> Files:
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


def vocabulary() -> Files:
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{c}</w>" for c in letters), "th", "the</w>", START, END]
    return {
        "vocab.json": json.dumps({token: i for i, token in enumerate(tokens)}).encode(),
        "merges.txt": b"#version: 0.2\nt h\nth e</w>\n",
    }


def pictures() -> Files:
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


def sound(kind: str) -> bytes:
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


def sounds() -> Files:
    kinds = ("wav", "flac", "opus", "mp3", "m4a", "aac", "mka")
    vorbis = (ROOT / "assets/demo-song.ogg").read_bytes()[:30_000]
    return {"song.ogg": vorbis, **{f"song.{kind}": sound(kind) for kind in kinds}}


def videos(folder: Path) -> Files:
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


def beats() -> Files:
    times = [round(0.1 + 0.5 * i, 2) for i in range(8)]
    grid = {"tempo": 120.0, "beats": times, "downbeats": times[::4]}
    sure = {**grid, "confidence": [0.9, 0.8, 0.1, 1.0, 0.0, 0.5, 0.6, 0.7]}
    return {
        "beats.json": json.dumps(grid).encode(),
        "confidence.json": json.dumps(sure).encode(),
        "list.json": json.dumps(times).encode(),
    }


def beat_texts(kind: str) -> Files:
    """Beats as lines of text: "labels" of Audacity, "annotations" or a "table"."""
    times = [round(0.1 + 0.5 * i, 2) for i in range(8)]
    numbered = [(time, i % 4 + 1) for i, time in enumerate(times)]
    texts = {
        "labels": {
            "beats.txt": "".join(f"{time}\t{time}\t{number}\n" for time, number in numbered),
            "regions.txt": "0.1\t0.2\tverse\n\\\t100.0\t200.0\n0.6\t0.7\t1\n",
        },
        "annotations": {
            "tabs.beats": "".join(f"{time}\t{number}\n" for time, number in numbered),
            "commas.beats": "# made by hand\r\n\r\n0,5 3\r\n1,0 1\r\n",
        },
        "table": {
            "beats.csv": "time,beat,confidence\n"
            + "".join(f"{time},{number},{time / 4:.2f}\n" for time, number in numbered),
            "semicolons.csv": 'beat;time;note\n1;0,5;"a; b"\n2;1,0;\n',
        },
    }
    return {name: text.encode() for name, text in texts[kind].items()}


def rigs() -> Files:
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


def prompts() -> Files:
    texts = {
        "slashes.txt": "0:00 it sways / 0:08 big hops / 1:02.5 it spins",
        "brackets.txt": "[0:00] it sways [0:08] 2 big hops",
        "lines.txt": "0 it sways; 8 big hops\n(16) it spins and/or hops",
        "sentence.txt": "2 big hops",
    }
    return {name: text.encode() for name, text in texts.items()}


def json_lines(values: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(value) for value in values).encode()


def part_maps() -> bytes:
    data = io.BytesIO()
    np.savez(data, ids=np.arange(3 * 16 * 16, dtype=np.uint8).reshape(3, 16, 16) % 25)
    return data.getvalue()
