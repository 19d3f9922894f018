"""Validation clips equal those of the exported file, and have music."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from musedance_core.audio.waveform import load_waveform
from musedance_core.media.video import read_video
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.pipeline import MuseDancePipeline
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.runtime.initial_model import InitialModel, write_model
from musedance_core.training.runtime.logger import RunLogger
from musedance_core.training.runtime.loop import Trainer
from musedance_core.training.runtime.validation import (
    ValidationClips,
    ValidationExample,
    preserve_training_mode,
    recorded_examples,
)
from musedance_core.training.stages.stage2 import Stage2

EVERYTHING = ("unet.*", "reference.*", "mask.*")


@pytest.fixture
def data(dataset: Path) -> DataConfig:
    return DataConfig(dataset=str(dataset), frames=6, workers=0)


@pytest.fixture
def validated(run_config: TrainConfig, data: DataConfig) -> TrainConfig:
    return replace(
        run_config,
        data=data,
        trainable=EVERYTHING,
        max_steps=3,
        validate_every=3,
        validate_clips=1,
        validate_steps=2,
        export_dtype="float32",
        trackers=("tensorboard",),
    )


class Run:
    """A training run with validation clips."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        self.frames: list[Tensor] = []
        clips = ValidationClips(model, tokenizer, config)
        # The data set's picture has one colour; frames should show more than that.
        (example,) = clips._load_examples()
        ramp = torch.linspace(0, 1, example.picture.shape[-1]).expand_as(example.picture)
        clips.examples = [replace(example, picture=ramp)]

        def validate(step: int, logger: RunLogger) -> None:
            clips(step, logger)
            self.frames.append(clips.generate(clips.examples[0]))

        def export(steps: int, minutes: float, originals: Mapping[str, Tensor]) -> None:
            write_model(InitialModel(model, tokenizer), "stage2", config, steps, minutes, originals)

        trainer = Trainer(Stage2(model, tokenizer, config), config, export, validate)
        trainer.train()
        self.learning, self.clips = trainer.parameters, clips
        self.folder = Path(config.output_dir)


@pytest.fixture
def run(model: MuseDance, tokenizer: Tokenizer, validated: TrainConfig) -> Run:
    return Run(model, tokenizer, validated)


def generate_from_file(path: Path, example: ValidationExample, config: TrainConfig) -> Tensor:
    """Generates the clip from the exported file."""
    pipeline = MuseDancePipeline.from_pretrained(path, device="cpu")
    segments = pipeline.animate(
        pipeline.encode_picture(example.picture, example.part_map),
        example.track,
        example.text,
        frames=pipeline.config.clip.frames,
        start=example.start,
        seed=config.seed,
        steps=config.validate_steps,
    )
    return torch.cat([segment.frames for segment in segments])


def test_the_exported_file_gives_the_frames_of_the_trainer(
    run: Run, validated: TrainConfig
) -> None:
    frames = generate_from_file(run.folder / "model.safetensors", run.clips.examples[0], validated)
    assert torch.equal(frames, run.frames[0])
    assert frames.std() > 0.01


def test_clips_are_written_with_their_music_and_logged(run: Run, model: MuseDance) -> None:
    path = run.folder / "validation/step-3-0.mp4"
    frames, fps = read_video(path)
    assert (len(frames), fps) == (model.config.clip.frames, 12)
    sound = load_waveform(path)
    assert sound.seconds == pytest.approx(len(frames) / 12, abs=0.01)
    assert abs(sound.samples).max() > 0.05
    assert frames.sub(run.frames[0]).abs().mean() < 0.05
    events = b"".join(p.read_bytes() for p in run.folder.rglob("events.out.tfevents.*"))
    assert b"GIF89a" in events and b"/sound" in events and b"train/loss" in events


def test_validation_leaves_the_trainable_parameters_trainable(run: Run, model: MuseDance) -> None:
    learning = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learning == set(run.learning) and model.training


def test_the_training_mode_is_restored_after_an_error(model: MuseDance) -> None:
    model.text.requires_grad_(False)
    model.train()
    model.vae.eval()
    with pytest.raises(RuntimeError), preserve_training_mode(model):
        model.eval().requires_grad_(False)
        raise RuntimeError
    assert model.training and not model.vae.training
    assert model.unet.conv_in.weight.requires_grad
    assert not any(p.requires_grad for p in model.text.parameters())


def test_without_pyav_and_tensorboard_a_run_says_so_and_continues(
    model: MuseDance,
    tokenizer: Tokenizer,
    validated: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = importlib.util.find_spec
    hidden = ("av", "tensorboard")
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda n, *a: None if n in hidden else found(n, *a)
    )
    run = Run(model, tokenizer, validated)
    output = capsys.readouterr().out
    assert "1 validation clips, not as files: PyAV is not installed" in output
    assert "tensorboard is not installed" in output
    assert not list(run.folder.glob("validation/*")) and not list(run.folder.rglob("events*"))


def test_examples_of_a_data_set_are_of_its_validation_split(
    data: DataConfig, model: MuseDance
) -> None:
    (example,) = recorded_examples(model.config, data, 3)
    assert example.text == "it hops 5 times" and example.part_map is None
    assert example.sound.sample_rate == 16_000
