"""All published versions and layouts of AnimateDiff's motion modules load."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from musedance_core.checkpoint.animatediff import motion_weights
from musedance_core.checkpoint.foreign import read_foreign
from musedance_core.checkpoint.inspect import describe
from musedance_core.checkpoint.sd15 import assemble_sd15, build_sd15
from musedance_core.config import MuseDanceConfig
from musedance_core.errors import InputError
from musedance_core.models import Conditions, MuseDance

from .conftest import SD15, SMALL, Weights, animatediff


def motion_adapter(version: int) -> Weights:
    """The state of diffusers' MotionAdapter."""
    from diffusers import MotionAdapter

    adapter = MotionAdapter(
        block_out_channels=SMALL.unet.channels,
        motion_num_attention_heads=4,
        motion_norm_num_groups=8,
        motion_max_seq_length=24 if version == 1 else 32,
        use_motion_mid_block=version == 2,
    )
    return dict(adapter.state_dict())


def checkpoint(table: Callable[[Weights], dict[str, Any]]) -> Callable[[Path, int], Path]:
    """Writes a version's weights as a PyTorch file that holds `table`."""

    def write(folder: Path, version: int) -> Path:
        torch.save(table(animatediff(SMALL, version)), folder / "mm.ckpt")
        return folder / "mm.ckpt"

    return write


def safetensors(weights: Callable[[int], Weights]) -> Callable[[Path, int], Path]:
    def write(folder: Path, version: int) -> Path:
        save_file(weights(version), folder / "mm.safetensors")
        return folder / "mm.safetensors"

    return write


LAYOUTS = {
    "bare table": checkpoint(lambda weights: dict(weights)),
    "in state_dict": checkpoint(lambda weights: {"state_dict": weights, "epoch": 3}),
    "of a trainer": checkpoint(
        lambda weights: {
            "global_step": 7,
            "state_dict": {f"module.{name}": w for name, w in weights.items()},
        }
    ),
    "with its config": checkpoint(
        lambda weights: {**weights, "animatediff_config": {"mid_block": False}}
    ),
    "safetensors": safetensors(lambda version: animatediff(SMALL, version)),
    "diffusers": safetensors(motion_adapter),
}


@pytest.fixture(scope="module")
def own() -> Weights:
    """Our names and shapes, on the meta device."""
    with torch.device("meta"):
        return MuseDance(SMALL).state_dict()


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_version_has_our_names_in_every_layout(
    version: int, layout: str, own: Weights, tmp_path: Path
) -> None:
    path = LAYOUTS[layout](tmp_path, version)
    weights, _ = motion_weights(path, read_foreign(path))
    wanted = {name for name in own if ".motion." in name and ".previous_proj." not in name}
    if version != 2:
        wanted = {name for name in wanted if ".mid_block." not in name}
    assert weights.keys() == wanted
    assert all(weights[name].shape == own[name].shape for name in wanted)


@pytest.mark.parametrize(
    ("version", "layout"), [(1, "in state_dict"), (2, "diffusers"), (3, "diffusers")]
)
def test_a_version_without_middle_module_starts_it_fresh(
    version: int,
    layout: str,
    small: MuseDanceConfig,
    sources: dict[str, Path],
    tmp_path: Path,
) -> None:
    path = LAYOUTS[layout](tmp_path, version)
    assembly = build_sd15(small, {**sources, "animatediff": path})
    unet = assembly.model.unet
    assert not any(w.is_meta for w in unet.state_dict().values())
    outer = [block.motion[0] for block in (*unet.down_blocks, *unet.up_blocks)]
    assert all(module.proj_out.weight.any() for module in outer)
    middle = unet.mid_block.motion[0]
    assert bool(middle.proj_out.weight.any()) == (version == 2)
    assert ("the motion module of the middle block" in assembly.fresh) == (version != 2)
    with torch.no_grad():
        x = torch.randn(4, small.unet.channels[-1], 2, 2)
        same = torch.equal(middle(x, Conditions(torch.zeros(1, 1, 24)), 4), x)
    assert same == (version != 2)


def test_version_1_has_417_million_parameters() -> None:
    """417.1376 million is the published count."""
    with torch.device("meta"):
        weights = animatediff(SD15, version=1)
    numbers = sum(w.numel() for name, w in weights.items() if not name.endswith(".pe"))
    assert len(weights) == 28 * 20 and round(numbers / 1e6, 4) == 417.1376


def test_a_middle_module_in_pieces_is_refused(
    small: MuseDanceConfig, sources: dict[str, Path], tmp_path: Path
) -> None:
    weights = animatediff(SMALL)
    del weights["mid_block.motion_modules.0.temporal_transformer.proj_out.bias"]
    save_file(weights, tmp_path / "mm.safetensors")
    with pytest.raises(InputError, match=r"lacks 1 weights \(unet\.mid_block.*proj_out\.bias"):
        build_sd15(small, {**sources, "animatediff": tmp_path / "mm.safetensors"})


def test_ignored_entries_and_fresh_modules_are_in_the_description(
    small: MuseDanceConfig, sources: dict[str, Path], tmp_path: Path
) -> None:
    path = LAYOUTS["with its config"](tmp_path, 1)
    out = tmp_path / "out.safetensors"
    assemble_sd15(out, sources["stable_diffusion"], sources["ast"], path, None, small)
    text = describe(out)
    assert "ignored: ast: classifier of sounds (classifier.dense.bias and 1 more)" in text
    assert "animatediff: configuration of AnimateDiff (animatediff_config)" in text
    assert "fresh, at zero output: music modules, beat modules, mask encoder" in text
    assert "the motion module of the middle block" in text


def test_entries_that_are_neither_weights_nor_harmless_are_refused(
    small: MuseDanceConfig, sources: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "odd.ckpt"
    torch.save({**animatediff(SMALL), "glitter": "yes"}, path)
    with pytest.raises(InputError, match=r"odd\.ckpt holds 'glitter', which is no weight: yes"):
        build_sd15(small, {**sources, "animatediff": path})
