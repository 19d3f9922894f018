"""Sections of benchmarks/dancer.py on frames."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from dancer_poses import gains
from dancer_results import Result
from einops import rearrange
from PIL import Image, ImageDraw
from torch import Tensor

from musedance_core.audio.tracker import track_beats
from musedance_core.audio.waveform import load_waveform
from musedance_core.dance.dancer import Dancer
from musedance_core.dance.motion import DanceMotion
from musedance_core.diffusion.segment import Reference
from musedance_core.evaluation.clip import quantise
from musedance_core.evaluation.judges.networks import Judges
from musedance_core.evaluation.options import Sampling
from musedance_core.evaluation.samples import (
    Sample,
    covered,
    encode_scene,
    generate,
    uncovered,
)
from musedance_core.evaluation.scenes import Scene, world_scenes
from musedance_core.media.image_file import read_image
from musedance_core.media.images import as_image, to_uint8
from musedance_core.media.staging import stage_dancer
from musedance_core.media.video import read_video
from musedance_core.metrics.beat_alignment import BeatTrack
from musedance_core.metrics.beat_lag import beat_lag
from musedance_core.metrics.consistency import (
    background_error,
    drift,
    flicker,
    seam_jump,
    similarity,
)
from musedance_core.metrics.image import image_metrics
from musedance_core.metrics.motion import motion_beats, motion_energy, visible_window
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.world.songs import make_song

ROOT = Path(__file__).parents[1]
PICTURE, SONG = ROOT / "assets/sticker-chick.png", ROOT / "assets/demo-song.ogg"
TEXT = "big hops on the spot"
FRAMES, FPS = 48, 12
LAPLACIAN = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
INSET = 2
"""Pixels from the dancer's outline that are left out of its inside."""
LONG_SEED, LONG_TEMPO = 4000, 112.0
SONG_CLIPS = 4
"""Dances to every song."""
COLUMNS, TILE, LINE = 7, 192, 16


@dataclass(frozen=True)
class Studio:
    """A model, its judges, and the way it is sampled.

    Attributes:
        split: of the dancers, songs and sentences.
        size: pixels of the pictures.
        draft: show the planned dance, without denoising.
    """

    pipeline: MuseDancePipeline
    judges: Judges
    sampling: Sampling
    split: str
    size: int
    draft: bool = False

    def scenes(self, count: int) -> list[Scene]:
        """The first scenes of the split."""
        config = self.pipeline.config
        return list(world_scenes(config, self.split, count, FRAMES, size=self.size))


def demo(checkpoint: str) -> list[Result]:
    """Size and rate of what the command line makes by default."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo.mp4"
        _animate(checkpoint, out, "--seconds", "0.5", "--quality", "draft")
        frames, fps = read_video(out)
    return [
        Result("demo", "long side in pixels", [max(frames.shape[-2:])], ">= 512", digits=0),
        Result("demo", "frames a second", [fps], "24", digits=0),
    ]


def _animate(checkpoint: str, out: Path, *options: str) -> tuple[float, float]:
    """Runs `musedance animate`: seconds from start to end, and its peak memory in GB."""
    command = [sys.executable, "-m", "musedance_core.cli", "animate", str(PICTURE), str(SONG)]
    command += ["--text", TEXT, "--out", str(out), "--checkpoint", checkpoint, *options]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    scale = 1e9 if sys.platform == "darwin" else 1e6
    return time.monotonic() - began, usage.ru_maxrss / scale


def cost(checkpoint: str, repeats: int) -> list[Result]:
    """Time and memory of four seconds at 512 pixels and 24 frames a second."""
    results = []
    for quality, goal in (("draft", "<= 6"), ("full", "<= 12")):
        with tempfile.TemporaryDirectory() as folder:
            options = ("--seconds", "4", "--size", "512", "--fps", "24", "--quality", quality)
            out = Path(folder) / "dance.mp4"
            runs = [_animate(checkpoint, out, *options) for _ in range(repeats)]
        seconds, memory = zip(*runs, strict=True)
        results.append(Result("cost", f"seconds, {quality}", seconds, goal, digits=1))
        results.append(Result("cost", f"memory in GB, {quality}", memory, "<= 1.5", digits=2))
    return results


def true_dancer(studio: Studio, scene: Scene) -> Dancer:
    """The dancer of the scene's picture, cut by its true rig instead of the network's."""
    assert scene.rig is not None and scene.mask is not None
    network = studio.pipeline.model.rig
    assert network is not None
    picture, mask = as_image(scene.reference), as_image(scene.mask)
    size = max(picture.size)
    return stage_dancer(network, picture, mask, size, rig=scene.rig, parts=scene.rig.parts)


def true_rig_frames(studio: Studio, scene: Scene, motion: DanceMotion) -> tuple[Tensor, Tensor]:
    """A dance of the picture cut by its true rig: frames `[f 3 h w]` and the dancer's alpha
    `[f 1 h w]`."""
    rgba, alpha = true_dancer(studio, scene).frames(motion)
    return quantise(rgba[:, :3]), alpha


def inside(alpha: Tensor) -> Tensor:
    """Pixels `[f 1 h w]` bool inside the dancer, whose alpha is `[f 1 h w]`."""
    return -F.max_pool2d(-(alpha > 0.99).float(), 2 * INSET + 1, 1, INSET) > 0


def sharpness(frames: Tensor, pixels: Tensor) -> float:
    """Variance of the Laplacian of the luminance of `frames [f 3 h w]` in `pixels [f 1 h w]`."""
    luma = frames.mean(dim=1, keepdim=True) * 255
    values = F.conv2d(luma, LAPLACIAN[None, None], padding=1)
    return float(values[pixels].var())


def sharpness_ratio(
    frames: Tensor, alpha: Tensor, true_frames: Tensor, true_alpha: Tensor
) -> float:
    """Sharpness of `frames` over that of the same dance with the true rig, in the pixels that are
    inside the dancer in both: neither torn edges nor another pose make frames look sharper."""
    both = inside(alpha) & inside(true_alpha)
    return sharpness(frames, both) / sharpness(true_frames, both)


def clips(studio: Studio, count: int) -> list[Result]:
    """Sharpness, background, identity and beats of sampled clips."""
    scenes = studio.scenes(count)
    sharp, off, unsteady, same, shares, true_shares = [], [], [], [], [], []
    filled, filled_unsteady = [], []
    tracks, true_tracks = [], []
    for i, scene in enumerate(scenes):
        sample = generate(studio.pipeline, scene, _seeded(studio, i), draft=studio.draft)
        frames = quantise(sample.frames)
        hidden = covered(sample, scene)
        assert sample.alpha is not None and hidden is not None
        assert sample.motion is not None
        planned = sample.motion.at(np.arange(len(frames)) / FPS)
        truth = true_rig_frames(studio, scene, planned)
        sharp.append(sharpness_ratio(frames, sample.alpha, *truth))
        off.append(background_error(frames, scene.reference, ~hidden))
        unsteady.append(flicker(frames, ~hidden))
        # Pixels that no frame covers are the picture's own; those that the dancer leaves are not.
        gone = uncovered(sample, scene)
        assert gone is not None and scene.background is not None
        if gone.any():
            filled.append(background_error(frames, scene.background, gone))
            filled_unsteady.append(flicker(frames, gone))
        same.append(float(similarity(studio.judges.identity, frames, scene.reference).mean()))
        for video, found, share in (
            (frames, tracks, shares),
            (scene.truth, true_tracks, true_shares),
        ):
            energy = motion_energy(video)
            beats = scene.grid.times - scene.start
            window = visible_window(len(video), FPS)
            found.append(BeatTrack(motion_beats(energy, FPS), beats, window, scene.music))
            lag = beat_lag(energy, FPS, beats)
            share.append(0.0 if lag is None else lag.share)
    return [
        Result(
            *("clips", "sharpness over that of the same dance with the true rig, median", sharp),
            goal=">= 0.85",
            median=True,
        ),
        Result("clips", "background off, grey levels", off, "<= 0.3"),
        Result("clips", "flicker outside the dancer, grey levels", unsteady, "<= 0.3"),
        Result("clips", "true background off where the dancer stood, grey levels", filled),
        Result("clips", "flicker where the dancer stood, grey levels", filled_unsteady, "<= 0.3"),
        Result("clips", "identity", same),
        Result("clips", "gain of beat alignment", gains(tracks), ">= 0.65", gains(true_tracks)),
        Result("clips", "share with the beat", shares, ">= 0.85", true_shares),
    ]


def _seeded(studio: Studio, i: int) -> Sampling:
    return replace(studio.sampling, seed=studio.sampling.seed + i)


def denoiser(studio: Studio, count: int) -> list[Result]:
    """Draft and full quality in the true dances of the same clips, inside the dancer."""
    found: dict[str, dict[str, list[float]]] = {"draft": {}, "full": {}, "true rig": {}}
    for i, scene in enumerate(studio.scenes(count)):
        reference = encode_scene(studio.pipeline, scene)
        assert scene.motion is not None
        truth, true_alpha = true_rig_frames(studio, scene, scene.motion)
        for name, values in found.items():
            if name == "true rig":
                sample = Sample(truth, scene.motion, true_alpha)
            else:
                sample = following(studio, scene, reference, i, name == "draft")
            figures = likeness(studio, sample, scene, true_alpha)
            assert sample.alpha is not None
            figures["sharpness"] = sharpness_ratio(sample.frames, sample.alpha, truth, true_alpha)
            for figure, value in figures.items():
                values.setdefault(figure, []).append(value)
    results = []
    for figure, drafts in found["draft"].items():
        for name, values in found.items():
            ratio = figure == "sharpness"
            results.append(Result("denoiser", f"{figure}, {name}", values[figure], median=ratio))
        gain = (np.array(found["full"][figure]) - np.array(drafts)).tolist()
        title = f"{figure}, full less draft"
        results.append(Result("denoiser", title, gain, median=figure == "sharpness"))
    return results


def following(studio: Studio, scene: Scene, reference: Reference, i: int, draft: bool) -> Sample:
    """The scene's own dance."""
    sample = generate(
        studio.pipeline,
        scene,
        _seeded(studio, i),
        reference=reference,
        motion=scene.motion,
        draft=draft,
    )
    return replace(sample, frames=quantise(sample.frames))


def likeness(studio: Studio, sample: Sample, scene: Scene, alpha: Tensor) -> dict[str, float]:
    """PSNR and SSIM where sample or truth show the dancer, and identity."""
    assert sample.alpha is not None
    region = (torch.maximum(sample.alpha, alpha) > 0)[:, 0]
    error = (sample.frames - scene.truth).square().mean(dim=1)
    psnr = [
        float(-10 * e[r].mean().clamp_min(1e-10).log10())
        for e, r in zip(error, region, strict=True)
    ]
    measure = image_metrics().structural_similarity
    pairs = zip(sample.frames, scene.truth, region, strict=True)
    ssim = [
        measure(_image(one), _image(two), channel_axis=-1, data_range=1.0, full=True)[1][r.numpy()]
        for one, two, r in pairs
    ]
    similar = similarity(studio.judges.identity, sample.frames, scene.reference)
    return {
        "PSNR": float(np.mean(psnr)),
        "SSIM": float(np.mean([values.mean() for values in ssim])),
        "identity": float(similar.mean()),
    }


def _image(frame: Tensor) -> np.ndarray:
    return np.asarray(rearrange(frame, "c h w -> h w c"))


def long_dance(studio: Studio, count: int, segments: int) -> list[Result]:
    """Identity and seams of a long dance."""
    ends, jumps = [], []
    for i, scene in enumerate(studio.scenes(count)):
        song = make_song(LONG_SEED, i, segments * FRAMES / FPS + 4, tempo=LONG_TEMPO)
        truth = scene.truth[:1].expand(segments * FRAMES, -1, -1, -1)
        changed = replace(scene, song=song.wave, grid=song.grid, start=0.5, truth=truth)
        sample = generate(studio.pipeline, changed, _seeded(studio, i), draft=studio.draft)
        similar = similarity(studio.judges.identity, quantise(sample.frames), scene.reference)
        ends.append(drift(similar, FRAMES) or 0.0)
        jumps.append(seam_jump(motion_energy(sample.frames), FRAMES) or 0.0)
    seconds = segments * FRAMES // FPS
    return [
        Result("long", f"identity at the end of {seconds} s over the start", ends, ">= 0.98"),
        Result("long", "jump at seams", jumps, "<= 1.1"),
    ]


def song_clips(studio: Studio, paths: Sequence[Path], start: float) -> list[Result]:
    """Share of the frames' motion with the tracked beats of songs."""
    scenes, results = studio.scenes(SONG_CLIPS), []
    for path in paths:
        wave = load_waveform(path)
        grid = track_beats(wave)
        shares = []
        for i, scene in enumerate(scenes):
            truth = scene.truth[:1].expand(2 * FRAMES, -1, -1, -1)
            changed = replace(scene, song=wave, grid=grid, start=start, truth=truth)
            seeded = _seeded(studio, i)
            sample = generate(studio.pipeline, changed, seeded, draft=studio.draft)
            frames = quantise(sample.frames)
            lag = beat_lag(motion_energy(frames), FPS, grid.times - start)
            shares.append(0.0 if lag is None else lag.share)
        name = f"share of the frames' motion, {path.stem} ({grid.tempo:.0f} BPM)"
        results.append(Result("songs", name, shares, ">= 0.85"))
    return results


def sheets(studio: Studio, folder: Path, count: int, pictures: Sequence[Path]) -> None:
    """Writes contact sheets of dances by the world's dancers and by pictures, 8 rows a sheet."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = studio.scenes(count)
    rows = [(scene, encode_scene(studio.pipeline, scene)) for scene in scenes]
    for i, path in enumerate(pictures):
        reference = studio.pipeline.prepare_picture(read_image(path), size=studio.size)
        rows.append((scenes[i % len(scenes)], reference))
    tiles = []
    for i, (scene, reference) in enumerate(rows):
        seeded = _seeded(studio, i)
        sample = generate(studio.pipeline, scene, seeded, reference=reference, draft=studio.draft)
        assert reference.dancer is not None
        first = reference.dancer.at_rest()[0][None, :3]
        shown = sample.frames[:: len(sample.frames) // COLUMNS][:COLUMNS]
        tiles.append(_row(torch.cat([first, shown]), f"{i}: {scene.caption}"))
        if len(tiles) == 8 or i == len(rows) - 1:
            sheet = Image.new("RGB", (tiles[0].width, sum(tile.height for tile in tiles)), "white")
            for k, tile in enumerate(tiles):
                sheet.paste(tile, (0, sum(t.height for t in tiles[:k])))
            sheet.save(folder / f"sheet-{i // 8:02d}.png")
            tiles = []


def _row(frames: Tensor, label: str) -> Image.Image:
    """Frames `[f 3 h w]` side by side over a label."""
    pixels = to_uint8(rearrange(frames, "f c h w -> f h w c"))
    height = round(TILE * pixels.shape[1] / pixels.shape[2])
    row = Image.new("RGB", (TILE * len(pixels), height + LINE), "white")
    for k, frame in enumerate(pixels):
        tile = Image.fromarray(frame.numpy()).resize((TILE, height), Image.Resampling.LANCZOS)
        row.paste(tile, (k * TILE, 0))
    ImageDraw.Draw(row).text((4, height + 1), label, fill="black")
    return row
