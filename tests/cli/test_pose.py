"""`musedance pose`: an OpenPose video and OpenPose JSON of a dance, and bad inputs."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from musedance_core.audio.waveform import load_waveform
from musedance_core.checkpoint.format import save_checkpoint
from musedance_core.config import MuseDanceConfig
from musedance_core.dance.openpose_json import parse_openpose
from musedance_core.dance.pose_image import draw_pose
from musedance_core.media.video import read_video
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer

Run = Callable[..., int]


@pytest.fixture
def words(inputs: Path, written: Path) -> list[str | Path]:
    return ["pose", inputs / "song.wav", "--text", "big hops", "--checkpoint", written]


def test_video_and_keypoints_are_the_same_dance(
    run: Run, words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, keypoints = tmp_path / "pose.mp4", tmp_path / "pose.json"
    more = ["--size", "96x128", "--fps", "30", "--start", "1.25", "--seconds", "2"]
    assert run(*words, *more, "--out", out, "--json", keypoints) == 0
    printed = capsys.readouterr().out
    assert f"{out} and {keypoints}: 2.00 s of dance (60 frames), tempo" in printed
    video, fps = read_video(out)
    frames = parse_openpose(keypoints.read_text(), "The video")
    assert video.shape == (60, 3, 128, 96) and fps == 30 and len(frames) == 60
    assert load_waveform(out).seconds == pytest.approx(2, abs=0.01)
    points = torch.stack([frame.person()[:, :2] for frame in frames])
    assert frames[0].size == (96, 128)
    assert (draw_pose(points, (96, 128)) - video).abs().mean() < 0.01
    known = points[torch.isfinite(points).all(dim=-1)]
    assert (known > 0).all() and (known < torch.tensor([96, 128])).all()


def test_the_seed_decides(run: Run, words: list[str], tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        path = tmp_path / f"{name}.json"
        assert run(*words, "--seconds", "1", "--seed", seed, "--json", path) == 0
        texts.append(path.read_text())
    assert texts[0] == texts[1] != texts[2]
    assert "NaN" not in texts[0] and len(json.loads(texts[0])) == 24


def test_an_empty_sentence_leaves_the_move_to_the_song(
    run: Run, words: list[str], tmp_path: Path
) -> None:
    texts = []
    for name, sentence in (("a", ""), ("b", "  "), ("c", "big hops")):
        path = tmp_path / f"{name}.json"
        assert run(*words, "--text", sentence, "--seconds", "1", "--json", path) == 0
        texts.append(path.read_text())
    assert texts[0] == texts[1] != texts[2]


def test_proportions_come_from_a_rig_or_openpose_json(
    run: Run, words: list[str], tmp_path: Path
) -> None:
    plain, again = tmp_path / "plain.json", tmp_path / "again.json"
    assert run(*words, "--seconds", "0.5", "--json", plain) == 0
    values = json.loads(plain.read_text())[:1]
    person = values[0]["people"][0]["pose_keypoints_2d"]
    person[3 * 4 + 2] = 0  # no right wrist
    rig = tmp_path / "person.json"
    rig.write_text(json.dumps(values))
    assert run(*words, "--seconds", "0.5", "--rig", rig, "--json", again) == 0
    points = parse_openpose(again.read_text(), "The video")[0].person()
    assert points[4, 2] == 0 and bool(torch.isfinite(points[3]).all())


BAD = {
    "nothing to write": ([], "give --out, --json or both"),
    "a strange size": (["--json", "{out}/k.json", "--size", "big"], "--size"),
    "too fast": (["--json", "{out}/k.json", "--fps", "61"], "--fps"),
    "another ending": (["--out", "{out}/a.txt"], ".mp4"),
    "JSON in a video": (["--json", "{out}/k.mp4"], "must end in .json"),
    "a rig that is none": (
        ["--json", "{out}/k.json", "--rig", "{inputs}/words.json"],
        "words.json is no rig",
    ),
    "overwriting the song": (["--out", "{inputs}/song.wav"], ".mp4"),
    "start beyond the song": (["--json", "{out}/k.json", "--start", "7"], "6.00 s long"),
    "a time beyond the song": (
        ["--json", "{out}/k.json", "--text", "0:00 hop / 9:00 sway"],
        "'sway' at 540 s",
    ),
    "two kinds of beats": (
        ["--json", "{out}/k.json", "--beats", "a.json", "--beat-this", "b.ckpt"],
        "not from both",
    ),
    "beats of another song": (
        ["--json", "{out}/k.json", "--beats", "{inputs}/late.json"],
        "60 to 61 s",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(
    run: Run,
    case: str,
    words: list[str],
    inputs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(*words, *(w.format(inputs=inputs, out=tmp_path) for w in BAD[case][0])) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and BAD[case][1] in printed.err
    assert printed.err.count("\n") == 1 and printed.err.startswith("musedance")
    assert not list(tmp_path.iterdir())


def test_a_model_that_plans_no_dance_is_one_sentence(
    run: Run,
    inputs: Path,
    config: MuseDanceConfig,
    tokenizer: Tokenizer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = MuseDance(replace(config, choreographer=None))
    save_checkpoint(tmp_path / "a.safetensors", model, tokenizer, {"trained": True}, dtype=None)
    words = ["--text", "hop", "--checkpoint", tmp_path / "a.safetensors"]
    assert run("pose", inputs / "song.wav", *words, "--json", tmp_path / "a.json") == 2
    assert "has no choreographer" in capsys.readouterr().err
    assert not (tmp_path / "a.json").exists()
