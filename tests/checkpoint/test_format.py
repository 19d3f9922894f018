"""Checkpoints load bit for bit; whatever does not fit is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from musedance_core.audio.beats import regular_grid
from musedance_core.audio.waveform import Waveform
from musedance_core.checkpoint.format import (
    METADATA_KEY,
    load_checkpoint,
    read_header,
    read_weights,
    save_checkpoint,
    save_weights,
)
from musedance_core.config import MuseDanceConfig
from musedance_core.dance.motion import FEATURES
from musedance_core.errors import InputError
from musedance_core.models import ClipAudio, Conditions, MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.pipeline import MuseDancePipeline


def everything(model: MuseDance, tokenizer: Tokenizer) -> list[Tensor]:
    """Outputs of every part of the model for fixed inputs."""
    generator = torch.Generator().manual_seed(1)
    picture = torch.rand(1, 3, 32, 32, generator=generator)
    part_map = torch.randint(0, 26, (1, 32, 32), generator=generator)
    noise = torch.randn(1, 6, 4, 4, 4, generator=generator)
    words = model.text(tokenizer.encode(["the sticker hops"]))
    latent = model.vae.encode(picture)
    features = model.reference_features(latent, words, part_map)
    grid, times = model.music.encode_clip(torch.randn(1, 1024, 64, generator=generator), 0.5)
    seconds = model.frame_seconds(6)
    ids, count = torch.tensor([[0, 1, 0, 0, 1, 0]]), torch.arange(6.0)[None] / 3
    audio = ClipAudio(grid, times, ids, count, seconds)
    conditions = Conditions(
        text=words,
        reference=model.unet.project_reference(features),
        previous=model.reference.motion_features(latent[:, None].repeat(1, 2, 1, 1, 1), words),
        music=model.embed_music(audio),
        beat=model.embed_beats(audio),
        seconds=seconds,
        warped_reference=model.warp_reference(
            latent,
            torch.rand(1, 6, 3, 32, 32, generator=generator),
            torch.rand(1, 6, 1, 32, 32, generator=generator),
        ),
    )
    v = model.unet(noise, torch.tensor([700]), conditions)
    assert model.rig is not None and model.choreographer is not None
    rig = model.rig(torch.rand(1, 5, 32, 32, generator=generator))
    previous = torch.randn(1, 2 * model.choreographer.config.poses, FEATURES, generator=generator)
    dancing = Conditions(
        text=words,
        previous=model.choreographer.encode_previous(previous),
        music=model.embed_music(audio, model.choreographer),
        beat=model.embed_beats(audio, model.choreographer),
        seconds=seconds,
    )
    poses = torch.randn(1, 6 * model.choreographer.config.poses, FEATURES, generator=generator)
    dance = model.choreographer(poses, torch.tensor([700]), dancing)
    return [words, latent, grid, v, model.vae.decode(v[0]), rig.heatmaps, rig.parts, dance]


@torch.no_grad()
def test_a_loaded_model_gives_the_same_bit_for_bit(
    model: MuseDance, tokenizer: Tokenizer, written: Path
) -> None:
    loaded = load_checkpoint(written)
    saved = everything(model, tokenizer)
    assert all(w.isfinite().all() and w.std() > 0 for w in saved)
    for a, b in zip(saved, everything(loaded.model.eval(), loaded.tokenizer), strict=True):
        assert torch.equal(a, b)
    assert loaded.config == model.config
    assert loaded.licence == "Apache-2.0" and loaded.provenance["stages"][0]["steps"] == 7
    assert loaded.tokenizer.to_json() == tokenizer.to_json()


def test_half_precision_is_the_default_and_halves_the_file(
    model: MuseDance, tokenizer: Tokenizer, written: Path, tmp_path: Path
) -> None:
    half = tmp_path / "half.safetensors"
    save_checkpoint(half, model, tokenizer, {})
    assert {w.dtype for w in read_weights(half).values()} == {torch.float16}
    assert half.stat().st_size < 0.6 * written.stat().st_size
    assert {p.dtype for p in load_checkpoint(half).model.parameters()} == {torch.float32}
    saved = load_checkpoint(half, dtype=torch.float16).model.state_dict()
    for name, w in model.state_dict().items():
        assert torch.equal(saved[name], w.half())


def test_a_host_may_bring_its_own_autoencoder(written: Path) -> None:
    whole, without = load_checkpoint(written), load_checkpoint(written, autoencoder=False)
    assert not hasattr(without.model, "vae") and not whole.autoencoder
    assert set(without.autoencoder) == set(whole.model.vae.state_dict())
    for name, w in whole.model.vae.state_dict().items():
        assert torch.equal(without.autoencoder[name], w)
    for name, w in without.model.state_dict().items():
        assert torch.equal(whole.model.state_dict()[name], w)


def test_names_in_the_file_are_the_published_ones(written: Path) -> None:
    """CLIP and AST have the names of their published files, in all versions of the format."""
    names = set(read_weights(written))
    assert "text.clip.text_model.encoder.layers.0.self_attn.q_proj.weight" in names
    assert "music.ast.encoder.layer.0.attention.attention.query.weight" in names
    assert "music.ast.encoder.layer.0.attention.output.dense.bias" in names
    assert "music.ast.encoder.layer.0.intermediate.dense.weight" in names
    assert "music.ast.encoder.layer.0.output.dense.weight" in names


def test_training_a_loaded_model_leaves_its_file_alone(written: Path) -> None:
    before = hashlib.sha256(written.read_bytes()).digest()
    model = load_checkpoint(written).model
    assert all(p.requires_grad for p in model.parameters())
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1)
    assert hashlib.sha256(written.read_bytes()).digest() == before


def test_a_host_may_bring_layers_that_hold_no_weights_yet(written: Path) -> None:
    class Late:
        """A layer whose weights appear when they are loaded."""

        def _load_from_state_dict(self, state: dict[str, Tensor], prefix: str, *rest: Any) -> None:
            for name in ("weight", "bias"):
                if prefix + name in state:
                    setattr(self, name, nn.Parameter(state[prefix + name]))

    def late(kind: type[nn.Module]) -> type[nn.Module]:
        def start(self: nn.Module, *args: Any, **options: Any) -> None:
            kind.__init__(self, *args, **options)
            self.register_parameter("weight", None)
            self.register_parameter("bias", None)

        return type(f"Late{kind.__name__}", (Late, kind), {"__init__": start})

    kinds = (nn.Linear, nn.Conv2d, nn.GroupNorm, nn.LayerNorm, nn.Embedding)
    ops = SimpleNamespace(**{kind.__name__: late(kind) for kind in kinds})
    loaded, plain = load_checkpoint(written, ops).model, load_checkpoint(written).model
    assert type(loaded.unet.conv_in) is ops.Conv2d
    own = loaded.state_dict()
    assert own.keys() == plain.state_dict().keys()
    assert all(torch.equal(own[name], w) for name, w in plain.state_dict().items())


def test_a_failed_write_leaves_the_old_file(
    model: MuseDance, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "old.safetensors"
    path.write_bytes(b"old")
    with pytest.raises(TypeError):
        save_checkpoint(path, model, tokenizer, {"not for JSON": object()})
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["old.safetensors"]
    with pytest.raises(InputError, match=r"must end in \.safetensors"):
        save_checkpoint(tmp_path / "model.pt", model, tokenizer, {})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e6])
def test_weights_that_are_not_finite_are_never_written(
    value: float, written: Path, tmp_path: Path
) -> None:
    """1e6 is finite, but not in half precision."""
    path = tmp_path / "good.safetensors"
    path.write_bytes(b"good")
    weights = read_weights(written)
    weights[MASK].view(-1)[3] = value
    reason = r"good\.safetensors is not written: 1 of \d+ weights are not finite \(mask\.conv_in"
    with pytest.raises(InputError, match=reason):
        save_weights(path, weights, read_header(written))
    assert path.read_bytes() == b"good" and os.listdir(tmp_path) == ["good.safetensors"]


def test_others_may_read_a_written_file(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o644


Weights, Metadata = dict[str, Tensor], dict[str, str]


def rewritten(
    source: Path, target: Path, change: Callable[[Weights, dict[str, Any]], None]
) -> Path:
    """Write `source` with changed weights and metadata to `target`."""
    weights = read_weights(source)
    with safe_open(source, framework="pt") as file:
        values = json.loads(file.metadata()[METADATA_KEY])
    change(weights, values)
    save_file(weights, target, {METADATA_KEY: json.dumps(values)} if values else {"format": "pt"})
    return target


MASK = "mask.conv_in.weight"

CHANGES: dict[str, tuple[Callable[[Weights, dict[str, Any]], object], str]] = {
    "missing key": (lambda w, _: w.pop(MASK), r"lacks 1 weights \(mask\.conv_in\.weight\)"),
    "extra key": (
        lambda w, _: w.update(sparkle=torch.ones(2)),
        r"holds 1 unknown ones \(sparkle\)",
    ),
    "wrong shape": (
        lambda w, _: w.update({MASK: torch.ones(2)}),
        r"mask\.conv_in\.weight has shape \(2,\), not \(8, 3, 3, 3\)",
    ),
    "other version": (lambda _, s: s.update(format_version=99), "format version 99"),
    "no metadata": (lambda _, s: s.clear(), "no MuseDance checkpoint"),
    "lacking metadata": (lambda _, s: s.pop("tokenizer"), "lacks 'tokenizer'"),
    "unknown setting": (lambda _, s: s["config"].update(glitter=1), "glitter"),
    "impossible setting": (lambda _, s: s["config"]["clip"].update(size=33), "33"),
    "a word for a number": (
        lambda _, s: s["config"]["clip"].update(fps="twelve"),
        r"config\.clip\.fps must not be 'twelve'",
    ),
    "not a number": (
        lambda _, s: s["config"]["schedule"].update(guidance=float("nan")),
        r"config\.schedule\.guidance must not be nan",
    ),
    "more layers than any model": (
        lambda _, s: s["config"]["unet"].update(layers=10**9),
        r"layers must be 1\.\.64: 1000000000",
    ),
    "heads that divide nothing": (
        lambda _, s: s["config"]["dynamics"].update(heads=7),
        r"not divisible by 7 heads",
    ),
    "damaged tokenizer": (lambda _, s: s.update(tokenizer="{}"), "tokenizer that cannot be read"),
    "tokenizer of another kind": (lambda _, s: s.update(tokenizer=5), "tokenizer is of another"),
    "provenance of another kind": (
        lambda _, s: s.update(provenance=[]),
        "provenance is of another",
    ),
    "infinite weight": (
        lambda w, _: w[MASK].view(-1)[:1].fill_(float("inf")),
        r"1 weights are not finite \(mask\.conv_in\.weight\)",
    ),
    "another text encoder": (
        lambda w, s: (
            s["config"]["text"].update(vocab_size=200),
            w.update(
                {n: v[:200] for n, v in list(w.items()) if "token_embedding" in n},
            ),
        ),
        "tokenizer gives ids up to 299",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_file_that_does_not_fit_is_refused(name: str, written: Path, tmp_path: Path) -> None:
    change, reason = CHANGES[name]
    path = rewritten(written, tmp_path / "bad.safetensors", change)  # type: ignore[arg-type]
    refused(path, reason)


def refused(path: Path, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and message.endswith(".")


@pytest.mark.parametrize("size", [0, 4, 300, 0.5, 0.999])
def test_a_truncated_file_is_refused(size: float, written: Path, tmp_path: Path) -> None:
    whole = written.read_bytes()
    path = tmp_path / "cut.safetensors"
    path.write_bytes(whole[: int(size * len(whole)) if 0 < size < 1 else int(size)])
    refused(path, "damaged or no safetensors")


def test_a_missing_file_a_folder_and_other_formats_are_refused(tmp_path: Path) -> None:
    refused(tmp_path / "absent.safetensors", "no checkpoint at")
    refused(tmp_path, "no checkpoint at")
    for suffix in (".ckpt", ".pt", ".bin"):
        path = tmp_path / f"model{suffix}"
        torch.save({"a": torch.ones(1)}, path)
        refused(path, "not a .safetensors file")
    disguised = (tmp_path / "model.pt").rename(tmp_path / "disguised.safetensors")
    refused(disguised, "damaged or no safetensors")


OPTIONAL = ("copy_reach", "copy_body", "text_guidance", "music_guidance")


def test_older_files_without_the_later_keys_load(written: Path, tmp_path: Path) -> None:
    def older(weights: Weights, values: dict[str, Any]) -> None:
        for section in ("unet", "schedule"):
            for key in set(OPTIONAL) & set(values["config"][section]):
                del values["config"][section][key]
        del values["config"]["rig"], values["config"]["choreographer"]
        values["config"]["unet"]["copy_pixels"] = False  # a key that models no longer have
        for name in [n for n in weights if n.startswith(("unet.copy.", "rig.", "choreographer."))]:
            del weights[name]

    path = rewritten(written, tmp_path / "older.safetensors", older)
    config = load_checkpoint(path).config
    assert not (config.unet.copy_reach or config.unet.copy_body)
    assert config.schedule.text_guidance == config.schedule.music_guidance == 0
    assert config.rig is config.choreographer is None and not config.plans_dance

    # They still dance, in square frames of their own size and rate.
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8000)).astype(np.float32)
    beats = regular_grid(120, 0.0, 1.0)
    video = MuseDancePipeline.from_pretrained(path, device="cpu")(
        torch.rand(3, 40, 30), Waveform(noise, 8000), "the sticker hops", beats=beats, steps=1
    )
    assert video.frames.shape == (12, 3, 32, 32) and video.fps == 12


def test_the_header_is_read_without_the_weights(written: Path, config: MuseDanceConfig) -> None:
    header = read_header(written)
    assert header.config == config and header.provenance["trained"] is True
