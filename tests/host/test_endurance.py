"""Many prompts with cancels, two clients at once, and the host's memory flags."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from .conftest import Comfy, running_comfy
from .test_workflows import frames_of, saved_frames, small, watched

pytestmark = pytest.mark.xdist_group("comfy")  # one host for all

PROMPTS, WARM_UP = 100, 20
"""Runs in all, and those after which memory may not grow any more ..."""
GROWTH = 1.05
"""... by more than this factor."""
CANCELLED, LONGEST_WAIT = 0.6, 0.4
"""Share of runs that are cancelled, after at most so many seconds; some have ended by then."""
FEWEST_CANCELLED = 10
"""Runs that a cancel reaches at least."""


def short_dance(seed: int) -> dict[str, Any]:
    prompt = small("1-sticker-dances", seconds=0.5)
    dance = next(node for node in prompt.values() if node["class_type"] == "MuseDance_Chain")
    dance["inputs"] |= {"seed": seed, "size": 128, "quality": "draft"}
    return prompt


def frames(comfy: Comfy, seed: int) -> Tensor:
    return frames_of(comfy, short_dance(seed), "9")


def forget(comfy: Comfy) -> None:
    """Empties the host's caches, and that of finished segments, so that a dance is made anew."""
    comfy.post("/free", {"unload_models": True, "free_memory": True})
    shutil.rmtree(comfy.folder / "temp" / "musedance", ignore_errors=True)


def resident_bytes(comfy: Comfy) -> int:
    status = Path(f"/proc/{comfy.pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_a_hundred_prompts_with_cancels_leave_neither_memory_nor_state(comfy: Comfy) -> None:
    rng = random.Random(0)
    first, warm = frames(comfy, 0), 0
    ends = []
    for number in range(PROMPTS):
        if number == WARM_UP:
            warm = resident_bytes(comfy)
        prompt_id = comfy.queue(watched(short_dance(1 + number), "9", "endurance"))
        if rng.random() < CANCELLED:
            time.sleep(rng.uniform(0, LONGEST_WAIT))
            comfy.post("/interrupt", {})
        ends.append(comfy.finished(prompt_id)["status"]["status_str"])
    assert len(ends) == PROMPTS and ends.count("success") >= PROMPTS * (1 - CANCELLED) * 0.8
    assert PROMPTS - ends.count("success") >= FEWEST_CANCELLED
    assert resident_bytes(comfy) < GROWTH * warm
    forget(comfy)
    assert torch.equal(frames(comfy, 0), first)


def test_two_clients_get_their_own_dances(comfy: Comfy) -> None:
    alone = [frames(comfy, seed) for seed in (501, 502)]
    forget(comfy)
    ids = [
        comfy.queue(watched(short_dance(seed), "9", f"tab-{seed}"), client=f"tab {seed}")
        for seed in (501, 502)
    ]
    together = [saved_frames(comfy, comfy.finished(prompt_id)) for prompt_id in ids]
    assert not torch.equal(*alone)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)


# Not --lowvram, which excludes --cpu.
@pytest.mark.parametrize("flag", ["--fp8_e4m3fn-unet", "--cache-none", "--disable-smart-memory"])
def test_the_host_s_flags_change_no_frame_of_a_draft(
    comfy: Comfy, tmp_path: Path, flag: str
) -> None:
    usual = frames(comfy, 3)
    with running_comfy(tmp_path, flag) as other:
        assert (frames(other, 3) - usual).abs().max() <= 2 / 255
