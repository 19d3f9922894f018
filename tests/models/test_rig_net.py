"""The rig network: shapes, sub-pixel joints, and number formats."""

from __future__ import annotations

import pytest
import torch

from musedance_core.config import MuseDanceConfig, RigConfig
from musedance_core.models import MuseDance
from musedance_core.models.rig_net import locate, rig_input
from musedance_core.presets import SD15

CROPS = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_outputs_are_heatmaps_presence_and_parts(model: MuseDance) -> None:
    assert model.rig is not None
    prediction = model.rig(rig_input(CROPS, None))
    assert prediction.heatmaps.shape == (2, 16, 8, 8)
    assert prediction.presence.shape == (2, 16)
    assert prediction.parts.shape == (2, 11, 32, 32)


def test_half_precision_changes_little(model: MuseDance) -> None:
    assert model.rig is not None
    crops = rig_input(CROPS, torch.ones(2, 1, 32, 32))
    exact = model.rig(crops)
    half = model.rig.to(torch.float16)(crops.half())
    model.rig.float()
    assert half.heatmaps.isfinite().all()
    assert (half.presence - exact.presence).abs().max() < 0.02


@pytest.mark.parametrize("place", [(0.3, 0.7), (0.52, 0.11)])
def test_joints_are_located_between_cells(place: tuple[float, float]) -> None:
    """A second, lower peak elsewhere does not move the joint."""
    centres = (torch.arange(16) + 0.5) / 16
    x, y = (centres - place[0]) * 16, (centres - place[1]) * 16
    heatmap = -(y[:, None].square() + x[None].square()) / 1.6
    heatmap[12:, 12:] = -0.3
    (joint,) = locate(heatmap[None, None])[0].tolist()
    assert joint == pytest.approx(place, abs=0.01)


def test_pixels_outside_of_a_mask_do_not_matter() -> None:
    mask = torch.zeros(2, 1, 32, 32)
    mask[..., 8:24, 8:24] = 1
    outside = torch.where(mask > 0, CROPS, 1 - CROPS)
    assert torch.equal(rig_input(CROPS, mask), rig_input(outside, mask))
    assert not torch.equal(rig_input(CROPS, None), rig_input(outside, None))


def test_models_without_a_rig_network_have_no_weights_of_it(config: MuseDanceConfig) -> None:
    values = SD15.to_dict()
    assert values.pop("rig") is None
    assert MuseDanceConfig.from_dict(values) == SD15
    assert MuseDanceConfig.from_dict(config.to_dict()) == config
    assert config.rig is not None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 100}, "size 100 cannot be halved 4 times"),
        ({"channels": (32,)}, "channels must have 2..6 levels"),
        ({"channels": (32, 36)}, "width 36 is not divisible by 8 groups"),
        ({"heads": 3}, "width 160 is not divisible by 3 heads"),
    ],
)
def test_odd_sizes_are_refused(values: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RigConfig(**values)  # type: ignore[arg-type]
