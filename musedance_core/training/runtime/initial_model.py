"""The model that a stage starts from, and the checkpoint that it writes."""

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
from ...world.dances.captions import caption
from ...world.dances.dance import random_dance
from ..config import TrainConfig
from ..config_file import model_config
from ..stages.base import match_names
from ..stages.diffusion import DYNAMICS
from .guard import non_finite_tensors
from .provenance import stage_provenance

TOKENIZER_SENTENCES = 20_000
OPTIONAL = (*DYNAMICS, "unet.copy.*", "rig.*", "choreographer.*")
"""Parameters that a config may add to the model of `init` or remove from it."""


@dataclass(frozen=True)
class LoadReport:
    """Names of parameters: loaded from `init`, freshly initialised, and unused ones of `init`."""

    loaded: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    def lines(self, init: str) -> list[str]:
        """Returns a readable report: the numbers, then the modules that are fresh or unused."""
        report = [
            f"init {init}: {len(self.loaded)} tensors loaded, {len(self.fresh)} fresh, "
            f"{len(self.unused)} unused"
        ]
        for title, names in (("fresh", self.fresh), ("unused", self.unused)):
            if names:
                report.append(f"  {title}: {', '.join(sorted({_module_of(n) for n in names}))}")
        return report


def _module_of(name: str) -> str:
    """Returns the module of stage 2 that a parameter belongs to, or its part of the model."""
    kinds = [kind for kind in ("music", "beat", "motion") if f".{kind}." in name]
    kinds += [kind for kind in ("music_tokens", "beat_tokens") if kind in name]
    part = name.split(".")[0]
    return f"{part} {kinds[0]}" if part == "unet" and kinds else part


@dataclass(frozen=True)
class InitialModel:
    """A model before a stage trains it.

    Attributes:
        stages: provenance of the stages before.
        report: which parameters were loaded from `init`.
        trained: whether the model was trained to dance.
    """

    model: MuseDance
    tokenizer: Tokenizer
    stages: list[dict[str, Any]] = field(default_factory=list)
    report: LoadReport = field(default_factory=LoadReport)
    trained: bool = False


def load_initial_model(config: TrainConfig) -> InitialModel:
    """Returns the `init` checkpoint, or a fresh model with a tokenizer trained on captions.

    Raises:
        InputError: `init` cannot be read, holds values that are not finite, or differs from the
            config's model in more than modules of stage 2, of copying, of the choreographer and
            of rigs; or a pattern of `fresh` matches nothing.
    """
    torch.manual_seed(config.seed)
    if not config.init:
        model = fresh_model(model_config(config))
        rng = np.random.default_rng(config.seed)
        sentences = [caption(random_dance(rng), rng) for _ in range(TOKENIZER_SENTENCES)]
        return InitialModel(model, train_tokenizer(sentences, model.config.text.vocab_size))
    checkpoint = load_checkpoint(Path(config.init), device="cpu", dtype=torch.float32)
    model, report = adapt_model(checkpoint, config)
    _require_finite(model, config)
    stages = list(checkpoint.provenance.get("stages", []))
    trained = bool(checkpoint.provenance.get("trained", True))
    return InitialModel(model, checkpoint.tokenizer, stages, report, trained)


def fresh_model(config: MuseDanceConfig) -> MuseDance:
    """Returns a freshly initialised model, with ReferenceNet as a copy of the denoiser."""
    model = MuseDance(config)
    init_weights(model)
    copy_unet_to_reference(model.unet, model.reference)
    return model


def adapt_model(checkpoint: LoadedCheckpoint, config: TrainConfig) -> tuple[MuseDance, LoadReport]:
    """Returns the checkpoint's model with the config's `model` overrides and `fresh` parameters.

    Raises:
        InputError: parameters differ that must not; or a pattern of `fresh` matches nothing.
    """
    wanted = model_config(config, checkpoint.config)
    stored = checkpoint.model.state_dict()
    if wanted == checkpoint.config and not config.fresh:
        return checkpoint.model, LoadReport(loaded=tuple(stored))
    # Only optional modules may differ, and no shape.
    model = fresh_model(wanted)
    own = model.state_dict()
    missing, unused = sorted(set(own) - set(stored)), sorted(set(stored) - set(own))
    odd = sorted(n for n in missing + unused if not any(fnmatchcase(n, p) for p in OPTIONAL))
    odd += sorted(n for n in set(own) & set(stored) if own[n].shape != stored[n].shape)
    if odd:
        raise InputError(
            f"{config.init} does not fit the config's model: {', '.join(odd[:4])} differ."
        )
    # Load all but the parameters that start afresh.
    reset = match_names(list(own), config.fresh, "fresh") if config.fresh else set()
    loaded = {name: stored[name] for name in own if name in stored and name not in reset}
    model.load_state_dict({**own, **loaded})
    fresh = tuple(sorted(set(own) - set(loaded)))
    return model, LoadReport(tuple(loaded), fresh, tuple(unused))


def _require_finite(model: MuseDance, config: TrainConfig) -> None:
    """Refuses weights that could not be exported after training, before training starts."""
    dtype = getattr(torch, config.export_dtype)
    bad = non_finite_tensors(model.state_dict().items(), dtype)
    if bad:
        raise InputError(
            f"{config.init} cannot be trained: {len(bad)} of its tensors are not finite in "
            f"{config.export_dtype}, as {bad[0]}."
        )


def write_model(
    initial: InitialModel,
    part: str,
    config: TrainConfig,
    steps: int,
    minutes: float,
    originals: Mapping[str, Tensor],
) -> Path:
    """Writes `output_dir/model.safetensors`, atomically, with this stage added to the provenance.

    Args:
        part: the stage's name.
        steps, minutes: length of the training.
        originals: weights that replace the model's, which may be held in lower precision.

    Raises:
        InputError: the file cannot be written.
    """
    entry = stage_provenance(part, config, steps, minutes)
    trained = part == "stage2" or (part in ("rig", "choreographer") and initial.trained)
    provenance = {"trained": trained, "stages": [*initial.stages, entry]}
    header = Header(initial.model.config, initial.tokenizer.to_json(), provenance, "Apache-2.0")
    path = Path(config.output_dir) / "model.safetensors"
    weights = {**initial.model.state_dict(), **originals}
    save_weights(path, weights, header, getattr(torch, config.export_dtype))
    return path
