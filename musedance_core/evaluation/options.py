"""What an evaluation is asked to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """How a checkpoint makes its clips; None means the checkpoint's own default."""

    seed: int = 0
    steps: int | None = None
    sampler: str = "ddim"
    guidance: float | None = None
    dtype: str = "float32"
    allow_untrained: bool = False


@dataclass(frozen=True)
class EvaluationOptions:
    """The arguments of `musedance evaluate`; see its help.

    paths: folders of videos and checkpoints, one row each, called by `labels` in their order.
    truth, beats and world belong to folders of videos, world telling that they are clips of the
    sticker world; dataset, split, clips, seconds and sampling to
    checkpoints. seconds is the length of a clip of the world; one segment if None.
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
