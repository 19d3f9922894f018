"""Workflows in the real host: what comes out, what is cached, what is said where it goes wrong."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from musedance_core.audio.beats import regular_grid
from musedance_core.audio.waveform import load_waveform
from musedance_core.media.images import fit_picture, load_picture
from musedance_core.media.video import read_video
from musedance_core.pipeline import MuseDancePipeline

from .conftest import ROOT, SIDE, Comfy, listen, workflow

ASSETS = ROOT / "assets"
pytestmark = pytest.mark.xdist_group("comfy")  # one host for all


def small(name: str, seconds: float = 1.0, steps: int = 1) -> dict[str, Any]:
    """The workflow with little to do."""
    prompt = deepcopy(workflow(name))
    for node in prompt.values():
        if node["class_type"] == "MuseDance_Chain":
            node["inputs"] |= {"seconds": seconds, "steps": steps, "quality": "full"}
        elif node["class_type"] == "MuseDance_Sample":
            node["inputs"]["steps"] = steps
        elif node["class_type"] == "LoadImage":
            node["inputs"]["image"] = node["inputs"]["image"].replace("musedance-", "small-")
    return prompt


def video_of(comfy: Comfy, prompt: dict[str, Any], rate: float = 24) -> tuple[Tensor, float]:
    """Frames `[f 3 h w]`, at this rate, and seconds of sound of the video that a workflow saves."""
    (path,) = comfy.outputs(comfy.run(prompt), ".mp4")
    frames, fps = read_video(path)
    assert fps == rate
    return frames, load_waveform(path).seconds


def test_the_pack_is_imported(comfy: Comfy) -> None:
    assert "IMPORT FAILED" not in comfy.log.read_text()
    known = comfy.get("/object_info")
    assert len([name for name in known if name.startswith("MuseDance_")]) == 14


def watched(prompt: dict[str, Any], node: str, prefix: str = "frame") -> dict[str, Any]:
    """The workflow with a node's images saved, too, without any loss: unlike videos, whose encoder
    may give other bytes from run to run."""
    saved = {"images": [node, 0], "filename_prefix": prefix}
    return {**prompt, "saved": {"class_type": "SaveImage", "inputs": saved}}


def saved_frames(comfy: Comfy, done: dict[str, Any]) -> Tensor:
    """Frames `[f 3 h w]` that a watched workflow saved, to eight bits."""
    files = comfy.outputs(done, ".png")
    pictures = [torch.from_numpy(np.array(Image.open(file))) for file in files]
    return torch.stack(pictures).permute(0, 3, 1, 2).float() / 255


def frames_of(comfy: Comfy, prompt: dict[str, Any], node: str) -> Tensor:
    """Frames `[f 3 h w]` of a node's images."""
    return saved_frames(comfy, comfy.run(watched(prompt, node)))


@pytest.mark.parametrize(
    ("name", "seconds", "shape"),
    [
        ("1-sticker-dances", 5.0, (120, 3, SIDE, SIDE)),
        ("2-edit-the-beats", 4.0, (96, 3, SIDE, SIDE)),
        ("3-long-song", 9.0, (216, 3, SIDE, SIDE)),
        ("4-two-segments-by-hand", 8.0, (96, 3, SIDE, SIDE)),
        ("6-compare-guidance", 2.0, (48, 3, SIDE, 2 * SIDE)),
        ("7-photo", 2.0, (48, 3, SIDE, SIDE)),
        ("8-ksampler", 4.0, (48, 3, SIDE, SIDE)),
    ],
)
def test_a_workflow_makes_a_video_with_its_sound(
    comfy: Comfy, name: str, seconds: float, shape: tuple[int, ...]
) -> None:
    rate = shape[0] / seconds if name.startswith(("4", "8")) else 24
    frames, heard = video_of(comfy, small(name, seconds), rate)
    assert frames.shape == shape
    assert heard == pytest.approx(seconds, abs=0.1)
    assert frames.std(dim=0).max() > 0.05


def test_poses_for_other_models_are_a_video_with_its_sound(comfy: Comfy) -> None:
    prompt = small("5-dance-poses")
    prompt["9"]["inputs"] |= {"seconds": 1.0625, "width": 208, "height": 120}
    frames, heard = video_of(comfy, prompt, 16)
    assert frames.shape == (17, 3, 120, 208) and heard == pytest.approx(1.06, abs=0.1)
    assert frames.std(dim=0).max() > 0.05


def test_a_picture_goes_through_sd15_with_the_host_s_own_autoencoder(comfy: Comfy) -> None:
    prompt = small("9-pictures-sd15", seconds=1.0)
    prompt["1"]["inputs"]["checkpoint"] = "small-sd15.safetensors"
    del prompt["13"]  # Stable Diffusion 1.5: the small model's own file has a VAE and a CLIP, too
    prompt["5"]["inputs"]["vae"] = prompt["9"]["inputs"]["vae"] = ["1", 1]
    prompt["8"]["inputs"]["clip"] = ["1", 2]
    error = comfy.fails(prompt)
    assert error["node_id"] == "1" and "never trained to dance" in error["exception_message"]
    prompt["1"]["inputs"]["allow_untrained"] = True
    frames, heard = video_of(comfy, prompt, 12)
    assert frames.shape == (12, 3, 64, 64) and heard == pytest.approx(1.0, abs=0.1)
    picture = frames_of(comfy, prompt, "9")
    model = MuseDancePipeline.from_pretrained(
        comfy.folder / "models" / "musedance" / "small-sd15.safetensors", allow_untrained=True
    )
    fitted = fit_picture(load_picture(comfy.folder / "input" / "small-drawing-robot.png"), None, 64)
    wave = load_waveform(ASSETS / "demo-song.ogg")
    text = prompt["8"]["inputs"]["text"]
    (segment,) = model.animate(
        model.encode_picture(fitted.image),
        model.encode_song(wave),
        text,
        frames=12,
        seed=1,
        steps=1,
    )
    assert (picture - segment.frames).abs().max() < 3 / 255


def test_segments_chained_by_hand_are_those_of_the_chain(comfy: Comfy) -> None:
    by_hand = small("4-two-segments-by-hand", steps=2)
    by_hand["9"]["inputs"]["text"] = by_hand["8"]["inputs"]["text"]
    chained = small("1-sticker-dances", seconds=8.0, steps=2)
    chained["2"]["inputs"]["image"] = by_hand["2"]["inputs"]["image"]
    chained["8"]["inputs"]["text"] = by_hand["8"]["inputs"]["text"]
    one, two = frames_of(comfy, by_hand, "12"), frames_of(comfy, chained, "9")
    # By hand there is one frame a latent; the chain makes twice as many of the same dance.
    assert len(one) == 96 and (one - two[::2]).abs().max() < 1.5 / 255


def test_frames_are_restored_with_the_tail_of_their_own_segment(comfy: Comfy) -> None:
    prompt = small("4-two-segments-by-hand")
    prompt["10"]["inputs"]["frames"] = 24
    prompt["20"]["inputs"]["tail"] = ["10", 1]
    error = comfy.fails(prompt)
    expected = "There are 48 frames, but the segment of this tail has 24."
    assert error["node_id"] == "20" and expected in error["exception_message"]


def test_an_empty_mask_says_nothing(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    prompt["2"]["inputs"]["image"] = "small-drawing-robot.png"
    prompt["5"]["inputs"]["image"] = ["2", 0]  # without transparency: its mask is empty
    without = frames_of(comfy, prompt, "9")
    prompt["5"]["inputs"]["subject"] = ["2", 1]
    assert torch.equal(frames_of(comfy, prompt, "9"), without)


def test_the_tail_of_a_chain_is_that_of_the_frames_it_gave(comfy: Comfy) -> None:
    """A second of the second segment, which one segment by hand goes on from."""
    prompt = small("1-sticker-dances", seconds=5.0)
    by_hand = small("4-two-segments-by-hand")
    going_on = {**by_hand["11"]["inputs"], "tail": ["9", 3], "positive": ["23", 0]}
    prompt |= {"21": {**by_hand["11"], "inputs": going_on}, "23": by_hand["9"]}
    decoded = {"samples": ["21", 0], "vae": ["1", 1]}
    prompt["22"] = {"class_type": "VAEDecode", "inputs": decoded}
    asked = {"reference": ["5", 0], "frames": ["22", 0], "vae": ["1", 1], "tail": ["9", 3]}
    prompt["20"] = {"class_type": "MuseDance_RestorePicture", "inputs": asked}
    error = comfy.fails(watched(prompt, "20"))
    expected = "There are 48 frames, but the segment of this tail has 12."
    assert error["node_id"] == "20" and expected in error["exception_message"]


def test_frames_that_are_restored_already_are_refused(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    asked = {"reference": ["5", 0], "frames": ["9", 0], "vae": ["1", 1], "tail": ["9", 3]}
    prompt["20"] = {"class_type": "MuseDance_RestorePicture", "inputs": asked}
    error = comfy.fails(watched(prompt, "20"))
    expected = f"The frames are {SIDE} x {SIDE} pixels, but the picture is encoded at 64 x 64."
    assert error["node_id"] == "20" and expected in error["exception_message"]


def test_what_another_model_s_nodes_made_is_refused(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    prompt["21"] = {
        "class_type": "MuseDance_Load",
        "inputs": {"checkpoint": "small-sd15.safetensors", "allow_untrained": True},
    }
    prompt["5"]["inputs"]["vae"] = ["21", 1]
    error = comfy.fails(prompt)
    expected = "The reference comes from another model or autoencoder: it has 4 x 8 x 8, this model"
    assert error["node_id"] == "9" and expected in error["exception_message"]


def test_the_host_makes_the_frames_that_the_pipeline_makes(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances", seconds=2.0, steps=2)
    prompt["7"]["inputs"] |= {"bpm": 120.0, "offset": 0.1}
    frames = frames_of(comfy, prompt, "9")
    song = ASSETS / "demo-song.ogg"
    video = MuseDancePipeline.from_pretrained(device="cpu")(
        comfy.folder / "input" / "small-puppet-kid.png",
        song,
        prompt["8"]["inputs"]["text"],
        seconds=2.0,
        seed=1,
        steps=2,
        sampler="ddim",
        beats=regular_grid(120.0, 0.1, load_waveform(song).seconds),
    )
    assert len(frames) == 48 and (frames - video.frames).abs().max() < 2 / 255
    assert (frames[5] - video.frames[0]).abs().max() > 0.2


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
    assert len(read_video(one)[0]) == 192


def test_two_queued_runs_do_not_disturb_each_other(comfy: Comfy) -> None:
    made = []
    for text in ("big hops", "it spins", "big hops"):
        prompt = watched(small("1-sticker-dances", steps=2), "9", f"queued-{len(made)}")
        prompt["8"]["inputs"]["text"] = text
        made.append(comfy.queue(prompt))
    first, other, again = (saved_frames(comfy, comfy.finished(run)) for run in made)
    assert torch.equal(first, again) and (first - other).abs().mean() > 0.01


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "past the song's end": ("9", {"start": 1000.0}, "so a start at 1000 s is past its end"),
    "unsorted beats": ("7", {"timeline": "[1.0, 0.5, 2.0]"}, "beats must rise"),
    "no JSON": ("7", {"timeline": "often"}, 'not JSON with a list "beats"'),
    "a tempo for another tracker": (
        "7",
        {"tracker": "broken.ckpt", "bpm": 120.0},
        "bpm is for the built-in tracker",
    ),
    "a tracker that is none": ("7", {"tracker": "broken.ckpt"}, "Beat This!"),
    "offset alone": ("7", {"offset": 1.0}, "offset needs bpm"),
    "a tempo that is no number": (
        "7",
        {"bpm": math.nan},
        "The bpm must be within 20..400, not nan.",
    ),
    "a shift that is no number": ("7", {"shift": math.nan}, "The shift in seconds must be within"),
    "guidance that is no number": ("9", {"guidance": math.nan}, "The guidance must be within"),
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
    assert error["exception_type"] == "MuseDance", "the host shows this before the sentence"


def test_a_photo_is_no_part_map(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    prompt["5"]["inputs"]["part_map"] = ["2", 0]
    error = comfy.fails(prompt)
    assert error["node_id"] == "5" and "must use the pack's palette" in error["exception_message"]


@pytest.fixture(scope="module")
def sticker(comfy: Comfy) -> str:
    """A figure with transparency around it, as a file that Load Image lists."""
    picture = Image.new("RGBA", (64, 64))
    picture.paste((250, 180, 20, 255), (20, 16, 44, 56))
    picture.save(comfy.folder / "input" / "figure.png")
    return "figure.png"


def test_the_mask_of_what_is_transparent_is_not_taken_for_the_dancer(
    comfy: Comfy, sticker: str
) -> None:
    prompt = small("1-sticker-dances")
    prompt["2"]["inputs"]["image"] = sticker
    prompt["5"]["inputs"] |= {"image": ["2", 0], "subject": ["2", 1]}
    error = comfy.fails(prompt)
    assert error["node_id"] == "5" and "Invert Mask" in error["exception_message"]


def test_a_sticker_without_its_transparency_is_noticed(comfy: Comfy, sticker: str) -> None:
    prompt = small("1-sticker-dances")
    prompt["2"]["inputs"]["image"] = sticker
    joined = frames_of(comfy, prompt, "9")
    assert "transparency was dropped" not in comfy.log.read_text()
    prompt["5"]["inputs"]["image"] = ["2", 0]
    assert not torch.equal(frames_of(comfy, prompt, "9"), joined)
    assert "transparency was dropped" in comfy.log.read_text()


def test_latents_and_autoencoders_of_other_models_are_one_sentence(comfy: Comfy) -> None:
    prompt = small("1-sticker-dances")
    asked = {"width": 64, "height": 64, "batch_size": 1}
    prompt["20"] = {"class_type": "EmptyLatentImage", "inputs": asked}
    prompt["21"] = {"class_type": "VAEDecode", "inputs": {"samples": ["20", 0], "vae": ["1", 1]}}
    error = comfy.fails(watched(prompt, "21"))
    assert error["node_id"] == "21" and error["exception_type"] == "MuseDance"
    assert "they are 1 x 4 x 8 x 8, and this vae takes" in error["exception_message"]
    other = small("1-sticker-dances")
    asked = {"checkpoint": "small-sd15.safetensors", "allow_untrained": True}
    other["21"] = {"class_type": "MuseDance_Load", "inputs": asked}
    other["9"]["inputs"]["vae"] = ["21", 1]
    error = comfy.fails(other)
    assert error["node_id"] == "9" and "latents of 4 channels" in error["exception_message"]
