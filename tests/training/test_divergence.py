"""A run that diverges ends with one sentence, and the last good model and states stay."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from musedance_core.checkpoint.format import load_checkpoint, save_checkpoint
from musedance_core.cli import main
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.data.loader import StepBatches
from musedance_core.training.runtime.guard import TrainingDiverged
from musedance_core.training.runtime.initial_model import load_initial_model
from musedance_core.training.runtime.loop import Trainer
from musedance_core.training.runtime.states import list_states
from musedance_core.training.stages.base import Batch
from musedance_core.training.stages.stage1 import Stage1

Spoil = Callable[[Trainer], object]


class OneClip:
    """The same clip for each index."""

    def __init__(self, clip: Batch) -> None:
        self.clip = clip

    def __call__(self, indices: list[int]) -> Batch:
        return {name: torch.cat([tensor] * len(indices)) for name, tensor in self.clip.items()}

    def names(self, indices: list[int]) -> list[str]:
        return [f"clip-{index}" for index in indices]


class Run:
    """A run on one clip that records its exports."""

    def __init__(
        self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig, clip: Batch
    ) -> None:
        class OneClipStage(Stage1):
            def source(self, split: str) -> OneClip:
                return OneClip(clip)

        self.exported: list[int] = []
        stage = OneClipStage(model, tokenizer, config)
        self.trainer = Trainer(stage, config, lambda step, *_: self.exported.append(step))
        self.folder = Path(config.output_dir)

    def spoil(self, spoil: Spoil, step: int) -> None:
        """Calls `spoil` after the update of a step."""
        training_step = self.trainer._training_step

        def spoiled(batches: StepBatches) -> Tensor | None:
            loss = training_step(batches)
            if self.trainer.progress.step + 1 == step:
                with torch.no_grad():
                    spoil(self.trainer)
            return loss

        self.trainer._training_step = spoiled  # type: ignore[method-assign]

    def states(self) -> list[str]:
        return [path.name for path in list_states(self.folder)]


@pytest.fixture
def run_config(run_config: TrainConfig) -> TrainConfig:
    return replace(run_config, max_steps=8, checkpoint_every=2, keep=1)


@pytest.fixture
def run(model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch) -> Run:
    return Run(model, tokenizer, run_config, clip)


def one_weight(trainer: Trainer) -> None:
    trainer.parameters["unet.conv_in.bias"][0] = float("nan")


def one_average(trainer: Trainer) -> None:
    trainer.ema.average["unet.conv_in.bias"][0] = float("inf")


def optimizer_state(trainer: Trainer) -> None:
    parameter = trainer.parameters["unet.conv_in.bias"]
    trainer.optimizer.state[parameter]["exp_avg_sq"][0] = -float("inf")


def beyond_float16(trainer: Trainer) -> None:
    trainer.ema.average["unet.conv_in.bias"][0] = 70_000


def all_weights_huge(trainer: Trainer) -> None:
    for parameter in trainer.parameters.values():
        parameter.add_(1e30)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (one_weight, "1 of .* tensors are not finite, as weight/unet.conv_in.bias"),
        (one_average, "1 of .* tensors are not finite, as average/unet.conv_in.bias"),
        (optimizer_state, "1 of .* tensors are not finite, as exp_avg_sq/unet.conv_in.bias"),
        (beyond_float16, "1 of .* weights are too large for float16, as unet.conv_in.bias"),
    ],
)
def test_values_that_are_not_finite_are_never_saved(run: Run, spoil: Spoil, reason: str) -> None:
    run.spoil(spoil, step=4)
    message = rf"by step 4: {reason}\..* the last good state is that of step 2\."
    with pytest.raises(TrainingDiverged, match=message):
        run.trainer.train()
    assert run.exported == [2] and run.states() == ["checkpoint-2"]


@pytest.mark.parametrize("step", [3, 4])
def test_finite_weights_without_a_finite_loss_are_never_saved(
    run: Run, step: int, run_config: TrainConfig
) -> None:
    """After step 3 one step is skipped before the save; after step 4 no loss was computed."""
    run.trainer.config = replace(run_config, export_dtype="float32")
    run.spoil(all_weights_huge, step)
    with pytest.raises(TrainingDiverged, match="by step 4: the loss is not finite"):
        run.trainer.train()
    assert run.exported == [2] and run.states() == ["checkpoint-2"]


def test_the_last_save_after_a_sigterm_writes_nothing_that_is_not_finite(run: Run) -> None:
    def spoil_and_stop(trainer: Trainer) -> None:
        one_weight(trainer)
        os.kill(os.getpid(), signal.SIGTERM)

    run.spoil(spoil_and_stop, step=3)
    with pytest.raises(TrainingDiverged, match="by step 3"):
        run.trainer.train()
    assert run.exported == [2] and run.states() == ["checkpoint-2"]


def test_a_skipped_last_step_is_no_divergence(run: Run) -> None:
    """Its samples were bad, not the weights."""
    training_step = run.trainer._training_step

    def skip_last(batches: StepBatches) -> Tensor | None:
        if run.trainer.progress.step == 7:
            nan = {**batches.micro_batches[0], "target": torch.full((1, 3, 32, 32), torch.nan)}
            batches = replace(batches, micro_batches=[nan])
        return training_step(batches)

    run.trainer._training_step = skip_last  # type: ignore[method-assign]
    assert run.trainer.train().skipped == 1
    assert run.states() == ["checkpoint-8"]


def test_a_state_that_is_not_finite_is_refused(run: Run, run_config: TrainConfig) -> None:
    run.trainer.train()
    (state,) = list_states(run.folder)
    path = state / "state.safetensors"
    tensors = load_file(path)
    tensors["average/unet.conv_in.bias"][0] = float("nan")
    save_file(tensors, path)
    with pytest.raises(InputError, match=r"checkpoint-8 cannot be resumed: 1 of its"):
        run.trainer.train()


@pytest.mark.parametrize(("value", "dtype"), [(float("nan"), "float32"), (1e6, "float16")])
def test_an_init_that_could_not_be_written_again_is_refused(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    tmp_path: Path,
    value: float,
    dtype: str,
) -> None:
    """After training, the model could not be exported."""
    path = tmp_path / "init.safetensors"
    save_checkpoint(path, model, tokenizer, {"trained": False}, dtype=None)
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    next(tensor for name, tensor in tensors.items() if name.startswith("text.")).fill_(value)
    save_file(tensors, path, metadata)
    config = replace(run_config, init=str(path), export_dtype=dtype)
    with pytest.raises(InputError, match=r"init\.safetensors .*text\."):
        load_initial_model(config)


def test_a_huge_learning_rate_leaves_the_last_good_model_and_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "stage1", "smoke/stage1.yaml", f"output_dir={tmp_path}", "trackers=[]"]
    command += ["checkpoint_every=2", "evaluate_batch=0", "validate_clips=0"]
    assert main([*command, "max_steps=4"]) == 0
    model = (tmp_path / "model.safetensors").read_bytes()
    capsys.readouterr()
    assert main([*command, "max_steps=10", "optim.lr=1e9"]) == 2
    (error,) = capsys.readouterr().err.strip().splitlines()
    assert error.startswith("musedance: Training diverged by step 6: ")
    assert " of 578 weights are too large for float16" in error
    assert error.endswith("the last good state is that of step 4.")
    assert [path.name for path in list_states(tmp_path)] == ["checkpoint-2", "checkpoint-4"]
    assert (tmp_path / "model.safetensors").read_bytes() == model
    weights = load_checkpoint(tmp_path / "model.safetensors").model.parameters()
    assert all(torch.isfinite(weight).all() for weight in weights)
