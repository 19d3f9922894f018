"""Clips that a checkpoint makes, written beside their truth and judged on the same pixels."""

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
from .clip import Clip, quantised
from .options import Sampling
from .scenes import Scene


def sampled_clips(
    pipeline: MuseDancePipeline, scenes: Iterable[Scene], sampling: Sampling, out: Path, place: str
) -> Iterator[Clip]:
    """Make scene after scene, the i-th with the seed `sampling.seed` + i: no two share their noise.

    Videos go to `out`/`place`, true ones to `out`/truth and beats to `out`/beats, so that another
    system's videos can be judged against the same. The figures come from the pixels before they are
    encoded, rounded to eight bits on both sides.
    """
    for name in (place, "truth", "beats"):
        (out / name).mkdir(parents=True, exist_ok=True)
    fps, segment = pipeline.config.clip.fps, pipeline.config.clip.frames
    for i, scene in enumerate(scenes):
        seeded = replace(sampling, seed=sampling.seed + i)
        frames = quantised(generate(pipeline, scene, seeded))
        grid = scene.grid.shifted(-scene.start)
        video, true = f"{place}/{scene.name}.mp4", f"truth/{scene.name}.mp4"
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
            asked=scene.asked,
            segment=segment,
            music=scene.music,
        )


def generate(pipeline: MuseDancePipeline, scene: Scene, sampling: Sampling) -> Tensor:
    """The scene as the checkpoint dances it, `[f 3 h w]` in 0..1."""
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
