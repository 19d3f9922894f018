"""Stable Diffusion loads from its original layout as from diffusers'.

The oracle is diffusers' converter of the original layout.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.checkpoint.sd15 import build_sd15, read_stable_diffusion
from musedance_core.config import MuseDanceConfig
from musedance_core.errors import InputError

Weights = dict[str, Tensor]


def ldm_names(unet: Weights) -> dict[str, str]:
    """diffusers' name -> the original's, for the four levels of Stable Diffusion 1.5."""
    blocks = {
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
        "down_blocks.0.downsamplers.0.conv": "input_blocks.3.0.op",
        "down_blocks.1.downsamplers.0.conv": "input_blocks.6.0.op",
        "down_blocks.2.downsamplers.0.conv": "input_blocks.9.0.op",
        "up_blocks.0.upsamplers.0.conv": "output_blocks.2.1.conv",
        "up_blocks.1.upsamplers.0.conv": "output_blocks.5.2.conv",
        "up_blocks.2.upsamplers.0.conv": "output_blocks.8.2.conv",
    }
    for number in range(12):
        level, layer = divmod(number, 3)
        blocks[f"up_blocks.{level}.resnets.{layer}"] = f"output_blocks.{number}.0"
        blocks[f"up_blocks.{level}.attentions.{layer}"] = f"output_blocks.{number}.1"
    for level, layer, number in zip(
        [0, 0, 1, 1, 2, 2, 3, 3], [0, 1] * 4, [1, 2, 4, 5, 7, 8, 10, 11], strict=True
    ):
        blocks[f"down_blocks.{level}.resnets.{layer}"] = f"input_blocks.{number}.0"
        blocks[f"down_blocks.{level}.attentions.{layer}"] = f"input_blocks.{number}.1"
    inside = {
        "norm1": "in_layers.0",
        "conv1": "in_layers.2",
        "time_emb_proj": "emb_layers.1",
        "norm2": "out_layers.0",
        "conv2": "out_layers.3",
        "conv_shortcut": "skip_connection",
    }
    names = {}
    for name in unet:
        block = max((b for b in blocks if name.startswith(f"{b}.")), key=len)
        rest = name.removeprefix(f"{block}.")
        if ".resnets." in name:
            kind, _, last = rest.rpartition(".")
            rest = f"{inside[kind]}.{last}"
        names[name] = f"{blocks[block]}.{rest}"
    return names


def ldm_vae_name(name: str) -> str:
    for new, old in {
        r"encoder\.down_blocks\.(\d)\.resnets": r"encoder.down.\1.block",
        r"encoder\.down_blocks\.(\d)\.downsamplers\.0": r"encoder.down.\1.downsample",
        r"decoder\.up_blocks\.(\d)\.resnets": r"decoder.up.\1.block",
        r"decoder\.up_blocks\.(\d)\.upsamplers\.0": r"decoder.up.\1.upsample",
        r"mid_block\.resnets\.0": "mid.block_1",
        r"mid_block\.resnets\.1": "mid.block_2",
        r"mid_block\.attentions\.0\.group_norm": "mid.attn_1.norm",
        r"mid_block\.attentions\.0\.to_out\.0": "mid.attn_1.proj_out",
        r"mid_block\.attentions\.0\.to_": "mid.attn_1.",
        r"conv_norm_out": "norm_out",
        r"conv_shortcut": "nin_shortcut",
    }.items():
        name = re.sub(new, old, name)
    return re.sub(r"(?<=decoder\.up\.)\d", lambda m: str(3 - int(m.group())), name)


@pytest.fixture(scope="module")
def single(public: Path) -> tuple[Weights, Path]:
    """The same weights as one file in the original layout, with the entries around them."""
    parts = {p: read_foreign(next((public / "sd" / p).iterdir())) for p in ("unet", "vae")}
    text = read_foreign(public / "sd/text_encoder/model.safetensors")
    unet = ldm_names(parts["unet"])
    whole = {f"model.diffusion_model.{unet[n]}": w for n, w in parts["unet"].items()}
    for n, w in parts["vae"].items():
        convolved = w[:, :, None, None] if ".to_" in n and w.ndim == 2 else w
        whole[f"first_stage_model.{ldm_vae_name(n)}"] = convolved
    whole |= {f"cond_stage_model.transformer.{n}": w for n, w in text.items()}
    ids = "cond_stage_model.transformer.text_model.embeddings.position_ids"
    whole |= {
        ids: torch.arange(77)[None],
        "betas": torch.ones(1000),
        "sqrt_one_minus_alphas_cumprod": torch.ones(1000),
        "model_ema.decay": torch.ones(1),
        "model_ema.num_updates": torch.ones(1, dtype=torch.int32),
        "first_stage_model.loss.logvar": torch.zeros(1),
        "first_stage_model.loss.discriminator.main.0.weight": torch.zeros(4),
        "cond_stage_model.transformer.text_projection.weight": torch.zeros(24, 24),
    }
    path = public / "v1-5.safetensors"
    save_file({n: w.contiguous() for n, w in whole.items()}, path)
    return whole, path


def test_the_original_layout_gives_the_same_weights(
    small: MuseDanceConfig, single: tuple[Weights, Path], public: Path
) -> None:
    folder, file = (read_stable_diffusion(p, small)[0] for p in (public / "sd", single[1]))
    for part, weights in folder.items():
        assert weights.keys() == file[part].keys()
        assert all(torch.equal(file[part][n], w) for n, w in weights.items())


def test_diffusers_reads_the_original_layout_as_we_do(
    small: MuseDanceConfig, single: tuple[Weights, Path], small_unet: nn.Module
) -> None:
    from diffusers.loaders import single_file_utils as oracle

    ours, _ = read_stable_diffusion(single[1], small)
    unet: dict[str, Any] = dict(small_unet.config)
    theirs = oracle.convert_ldm_unet_checkpoint(dict(single[0]), unet)
    assert {f"unet.{n}" for n in theirs} == ours["unet"].keys()
    assert all(torch.equal(ours["unet"][f"unet.{n}"], w) for n, w in theirs.items())
    kl = {
        "down_block_types": ["DownEncoderBlock2D"] * 4,
        "up_block_types": ["UpDecoderBlock2D"] * 4,
    }
    theirs = oracle.convert_ldm_vae_checkpoint(dict(single[0]), kl)
    assert {f"vae.kl.{n}" for n in theirs} == ours["vae"].keys()
    assert all(torch.equal(ours["vae"][f"vae.kl.{n}"], w) for n, w in theirs.items())


def test_old_names_of_the_autoencoder_are_known(
    small: MuseDanceConfig, public: Path, tmp_path: Path
) -> None:
    shutil.copytree(public / "sd", tmp_path / "sd")
    path = tmp_path / "sd/vae/diffusion_pytorch_model.safetensors"
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    weights = read_foreign(path)
    for new, name in old.items():
        weights = {n.replace(f".{new}.", f".{name}."): w for n, w in weights.items()}
    save_file(weights, path)
    ours, theirs = (read_stable_diffusion(p / "sd", small)[0]["vae"] for p in (public, tmp_path))
    assert ours.keys() == theirs.keys()


def test_harmless_entries_are_ignored_and_named(
    small: MuseDanceConfig, single: tuple[Weights, Path]
) -> None:
    _, ignored = read_stable_diffusion(single[1], small)
    assert ignored == [
        "training of the autoencoder (first_stage_model.loss.discriminator.main.0.weight and "
        "1 more)",
        "constant position ids of CLIP (cond_stage_model.transformer.text_model.embeddings."
        "position_ids)",
        "projections of CLIP to its common space (cond_stage_model.transformer."
        "text_projection.weight)",
        "noise schedule (betas and 1 more)",
        "moving average of the denoiser (model_ema.decay and 1 more)",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "control_model.input_blocks.0.0.weight",
        "lora_unet_down_blocks_0.lora_up.weight",
        "model.diffusion_model.label_emb.0.0.weight",
        "first_stage_model.lossy.weight",
        "cond_stage_model.transformer.text_projections.weight",
        "sqrt_betas",
    ],
)
def test_entries_of_another_model_are_refused(
    name: str,
    small: MuseDanceConfig,
    sources: dict[str, Path],
    single: tuple[Weights, Path],
    tmp_path: Path,
) -> None:
    path = tmp_path / "other.safetensors"
    save_file({**{n: w.contiguous() for n, w in single[0].items()}, name: torch.ones(2)}, path)
    with pytest.raises(InputError, match=r"other\.safetensors.* holds 1 unknown ones") as caught:
        build_sd15(small, {**sources, "stable_diffusion": path})
    assert name.rpartition(".")[2] in str(caught.value)


def test_diffusers_folders_may_hold_harmless_entries_too(
    small: MuseDanceConfig, public: Path, tmp_path: Path
) -> None:
    shutil.copytree(public / "sd", tmp_path / "sd")
    path = tmp_path / "sd/text_encoder/model.safetensors"
    save_file({**read_foreign(path), "text_projection.weight": torch.zeros(24, 24)}, path)
    parts, ignored = read_stable_diffusion(tmp_path / "sd", small)
    assert parts["text"].keys() == read_stable_diffusion(public / "sd", small)[0]["text"].keys()
    assert ignored == ["projections of CLIP to its common space (text_projection.weight)"]
