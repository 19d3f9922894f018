"""Workflows in the real host: what comes out, what is cached, what is said where it goes wrong."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from musedance_core.audio.waveform import load_waveform
from musedance_core.video import read_video

from .conftest import Comfy, listen, workflow


def small(name: str, seconds: float = 1.0, steps: int = 1) -> dict[str, Any]:
    """The workflow with little to do."""
    prompt = deepcopy(workflow(name))
    for node in prompt.values():
        if node["class_type"] == "MuseDance_Chain":
            node["inputs"] |= {"seconds": seconds, "steps": steps}
    return prompt


def test_the_pack_is_imported(comfy: Comfy) -> None:
    assert "IMPORT FAILED" not in comfy.log.read_text()
    known = comfy.get("/object_info")
    assert len([name for name in known if name.startswith("MuseDance_")]) == 9


def test_a_sticker_dances(comfy: Comfy) -> None:
    done = comfy.run(small("1-sticker-dances", seconds=5.0))
    (path,) = comfy.outputs(done, ".mp4")
    frames, fps = read_video(path)
    assert frames.shape == (60, 3, 64, 64) and fps == 12
    assert load_waveform(path).seconds == pytest.approx(5.0, abs=0.1)
    assert frames.std(dim=0).max() > 0.05


def executed(heard: Any) -> set[str]:
    """Ids of the nodes that worked, not out of the cache."""
    return {data["node"] for data in heard.of("executing") if data["node"] is not None}


def test_queued_again_nothing_is_computed_and_another_seed_encodes_nothing(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    comfy.run(prompt)
    again = listen(comfy, prompt)
    assert not executed(again) & {"1", "5", "6", "7", "8", "9"}
    prompt["9"]["inputs"]["seed"] = 77
    reseeded = executed(listen(comfy, prompt))
    assert "9" in reseeded and not reseeded & {"1", "5", "6", "7", "8"}


def test_edited_beats_recompute_the_dance_alone(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    comfy.run(prompt)
    prompt["7"]["inputs"]["timeline"] = "[0.0, 0.4, 0.8, 1.2, 1.6]"
    assert executed(listen(comfy, prompt)) & {"1", "5", "6", "7", "8", "9"} == {"7", "9"}


def test_progress_and_previews_arrive(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances", seconds=5.0, steps=3)
    prompt["9"]["inputs"]["seed"] = 5
    heard = listen(comfy, prompt)
    values = [data["value"] for data in heard.of("progress") if data["node"] == "9"]
    assert values == sorted(values) and values[-1] == 6
    assert len(heard.previews) >= 6 and min(heard.previews) > 500


def test_cancel_stops_within_a_step_and_the_next_run_goes_on_behind_the_last_segment(
    comfy: Comfy,
) -> None:
    prompt = small("1-sticker-dances", seconds=9.0, steps=4)
    prompt["9"]["inputs"]["seed"] = 6
    stopped = listen(comfy, prompt, cancel_after=6)
    assert stopped.of("execution_interrupted")
    assert len(stopped.previews) <= 8, "it went on for more than a step"
    resumed = listen(comfy, prompt)
    assert resumed.of("execution_success")
    values = [data["value"] for data in resumed.of("progress") if data["node"] == "9"]
    assert values[0] >= 4, "the finished segment was made again"
    prompt["9"]["inputs"]["seconds"] = 8.0
    (one,) = comfy.outputs(comfy.run(prompt), ".mp4")
    assert len(read_video(one)[0]) == 96


def test_two_queued_runs_do_not_disturb_each_other(comfy: Comfy) -> None:
    made = []
    for seed in (11, 12, 11):
        prompt = small("1-sticker-dances", steps=2)
        prompt["9"]["inputs"]["seed"] = seed
        prompt["11"]["inputs"]["filename_prefix"] = f"video/seed-{len(made)}"
        made.append(comfy.queue(prompt))
    files = [comfy.outputs(comfy.finished(prompt_id), ".mp4")[0] for prompt_id in made]
    first, other, again = (read_video(file)[0] for file in files)
    assert (first - again).abs().max() == 0 and (first - other).abs().mean() > 0.001


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "past the song's end": ("9", {"start": 1000.0}, "so start 1000 is past its end"),
    "unsorted beats": ("7", {"timeline": "[1.0, 0.5, 2.0]"}, "beats must rise"),
    "no JSON": ("7", {"timeline": "often"}, 'not JSON with a list "beats"'),
    "offset alone": ("7", {"offset": 1.0}, "offset needs bpm"),
    "no prompt": ("8", {"text": "  "}, "prompt timeline is empty"),
    "prompts that fall": ("8", {"text": "0:08 hop / 0:04 sway"}, "must rise"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_makes_the_node_red_with_one_sentence(comfy: Comfy, case: str) -> None:
    node, changes, sentence = BAD[case]
    prompt = small("1-sticker-dances")
    prompt[node]["inputs"] |= changes
    error = comfy.fails(prompt)
    assert error["node_id"] == node and sentence in error["exception_message"]
    assert error["exception_message"].strip().count("\n") == 0
