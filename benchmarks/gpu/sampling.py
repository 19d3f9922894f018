"""`sd15` at full size with random weights: seconds a step, memory, a roofline, and a whole dance.

python -m benchmarks.gpu.sampling bfloat16|float16 [--roofline] [--dance] --out FOLDER
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from statistics import median

import torch
from torch import Tensor

from musedance_core.diffusion.guidance import Guidance
from musedance_core.diffusion.segment import (
    SamplingSettings,
    SegmentInput,
    condition_set,
    denoise_segment,
    initial_noise,
)
from musedance_core.models import MuseDance
from musedance_core.models.vae import run_in_batches

from .findings import memory, reset_memory, synchronize
from .setup import Job, job, random_model, sd15_config, segment_input, token_ids, with_frames
from .timing import Regions, seconds_of

FRAME_COUNTS = (16, 24, 48)
TIMED_STEPS = 4
TOP_KERNELS = 25
DANCE_STEPS = 25


class Sampling:
    """The measurements of one model in one precision."""

    def __init__(self, job: Job, dtype: torch.dtype) -> None:
        self.job, self.dtype = job, str(dtype).removeprefix("torch.")
        began = time.monotonic()
        self.began = began
        self.base = sd15_config(job.toy)
        self.model: MuseDance = random_model(self.base, job.device, dtype)
        synchronize()
        parts = {
            name: sum(p.numel() for p in part.parameters()) / 1e6
            for name, part in self.model.named_children()
        }
        self.add("model", seconds=time.monotonic() - began, millions=parts, **memory())

    def add(self, name: str, **values: object) -> None:
        """A finding of this model."""
        self.job.findings.add(name, dtype=self.dtype, **values)

    def left(self) -> float:
        """Seconds left for this process."""
        return self.job.seconds - (time.monotonic() - self.began)

    def inputs(self, frames: int) -> SegmentInput:
        """Inputs of a segment of `frames` frames, for which the model is set."""
        self.model.config = with_frames(self.base, frames)
        with torch.no_grad():
            text = self.model.text(token_ids(self.base, 1).to(self.job.device))
        return segment_input(self.model, 12.0, text)

    @contextmanager
    def measured(self, name: str, **values: object) -> Iterator[None]:
        """Memory counted from here on; too little of it is a finding."""
        reset_memory()
        try:
            yield
        except torch.cuda.OutOfMemoryError as error:
            self.job.findings.out_of_memory(name, error, dtype=self.dtype, **values)

    def steps(self, frames: int) -> None:
        """Seconds of a guided step (two calls of the denoiser), and the peak of memory."""
        with self.measured("sampling", frames=frames):
            stamps, clean = self.denoised(frames, TIMED_STEPS)
            taken = [after - before for before, after in pairwise(stamps)]
            self.add(
                "sampling",
                frames=frames,
                seconds_a_step=median(taken[1:]),
                before_first_step=taken[0] - median(taken[1:]),
                finite=bool(clean.isfinite().all()),
                **memory(),
            )

    def denoised(self, frames: int, steps: int) -> tuple[list[float], Tensor]:
        """Times before the first and after every step, and the clean latents `[f c h w]`."""
        inputs = self.inputs(frames)
        noise = initial_noise(self.model, inputs.reference, 0, 0)
        settings = SamplingSettings(steps, Guidance.of(self.base.schedule))
        synchronize()
        stamps = [time.perf_counter()]

        def stamp(step: int, denoised: Tensor) -> None:
            synchronize()
            stamps.append(time.perf_counter())

        return stamps, denoise_segment(self.model, inputs, noise, settings, stamp).latents

    def roofline(self, frames: int, peak: float) -> None:
        """FLOP and seconds of one call of the denoiser by region, against the measured peak."""
        with self.measured("roofline", frames=frames), torch.no_grad():
            call = self.one_call(frames)
            with Regions(self.model.unet) as regions:
                call()
                flop, seconds = regions.flop(call), regions.seconds(call)
            total, taken = sum(flop.values()), sum(seconds.values())
            self.add(
                "roofline, whole call",
                frames=frames,
                teraflop=total / 1e12,
                seconds=taken,
                tflops=total / taken / 1e12,
                of_peak=total / taken / peak if peak else 0.0,
            )
            for region in sorted(seconds, key=lambda name: -seconds[name]):
                rate = flop.get(region, 0.0) / max(seconds[region], 1e-9)
                self.add(
                    f"roofline, {region}",
                    teraflop=flop.get(region, 0.0) / 1e12,
                    seconds=seconds[region],
                    share=seconds[region] / taken,
                    tflops=rate / 1e12,
                    of_peak=rate / peak if peak else 0.0,
                )
            self.kernels(call)

    def one_call(self, frames: int) -> Callable[[], Tensor]:
        """A call of the denoiser with everything that can drive it."""
        inputs = self.inputs(frames)
        conditions = condition_set(self.model, inputs, Guidance(1.0))
        x = initial_noise(self.model, inputs.reference, 0, 0)
        t = torch.tensor([400], device=x.device)
        return lambda: self.model.unet(x, t, conditions.full)

    def kernels(self, call: Callable[[], Tensor]) -> None:
        """The kernels that most time goes to."""
        if not torch.cuda.is_available():
            return
        activities = [torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=activities) as profile:
            seconds_of(call)
        events = sorted(profile.key_averages(), key=lambda event: -event.self_device_time_total)
        for event in events[:TOP_KERNELS]:
            milliseconds = event.self_device_time_total / 1e3
            self.add("kernel", kernel=event.key[:90], calls=event.count, ms=milliseconds)

    def dance(self, frames: int) -> None:
        """A whole segment: guided steps, then the autoencoder."""
        latents = None
        with self.measured("dance", frames=frames):
            steps = 2 if self.job.toy else DANCE_STEPS
            stamps, latents = self.denoised(frames, steps)
            taken = stamps[-1] - stamps[0]
            self.add("dance", frames=frames, steps=steps, seconds=taken, **memory())
        if latents is None:
            return
        if not hasattr(self.model, "vae"):
            self.add("decoding", skipped="diffusers is not installed")
            return
        with self.measured("decoding", frames=frames), torch.no_grad():
            runs: list[Tensor] = []
            decode, size = self.model.vae.decode, self.base.clip.size
            seconds = seconds_of(lambda: runs.append(run_in_batches(decode, latents, size)))
            finite = bool(runs[0].isfinite().all())
            self.add("decoding", frames=frames, seconds=seconds, finite=finite, **memory())


def matmul_peak(dtype: torch.dtype, device: torch.device) -> float:
    """FLOP/s of a large product in `dtype`, 0 on a CPU."""
    if device.type != "cuda":
        return 0.0
    n = 8192
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    seconds_of(lambda: a @ b)
    return 2 * n**3 / min(seconds_of(lambda: a @ b) for _ in range(5))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("dtype", choices=("bfloat16", "float16"))
    parser.add_argument("--roofline", action="store_true")
    parser.add_argument("--dance", action="store_true")
    measured, args = job("b", parser)
    dtype = getattr(torch, args.dtype)
    peak = matmul_peak(dtype, measured.device)
    sampling = Sampling(measured, dtype)
    counts = (2, 4) if measured.toy else FRAME_COUNTS
    for frames in counts:
        sampling.steps(frames)
    if args.dance:
        sampling.dance(counts[-1])
    if args.roofline:
        sampling.roofline(counts[-1], peak)


if __name__ == "__main__":
    main()
