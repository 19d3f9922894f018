"""`musedance train STAGE`: its configs, and its stages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from musedance_core.cli.train import STAGES, find_config
from musedance_core.training import entry

Run = Callable[..., int]


def test_the_listed_stages_are_those_of_training() -> None:
    assert list(STAGES) == list(entry.STAGES)


def test_every_stage_has_a_script_for_accelerate() -> None:
    folder = Path(__file__).parents[2] / "train"
    for stage in [*STAGES, "judges"]:
        assert f'main(["train", "{stage}", *sys.argv[1:]])' in (folder / f"{stage}.py").read_text()


def test_configs_of_a_checkout_are_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(find_config("smoke/stage1.yaml")).is_file()
    (tmp_path / "smoke").mkdir()
    (tmp_path / "smoke/stage1.yaml").write_text("")
    assert find_config("smoke/stage1.yaml") == "smoke/stage1.yaml"


def test_a_config_that_is_nowhere_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "stage1", "none.yaml", "output_dir=out") == 2
    message = capsys.readouterr().err
    assert message.startswith("musedance: The config none.yaml cannot be read")
    assert message.count("\n") == 1
