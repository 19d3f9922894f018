"""Public weights become a checkpoint: every name, every shape, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from musedance_core.checkpoint.animatediff import motion_weights
from musedance_core.checkpoint.clip_tokenizer import read_clip_tokenizer
from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.checkpoint.format import load_checkpoint
from musedance_core.checkpoint.inspect import describe
from musedance_core.checkpoint.sd15 import assemble_sd15, build_sd15
from musedance_core.config import MuseDanceConfig
from musedance_core.errors import InputError
from musedance_core.models import ClipAudio, Conditions, MuseDance
from musedance_core.presets import preset

SD15 = preset("sd15")
Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def built(small: MuseDanceConfig, sources: dict[str, Path]) -> MuseDance:
    return build_sd15(small, sources).model.eval().requires_grad_(False)


def test_animatediff_v2_is_28_weights_in_21_modules_and_453_million(
    full_motion: Weights,
) -> None:
    weights = full_motion
    assert len(weights) == 28 * 21
    tables = [n for n in weights if n.endswith(".pe")]
    numbers = sum(w.numel() for n, w in weights.items() if n not in tables)
    assert round(numbers / 1e6) == 453 and len(tables) == 42


def test_every_weight_is_allocated_and_from_its_source(built: MuseDance, public: Path) -> None:
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
def test_without_motion_it_is_stable_diffusion(
    small: MuseDanceConfig, sources: dict[str, Path], small_unet: nn.Module
) -> None:
    """Fresh modules start at zero output, so each frame equals the output of diffusers' UNet."""
    without = {n: p for n, p in sources.items() if n != "animatediff"}
    built = build_sd15(small, without).model.eval()
    torch.manual_seed(0)
    x, text, seconds = torch.randn(1, 2, 4, 8, 8), torch.randn(1, 5, 24), torch.arange(2) / 12
    music, ids = torch.randn(1, 7, 24), torch.tensor([[0, 1]])
    audio = ClipAudio(music, torch.rand(7), ids, torch.zeros(1, 2), seconds)
    conditions = Conditions(
        text=text,
        music=built.embed_music(audio),
        beat=built.embed_beats(audio),
        seconds=seconds,
    )
    t = torch.tensor([500])
    ours = built.unet(x, t, conditions)[0]
    theirs = small_unet(x[0], t, text.expand(2, -1, -1)).sample
    assert torch.allclose(ours, theirs, atol=1e-5)
    assert not built.mask(torch.full((1, 16, 16), 25), torch.float32).any()


def test_fresh_weights_follow_the_seed(small: MuseDanceConfig, sources: dict[str, Path]) -> None:
    def music(seed: int) -> Tensor:
        return build_sd15(small, sources, seed).model.unet.music_tokens.proj.weight

    assert torch.equal(music(1), music(1)) and not torch.equal(music(1), music(2))


def test_the_written_file_is_marked_as_not_trained(
    small: MuseDanceConfig, sources: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "sd15.safetensors"
    parts = (sources[name] for name in ("stable_diffusion", "ast", "animatediff"))
    assemble_sd15(out, *parts, None, small)
    loaded = load_checkpoint(out)
    assert loaded.provenance["trained"] is False and "RAIL" in loaded.licence
    assert "NOT trained to dance" in describe(out) and "motion.ckpt" in describe(out)
    ids = loaded.tokenizer.encode(["The  the!"])
    words = (ids[0] != loaded.tokenizer.end).sum()
    assert (loaded.tokenizer.start, loaded.tokenizer.end) == (518, 519)
    assert words == 4 and ids[0, 1] == ids[0, 2]  # start, the, the, !


def test_motion_from_diffusers_motion_adapter_fits(
    small: MuseDanceConfig, sources: dict[str, Path], tmp_path: Path
) -> None:
    from diffusers import MotionAdapter

    adapter = MotionAdapter(
        block_out_channels=small.unet.channels,
        motion_num_attention_heads=4,
        motion_norm_num_groups=8,
    )
    save_file(adapter.state_dict(), tmp_path / "motion.safetensors")
    adapted = {**sources, "animatediff": tmp_path / "motion.safetensors"}
    own = build_sd15(small, adapted).model.unet
    theirs = adapter.mid_block.motion_modules[0].transformer_blocks[0]
    ours = own.mid_block.motion[0]
    assert torch.equal(ours.attentions[1].to_q.weight, theirs.attn2.to_q.weight)
    assert torch.equal(ours.ff_norm.weight, theirs.norm3.weight)


PE = "mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0."


def test_a_source_that_does_not_fit_is_named(
    small: MuseDanceConfig, sources: dict[str, Path], tmp_path: Path
) -> None:
    cases: list[tuple[str, dict[str, Tensor | None], str]] = [
        ("animatediff", {f"{PE}pos_encoder.pe": torch.zeros(1, 32, 32)}, "sinusoid"),
        ("animatediff", {f"{PE}to_q.weight": None}, r"lacks 1 weights .*attentions\.0\.to_q"),
        ("animatediff", {"down_blocks.9.conv.weight": torch.ones(1)}, "1 unknown ones"),
        ("ast", {"audio_spectrogram_transformer.layernorm.bias": torch.ones(3)}, r"shape \(3,\)"),
    ]
    for source, weights, reason in cases:
        state = {**read_foreign(sources[source]), **weights}
        path = tmp_path / "changed.safetensors"
        save_file({n: w for n, w in state.items() if w is not None}, path)
        with pytest.raises(InputError, match=reason) as caught:
            build_sd15(small, {**sources, source: path})
        assert "changed.safetensors" in str(caught.value)


def test_pickles_with_code_and_missing_sources_are_refused(
    small: MuseDanceConfig, public: Path, tmp_path: Path
) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"state_dict": {"a": Trap()}}, tmp_path / "trap.ckpt")
    (tmp_path / "text.ckpt").write_text("no weights")
    torch.save([torch.ones(1)], tmp_path / "list.pt")
    torch.save({"a": Trap()}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with ZipFile(tmp_path / "old.pt", "a") as archive:
        archive.writestr("looks.like", "one of today")
    for name, reason in {
        "trap.ckpt": "could run code",
        "text.ckpt": "damaged",
        "list.pt": "no plain table",
        "old.pt": "no PyTorch file of today's format",
        "absent.ckpt": "no file of weights",
    }.items():
        with pytest.raises(InputError, match=reason):
            read_foreign(tmp_path / name)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(InputError, match=r"vocab\.json"):
        assemble_sd15(tmp_path / "o.safetensors", tmp_path, public / "ast.safetensors")
    with pytest.raises(InputError, match=r"no \.safetensors file"):
        assemble_sd15(tmp_path / "o.safetensors", public / "sd", tmp_path, None, None, small)
    assert not (tmp_path / "o.safetensors").exists()


def test_a_damaged_tokenizer_is_one_sentence(public: Path, tmp_path: Path) -> None:
    vocab = (public / "sd/tokenizer/vocab.json").read_bytes()
    (tmp_path / "vocab.json").write_bytes(vocab)
    (tmp_path / "merges.txt").write_text("#version: 0.2\nt h\nth e\r</w>\n")
    with pytest.raises(InputError, match=r"vocab\.json") as caught:
        read_clip_tokenizer(tmp_path)
    assert len(str(caught.value).splitlines()) == 1


def test_at_full_size_every_name_and_shape_fits(full_unet: Weights, full_motion: Weights) -> None:
    """On the meta device: 859.52 M in the UNet, AST with 1214 positions."""
    with torch.device("meta"):
        own = MuseDance(SD15).state_dict()
    assert sum(w.numel() for w in full_unet.values()) == 859_520_964
    assert all(own[f"unet.{n}"].shape == w.shape for n, w in full_unet.items())
    tables = {n: w for n, w in full_motion.items() if not n.endswith(".pe")}
    for name, w in motion_weights(Path("motion"), tables)[0].items():
        assert own[name].shape == w.shape
    assert own["music.ast.embeddings.position_embeddings"].shape == (1, 1214, 768)
