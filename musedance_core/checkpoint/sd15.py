"""A MuseDance checkpoint assembled from Stable Diffusion 1.5, AnimateDiff and AST (section 4.2).

It is a starting point for training: nothing in it was trained to dance, and its provenance says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..config import MuseDanceConfig
from ..errors import InputError
from ..models import MuseDance, init_weights
from ..models.initialise import without_weights
from ..presets import preset
from .animatediff import has_middle, motion_weights
from .clip_tokenizer import read_clip_tokenizer
from .foreign import read_foreign, split_harmless, summarise
from .format import require_fit, save_checkpoint
from .keymaps import (
    AST,
    AST_HARMLESS,
    LDM_HARMLESS,
    LDM_PARTS,
    LDM_RESNET,
    LDM_VAE,
    MOTION_HARMLESS,
    OLD_VAE,
    PUBLISHED,
    TRAINER,
    Harmless,
    ldm_unet_blocks,
    rename,
)

LICENCE = "CreativeML Open RAIL-M (Stable Diffusion), Apache-2.0 (AnimateDiff), BSD-3-Clause (AST)"
FOLDERS = {"unet": "unet", "vae": "vae", "text": "text_encoder"}
OURS = {"unet": "unet.", "vae": "vae.kl.", "text": "text.clip."}

# Weights of the motion modules that AnimateDiff has, and of modules that Stable Diffusion lacks.
_MOTION = re.compile(r"^unet\..*\.motion\.\d+\.(?!previous_proj\.)")
_FRESH = re.compile(r"^unet\.(music_tokens|beat_tokens)\.|\.(music|beat|motion)\.\d+\.|^mask\.")

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Assembly:
    """A model assembled from public weights.

    Attributes:
        model: the model.
        fresh: modules that no source has; they start at zero output.
        ignored: harmless entries by source, one line per kind.
    """

    model: MuseDance
    fresh: tuple[str, ...]
    ignored: Mapping[str, list[str]]


def assemble_sd15(
    out: str | Path,
    stable_diffusion: str | Path,
    ast: str | Path,
    animatediff: str | Path | None = None,
    tokenizer: str | Path | None = None,
    config: MuseDanceConfig | None = None,
    dtype: torch.dtype = torch.float16,
    seed: int = 0,
) -> None:
    """Write a checkpoint assembled from public weights.

    Args:
        out: the file to write.
        stable_diffusion: a folder in diffusers' layout, or one file in the original layout.
        ast: an Audio Spectrogram Transformer in transformers' layout, a folder or a file.
        animatediff: motion modules of version 1, 2 or 3, in AnimateDiff's or diffusers' layout, a
            folder or a file; without them all motion modules start fresh.
        tokenizer: a folder with CLIP's vocab.json and merges.txt; by default `stable_diffusion`.
        config: config of the model, by default the preset sd15.
        dtype: data type of the weights in the file.
        seed: seed of the fresh weights.

    Raises:
        InputError: a source is missing, damaged, or not of this architecture.
    """
    sources = {"stable_diffusion": Path(stable_diffusion), "ast": _weights_file(Path(ast))}
    if animatediff is not None:
        sources["animatediff"] = _weights_file(Path(animatediff))
    clip_tokenizer = read_clip_tokenizer(Path(tokenizer or stable_diffusion))
    assembly = build_sd15(config or preset("sd15"), sources, seed)
    provenance = {
        "trained": False,
        "stages": [],
        "note": "assembled from public weights",
        "sources": {name: path.name for name, path in sources.items()},
        "fresh, at zero output": list(assembly.fresh),
        "seed": seed,
        **({"ignored": dict(assembly.ignored)} if assembly.ignored else {}),
    }
    save_checkpoint(out, assembly.model.to(dtype), clip_tokenizer, provenance, LICENCE, dtype)


def build_sd15(config: MuseDanceConfig, sources: Mapping[str, Path], seed: int = 0) -> Assembly:
    """Build the model from `sources` "stable_diffusion", "ast" and optionally "animatediff".

    ReferenceNet starts as the denoiser's copy (section 4.2).

    Raises:
        InputError: as for `assemble_sd15`.
    """
    # Only names and shapes are needed at first.
    with without_weights():
        model = MuseDance(config)
    expected = model.state_dict()

    path = sources["stable_diffusion"]
    weights: Weights = {}
    ignored: dict[str, list[str]] = {}
    parts, ignored["stable_diffusion"] = read_stable_diffusion(path, config)
    for part, state in parts.items():
        wanted = {n: w for n, w in expected.items() if n.startswith(f"{part}.")}
        require_fit(path, {n: w for n, w in wanted.items() if not _FRESH.search(n)}, state)
        weights |= state
    ast, ignored["ast"] = _read_ast(sources["ast"], expected)
    motion, ignored["animatediff"] = _read_motion(sources.get("animatediff"), expected)
    weights |= ast | motion
    weights |= {
        n: weights[n.replace("reference.", "unet.", 1)].clone()
        for n in expected
        if n.startswith("reference.")
    }

    # All other weights are initialised; then those of the sources take their places.
    missing = set(expected) - set(weights)
    _start_fresh(model, missing, seed)
    model.load_state_dict(weights, strict=False, assign=True)
    return Assembly(
        model, _fresh_modules(missing), {s: lines for s, lines in ignored.items() if lines}
    )


def read_stable_diffusion(
    path: Path, config: MuseDanceConfig
) -> tuple[dict[str, Weights], list[str]]:
    """Weights of the parts "unet", "vae" and "text" under our names, from either layout.

    Returns:
        The parts, and one line per kind of harmless entry.

    Raises:
        InputError: a file is missing or damaged, or holds entries of another model.
    """
    if path.is_dir():
        files = {part: _weights_file(path / folder) for part, folder in FOLDERS.items()}
        parts = {part: _without_harmless(file, part) for part, file in files.items()}
    else:
        parts = _from_ldm(path, config)
    ignored = [line for _, lines in parts.values() for line in lines]
    state = {part: weights for part, (weights, _) in parts.items() if part in FOLDERS}
    state["vae"] = {rename(n, OLD_VAE): w for n, w in state["vae"].items()}
    return {
        part: {rename(OURS[part] + n, PUBLISHED): w for n, w in weights.items()}
        for part, weights in state.items()
    }, ignored


def _weights_file(path: Path) -> Path:
    """`path` itself, or the safetensors file with the shortest name in the folder `path`."""
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.safetensors"), key=lambda p: (len(p.name), p.name))
    if not files:
        raise InputError(f"{path} holds no .safetensors file.")
    return files[0]


def _without_harmless(path: Path, part: str) -> tuple[Weights, list[str]]:
    """The weights of a file of one part in diffusers' layout, and its harmless entries."""
    harmless: Harmless = (*LDM_HARMLESS[part], *TRAINER)
    weights, ignored = split_harmless(path, read_foreign(path), harmless)
    return weights, summarise(ignored, harmless)


def _from_ldm(path: Path, config: MuseDanceConfig) -> dict[str, tuple[Weights, list[str]]]:
    """The parts of a single file in the original layout, under diffusers' names, each with its
    harmless entries; those outside the parts are under "file"."""
    entries = read_foreign(path)
    split: dict[str, tuple[Weights, list[str]]] = {}
    for part, prefix in LDM_PARTS.items():
        inside = {
            n.removeprefix(prefix): entries.pop(n) for n in list(entries) if n.startswith(prefix)
        }
        weights, ignored = split_harmless(path, inside, LDM_HARMLESS[part])
        split[part] = weights, summarise(ignored, LDM_HARMLESS[part], prefix)
    unknown, ignored = split_harmless(path, entries, LDM_HARMLESS["file"])
    require_fit(path, {}, unknown)
    split["file"] = {}, summarise(ignored, LDM_HARMLESS["file"])

    unet = config.unet
    blocks = ldm_unet_blocks(len(unet.channels), unet.layers, unet.attention)
    weights, lines = split["unet"]
    split["unet"] = {_ldm_unet_name(n, blocks): w for n, w in weights.items()}, lines
    weights, lines = split["vae"]
    levels = len(config.vae.channels)
    renamed = {_ldm_vae_name(n, levels): w for n, w in weights.items()}
    # The original's attention is a convolution of one pixel.
    split["vae"] = (
        {
            n: w[:, :, 0, 0] if ".attentions." in n and w.ndim == 4 else w
            for n, w in renamed.items()
        },
        lines,
    )
    return split


def _ldm_unet_name(name: str, blocks: Mapping[str, str]) -> str:
    for prefix, ours in blocks.items():
        if name.startswith(prefix):
            return rename(ours + name.removeprefix(prefix), LDM_RESNET)
    return name


def _ldm_vae_name(name: str, levels: int) -> str:
    """The original counts the decoder's levels from the finest, diffusers from the coarsest."""
    name = rename(name, LDM_VAE)
    return re.sub(
        r"(?<=\.up_blocks\.)\d+", lambda level: str(levels - 1 - int(level.group())), name
    )


def _read_ast(path: Path, expected: Mapping[str, Tensor]) -> tuple[Weights, list[str]]:
    state, ignored = split_harmless(path, read_foreign(path), AST_HARMLESS)
    weights = {rename(rename(n, AST), PUBLISHED): w for n, w in state.items()}
    require_fit(path, {n: w for n, w in expected.items() if n.startswith("music.")}, weights)
    return weights, summarise(ignored, AST_HARMLESS)


def _read_motion(path: Path | None, expected: Mapping[str, Tensor]) -> tuple[Weights, list[str]]:
    """Motion modules; versions 1 and 3 have none in the middle block, where ours starts fresh."""
    if path is None:
        return {}, []
    weights, ignored = motion_weights(path, read_foreign(path))
    wanted = {n: w for n, w in expected.items() if _MOTION.search(n)}
    if not has_middle(weights):
        wanted = {n: w for n, w in wanted.items() if not n.startswith("unet.mid_block.")}
    require_fit(path, wanted, weights)
    return weights, summarise(ignored, MOTION_HARMLESS)


def _fresh_modules(missing: set[str]) -> tuple[str, ...]:
    """Kinds of modules among the names of fresh weights, for provenance."""
    motion = {n for n in missing if _MOTION.search(n)}
    kinds = {
        "music modules": any(".music." in n for n in missing),
        "beat modules": any(".beat." in n for n in missing),
        "mask encoder": any(n.startswith("mask.") for n in missing),
        "projections of previous frames": any(".previous_proj." in n for n in missing),
        "all motion modules": any(".down_blocks." in n for n in motion),
        "the motion module of the middle block": bool(motion)
        and all(".mid_block." in n for n in motion),
    }
    return tuple(kind for kind, present in kinds.items() if present)


def _start_fresh(model: MuseDance, names: set[str], seed: int) -> None:
    """Allocate the modules that hold `names` and initialise them at zero output."""
    for owner in {name.rpartition(".")[0] for name in names}:
        model.get_submodule(owner).to_empty(device="cpu", recurse=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        init_weights(model.unet)
        init_weights(model.mask)
        # Unlike in training from scratch, the trained denoiser starts without any part map.
        for parameter in model.mask.conv_out.parameters():
            torch.nn.init.zeros_(parameter)
