"""A readable description of a checkpoint."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from ..config import MuseDanceConfig
from ..diffusion.guidance import Guidance
from .format import FORMAT_VERSION, open_safetensors, read_header

PARTS = {
    "unet": "denoiser",
    "reference": "ReferenceNet",
    "mask": "part-map encoder",
    "choreographer": "choreographer",
    "vae": "autoencoder",
    "text": "text encoder",
    "music": "music encoder",
    "rig": "rig network",
}
OPTIONAL = ("rig", "choreographer")
"""Parts that only some models have."""
DYNAMICS = ("music", "beat", "motion")
NOT_TRAINED = "NOT trained to dance: a starting point for training"


def describe(path: str | Path) -> str:
    """Describe a checkpoint: config, parts and their sizes, licence, and how each was trained.

    Only the header is read, not the weights.

    Raises:
        InputError: `path` is no MuseDance checkpoint.
    """
    path = Path(path)
    header = read_header(path)
    provenance = header.provenance
    trained = "to dance" if provenance.get("trained", True) else NOT_TRAINED
    lines = [
        f"{path.name}: a MuseDance checkpoint, format {FORMAT_VERSION}, "
        f"{path.stat().st_size / 2**20:.1f} MiB",
        f"  trained     {trained}",
        f"  licence     {header.licence}",
        *_model(header.config),
        "",
        "Parameters",
        *_parameters(_counts(path)),
        "",
        "How it was made",
        *(_stages(provenance.get("stages", [])) or ["  no training is recorded"]),
        *_others(provenance),
    ]
    return "\n".join(lines)


def _model(config: MuseDanceConfig) -> list[str]:
    clip, schedule = config.clip, config.schedule
    snr = "zero terminal SNR" if schedule.zero_terminal_snr else "no zero terminal SNR"
    return [
        f"  preset      {config.preset}",
        f"  clip        {clip.frames} frames of {clip.size} x {clip.size} at {clip.fps} fps "
        f"({clip.seconds:g} s), after {clip.previous} previous frames",
        f"  schedule    scaled_linear betas {schedule.beta_start:g} to {schedule.beta_end:g} over "
        f"{schedule.steps} steps, {schedule.prediction}-prediction, {snr}",
        f"  sampling    {schedule.sampling_steps} steps, guidance {Guidance.of(schedule)}, "
        f"rescale {schedule.guidance_rescale:g}, {schedule.shared_noise:.0%} of the noise shared "
        "by all frames",
    ]


def _counts(path: Path) -> dict[str, tuple[int, set[str]]]:
    """Number of parameters and their number formats, per part and per module of stage 2."""
    counts: dict[str, int] = defaultdict(int)
    kinds: dict[str, set[str]] = defaultdict(set)
    with open_safetensors(path) as file:
        for name in file.keys():  # noqa: SIM118
            tensor = file.get_slice(name)
            part = _part(name)
            counts[part] += math.prod(tensor.get_shape())
            kinds[part].add(tensor.get_dtype())
    return {part: (counts[part], kinds[part]) for part in counts}


def _part(name: str) -> str:
    """`unet`, `unet.motion`, `vae`, ...: the first piece of the name and the module of stage 2."""
    part, *rest = name.split(".")
    if part == "unet":
        for kind in DYNAMICS:
            if kind in rest or f"{kind}_tokens" in rest:
                return f"unet.{kind}"
    return part


def _parameters(counts: dict[str, tuple[int, set[str]]]) -> list[str]:
    lines = []
    for part, title in PARTS.items():
        if part in OPTIONAL and part not in counts:
            continue
        lines.append(_row(title, *counts.get(part, (0, set()))))
        if part == "unet":
            lines += [
                _row(f"  its {kind} modules", *counts[f"unet.{kind}"])
                for kind in DYNAMICS
                if f"unet.{kind}" in counts
            ]
    return [*lines, _row("all", sum(count for count, _ in counts.values()), set())]


def _row(title: str, count: int, kinds: set[str]) -> str:
    return f"  {title:<22}{count:>15,}  {', '.join(sorted(kinds))}".rstrip()


def _stages(stages: list[dict[str, Any]]) -> list[str]:
    lines = []
    for stage in stages:
        notes = dict(stage)
        command = notes.pop("command", None)
        notes.pop("config", None)  # the whole training config, too long to read here
        words = [f"{name.replace('_', ' ')} {_flat(value)}" for name, value in notes.items()]
        lines.append(f"  {', '.join(words)}")
        if command:
            lines.append(f"      {command}")
    return lines


def _others(provenance: dict[str, Any]) -> list[str]:
    """All other entries of the provenance."""
    return [
        f"  {name.replace('_', ' ')}: {_flat(value)}"
        for name, value in provenance.items()
        if name not in ("trained", "stages")
    ]


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_flat(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(_flat(inner) for inner in value)
    return str(value)
