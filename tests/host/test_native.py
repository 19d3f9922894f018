"""The denoiser as the host's own MODEL: KSampler, guiders, schedulers, LoRAs, merges, compiling."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from musedance_core.pipeline import DEFAULT_CHECKPOINT

from .conftest import Comfy, listen
from .test_workflows import frames_of, saved_frames, small, watched

pytestmark = pytest.mark.xdist_group("comfy")  # one host for all

STICKER, SMALL_SD15 = "musedance-sticker.safetensors", "small-sd15.safetensors"
APPLY, SAMPLER, DECODED = "100", "101", "102"
LOADER = "1"
COMPILE_SECONDS = 1200
MODEL = [LOADER, 3]
Prompt = dict[str, Any]


def dance(checkpoint: str = STICKER) -> Prompt:
    """Apply dance behind the inputs of a sticker's dance, at `APPLY`."""
    prompt = small("4-two-segments-by-hand")
    inputs = deepcopy(next(n for n in prompt.values() if n["class_type"] == "MuseDance_Sample"))
    kept = {key: node for key, node in prompt.items() if not _is_behind_sampling(node)}
    loaded = next(node for node in kept.values() if node["class_type"] == "MuseDance_Load")
    loaded["inputs"] |= {"checkpoint": checkpoint, "allow_untrained": True}
    names = ("model", "reference", "music", "beats", "positive")
    values = {name: inputs["inputs"][name] for name in names}
    return kept | {APPLY: node("MuseDance_ApplyDance", seed=0, start=0.0, **values)}


def _is_behind_sampling(one: dict[str, Any]) -> bool:
    first = ("Load", "JoinImage", "MuseDance_Load", "CLIPText", "MuseDance_E")
    return not one["class_type"].startswith(first)


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def ksampler(model: Any, **changes: Any) -> dict[str, Any]:
    values = {
        "model": model,
        "positive": [APPLY, 0],
        "negative": [APPLY, 1],
        "latent_image": [APPLY, 2],
        "seed": 0,
        "steps": 5,
        "cfg": 1.0,
        "sampler_name": "ddim",
        "scheduler": "simple",
        "denoise": 0.625,
    }
    return node("KSampler", **values | changes)


def decoded(prompt: Prompt, latent: Any) -> Prompt:
    loader = next(k for k, n in prompt.items() if n["class_type"] == "MuseDance_Load")
    return prompt | {DECODED: node("VAEDecode", samples=latent, vae=[loader, 1])}


def loader_of(prompt: Prompt) -> str:
    return next(k for k, n in prompt.items() if n["class_type"] == "MuseDance_Load")


def sampled(
    comfy: Comfy, checkpoint: str = STICKER, nodes: Prompt | None = None, **changes: Any
) -> Tensor:
    """Frames `[f 3 h w]` that KSampler makes, with more `nodes` in the workflow."""
    prompt = dance(checkpoint) | (nodes or {})
    prompt[SAMPLER] = ksampler(changes.pop("model", [loader_of(prompt), 3]), **changes)
    return frames_of(comfy, decoded(prompt, [SAMPLER, 0]), DECODED)


def assert_same(a: Tensor, b: Tensor) -> None:
    assert a.shape == b.shape and (a - b).abs().max() <= 2 / 255


@pytest.mark.parametrize(
    ("checkpoint", "steps", "denoise"), [(STICKER, 5, 0.625), (SMALL_SD15, 4, 1.0)]
)
def test_ksampler_with_ddim_equals_our_own_sampler(
    comfy: Comfy, checkpoint: str, steps: int, denoise: float
) -> None:
    by_host = sampled(comfy, checkpoint, steps=steps, denoise=denoise)
    prompt = dance(checkpoint)
    own = {"steps": round(steps / denoise), "sampler": "ddim", "guidance": 1.0, "frames": 48}
    prompt[SAMPLER] = node("MuseDance_Sample", **prompt[APPLY]["inputs"], **own)
    by_us = frames_of(comfy, decoded(prompt, [SAMPLER, 0]), DECODED)
    assert len(by_host) == 48
    assert_same(by_host, by_us)
    assert by_us.std() > 0.02


@dataclass(frozen=True)
class Case:
    """A checkpoint of one of the presets, with the steps and the denoise that suit it."""

    checkpoint: str
    steps: int
    denoise: float

    @property
    def settings(self) -> dict[str, Any]:
        return {"steps": self.steps, "denoise": self.denoise}

    def frames(self, comfy: Comfy, **changes: Any) -> Tensor:
        return sampled(comfy, self.checkpoint, **self.settings | changes)


PRESETS = (Case(STICKER, 5, 0.625), Case(SMALL_SD15, 4, 1.0))


@pytest.fixture(scope="module", params=PRESETS, ids=("sticker", "sd15"))
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


@pytest.fixture(scope="module")
def usual(comfy: Comfy, case: Case) -> Tensor:
    """Frames that KSampler makes with all steps."""
    return case.frames(comfy)


@pytest.fixture(scope="module")
def refined(comfy: Comfy) -> Tensor:
    """Those of the sticker model."""
    return sampled(comfy)


@pytest.mark.parametrize(
    ("sampler", "scheduler", "steps"),
    [("dpmpp_2m", "sgm_uniform", 3), ("euler_ancestral", "karras", 4), ("lcm", "normal", 2)],
)
def test_the_host_s_samplers_and_schedulers_make_the_dance(
    comfy: Comfy, refined: Tensor, sampler: str, scheduler: str, steps: int
) -> None:
    frames = sampled(comfy, sampler_name=sampler, scheduler=scheduler, steps=steps, cfg=1.5)
    # The same dance, frame by frame, although few steps and fresh noise change it a little.
    assert (frames - refined).abs().mean() < 0.8 * (refined - refined.roll(6, 0)).abs().mean()


def test_guiders_take_it(comfy: Comfy, case: Case, usual: Tensor) -> None:
    prompt = dance(case.checkpoint)
    prompt |= {
        "noise": node("RandomNoise", noise_seed=0),
        "guider": node("CFGGuider", model=MODEL, positive=[APPLY, 0], negative=[APPLY, 1], cfg=1.0),
        "sampler": node("KSamplerSelect", sampler_name="ddim"),
        "sigmas": node("BasicScheduler", model=MODEL, scheduler="simple", **case.settings),
        SAMPLER: node(
            "SamplerCustomAdvanced",
            noise=["noise", 0],
            guider=["guider", 0],
            sampler=["sampler", 0],
            sigmas=["sigmas", 0],
            latent_image=[APPLY, 2],
        ),
    }
    assert_same(frames_of(comfy, decoded(prompt, [SAMPLER, 0]), DECODED), usual)


def test_every_step_shows_a_preview(comfy: Comfy, case: Case) -> None:
    prompt = dance(case.checkpoint)
    prompt[SAMPLER] = ksampler(MODEL, seed=7, **case.settings)
    heard = listen(comfy, watched(decoded(prompt, [SAMPLER, 0]), DECODED))
    assert not heard.of("execution_error") and len(heard.previews) >= case.steps


def write_lora(comfy: Comfy, checkpoint: str) -> str:
    """A LoRA on the last convolution of a checkpoint, which is zero in untrained ones; its file
    name."""
    folder = comfy.folder / "models" / "loras"
    own = comfy.folder / "models" / "musedance" / checkpoint
    with safe_open(own if own.is_file() else DEFAULT_CHECKPOINT, framework="pt") as file:
        weight = file.get_tensor("unet.conv_out.weight")
    name = "diffusion_model.network.unet.conv_out"
    generator = torch.Generator().manual_seed(0)
    down = torch.randn(2, *weight.shape[1:], generator=generator) * 0.3
    up = torch.randn(len(weight), 2, 1, 1, generator=generator) * 0.3
    folder.mkdir(exist_ok=True)
    weights = {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    save_file(weights, folder / f"lora-{checkpoint}")
    return f"lora-{checkpoint}"


def test_loras_and_merges_change_the_model_and_leave_the_loaded_one_alone(
    comfy: Comfy, case: Case, usual: Tensor
) -> None:
    lora = write_lora(comfy, case.checkpoint)
    loaded = node("LoraLoaderModelOnly", model=MODEL, lora_name=lora, strength_model=1.0)
    with_lora = case.frames(comfy, nodes={"lora": loaded}, model=["lora", 0])
    merge = node("ModelMergeSimple", model1=MODEL, model2=["lora", 0], ratio=1.0)
    merged = case.frames(comfy, nodes={"lora": loaded, "merge": merge}, model=["merge", 0])
    assert (with_lora - usual).abs().max() > 0.1
    assert_same(merged, usual)
    assert_same(case.frames(comfy, sampler_name="euler"), usual)


def test_a_compiled_model_makes_the_same_frames(comfy: Comfy, case: Case, usual: Tensor) -> None:
    compiled = node("TorchCompileModel", model=MODEL, backend="inductor")
    prompt = dance(case.checkpoint) | {"compiled": compiled}
    prompt[SAMPLER] = ksampler(["compiled", 0], **case.settings)
    prompt_id = comfy.queue(watched(decoded(prompt, [SAMPLER, 0]), DECODED))
    done = comfy.finished(prompt_id, COMPILE_SECONDS)
    assert done["status"]["status_str"] == "success", done["status"]["messages"]
    assert_same(saved_frames(comfy, done), usual)


def test_other_conditioning_and_other_latents_are_refused_in_a_sentence(comfy: Comfy) -> None:
    prompt = dance()
    plain = prompt[APPLY]["inputs"]["positive"]
    prompt[SAMPLER] = ksampler(MODEL, positive=plain)
    error = comfy.fails(watched(decoded(prompt, [SAMPLER, 0]), DECODED))
    assert "Apply dance" in error["exception_message"]
    prompt |= {"half": node("LatentFromBatch", samples=[APPLY, 2], batch_index=0, length=24)}
    prompt[SAMPLER] = ksampler(MODEL, latent_image=["half", 0])
    error = comfy.fails(watched(decoded(prompt, [SAMPLER, 0]), DECODED))
    assert "24 x" in error["exception_message"] and "48 x" in error["exception_message"]


@pytest.mark.parametrize(
    ("length", "tail", "sentence"),
    [
        (48, None, "samples are of a segment to continue: connect its tail, too."),
        (1, [APPLY, 3], "The latent at samples holds 1 frame, but the next segment continues the"),
    ],
)
def test_samples_without_their_tail_and_too_few_are_refused(
    comfy: Comfy, length: int, tail: Any, sentence: str
) -> None:
    prompt = dance()
    part = node("LatentFromBatch", samples=[APPLY, 2], batch_index=0, length=length)
    given = {"samples": ["part", 0]} | ({"tail": tail} if tail else {})
    following = node("MuseDance_ApplyDance", **prompt[APPLY]["inputs"], **given)
    prompt |= {"part": part, "next": following}
    prompt[SAMPLER] = ksampler(
        MODEL, positive=["next", 0], negative=["next", 1], latent_image=["next", 2]
    )
    error = comfy.fails(watched(decoded(prompt, [SAMPLER, 0]), DECODED))
    assert error["node_id"] == "next" and sentence in error["exception_message"]


def test_models_and_vaes_of_other_checkpoints_are_refused(comfy: Comfy) -> None:
    prompt = dance()
    prompt["other"] = node("MuseDance_Load", checkpoint=SMALL_SD15, allow_untrained=True)
    prompt[SAMPLER] = ksampler(["other", 3])
    error = comfy.fails(watched(decoded(prompt, [SAMPLER, 0]), DECODED))
    assert "Apply dance and the sampler have different models" in error["exception_message"]
    prompt = decoded(prompt | {SAMPLER: ksampler(MODEL)}, [SAMPLER, 0])
    restored = {"reference": prompt[APPLY]["inputs"]["reference"], "frames": [DECODED, 0]}
    prompt["restored"] = node(
        "MuseDance_RestorePicture", **restored, vae=["other", 1], tail=[APPLY, 3]
    )
    error = comfy.fails(watched(prompt, "restored"))
    assert "The vae belongs to another model" in error["exception_message"]


def test_nodes_that_change_the_text_encoder_are_refused_in_a_sentence(comfy: Comfy) -> None:
    lora = write_lora(comfy, STICKER)
    strengths = {"strength_model": 1.0, "strength_clip": 1.0}
    both = node("LoraLoader", model=MODEL, clip=[LOADER, 2], lora_name=lora, **strengths)
    skip = node("CLIPSetLastLayer", clip=[LOADER, 2], stop_at_clip_layer=-2)
    for changed, output, words in ((both, 1, "takes no LoRA"), (skip, 0, "cannot be changed")):
        prompt = dance() | {"changed": changed}
        positive = prompt[APPLY]["inputs"]["positive"][0]
        prompt[positive]["inputs"]["clip"] = ["changed", output]
        prompt[SAMPLER] = ksampler(MODEL)
        error = comfy.fails(watched(decoded(prompt, [SAMPLER, 0]), DECODED))
        assert error["exception_type"] == "MuseDance" and words in error["exception_message"]


def test_segments_continue_and_are_restored_at_the_picture_s_size(comfy: Comfy) -> None:
    """Two segments of KSampler, composited, join as two of our own node do."""
    prompt = dance()
    inputs = prompt[APPLY]["inputs"]
    prompt |= {
        SAMPLER: ksampler(MODEL),
        "next": node("MuseDance_ApplyDance", **inputs, tail=[APPLY, 3], samples=[SAMPLER, 0]),
    }
    prompt["second"] = ksampler(
        MODEL, positive=["next", 0], negative=["next", 1], latent_image=["next", 2]
    )
    prompt = decoded(prompt, ["second", 0])
    prompt["restored"] = node(
        "MuseDance_RestorePicture",
        reference=inputs["reference"],
        frames=[DECODED, 0],
        vae=[LOADER, 1],
        tail=["next", 3],
    )
    frames = frames_of(comfy, prompt, "restored")
    assert frames.shape == (48, 3, 256, 256) and frames.std(dim=0).max() > 0.05
