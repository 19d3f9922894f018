"""Public weights become a MuseDance file: every name and shape, from both layouts.

The sources are made by diffusers and transformers themselves at small sizes; diffusers' converter
of the original layout is the oracle.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from musedance_core.checkpoint.animatediff import motion_weights
from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.checkpoint.format import load_checkpoint
from musedance_core.checkpoint.inspect import describe
from musedance_core.checkpoint.keymaps import PUBLISHED, rename
from musedance_core.checkpoint.sd15 import assemble_sd15, build_sd15, read_stable_diffusion
from musedance_core.config import MuseDanceConfig
from musedance_core.errors import InputError
from musedance_core.models import Conditions, MuseDance
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


def public_unet(config: MuseDanceConfig) -> nn.Module:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        block_out_channels=config.unet.channels,
        cross_attention_dim=config.unet.text_width,
        attention_head_dim=config.unet.heads,
        norm_num_groups=config.unet.norm_groups,
    )


def published(module: nn.Module, prefix: str) -> Weights:
    """A module of transformers under the names that its published files have."""
    return {
        rename(prefix + n, PUBLISHED).removeprefix(prefix): w
        for n, w in module.state_dict().items()
    }


def animatediff(config: MuseDanceConfig) -> Weights:
    """Motion modules under the names and shapes of AnimateDiff v2: 28 in each of 21."""
    weights: Weights = {}
    for block, width, count in modules(config):
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
                weights[f"{attention}.pos_encoder.pe"] = index_embedding(32, width)[None]
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


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small Stable Diffusion, AST and AnimateDiff as they are published."""
    torch.manual_seed(0)
    root = tmp_path_factory.mktemp("public")
    with torch.no_grad():
        model = MuseDance(SMALL)
        for p in model.parameters():
            p.copy_(torch.randn(p.shape) * 0.1)
    unet = public_unet(SMALL).state_dict()
    parts = {
        "unet/diffusion_pytorch_model": unet,
        "vae/diffusion_pytorch_model": model.vae.kl.state_dict(),
        "text_encoder/model": published(model.text.clip, "text.clip."),
    }
    for name, weights in parts.items():
        path = root / "sd" / f"{name}.safetensors"
        path.parent.mkdir(parents=True)
        save_file(weights, path)
    write_tokenizer(root / "sd" / "tokenizer")
    ast = published(model.music.ast, "music.ast.")
    heard = {f"audio_spectrogram_transformer.{n}": w for n, w in ast.items()}
    save_file({**heard, **linear("classifier.dense", 4, 24)}, root / "ast.safetensors")
    torch.save({"state_dict": animatediff(SMALL)}, root / "motion.ckpt")
    return root


def sources(public: Path) -> dict[str, Path]:
    return {
        "stable_diffusion": public / "sd",
        "ast": public / "ast.safetensors",
        "animatediff": public / "motion.ckpt",
    }


@pytest.fixture(scope="module")
def built(public: Path) -> MuseDance:
    return build_sd15(SMALL, sources(public)).eval().requires_grad_(False)


def test_animatediff_v2_is_28_weights_in_21_modules_and_453_million() -> None:
    with torch.device("meta"):
        weights = animatediff(SD15)
    assert len(weights) == 28 * 21
    tables = [n for n in weights if n.endswith(".pe")]
    numbers = sum(w.numel() for n, w in weights.items() if n not in tables)
    assert round(numbers / 1e6) == 453 and len(tables) == 42


def test_every_weight_is_real_and_from_its_source(built: MuseDance, public: Path) -> None:
    assert not any(w.is_meta for w in built.state_dict().values())
    unet = read_foreign(public / "sd/unet/diffusion_pytorch_model.safetensors")
    own = built.unet.state_dict()
    assert all(torch.equal(own[n], w) for n, w in unet.items())
    reference = built.reference.state_dict()
    assert reference and all(torch.equal(unet[n], w) for n, w in reference.items())
    motion = read_foreign(public / "motion.ckpt")
    at = "up_blocks.2.motion_modules.1.temporal_transformer."
    inner = f"{at}transformer_blocks.0."
    for ours, theirs in {
        "norm.weight": f"{at}norm.weight",
        "proj_out.bias": f"{at}proj_out.bias",
        "attentions.1.to_k.weight": f"{inner}attention_blocks.1.to_k.weight",
        "attentions.0.to_out.0.bias": f"{inner}attention_blocks.0.to_out.0.bias",
        "attention_norms.1.weight": f"{inner}norms.1.weight",
        "ff.net.0.proj.weight": f"{inner}ff.net.0.proj.weight",
        "ff_norm.bias": f"{inner}ff_norm.bias",
    }.items():
        assert torch.equal(own[f"up_blocks.2.motion.1.{ours}"], motion[theirs])


@torch.no_grad()
def test_without_motion_it_is_stable_diffusion(public: Path) -> None:
    """All that no source has is silent, so every frame is what diffusers' UNet makes of it."""
    still = {n: p for n, p in sources(public).items() if n != "animatediff"}
    built = build_sd15(SMALL, still).eval()
    oracle = public_unet(SMALL).eval()
    oracle.load_state_dict(read_foreign(public / "sd/unet/diffusion_pytorch_model.safetensors"))
    torch.manual_seed(0)
    x, text, seconds = torch.randn(1, 2, 4, 8, 8), torch.randn(1, 5, 24), torch.arange(2) / 12
    conditions = Conditions(
        text=text,
        music=built.timed_music(torch.randn(1, 7, 24), torch.rand(7), None),
        beat=built.timed_beats(torch.tensor([[0, 1]]), torch.zeros(1, 2), seconds, None),
        seconds=seconds,
    )
    t = torch.tensor([500])
    ours = built.unet(x, t, conditions)[0]
    theirs = oracle(x[0], t, text.expand(2, -1, -1)).sample
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert not built.mask(torch.full((1, 16, 16), 25)).any()


def test_fresh_weights_follow_the_seed(public: Path) -> None:
    def music(seed: int) -> Tensor:
        return build_sd15(SMALL, sources(public), seed).unet.music_tokens.proj.weight

    assert torch.equal(music(1), music(1)) and not torch.equal(music(1), music(2))


def test_the_written_file_says_that_it_cannot_dance(public: Path, tmp_path: Path) -> None:
    out = tmp_path / "sd15.safetensors"
    found = sources(public)
    assemble_sd15(out, found["stable_diffusion"], found["ast"], found["animatediff"], None, SMALL)
    loaded = load_checkpoint(out)
    assert loaded.provenance["trained"] is False and "RAIL" in loaded.licence
    assert "NOT trained to dance" in describe(out) and "motion.ckpt" in describe(out)
    ids = loaded.tokenizer.encode(["The  the!"])
    words = (ids[0] != loaded.tokenizer.end).sum()
    assert (loaded.tokenizer.start, loaded.tokenizer.end) == (518, 519)
    assert words == 4 and ids[0, 1] == ids[0, 2]  # start, the, the, !


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
    """The same as one file in the original layout, with what else such files hold."""
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
        "model_ema.decay": torch.ones(1),
    }
    path = public / "v1-5.safetensors"
    save_file({n: w.contiguous() for n, w in whole.items()}, path)
    return whole, path


def test_the_original_layout_gives_the_same_weights(
    single: tuple[Weights, Path], public: Path
) -> None:
    folder, file = (read_stable_diffusion(p, SMALL) for p in (public / "sd", single[1]))
    for part, weights in folder.items():
        assert weights.keys() == file[part].keys()
        assert all(torch.equal(file[part][n], w) for n, w in weights.items())


def test_diffusers_reads_the_original_layout_as_we_do(single: tuple[Weights, Path]) -> None:
    from diffusers.loaders import single_file_utils as oracle

    ours = read_stable_diffusion(single[1], SMALL)
    unet: dict[str, Any] = dict(public_unet(SMALL).config)
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


def test_old_names_of_the_autoencoder_are_known(public: Path, tmp_path: Path) -> None:
    shutil.copytree(public / "sd", tmp_path / "sd")
    path = tmp_path / "sd/vae/diffusion_pytorch_model.safetensors"
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    weights = read_foreign(path)
    for new, name in old.items():
        weights = {n.replace(f".{new}.", f".{name}."): w for n, w in weights.items()}
    save_file(weights, path)
    ours, theirs = (read_stable_diffusion(p / "sd", SMALL)["vae"] for p in (public, tmp_path))
    assert ours.keys() == theirs.keys()


def test_motion_from_diffusers_motion_adapter_fits(public: Path, tmp_path: Path) -> None:
    from diffusers import MotionAdapter

    adapter = MotionAdapter(
        block_out_channels=SMALL.unet.channels,
        motion_num_attention_heads=4,
        motion_norm_num_groups=8,
    )
    save_file(adapter.state_dict(), tmp_path / "motion.safetensors")
    found = {**sources(public), "animatediff": tmp_path / "motion.safetensors"}
    own = build_sd15(SMALL, found).unet
    theirs = adapter.mid_block.motion_modules[0].transformer_blocks[0]
    ours = own.mid_block.motion[0]
    assert torch.equal(ours.attentions[1].to_q.weight, theirs.attn2.to_q.weight)
    assert torch.equal(ours.ff_norm.weight, theirs.norm3.weight)


def changed(public: Path, tmp_path: Path, source: str, **weights: Tensor | None) -> dict[str, Path]:
    """The sources with one of them changed: a weight replaced, or taken out (None)."""
    found = sources(public)
    state = {**read_foreign(found[source]), **weights}
    path = tmp_path / "changed.safetensors"
    save_file({n: w for n, w in state.items() if w is not None}, path)
    return {**found, source: path}


PE = "mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0."


def test_a_source_that_does_not_fit_is_named(public: Path, tmp_path: Path) -> None:
    cases: list[tuple[str, dict[str, Tensor | None], str]] = [
        ("animatediff", {f"{PE}pos_encoder.pe": torch.zeros(1, 32, 32)}, "sinusoid"),
        ("animatediff", {f"{PE}to_q.weight": None}, r"lacks 1 weights .*attentions\.0\.to_q"),
        ("animatediff", {"down_blocks.9.conv.weight": torch.ones(1)}, "1 unknown ones"),
        ("ast", {"audio_spectrogram_transformer.layernorm.bias": torch.ones(3)}, r"shape \(3,\)"),
    ]
    for source, weights, reason in cases:
        found = changed(public, tmp_path, source, **weights)
        with pytest.raises(InputError, match=reason) as caught:
            build_sd15(SMALL, found)
        assert "changed.safetensors" in str(caught.value)


def test_pickles_with_code_and_missing_sources_are_refused(public: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"state_dict": {"a": Trap()}}, tmp_path / "trap.ckpt")
    (tmp_path / "text.ckpt").write_text("no weights")
    torch.save([torch.ones(1)], tmp_path / "list.pt")
    for name, reason in {
        "trap.ckpt": "could run code",
        "text.ckpt": "damaged",
        "list.pt": "no plain table",
        "absent.ckpt": "no file of weights",
    }.items():
        with pytest.raises(InputError, match=reason):
            read_foreign(tmp_path / name)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(InputError, match=r"vocab\.json"):
        assemble_sd15(tmp_path / "o.safetensors", tmp_path, public / "ast.safetensors")
    with pytest.raises(InputError, match=r"no \.safetensors file"):
        assemble_sd15(tmp_path / "o.safetensors", public / "sd", tmp_path, None, None, SMALL)
    assert not (tmp_path / "o.safetensors").exists()


def test_at_full_size_every_name_and_shape_fits() -> None:
    """On the meta device: 859.52 M in the UNet, AST with 1214 positions."""
    with torch.device("meta"):
        own = MuseDance(SD15).state_dict()
        unet = public_unet(SD15).state_dict()
        motion = animatediff(SD15)
    assert sum(w.numel() for w in unet.values()) == 859_520_964
    assert all(own[f"unet.{n}"].shape == w.shape for n, w in unet.items())
    tables = {n: w for n, w in motion.items() if not n.endswith(".pe")}
    for name, w in motion_weights(Path("motion"), tables).items():
        assert own[name].shape == w.shape
    assert own["music.ast.embeddings.position_embeddings"].shape == (1, 1214, 768)
