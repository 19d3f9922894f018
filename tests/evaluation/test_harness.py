from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from musedance_core.cli import main
from musedance_core.dataset.format import ClipRecord, write_metadata
from musedance_core.errors import InputError
from musedance_core.evaluation import harness
from musedance_core.evaluation.harness import evaluate
from musedance_core.evaluation.judges.dance import DanceJudge
from musedance_core.evaluation.judges.networks import DancerEmbedder, Judges, MotionEncoder
from musedance_core.evaluation.options import EvaluationOptions, Sampling
from musedance_core.evaluation.samples import sampled_clips
from musedance_core.evaluation.scenes import world_scenes
from musedance_core.media.video import write_video
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.world.clips import World

Draw = Callable[[np.ndarray], Tensor]
FEW = Sampling(steps=1)


@pytest.fixture(autouse=True)
def some_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges that never learned anything, which is enough for what is tested here."""
    torch.manual_seed(0)
    judges = Judges(
        "nobody-0", DancerEmbedder().eval(), MotionEncoder().eval(), DanceJudge().eval(), {}
    )
    monkeypatch.setattr(harness, "load_judges", lambda device: judges)


@pytest.fixture
def videos(tmp_path: Path, draw: Draw) -> Path:
    folder = tmp_path / "system v1.5"
    folder.mkdir()
    for i in range(2):
        write_video(folder / f"{i}.mp4", [draw(4 + (0.2 + 0.1 * i) * np.arange(24))], 12)
    return folder


def write_dataset(folder: Path, clips: int, fps: int = 12) -> Path:
    """Two clips of noise a split, each on six seconds of clicks."""
    from scipy.io import wavfile

    (folder / "clips").mkdir(parents=True)
    (folder / "tracks").mkdir()
    records = []
    for i in range(clips):
        name = f"clip{i}"
        frames = torch.rand(8, 3, 48, 32, generator=torch.Generator().manual_seed(i))
        write_video(folder / "clips" / f"{name}.mp4", [frames], fps)
        sound = np.zeros(6 * 16_000, np.int16)
        sound[::8000] = 20_000
        for place in ("clips", "tracks"):
            wavfile.write(folder / place / f"{name}.wav", 16_000, sound)
        records.append(
            ClipRecord(
                file_name=f"clips/{name}.mp4",
                audio=f"clips/{name}.wav",
                track=f"tracks/{name}.wav",
                start=1.25,
                frames=8,
                fps=fps,
                width=32,
                height=48,
                text=f"dance number {i}",
                source=name,
                track_id=name,
                split="test" if i else "train",
                tempo=120.0,
                beats=tuple(0.5 * np.arange(12)),
                downbeats=(0.0, 2.0),
                part_maps="",
                motion=0.1,
                subject=(0, 0, 1, 1),
                content="",
            )
        )
    write_metadata(folder, records)
    return folder


def test_a_checkpoint_dances_the_world_beside_its_truth(written: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    options = EvaluationOptions((str(written),), str(out), clips=2, sampling=FEW)
    row = evaluate(options)[0]
    assert row.label == "tiny" and "judged by nobody-0" in row.notes
    assert [clip.name for clip in row.clips] == ["test-0000", "test-0001"]
    for clip in row.clips:
        assert clip.caption and clip.truth is not None
        assert {"psnr", "ssim", "identity"} <= clip.sample.values.keys()
        assert clip.truth_video is not None
        for name in (clip.video, clip.truth_video, f"beats/{clip.name}.json"):
            assert (out / name).is_file()
    assert {path.name for path in out.iterdir()} == {
        *("clips", "truth", "beats", "results.json", "results.md", "index.html")
    }
    again = evaluate(replace(options, out=str(tmp_path / "again")))[0]
    assert again.figures == row.figures


def test_its_files_let_another_system_be_evaluated_against_the_same_truth(
    written: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report"
    evaluate(EvaluationOptions((str(written),), str(out), clips=2, sampling=FEW))
    truth, beats = str(out / "truth"), str(out / "beats")
    row = evaluate(EvaluationOptions((truth,), str(tmp_path / "other"), truth=truth, beats=beats))[
        0
    ]
    assert row.figures["psnr"].value == 100 and row.figures["identity"].note
    assert "beats from a file (2)" in row.notes


def test_several_rows_in_one_report(written: Path, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    rows = evaluate(EvaluationOptions((str(videos), str(written)), str(out), clips=1, sampling=FEW))
    assert [row.label for row in rows] == ["system v1.5", "tiny"]
    said = json.loads((out / "results.json").read_text())
    assert [len(row["clips"]) for row in said["rows"]] == [2, 1]
    page = (out / "index.html").read_text()
    for name in ("clips/01/0.mp4", "clips/01/1.mp4", "clips/02/test-0000.mp4"):
        assert name in page and (out / name).is_file()


def test_a_data_set_is_danced_from_its_first_frames(written: Path, tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", 4)
    options = EvaluationOptions(
        (str(written),), str(tmp_path / "out"), dataset=str(dataset), clips=2, sampling=FEW
    )
    row = evaluate(options)[0]
    assert len(row.clips) == 2 and {clip.name for clip in row.clips} < {"clip1", "clip2", "clip3"}
    for clip in row.clips:
        assert clip.caption == f"dance number {clip.name[-1]}"
        assert clip.beats_inside().tolist() == pytest.approx([0.25])
        # A segment of the checkpoint has 6 frames, the clip 8.
        assert len(clip.sample.energy) == 5 and clip.truth is not None
    assert row.figures["identity"].note == "no embedder given"
    everything = evaluate(replace(options, split="train", out=str(tmp_path / "train")))[0]
    assert [clip.name for clip in everything.clips] == ["clip0"]


def test_clips_of_the_world_may_be_longer(written: Path, tmp_path: Path) -> None:
    options = EvaluationOptions(
        (str(written),), str(tmp_path / "out"), clips=1, seconds=1.5, sampling=FEW
    )
    clip = evaluate(options)[0].clips[0]
    assert len(clip.sample.energy) == 17 and {"move", "size"} <= clip.sample.values.keys()
    with pytest.raises(InputError, match="got 300"):
        evaluate(replace(options, seconds=300))


def test_a_report_is_not_written_over_another(written: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    options = EvaluationOptions((str(written),), str(out), clips=1, sampling=FEW)
    evaluate(options)
    files = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match="already exists, from an earlier report"):
        evaluate(options)
    with pytest.raises(InputError, match="lies in the report's own folder"):
        evaluate(replace(options, paths=(str(out / "clips/01"),)))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == files


def test_a_finished_row_is_written_though_the_next_one_fails(
    written: Path, videos: Path, tmp_path: Path
) -> None:
    spoilt, out = tmp_path / "spoilt", tmp_path / "out"
    spoilt.mkdir()
    (spoilt / "a.mp4").write_text("text")
    with pytest.raises(InputError, match=r"a\.mp4"):
        evaluate(EvaluationOptions((str(videos), str(spoilt)), str(out)))
    assert [row["label"] for row in json.loads((out / "results.json").read_text())["rows"]] == [
        "system v1.5"
    ]


def test_brought_networks_are_tried_before_anything_is_sampled(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean()

    torch.jit.save(torch.jit.script(Wrong()), str(tmp_path / "wrong.pt"))
    monkeypatch.setattr(harness, "sampled_clips", lambda *given: pytest.fail("sampled"))
    options = EvaluationOptions((str(written),), str(tmp_path / "out"), sampling=FEW)
    for name in ("lpips", "fvd", "identity"):
        with pytest.raises(InputError, match=r"wrong\.pt must be callable"):
            evaluate(replace(options, **{name: str(tmp_path / "wrong.pt")}))


def test_folders_of_the_world_are_judged_by_its_judges(videos: Path, tmp_path: Path) -> None:
    options = EvaluationOptions(
        (str(videos),), str(tmp_path / "out"), truth=str(videos), world=True
    )
    row = evaluate(options)[0]
    assert row.figures["identity"].n == 2 and "judged by nobody-0" in row.notes
    assert row.figures["world_frechet"].value == pytest.approx(0, abs=1e-6)
    assert "checkpoints" in row.figures["move"].note
    write_video(videos / "1.mp4", [torch.rand(24, 3, 32, 48)], 12)
    with pytest.raises(InputError, match=r"1 in .* 48 x 32 at 12 fps, but --world is for square"):
        evaluate(replace(options, out=str(tmp_path / "other")))


def test_no_two_scenes_start_from_the_same_noise(written: Path, tmp_path: Path) -> None:
    pipeline = MuseDancePipeline.from_pretrained(written, device="cpu")
    scene = next(world_scenes(pipeline.config, "test", 1, 6))
    twice = [scene, replace(scene, name="again")]
    one, two = sampled_clips(pipeline, twice, FEW, tmp_path, "clips/01")
    assert not torch.equal(one.frames, two.frames)
    moved = Sampling(seed=1, steps=1)
    (later,) = sampled_clips(pipeline, [scene], moved, tmp_path, "clips/02")
    assert torch.equal(later.frames, two.frames)
    assert one.segment == 6 and one.music == two.music == scene.music


def test_clips_of_the_world_are_danced_to_their_songs_own_beats(written: Path) -> None:
    config = MuseDancePipeline.from_pretrained(written, device="cpu").config
    for scene in world_scenes(config, "train", 8, 6):
        song = World("train", size=32, songs=32).song(int(scene.music.removeprefix("song ")))
        assert np.array_equal(scene.grid.times, song.grid.times)


def test_a_data_set_that_does_not_fit_is_named(written: Path, tmp_path: Path) -> None:
    options = EvaluationOptions((str(written),), str(tmp_path / "out"), sampling=FEW)
    fast = write_dataset(tmp_path / "fast", 2, fps=24)
    for wrong, said in (
        (replace(options, dataset=str(tmp_path)), "no metadata.jsonl"),
        (replace(options, dataset=str(fast), split="validation"), "no clips in its split"),
        (replace(options, dataset=str(fast)), "has 24 fps"),
        (replace(options, dataset=str(fast), seconds=8), "have their own"),
        (replace(options, beats=str(tmp_path)), "belong to folders"),
    ):
        with pytest.raises(InputError, match=said):
            evaluate(wrong)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{out}/none"], "no folder of videos and no checkpoint"),
        (["{out}/text.mp4"], "neither a folder"),
        (["{out}/text.safetensors"], "text.safetensors"),
        (["{videos}", "--label", "a", "--label", "b"], "2 times --label"),
        (["{videos}", "{videos}"], "Two rows have the label"),
        (["{videos}", "--truth", "{out}/none"], "no folder"),
        (["{videos}", "--beats", "{out}/none.json"], "none.json"),
        (["{videos}", "--lpips", "{out}/none.pt"], "none.pt"),
        (["{videos}", "--fvd", "{out}/text.mp4"], "TorchScript"),
        (["{videos}", "--out", "{out}/text.mp4"], "is a file"),
        (["{videos}", "--out", "{out}/a/b"], "does not exist"),
        (["{videos}", "--clips", "0"], "--clips"),
        (["{videos}", "--seconds", "8"], "belong to checkpoints"),
        (["{videos}", "--dataset", "{out}"], "belong to checkpoints"),
        (["{videos}", "--split", "tset"], "--split"),
        (["{videos}", "--out", "/proc/report"], "/proc/report"),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str], said: str, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("text.mp4", "text.safetensors"):
        (tmp_path / name).write_text("text")
    given = ["evaluate", "--out", "{out}/report", *words]
    try:
        code = main([word.format(videos=videos, out=tmp_path) for word in given])
    except SystemExit as stop:
        code = int(stop.code or 0)
    heard = capsys.readouterr()
    complaint = heard.err.strip().splitlines()[-1]
    assert code == 2 and said in complaint and complaint.startswith("musedance")
    assert not (tmp_path / "report" / "results.json").exists()


def test_the_command_line_reaches_the_report(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["evaluate", str(videos), "--out", str(out), "--label", "A | B"]) == 0
    said = json.loads((out / "results.json").read_text())
    assert said["rows"][0]["label"] == "A | B" and "evaluate" in said["command"]
    assert str(out / "index.html") in capsys.readouterr().out
