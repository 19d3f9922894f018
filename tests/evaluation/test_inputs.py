from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.errors import InputError
from musedance_core.evaluation.inputs import named_rows, read_inputs, report_folder
from musedance_core.evaluation.options import EvaluationOptions
from musedance_core.media.video import write_video
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A folder in the one that a report is to be written to."""
    folder = tmp_path / "report" / "clips" / "01"
    folder.mkdir(parents=True)
    write_video(folder / "a.mp4", [torch.zeros(6, 3, 32, 32)], 12)
    return folder


@pytest.mark.parametrize(
    ("paths", "more"),
    [
        (("{out}/clips/01",), {}),
        (("{out}/clips/../clips/01",), {}),
        (("{out}",), {}),
        (("{model}", "{out}/clips/01"), {}),
        (("{elsewhere}",), {"truth": "{out}/clips/01"}),
        (("{elsewhere}",), {"beats": "{out}/beats.json"}),
        (("{model}",), {"dataset": "{out}"}),
    ],
)
def test_inputs_inside_the_report_folder_are_refused(
    paths: tuple[str, ...], more: dict[str, str], videos: Path, written: Path, tmp_path: Path
) -> None:
    places = {"out": tmp_path / "report", "model": written, "elsewhere": tmp_path / "elsewhere"}
    given = {name: path.format(**places) for name, path in more.items()}
    options = EvaluationOptions(
        tuple(path.format(**places) for path in paths), str(tmp_path / "report"), **given
    )
    with pytest.raises(InputError, match=r"lies in the report's own folder; give another --out\."):
        read_inputs(options)


def test_the_same_videos_are_read_for_a_report_elsewhere(videos: Path, tmp_path: Path) -> None:
    inputs = read_inputs(EvaluationOptions((str(videos),), str(tmp_path / "other")))
    assert [pair.video.name for pair in inputs.videos[str(videos)]] == ["a.mp4"]
    assert inputs.clip is None and inputs.records is None
    with pytest.raises(InputError, match="--dataset and --seconds belong"):
        read_inputs(EvaluationOptions((str(videos),), str(tmp_path / "other"), seconds=3))


def test_checkpoints_that_make_other_clips_are_refused_in_one_call(
    written: Path, model: MuseDance, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    config = replace(model.config, clip=replace(model.config.clip, frames=4))
    save_checkpoint(tmp_path / "short.safetensors", MuseDance(config), tokenizer, {})
    options = EvaluationOptions(
        (str(written), str(tmp_path / "short.safetensors")), str(tmp_path / "out")
    )
    with pytest.raises(InputError, match=r"short.* makes 4 frames.* makes 6 frames of 128 x 128"):
        read_inputs(options)
    assert read_inputs(replace(options, paths=options.paths[1:])).frames == 4


def test_a_length_that_the_world_does_not_have_is_refused_before_anything_is_loaded(
    written: Path, tmp_path: Path
) -> None:
    options = EvaluationOptions((str(written),), str(tmp_path / "out"), seconds=2)
    assert read_inputs(options).frames == 24
    with pytest.raises(InputError, match="got 300"):
        read_inputs(replace(options, seconds=300))
    with pytest.raises(InputError, match="--world belong to folders"):
        read_inputs(replace(options, world=True))


@pytest.mark.parametrize("name", ["clips", "truth", "beats"])
def test_a_folder_that_holds_clips_is_no_place_for_a_report(name: str, tmp_path: Path) -> None:
    assert report_folder(str(tmp_path / "new")).is_dir()
    assert report_folder(str(tmp_path / "new")).is_dir()
    (tmp_path / "new" / name).mkdir()
    with pytest.raises(InputError, match=f"{name} already exists"):
        report_folder(str(tmp_path / "new"))


def test_rows_are_labelled_by_file_name_or_option() -> None:
    options = EvaluationOptions(("a/model.safetensors", "b/v1.5"), "out")
    assert [row.label for row in named_rows(options)] == ["model", "v1.5"]
    labelled = named_rows(replace(options, labels=("one", "two")))
    assert [(row.label, row.subfolder) for row in labelled] == [
        ("one", "clips/01"),
        ("two", "clips/02"),
    ]
