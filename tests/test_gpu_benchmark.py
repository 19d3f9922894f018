"""The GPU benchmark on a tiny model: its checks see what is wrong, and its regions add up."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest
import torch

from benchmarks.gpu import networks, setup
from benchmarks.gpu.findings import FILE, Findings
from benchmarks.gpu.timing import Regions
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.segment import condition_set, initial_noise
from musedance_core.models import MuseDance


@pytest.mark.parametrize(
    "name", ["__main__", "ceilings", "networks", "sampling", "stages", "sticker", "training"]
)
def test_every_measurement_imports(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.gpu.{name}").main)


def test_a_wrong_network_is_seen(model: MuseDance, tmp_path: Path) -> None:
    job = setup.Job(Findings(tmp_path, "a"), 60, True, tmp_path)
    right = networks.answers(model)
    wrong = {**right, "denoiser, t=400": right["denoiser, t=400"] * 1.01}
    wrong["denoiser, t=999"] = right["denoiser, t=999"] * float("nan")
    networks.compare(job, "right", torch.float32, right, right, 1e-3)
    networks.compare(job, "wrong", torch.float32, wrong, right, 1e-3)
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line["passed"] for line in lines] == [True, False]
    assert lines[1]["above"] == ["denoiser, t=999", "denoiser, t=400"]


def test_regions_add_up_to_one_call(model: MuseDance) -> None:
    text = model.text(setup.token_ids(model.config, 1))
    given = setup.segment_input(model, 12.0, text)
    conditions = condition_set(model, given, Guidance(1.0))
    x = initial_noise(model, given.reference, 0, 0)

    def call() -> torch.Tensor:
        return model.unet(x, torch.tensor([400]), conditions.full)

    with Regions(model.unet) as regions:
        expected = call()
        flop = regions.flop(call)
    assert torch.equal(call(), expected)
    assert {"residual blocks", "motion modules", "self- and reference attention"} < set(flop)
    assert all(value >= 0 for value in flop.values())
    assert flop["residual blocks"] > 0.1 * sum(flop.values())
