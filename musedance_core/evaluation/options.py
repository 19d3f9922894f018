"""Options of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """Sampling options of a checkpoint; None means its own default."""

    seed: int = 0
    steps: int | None = None
    sampler: str | None = None
    guidance: float | None = None
    dtype: str = "float32"
    allow_untrained: bool = False


@dataclass(frozen=True)
class EvaluationOptions:
    """The options of `musedance evaluate`; see its help.

    paths: folders of videos and checkpoints, one row each, with `labels` in the same order. For
    folders of videos: truth, beats, and world if they are clips of the sticker world. For
    checkpoints: dataset, split, clips, seconds (of a clip of the world; one segment if None) and
    sampling.
    """

    paths: tuple[str, ...]
    out: str
    labels: tuple[str, ...] = ()
    truth: str | None = None
    beats: str | None = None
    world: bool = False
    dataset: str | None = None
    split: str = "test"
    clips: int = 10
    seconds: float | None = None
    sampling: Sampling = Sampling()
    lpips: str | None = None
    fvd: str | None = None
    identity: str | None = None
    device: str = "cpu"
    command: str = ""
