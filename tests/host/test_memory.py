"""Out-of-memory handling with the host's own functions and networks that claim too much."""

from __future__ import annotations

import subprocess

import pytest

from .conftest import ROOT, comfy_folder, comfy_python

pytestmark = pytest.mark.xdist_group("comfy")
SCRIPT = """
import sys; sys.path.insert(0, sys.argv[1])
import importlib.util, types
from comfy.cli_args import args
args.cpu = True
import comfy.sd, torch
import comfy.model_management as manage
root = sys.argv[2]
spec = importlib.util.spec_from_file_location(
    "pack", root + "/__init__.py", submodule_search_locations=[root]
)
pack = sys.modules["pack"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(pack)
from pack.nodes.host_models import HostVAE

class Greedy(torch.nn.Linear):
    config = types.SimpleNamespace(reduction=4, scale=1.0, latent_channels=3)
    def __init__(self, most):
        super().__init__(1, 1)
        self.most, self.tried = most, []
    def decode(self, latents):
        self.tried.append(len(latents))
        if len(latents) > self.most:
            raise torch.OutOfMemoryError("out of memory")
        return latents.repeat(1, 1, 4, 4)

latents = torch.arange(11.0).reshape(11, 1, 1, 1).expand(11, 3, 2, 2)
enough = Greedy(2)
frames = HostVAE(enough).decode(latents)
print(tuple(frames.shape), frames[:, 0, 0, 0].tolist() == list(range(11)), enough.tried)
try:
    HostVAE(Greedy(0)).decode(latents)
except ValueError as error:
    print(error)
class Broken(Greedy):
    def decode(self, latents):
        raise RuntimeError("shapes differ")
try:
    HostVAE(Broken(9)).decode(latents)
except RuntimeError as error:
    print(error)
"""


def test_decoding_halves_its_chunks_and_then_says_so() -> None:
    home = comfy_folder()
    if not (home / "main.py").is_file():
        pytest.skip(f"there is no ComfyUI at {home}; set COMFYUI_PATH")
    command = [str(comfy_python(home)), "-c", SCRIPT, str(home), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=home, check=True)
    halved, short, broken = done.stdout.strip().splitlines()[-3:]
    assert halved == "(11, 8, 8, 3) True [8, 4, 2, 2, 2, 2, 2, 1]"
    assert short.startswith("There is not enough memory for even one frame")
    assert broken == "shapes differ", "only a lack of memory is one"
