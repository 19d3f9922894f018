"""The launch files in train/accelerate are valid for accelerate."""

from __future__ import annotations

from pathlib import Path

import pytest
from accelerate.commands.config.config_args import load_config_from_file

FILES = sorted((Path(__file__).parents[2] / "train/accelerate").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_accelerate_reads_it(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.distributed_type == "MULTI_GPU"
    assert config.num_processes % config.num_machines == 0
    assert config.mixed_precision == "bf16" and not config.use_cpu


def test_both_launch_files_exist() -> None:
    assert {path.name for path in FILES} == {"multi_gpu.yaml", "multi_node.yaml"}
