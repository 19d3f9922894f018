"""Import directions, read from the source: only those that ARCHITECTURE.md allows."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "musedance_core"

# Bottom to top. A module imports its own package and the layers below it, never sideways or up.
LAYERS = (
    {"errors", "version"},
    {"ranges"},
    {"config", "files", "streams", "parts", "geometry"},
    {"dance"},
    {"presets", "models", "audio"},
    {"diffusion", "media", "metrics"},
    {"checkpoint"},
    {"dance_video", "dance_poses", "staged_reference"},
    {"world", "dataset"},
    {"sentence_hints"},
    {"pipeline"},
    {"preparation", "evaluation"},
    {"training"},
    {"cli"},
    {"__main__"},
)
HOST = {"comfy", "comfy_api", "comfy_execution", "folder_paths", "server", "nodes", "train"}
TOUCH_HOST = {"host", "host_models", "native"}
NEVER = {"torchvision", "torchaudio", "torchcodec", "pickle"}
ONLY_INFERENCE = {"librosa", "av", "diffusers", "soundfile", "skimage"}
TRAINING_PATH = ("dance", "models", "world", "dataset", "training")


def layer(name: str) -> int:
    found = [i for i, names in enumerate(LAYERS) if name in names]
    assert found, f"musedance_core/{name} has no layer: give it one in tests/test_imports.py"
    return found[0]


def sources(*folders: str) -> list[Path]:
    return sorted(p for f in folders if (ROOT / f).exists() for p in (ROOT / f).rglob("*.py"))


def imports(path: Path, top_level: bool = False) -> Iterator[str]:
    """Dotted names that `path` imports; relative ones are resolved to `musedance_core...`."""
    tree = ast.parse(path.read_text())
    package = list(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            if len(base) > 1 or not node.level:
                yield ".".join(base)
            else:
                yield from (".".join([*base, alias.name]) for alias in node.names)


def heads(path: Path, top_level: bool = False) -> set[str]:
    return {name.split(".")[0] for name in imports(path, top_level)}


def group(path: Path) -> str:
    return path.relative_to(CORE).with_suffix("").parts[0]


@pytest.mark.parametrize("path", sources("musedance_core"), ids=lambda p: str(p.relative_to(CORE)))
def test_core_imports_only_downwards(path: Path) -> None:
    own = group(path)
    if own == "__init__":
        return
    for name in imports(path):
        if name.startswith("musedance_core."):
            other = name.split(".")[1]
            allowed = other == own or layer(other) < layer(own)
            assert allowed, f"musedance_core/{own} must not import {other}"


def test_core_knows_no_host_and_no_trainer_script() -> None:
    for path in sources("musedance_core"):
        assert not heads(path) & (HOST | NEVER), path


def test_core_imports_itself_relatively() -> None:
    for path in sources("musedance_core"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] != "musedance_core", path
            elif isinstance(node, ast.Import):
                assert all(a.name.split(".")[0] != "musedance_core" for a in node.names), path


def test_the_training_path_loads_no_inference_library() -> None:
    for path in sources(*(f"musedance_core/{name}" for name in TRAINING_PATH)):
        assert not heads(path, top_level=True) & ONLY_INFERENCE, path
    for path in sources("train"):
        assert not heads(path) & (ONLY_INFERENCE | NEVER), path


def test_nodes_import_only_what_inference_needs() -> None:
    if not sources("nodes"):
        pytest.skip("there are no nodes")
    for path in sources("nodes"):
        for name in imports(path):
            assert name.split(".")[0] != "train", path
            assert not name.startswith("musedance_core.training"), path
            assert not name.startswith("musedance_core.evaluation"), path
        if path.stem not in TOUCH_HOST:
            assert not heads(path) & {"comfy", "folder_paths"}, path


def test_the_package_and_its_command_line_are_light() -> None:
    """`musedance --help` must answer at once, so nothing heavy loads before a command runs."""
    code = (
        "import sys, musedance_core.cli as cli; cli.build_parser().format_help();"
        "print(sorted({'torch', 'numpy', 'scipy', 'librosa', 'av', 'transformers', 'PIL'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
