"""The machine, and its two ceilings: matrix products and memory copies."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import torch

from .setup import Job, job
from .timing import seconds_of

PACKAGES = (
    *("torch", "tokenizers", "accelerate", "einops", "safetensors", "numpy", "scipy", "pillow"),
    *("diffusers", "librosa", "av", "bitsandbytes"),
)


def installed(name: str) -> str:
    """The version of a package, "" where it is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def environment(job: Job) -> None:
    """Versions and hardware."""
    found = {name: installed(name) for name in PACKAGES}
    values = {"python": platform.python_version(), "cpus": os.cpu_count(), "packages": found}
    if torch.cuda.is_available():
        properties = torch.cuda.get_device_properties(0)
        values |= {"gpu": properties.name, "memory_gb": properties.total_memory / 1e9}
    job.findings.add("environment", **values)


def matmul_peak(job: Job, dtype: torch.dtype) -> None:
    """FLOP/s of a large square product of random matrices."""
    n = 256 if job.toy else 8192
    a, b = (torch.randn(n, n, device=job.device).to(dtype) for _ in range(2))
    seconds = _median(lambda: a @ b)
    name = str(dtype).removeprefix("torch.")
    job.findings.add("matmul", dtype=name, n=n, tflops=2 * n**3 / seconds / 1e12)


def copy_bandwidth(job: Job) -> None:
    """Bytes a second of a copy within the device, read plus written."""
    count = 2**20 if job.toy else 2**31
    source = torch.randint(0, 255, (count,), dtype=torch.uint8, device=job.device)
    target = torch.empty_like(source)
    seconds = _median(lambda: target.copy_(source))
    job.findings.add("copy", gb=count / 1e9, tb_per_second=2 * count / seconds / 1e12)


def _median(work: Callable[[], object], times: int = 10) -> float:
    """Median seconds after a warm-up."""
    for _ in range(3):
        work()
    return median(seconds_of(work) for _ in range(times))


def main() -> None:
    measured, _ = job("environment")
    environment(measured)
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        matmul_peak(measured, dtype)
    copy_bandwidth(measured)


if __name__ == "__main__":
    main()
