"""Descriptions of checkpoints are complete and add up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.checkpoint.inspect import describe
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.pipeline import DEFAULT_CHECKPOINT


def row(text: str, title: str) -> str:
    return next(line for line in text.splitlines() if line.strip().startswith(title))


def count(text: str, title: str) -> int:
    return int(row(text, title).removeprefix(" ").split(title)[1].split()[0].replace(",", ""))


def test_parameters_are_counted_part_by_part(model: MuseDance, written: Path) -> None:
    text = describe(written)
    assert count(text, "all") == sum(t.numel() for t in model.state_dict().values())
    assert count(text, "ReferenceNet") == sum(p.numel() for p in model.reference.parameters())
    dynamics = ["denoiser", *(f"its {kind} modules" for kind in ("music", "beat", "motion"))]
    assert sum(count(text, title) for title in dynamics) == sum(
        p.numel() for p in model.unet.parameters()
    )


def test_every_parameter_of_the_embedded_model_is_counted() -> None:
    text = describe(DEFAULT_CHECKPOINT)
    *parts, whole = text.split("Parameters\n")[1].split("\n\n")[0].splitlines()
    numbers = re.findall(r" {2}([\d,]+)", "\n".join(parts))
    assert len(numbers) == len(parts)
    assert sum(int(number.replace(",", "")) for number in numbers) == count(whole, "all")
    assert count(text, "choreographer") > 0 and count(text, "rig network") > 0


def test_the_description_tells_training_and_sampling(written: Path) -> None:
    text = describe(written)
    for words in ("to dance", "Apache-2.0", "sticker", "32 x 32", "v-prediction", "zero terminal"):
        assert words in text
    assert "steps 7" in text and "python train/vae.py x.yaml" in text and "NOT" not in text


def test_the_description_tells_a_file_that_was_never_trained(
    model: MuseDance, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    path = tmp_path / "public.safetensors"
    sources = {"unet": "sd15.safetensors", "ast": "ast.safetensors"}
    save_checkpoint(path, model, tokenizer, {"trained": False, "sources": sources}, "RAIL")
    text = describe(path)
    assert "NOT trained to dance" in row(text, "trained") and "RAIL" in row(text, "licence")
    assert "unet: sd15.safetensors; ast: ast.safetensors" in text
    assert "no training is recorded" in text


def test_another_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no checkpoint at"):
        describe(tmp_path / "absent.safetensors")
