"""Clips sampled from a checkpoint, written beside their ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ..audio.beats import write_beats
from ..diffusion.guidance import Guidance
from ..media.video import write_video
from ..pipeline import MuseDancePipeline
from .clip import Clip, quantise
from .options import Sampling
from .scenes import Scene


def sampled_clips(
    pipeline: MuseDancePipeline,
    scenes: Iterable[Scene],
    sampling: Sampling,
    out: Path,
    subfolder: str,
) -> Iterator[Clip]:
    """Yields one clip a scene; scene i has the seed `sampling.seed` + i.

    Videos go to `out`/`subfolder`, true ones to `out`/truth, beats to `out`/beats, so that videos
    of another system can be compared with the same truth. The clips hold the pixels before
    encoding, rounded to 8 bits on both sides.
    """
    for name in (subfolder, "truth", "beats"):
        (out / name).mkdir(parents=True, exist_ok=True)
    fps, segment = pipeline.config.clip.fps, pipeline.config.clip.frames
    for i, scene in enumerate(scenes):
        seeded = replace(sampling, seed=sampling.seed + i)
        frames = quantise(generate(pipeline, scene, seeded))
        grid = scene.grid.shifted(-scene.start)
        video, true = f"{subfolder}/{scene.name}.mp4", f"truth/{scene.name}.mp4"
        write_video(out / video, [frames], fps, scene.song, scene.start)
        write_video(out / true, [scene.truth], fps, scene.song, scene.start)
        write_beats(out / "beats" / f"{scene.name}.json", grid)
        yield Clip(
            name=scene.name,
            frames=frames,
            fps=fps,
            reference=scene.reference,
            video=video,
            truth=scene.truth,
            truth_video=true,
            beats=grid.times,
            beats_from="the scene",
            caption=scene.caption,
            dance=scene.dance,
            segment=segment,
            music=scene.music,
        )


def generate(pipeline: MuseDancePipeline, scene: Scene, sampling: Sampling) -> Tensor:
    """Samples one scene, `[f 3 h w]` in 0..1."""
    segments = pipeline.animate(
        scene.reference,
        pipeline.encode_song(scene.song, scene.grid),
        [(0.0, scene.caption)],  # a sentence as it is, never read as a timeline
        frames=len(scene.truth),
        start=scene.start,
        part_map=scene.part_map,
        seed=sampling.seed,
        steps=sampling.steps,
        sampler=sampling.sampler,
        guidance=Guidance.of(pipeline.config.schedule, sampling.guidance),
    )
    return torch.cat([segment.frames for segment in segments])
