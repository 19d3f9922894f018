"""Fixtures: Stable Diffusion, AST and AnimateDiff at small sizes in their published layouts.

The weights come from the classes of diffusers and transformers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.config import MuseDanceConfig, TextConfig
from musedance_core.models import MuseDance
from musedance_core.models.layers import index_embedding
from musedance_core.presets import preset

SD15 = preset("sd15")
SMALL = replace(
    SD15,
    unet=replace(
        SD15.unet, channels=(16, 32, 32, 32), layers=2, heads=4, norm_groups=8, text_width=24
    ),
    dynamics=replace(SD15.dynamics, token_width=24, heads=4),
    mask=replace(SD15.mask, channels=(8, 8, 16, 16)),
    vae=replace(SD15.vae, channels=(32, 32, 64, 64)),
    text=replace(SD15.text, vocab_size=520, width=24, layers=2, heads=4),
    music=replace(SD15.music, width=24, layers=2, heads=4),
)
Weights = dict[str, Tensor]


@pytest.fixture(scope="session")
def small() -> MuseDanceConfig:
    """The architecture of `sd15` at small sizes."""
    return SMALL


def unet_of_diffusers(config: MuseDanceConfig) -> nn.Module:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=config.unet.channels,
        cross_attention_dim=config.unet.text_width,
        attention_head_dim=config.unet.heads,
        norm_num_groups=config.unet.norm_groups,
    )


def clip_of_transformers(config: TextConfig) -> nn.Module:
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=config.vocab_size,
            hidden_size=config.width,
            intermediate_size=config.width * config.ff_mult,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            bos_token_id=config.vocab_size - 2,
            eos_token_id=config.vocab_size - 1,
        )
    )


def animatediff(config: MuseDanceConfig, version: int = 2) -> Weights:
    """Motion modules in AnimateDiff's names and shapes, 28 weights in each of 20 or 21 modules.

    Version 2 alone has one in the middle block; version 1 knows 24 positions, the others 32.
    """
    positions = 24 if version == 1 else 32
    weights: Weights = {}
    for block, width, count in modules(config):
        if version != 2 and block == "mid_block":
            continue
        for i in range(count):
            at = f"{block}.motion_modules.{i}.temporal_transformer"
            inner = f"{at}.transformer_blocks.0"
            for name in (f"{at}.proj_in", f"{at}.proj_out"):
                weights |= linear(name, width, width)
            for name in (f"{at}.norm", f"{inner}.ff_norm"):
                weights |= linear(name, width, 0)
            for k in range(2):
                attention = f"{inner}.attention_blocks.{k}"
                weights |= linear(f"{inner}.norms.{k}", width, 0)
                weights |= linear(f"{attention}.to_out.0", width, width)
                for name in "qkv":
                    weights[f"{attention}.to_{name}.weight"] = torch.randn(width, width) * 0.1
                weights[f"{attention}.pos_encoder.pe"] = index_embedding(positions, width)[None]
            weights |= linear(f"{inner}.ff.net.0.proj", 8 * width, width)
            weights |= linear(f"{inner}.ff.net.2", width, 4 * width)
    return weights


def modules(config: MuseDanceConfig) -> Iterator[tuple[str, int, int]]:
    channels = config.unet.channels
    for i, width in enumerate(channels):
        yield f"down_blocks.{i}", width, 2
        yield f"up_blocks.{i}", channels[-1 - i], 3
    yield "mid_block", channels[-1], 1


def linear(name: str, c_out: int, c_in: int) -> Weights:
    shape = (c_out, c_in) if c_in else (c_out,)
    return {f"{name}.weight": torch.randn(shape) * 0.1, f"{name}.bias": torch.randn(c_out) * 0.1}


def write_tokenizer(folder: Path) -> None:
    """A CLIP vocabulary without merges: 256 bytes, the same at a word's end, start and end."""
    from tokenizers.pre_tokenizers import ByteLevel

    letters = sorted(ByteLevel.alphabet())
    tokens = [*letters, *(f"{c}</w>" for c in letters), "th", "the</w>"]
    tokens += [f"<|x{i}|>" for i in range(518 - len(tokens))]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}))
    (folder / "merges.txt").write_text("#version: 0.2\nt h\nth e</w>\n")


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small Stable Diffusion, AST and AnimateDiff in their published layouts."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("public")
    with torch.no_grad():
        model = MuseDance(SMALL)
        for p in model.parameters():
            p.copy_(torch.randn(p.shape) * 0.1)
    unet = unet_of_diffusers(SMALL).state_dict()
    parts = {
        "unet/diffusion_pytorch_model": unet,
        "vae/diffusion_pytorch_model": model.vae.kl.state_dict(),
        "text_encoder/model": clip_of_transformers(SMALL.text).state_dict(),
    }
    for name, weights in parts.items():
        path = root / "sd" / f"{name}.safetensors"
        path.parent.mkdir(parents=True)
        save_file(weights, path)
    write_tokenizer(root / "sd" / "tokenizer")
    ast = model.music.ast.state_dict()
    classifier = {f"audio_spectrogram_transformer.{n}": w for n, w in ast.items()}
    save_file({**classifier, **linear("classifier.dense", 4, 24)}, root / "ast.safetensors")
    torch.save({"state_dict": animatediff(SMALL)}, root / "motion.ckpt")
    return root


@pytest.fixture(scope="session")
def sources(public: Path) -> dict[str, Path]:
    return {
        "stable_diffusion": public / "sd",
        "ast": public / "ast.safetensors",
        "animatediff": public / "motion.ckpt",
    }


@pytest.fixture
def small_unet(public: Path) -> nn.Module:
    """diffusers' own UNet with the published weights."""
    unet = unet_of_diffusers(SMALL).eval()
    unet.load_state_dict(read_foreign(public / "sd/unet/diffusion_pytorch_model.safetensors"))
    return unet


@pytest.fixture
def full_unet() -> Weights:
    """diffusers' UNet at full size, on the meta device."""
    with torch.device("meta"):
        return dict(unet_of_diffusers(SD15).state_dict())


@pytest.fixture
def full_motion() -> Weights:
    """AnimateDiff v2 at full size, on the meta device."""
    with torch.device("meta"):
        return animatediff(SD15)
