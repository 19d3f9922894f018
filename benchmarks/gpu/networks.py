"""Every network on this device against the CPU in single precision: answers, gradients, dances.

Two models: the embedded one with its trained weights, and a narrow `sd15` with random ones. No
default device is set, so a tensor that a network makes on the wrong device is an error here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass

import numpy as np
import torch
from torch import Tensor

from musedance_core.audio.waveform import Waveform
from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.segment import condition_set
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import train_tokenizer
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.training.config import TrainConfig
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.stage2 import Stage2

from .setup import (
    BPM,
    STICKER,
    Job,
    job,
    random_model,
    sd15_config,
    segment_input,
    token_ids,
    training_batch,
)

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.01}
"""Largest ||answer - reference|| / ||reference|| of a network's answer."""
GRADIENT_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1}
"""The same for the gradient of a whole part of the model."""
LEAST_PSNR = {torch.float32: 50.0, torch.bfloat16: 25.0, torch.float16: 35.0}
"""Of a whole dance against the one that a CPU makes, in dB."""
STEPS = 8
SAMPLER_NAMES = ("ddim", "dpmpp_2m")
RATE = 16_000
CPU = torch.device("cpu")
Make = Callable[[torch.device, torch.dtype], MuseDance]


def dtypes(job: Job) -> tuple[torch.dtype, ...]:
    """Those to check; on a CPU half precision would take minutes."""
    return DTYPES if job.device.type == "cuda" else DTYPES[:2]


def embedded(device: torch.device, dtype: torch.dtype) -> MuseDance:
    """The model in the package."""
    return MuseDancePipeline.from_pretrained(device=device, dtype=dtype).model


def narrow(device: torch.device, dtype: torch.dtype) -> MuseDance:
    """A narrow `sd15`, the same weights wherever it goes."""
    return random_model(sd15_config(toy=True), CPU, torch.float32).to(device, dtype)


MODELS: dict[str, Make] = {"sticker": embedded, "sd15": narrow}


@torch.no_grad()
def answers(model: MuseDance) -> dict[str, Tensor]:
    """Outputs of every network for fixed inputs, by name."""
    config, parameter = model.config, next(model.unet.parameters())
    generator = torch.Generator().manual_seed(4)
    text = model.text(token_ids(config, 1).to(parameter.device))
    inputs = segment_input(model, 12.0, text)
    conditions = condition_set(model, inputs, Guidance(2.0, {"music": 1.0}))
    found: dict[str, object] = {}
    for field in fields(conditions.full):
        found[f"conditions: {field.name}"] = getattr(conditions.full, field.name)
    shape = (1, config.clip.frames, *inputs.reference.shape[1:])
    x = torch.randn(shape, generator=generator).to(parameter)
    for t in (999, 400):
        times = torch.tensor([t], device=x.device)
        found[f"denoiser, t={t}"] = model.unet(x, times, conditions.full)
        found[f"denoiser unconditional, t={t}"] = model.unet(x, times, conditions.none)
    if hasattr(model, "vae"):
        picture = torch.rand(2, 3, config.clip.size, config.clip.size, generator=generator)
        latents = model.vae.encode(picture.to(parameter))
        found |= {"encoded picture": latents, "decoded picture": model.vae.decode(latents)}
    vectors = {name: numbers(value) for name, value in found.items()}
    return {name: torch.cat(vector) for name, vector in vectors.items() if vector}


def numbers(value: object) -> list[Tensor]:
    """All tensors inside a tensor, a tuple or a dataclass, flat, on the CPU."""
    if isinstance(value, Tensor):
        return [value.float().cpu().flatten()]
    inner: list[object] = list(value) if isinstance(value, tuple) else []
    if is_dataclass(value):
        inner = [getattr(value, field.name) for field in fields(value)]
    return [vector for item in inner for vector in numbers(item)]


def gradients(model: MuseDance, precision: str) -> dict[str, Tensor]:
    """Loss of stage 2 on a fixed batch, and its gradient, all learning, by part of the model."""
    config = model.config
    frames = min(8, config.clip.frames)
    training = TrainConfig(output_dir="", precision=precision, gradient_checkpointing=True)
    tokenizer = train_tokenizer(["a dancer hops"], 300)
    stage = Stage2(model, tokenizer, training).train().requires_grad_(True)
    batch = {k: v.to(stage.device) for k, v in training_batch(config, 2, frames).items()}
    half = precision == "bf16"
    with torch.autocast(stage.device.type, torch.bfloat16, enabled=half):
        losses = stage(batch, StepRandom(0, 0, 2))
    losses.mean().backward()
    found = {"loss": losses.detach().float().cpu()}
    for part in ("unet", "reference", "mask"):
        parameters = getattr(model, part).parameters()
        found[f"gradient of {part}"] = torch.cat(
            [p.grad.float().cpu().flatten() for p in parameters if p.grad is not None]
        )
    model.zero_grad(set_to_none=True)
    model.eval().requires_grad_(False)
    return found


def dance(pipeline: MuseDancePipeline, sampler: str) -> Tensor:
    """One segment of a small model's dance, frames `[f 3 h w]`; beats are given, so that nothing
    has to track them.

    Raises:
        InputError: the frames are not finite.
    """
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 12 * RATE)).astype(np.float32)
    beats = [0.1 + 60 / BPM * i for i in range(20)]
    seconds = pipeline.config.clip.seconds
    video = pipeline(
        STICKER,
        Waveform(noise, RATE),
        "big hops on the spot",
        seconds=seconds,
        steps=STEPS,
        sampler=sampler,
        guidance=1.5,
        beats=beats,
    )
    return video.frames


def compare(
    job: Job,
    name: str,
    dtype: torch.dtype,
    found: dict[str, Tensor],
    right: dict[str, Tensor],
    tolerance: float,
) -> None:
    """Write down relative errors, and which are above the tolerance."""
    errors = {key: relative_error(value, right[key]) for key, value in found.items()}
    above = [key for key, error in errors.items() if not error <= tolerance]
    job.findings.add(
        name,
        dtype=_name(dtype),
        passed=not above,
        above=above,
        tolerance=tolerance,
        errors=errors,
    )


def relative_error(value: Tensor, right: Tensor) -> float:
    """||value - right|| / ||right||; not a number where a value is not."""
    return float((value - right).norm() / right.norm().clamp_min(1e-12))


def psnr(frames: Tensor, right: Tensor) -> float:
    """PSNR in dB, at most 120; not a number where a value is not."""
    return float(-10 * (frames - right).square().mean().clamp_min(1e-12).log10())


def check_networks(job: Job) -> None:
    """Answers of both models in all precisions."""
    for name, make in MODELS.items():
        right = answers(make(CPU, torch.float32))
        for dtype in dtypes(job):
            found = answers(make(job.device, dtype))
            compare(job, f"networks of {name}", dtype, found, right, TOLERANCE[dtype])


def check_gradients(job: Job) -> None:
    """Gradients of both models. Training offers fp32 and bf16, no fp16."""
    for name, make in MODELS.items():
        right = gradients(make(CPU, torch.float32), "fp32")
        for dtype, precision in ((torch.float32, "fp32"), (torch.bfloat16, "bf16")):
            found = gradients(make(job.device, torch.float32), precision)
            compare(job, f"gradients of {name}", dtype, found, right, GRADIENT_TOLERANCE[dtype])


def check_dances(job: Job) -> None:
    """Whole dances by every sampler, and the same seed twice."""
    pipeline = MuseDancePipeline.from_pretrained(device="cpu")
    right = {sampler: dance(pipeline, sampler) for sampler in SAMPLER_NAMES}
    for dtype in dtypes(job):
        pipeline = MuseDancePipeline.from_pretrained(device=job.device, dtype=dtype)
        for sampler in SAMPLER_NAMES:
            job.findings.add(
                f"dance by {sampler}",
                dtype=_name(dtype),
                **compare_dances(pipeline, sampler, right[sampler], LEAST_PSNR[dtype]),
            )


def compare_dances(
    pipeline: MuseDancePipeline, sampler: str, right: Tensor, least: float
) -> dict[str, object]:
    """PSNR against the frames `right`, and whether the same seed repeats them."""
    try:
        frames = dance(pipeline, sampler)
    except InputError as error:
        return {"passed": False, "refused": str(error)}
    decibels = psnr(frames, right)
    return {
        "passed": decibels >= least,
        "psnr": decibels,
        "least": least,
        "repeats_bit_for_bit": torch.equal(frames, dance(pipeline, sampler)),
    }


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def main() -> None:
    measured, _ = job("a")
    check_networks(measured)
    check_gradients(measured)
    check_dances(measured)


if __name__ == "__main__":
    main()
