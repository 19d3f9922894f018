"""Clips sampled from a checkpoint, written beside their ground truth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..audio.beat_files import write_beats
from ..dance.motion import DanceMotion, join
from ..diffusion.choreography import pose_rate
from ..diffusion.guidance import Guidance
from ..diffusion.segment import Reference
from ..media.video import write_video
from ..pipeline import MuseDancePipeline
from .clip import Clip, quantise
from .options import Sampling
from .scenes import Scene


@dataclass(frozen=True)
class Sample:
    """A sampled dance.

    Attributes:
        frames: `[f 3 h w]` in 0..1.
        motion: its poses, where the model plans them.
        alpha: the dancer's alpha in the frames `[f 1 h w]`, where the model plans the dance.
    """

    frames: Tensor
    motion: DanceMotion | None = None
    alpha: Tensor | None = None


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
        sample = generate(pipeline, scene, replace(sampling, seed=sampling.seed + i))
        frames = quantise(sample.frames)
        grid = scene.grid.shifted(-scene.start)
        video, true = f"{subfolder}/{scene.name}.mp4", f"truth/{scene.name}.mp4"
        write_video(out / video, [frames], fps, scene.song, scene.start)
        write_video(out / true, [scene.truth], fps, scene.song, scene.start)
        write_beats(out / "beats" / f"{scene.name}.json", grid)
        yield replace(
            scene_clip(scene, frames, video, true, fps),
            segment=segment,
            motion=sample.motion,
            covered=covered(sample, scene),
        )


def scene_clip(scene: Scene, frames: Tensor, video: str, truth_video: str, fps: float) -> Clip:
    """A video of the scene, `frames [f 3 h w]`, beside its truth."""
    return Clip(
        name=scene.name,
        frames=frames,
        fps=fps,
        reference=scene.reference,
        video=video,
        truth=scene.truth,
        truth_video=truth_video,
        beats=scene.grid.shifted(-scene.start).times,
        beats_from="the scene",
        caption=scene.caption,
        dance=scene.dance,
        music=scene.music,
        true_motion=scene.motion,
    )


def generate(
    pipeline: MuseDancePipeline,
    scene: Scene,
    sampling: Sampling,
    *,
    guidance: Guidance | None = None,
    reference: Reference | None = None,
    motion: DanceMotion | None = None,
    draft: bool = False,
) -> Sample:
    """Samples one scene at the model's frame rate.

    Args:
        pipeline: the model.
        scene: its picture, song and sentence.
        sampling: seed, steps and guidance.
        guidance: replaces that of `sampling`.
        reference: the scene's picture, as `encode_scene` returns it, if it is known already.
        motion: a dance to follow instead of planning one.
        draft: show the dance alone, without denoising.
    """
    reference = reference or encode_scene(pipeline, scene)
    segments = pipeline.animate(
        reference,
        pipeline.encode_song(scene.song, scene.grid),
        [(0.0, scene.caption)],  # a sentence as it is, never read as a timeline
        frames=len(scene.truth),
        start=scene.start,
        seed=sampling.seed,
        steps=sampling.steps,
        sampler=sampling.sampler,
        guidance=guidance or Guidance.of(pipeline.config.schedule, sampling.guidance),
        motion=motion,
        draft=draft,
    )
    frames, poses = [], {}
    for piece in segments:
        frames.append(piece.frames)
        segment = piece.tail.segment
        if segment is not None and segment.poses is not None:
            poses[piece.index] = segment.poses
    if not poses or reference.dancer is None:
        return Sample(torch.cat(frames))
    rate, fps = pose_rate(pipeline.model), pipeline.config.clip.fps
    dance = join([DanceMotion.from_features(features, rate) for features in poses.values()])
    _, alpha = reference.dancer.frames(dance.at(np.arange(len(scene.truth)) / fps))
    return Sample(torch.cat(frames), dance, alpha)


def covered(sample: Sample, scene: Scene) -> Tensor | None:
    """The pixels `[h w]` bool that the dancer covers in a frame or in the picture, if known."""
    if sample.alpha is None or scene.mask is None:
        return None
    return (sample.alpha[:, 0].amax(dim=0) > 0) | (scene.mask > 0)


def uncovered(sample: Sample, scene: Scene) -> Tensor | None:
    """The pixels `[f h w]` bool where the dancer stands in the picture and not in the frame, if
    known: there a frame shows what the picture hides."""
    if sample.alpha is None or scene.mask is None:
        return None
    return (scene.mask > 0) & (sample.alpha[:, 0] == 0)


def encode_scene(pipeline: MuseDancePipeline, scene: Scene) -> Reference:
    """Encodes the scene's picture."""
    return pipeline.encode_picture(scene.reference, scene.part_map, scene.mask)
