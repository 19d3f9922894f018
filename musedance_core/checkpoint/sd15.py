"""A MuseDance file from public weights: Stable Diffusion 1.5, AnimateDiff and AST.

What comes out is a place to start training from. It was never trained to dance and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..config import MuseDanceConfig
from ..errors import InputError
from ..models import MuseDance, init_weights
from ..presets import preset
from .animatediff import motion_weights
from .clip_tokenizer import read_clip_tokenizer
from .foreign import read_foreign
from .format import require_fit, save_checkpoint
from .keymaps import (
    AST,
    AST_IGNORED,
    CLIP_IGNORED,
    LDM_PARTS,
    LDM_RESNET,
    LDM_VAE,
    OLD_VAE,
    PUBLISHED,
    ldm_unet_blocks,
    published_names,
    rename,
)

LICENCE = "CreativeML Open RAIL-M (Stable Diffusion), Apache-2.0 (AnimateDiff), BSD-3-Clause (AST)"
FOLDERS = {"unet": "unet", "vae": "vae", "text": "text_encoder"}
OURS = {"unet": "unet.", "vae": "vae.kl.", "text": "text.clip."}

_MOTION = re.compile(r"^unet\..*\.motion\.\d+\.(?!previous_proj\.)")
_FRESH = re.compile(r"^unet\.(music_tokens|beat_tokens)\.|\.(music|beat|motion)\.\d+\.|^mask\.")

Weights = dict[str, Tensor]


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
    """Write a MuseDance checkpoint made of public weights.

    Args:
        out: the file to write.
        stable_diffusion: a folder in diffusers' layout, or one file in the original layout.
        ast: an Audio Spectrogram Transformer in transformers' layout, a folder or a file.
        animatediff: motion modules; without them those start afresh, silent.
        tokenizer: a folder with CLIP's vocab.json and merges.txt; by default `stable_diffusion`.
        config: the wiring, by default the preset sd15.
        dtype: of the weights in the file.
        seed: of the weights that no source has.

    Raises:
        InputError: a source is missing, damaged, or not of this architecture.
    """
    sources = {"stable_diffusion": Path(stable_diffusion), "ast": _weights_file(Path(ast))}
    if animatediff is not None:
        sources["animatediff"] = _weights_file(Path(animatediff))
    words = read_clip_tokenizer(Path(tokenizer or stable_diffusion))
    model = build_sd15(config or preset("sd15"), sources, seed).to(dtype)
    provenance = {
        "trained": False,
        "stages": [],
        "note": "assembled from public weights; music, beat and mask modules are silent",
        "sources": {name: path.name for name, path in sources.items()},
        "seed": seed,
    }
    save_checkpoint(out, model, words, provenance, LICENCE, dtype)


def build_sd15(config: MuseDanceConfig, sources: Mapping[str, Path], seed: int = 0) -> MuseDance:
    """The model from `sources` "stable_diffusion", "ast" and perhaps "animatediff".

    ReferenceNet is the denoiser's copy (section 4.2). What no source has starts afresh, silent.

    Raises:
        InputError: as for `assemble_sd15`.
    """
    with torch.device("meta"):
        model = MuseDance(config)
    own = model.state_dict()
    names = published_names(own)
    expected = {name: own[names[name]] for name in names}

    path = sources["stable_diffusion"]
    weights: Weights = {}
    for part, given in read_stable_diffusion(path, config).items():
        wanted = {n: w for n, w in expected.items() if n.startswith(f"{part}.")}
        require_fit(path, {n: w for n, w in wanted.items() if not _FRESH.search(n)}, given)
        weights |= given
    weights |= _read_ast(sources["ast"], expected)
    weights |= {
        n: weights[n.replace("reference.", "unet.", 1)].clone()
        for n in expected
        if n.startswith("reference.")
    }
    if "animatediff" in sources:
        path = sources["animatediff"]
        motion = motion_weights(path, read_foreign(path))
        require_fit(path, {n: w for n, w in expected.items() if _MOTION.search(n)}, motion)
        weights |= motion
    _start_fresh(model, {names[n] for n in set(expected) - set(weights)}, seed)
    model.load_state_dict({names[n]: w for n, w in weights.items()}, strict=False, assign=True)
    return model


def read_stable_diffusion(path: Path, config: MuseDanceConfig) -> dict[str, Weights]:
    """Weights of the parts "unet", "vae" and "text" under our names, from either layout.

    Raises:
        InputError: a file is missing or damaged.
    """
    if path.is_dir():
        parts = {part: read_foreign(_weights_file(path / f)) for part, f in FOLDERS.items()}
    else:
        parts = _from_ldm(read_foreign(path), config)
    parts["vae"] = {rename(n, OLD_VAE): w for n, w in parts["vae"].items()}
    parts["text"] = {n: w for n, w in parts["text"].items() if not CLIP_IGNORED.search(n)}
    return {
        part: {rename(OURS[part] + n, PUBLISHED): w for n, w in state.items()}
        for part, state in parts.items()
    }


def _weights_file(path: Path) -> Path:
    """`path` itself, or the file of weights in the folder `path`."""
    if not path.is_dir():
        return path
    found = sorted(path.glob("*.safetensors"), key=lambda p: (len(p.name), p.name))
    if not found:
        raise InputError(f"{path} holds no .safetensors file.")
    return found[0]


def _from_ldm(state: Weights, config: MuseDanceConfig) -> dict[str, Weights]:
    """The parts of a single file in the original layout, under diffusers' names."""
    parts = {
        part: {n.removeprefix(prefix): w for n, w in state.items() if n.startswith(prefix)}
        for part, prefix in LDM_PARTS.items()
    }
    unet = config.unet
    blocks = ldm_unet_blocks(len(unet.channels), unet.layers, unet.attention)
    parts["unet"] = {_ldm_unet_name(n, blocks): w for n, w in parts["unet"].items()}
    levels = len(config.vae.channels)
    renamed = {_ldm_vae_name(n, levels): w for n, w in parts["vae"].items()}
    parts["vae"] = {  # attention was a convolution of one pixel
        n: w[:, :, 0, 0] if ".attentions." in n and w.ndim == 4 else w for n, w in renamed.items()
    }
    return parts


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


def _read_ast(path: Path, expected: Mapping[str, Tensor]) -> Weights:
    state = {n: w for n, w in read_foreign(path).items() if not AST_IGNORED.search(n)}
    given = {rename(rename(n, AST), PUBLISHED): w for n, w in state.items()}
    require_fit(path, {n: w for n, w in expected.items() if n.startswith("music.")}, given)
    return given


def _start_fresh(model: MuseDance, names: set[str], seed: int) -> None:
    """Make the modules that hold `names` real and start them afresh."""
    for owner in {name.rpartition(".")[0] for name in names}:
        model.get_submodule(owner).to_empty(device="cpu", recurse=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        init_weights(model.unet)
        init_weights(model.mask)
        for parameter in model.mask.conv_out.parameters():  # what was trained sees no tint at first
            torch.nn.init.zeros_(parameter)
