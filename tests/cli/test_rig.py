"""`musedance rig`: the table, the files, and bad inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.dance.openpose_json import parse_openpose, read_rig_or_openpose
from musedance_core.dance.skeleton import JOINTS
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer

Run = Callable[..., int]


def test_joints_are_printed_and_written(
    run: Run, inputs: Path, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = {name: tmp_path / name for name in ("rig.json", "rig.png", "openpose.json")}
    words = ["--json", paths["rig.json"], "--plot", paths["rig.png"]]
    words += ["--keypoints", paths["openpose.json"], "--checkpoint", written]
    assert run("rig", inputs / "sticker.png", *words) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in JOINTS)
    rig = read_rig_or_openpose(paths["rig.json"])
    table = printed.splitlines()[1:17]
    assert [" null " in line for line in table] == [not there for there in rig.present]
    names = f"{paths['rig.json']}, {paths['rig.png']} and {paths['openpose.json']}"
    assert printed.endswith(f"of 16 joints found; written to {names}.\n")
    values = json.loads(paths["rig.json"].read_text())
    assert set(values) == {"size", "joints", "confidence"} and values["size"] == [90, 120]
    assert set(values["joints"]) == set(values["confidence"]) == set(JOINTS)
    (pose,) = parse_openpose(paths["openpose.json"].read_text(), "It")
    assert pose.size == (90, 120) and len(pose.people) == int(bool(rig.present.any()))
    with Image.open(paths["rig.png"]) as plot:
        assert plot.format == "PNG" and plot.height > 512


def test_a_mask_says_where_the_figure_is(
    run: Run, inputs: Path, written: Path, tmp_path: Path
) -> None:
    mask, path = tmp_path / "mask.png", tmp_path / "rig.json"
    Image.new("L", (90, 120)).save(mask)
    assert run("rig", inputs / "sticker.png", "--mask", mask, "--checkpoint", written) == 2
    white = Image.new("L", (90, 120))
    white.paste(255, (10, 10, 60, 110))
    white.save(mask)
    words = ["--mask", mask, "--checkpoint", written, "--json", path]
    assert run("rig", inputs / "sticker.png", *words) == 0 and path.is_file()


def test_a_model_without_a_rig_network_is_named(
    run: Run,
    inputs: Path,
    model: MuseDance,
    tokenizer: Tokenizer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "plain.safetensors"
    plain = MuseDance(replace(model.config, rig=None))
    save_checkpoint(path, plain, tokenizer, {"trained": True})
    assert run("rig", inputs / "sticker.png", "--checkpoint", path) == 2
    assert capsys.readouterr().err == f"musedance: {path} has no rig network: it finds no joints.\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{inputs}/none.png"], "none.png"),
        (["{inputs}/corrupt.png"], "corrupt.png"),
        (["{inputs}/sticker.png", "--json", "{out}/rig.txt"], "must end in .json"),
        (["{inputs}/sticker.png", "--plot", "{out}/rig.jpg"], "must end in .png"),
        (["{inputs}/sticker.png", "--plot", "{inputs}/sticker.png"], "is also an input"),
        (["{inputs}/sticker.png", "--json", "{out}/a.json", "--keypoints", "{out}/a.json"], "both"),
        (
            ["{inputs}/sticker.png", "--json", "{out}/a.json", "--keypoints", "{out}/./a.json"],
            "both",
        ),
        (["{inputs}/sticker.png", "--checkpoint", "{inputs}/text.safetensors"], "safetensors"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run,
    words: list[str],
    message: str,
    inputs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("rig", *(w.format(inputs=inputs, out=tmp_path) for w in words)) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and message in printed.err and printed.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
