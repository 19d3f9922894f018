"""The numbers of a training of judges."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NETWORKS = ("identity", "motion", "dance")


@dataclass(frozen=True)
class JudgesTraining:
    """The arguments of `musedance train judges`.

    Attributes:
        output: the .safetensors file to write.
        name: name of the judges; only scores of judges with the same name are comparable.
        base: judges of which the networks that are not trained are taken.
        networks: the networks to train, of `NETWORKS`.
        seed: seed of the data and its order.
        threads: CPU threads.
        clips, dancers: numbers for training; dancers come in blocks of 16.
        test_clips, test_dancers: numbers for the accuracy on the test split.
        dances, dance_steps: number of dances for the recognition of moves, and steps of training
            on them.
        motion_steps, motion_batch: steps of the motion encoder and clips a step.
        identity_steps, identity_batch: steps of the embedder and blocks of 16 dancers a step.
        command: the command line, for the file's history.
    """

    output: Path
    name: str
    base: Path | None = None
    networks: tuple[str, ...] = NETWORKS
    seed: int = 0
    threads: int = 1
    clips: int = 2400
    dancers: int = 2400
    test_clips: int = 440
    test_dancers: int = 800
    motion_steps: int = 700
    motion_batch: int = 32
    identity_steps: int = 500
    identity_batch: int = 6
    dances: int = 16_000
    dance_steps: int = 1500
    command: str = ""
