"""The account that publishes is a placeholder in few, known places."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = Path(".github/set_owner.py")
MENTIONS = {str(SCRIPT), ".github/workflows/publish.yml"}
"""Files that name the placeholder without using it."""


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("set_owner", ROOT / SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_only_the_listed_files_contain_the_placeholder(script: ModuleType) -> None:
    found = subprocess.run(
        ["git", "grep", "-lI", script.PLACEHOLDER], cwd=ROOT, capture_output=True, text=True
    )
    if found.returncode > 1:
        pytest.skip("this is not a git checkout")
    assert set(found.stdout.split()) - MENTIONS == set(script.FILES)


def test_it_fills_every_placeholder(script: ModuleType, tmp_path: Path) -> None:
    for name in script.FILES:
        shutil.copyfile(ROOT / name, tmp_path / name)
    script.fill("some-account", tmp_path)
    for name in script.FILES:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert script.PLACEHOLDER not in text and "/some-account/" in text


@pytest.mark.parametrize("account", ["", "a/b", "-a", "a" * 40])
def test_it_refuses_what_is_no_account(script: ModuleType, account: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="is not the name of a GitHub account"):
        script.fill(account, tmp_path)
