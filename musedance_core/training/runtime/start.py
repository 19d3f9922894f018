"""The model a stage starts from, the hand-over from the stage before, and the file it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...checkpoint.format import Header, LoadedCheckpoint, load_checkpoint, save_weights
from ...config import MuseDanceConfig
from ...errors import InputError
from ...models import MuseDance, init_weights
from ...models.initialise import copy_unet_to_reference
from ...models.tokenizer import Tokenizer, train_tokenizer
from ...world.captions import caption
from ...world.choreography import random_dance
from ..config import TrainConfig
from ..config_file import model_config
from ..stages.base import matching
from ..stages.diffusion import DYNAMICS
from .provenance import stage_entry

TOKENIZER_SENTENCES = 20_000


@dataclass(frozen=True)
class Handover:
    """Names of weights: taken from `init`, missing there and fresh, and in `init` but not used."""

    loaded: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def lines(self, init: str) -> list[str]:
        """For a person to read."""
        said = [
            f"init {init}: {len(self.loaded)} tensors loaded, {len(self.fresh)} fresh, "
            f"{len(self.unused)} unused"
        ]
        for title, names in (("fresh", self.fresh), ("unused", self.unused)):
            if names:
                said.append(f"  {title}: {', '.join(sorted({_group(name) for name in names}))}")
        return said


def _group(name: str) -> str:
    """A weight's module of stage 2, or its part of the model."""
    kinds = [kind for kind in ("music", "beat", "motion") if f".{kind}." in name]
    kinds += [kind for kind in ("music_tokens", "beat_tokens") if kind in name]
    part = name.split(".")[0]
    return f"{part} {kinds[0]}" if part in ("unet", "body") and kinds else part


@dataclass(frozen=True)
class Start:
    """A model with its tokenizer, the stages it went through, whether it was trained to dance, and
    how it was handed over."""

    model: MuseDance
    tokenizer: Tokenizer
    stages: list[dict[str, Any]] = field(default_factory=list)
    handover: Handover = field(default_factory=Handover)
    trained: bool = False


def start(config: TrainConfig) -> Start:
    """The `init` checkpoint, or fresh weights with a tokenizer trained on captions.

    Raises:
        InputError: `init` does not fit the config in more than modules of stage 2 or of copying
            switched on or off, or a pattern of `fresh` matches nothing.
    """
    torch.manual_seed(config.seed)
    if not config.init:
        model = fresh_model(model_config(config))
        rng = np.random.default_rng(config.seed)
        sentences = [caption(random_dance(rng), rng) for _ in range(TOKENIZER_SENTENCES)]
        return Start(model, train_tokenizer(sentences, model.config.text.vocab_size))
    loaded = load_checkpoint(Path(config.init), device="cpu", dtype=torch.float32)
    model, handover = handed_over(loaded, config)
    stages = list(loaded.provenance.get("stages", []))
    trained = bool(loaded.provenance.get("trained", True))
    return Start(model, loaded.tokenizer, stages, handover, trained)


def fresh_model(config: MuseDanceConfig) -> MuseDance:
    """A model of fresh weights, ReferenceNet the denoiser's copy."""
    model = MuseDance(config)
    init_weights(model)
    copy_unet_to_reference(model.unet, model.reference)
    return model


def handed_over(loaded: LoadedCheckpoint, config: TrainConfig) -> tuple[MuseDance, Handover]:
    """The loaded model with the config's changes: its numbers, and what starts afresh."""
    wanted = model_config(config, loaded.config)
    given = loaded.model.state_dict()
    if wanted == loaded.config and not config.fresh:
        return loaded.model, Handover(loaded=tuple(given))
    model = fresh_model(wanted)
    own = model.state_dict()
    missing, unused = sorted(set(own) - set(given)), sorted(set(given) - set(own))
    odd = sorted(set(missing + unused) - _optional(missing + unused))
    odd += sorted(n for n in set(own) & set(given) if own[n].shape != given[n].shape)
    if odd:
        raise InputError(
            f"{config.init} does not fit the config's model: {', '.join(odd[:4])} differ."
        )
    again = matching(list(own), config.fresh, "fresh") if config.fresh else set()
    taken = {name: given[name] for name in own if name in given and name not in again}
    model.load_state_dict({**own, **taken})
    return model, Handover(tuple(taken), tuple(sorted(set(own) - set(taken))), tuple(unused))


def _optional(names: list[str]) -> set[str]:
    """Those of stage 2's modules, of copying and of moving bodies."""
    patterns = (*DYNAMICS, "unet.copy.*", "body.*")
    return {name for name in names if any(fnmatchcase(name, p) for p in patterns)}


def write_model(
    start: Start,
    part: str,
    config: TrainConfig,
    steps: int,
    minutes: float,
    originals: Mapping[str, Tensor],
) -> Path:
    """Write `output_dir/model.safetensors`, with this stage appended to the provenance.

    `originals` replace weights of the model that were held in lower precision while training.
    """
    entry = stage_entry(part, config, steps, minutes)
    trained = part == "stage2" or (part == "body" and start.trained)
    provenance = {"trained": trained, "stages": [*start.stages, entry]}
    header = Header(start.model.config, start.tokenizer.to_json(), provenance, "Apache-2.0")
    path = Path(config.output_dir) / "model.safetensors"
    weights = {**start.model.state_dict(), **originals}
    save_weights(path, weights, header, getattr(torch, config.export_dtype))
    return path
