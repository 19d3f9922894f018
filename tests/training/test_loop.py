"""The training loop: what it changes, and that a resumed run equals one that never stopped."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import TrainConfig
from musedance_core.training.data.loader import StepBatches
from musedance_core.training.runtime.guard import StopRequest, TrainingDiverged
from musedance_core.training.runtime.loop import Trainer
from musedance_core.training.runtime.states import find_state
from musedance_core.training.stages.base import Batch
from musedance_core.training.stages.diffusion import DiffusionStage
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2

Enliven = Callable[[MuseDance], None]
ATTN2 = ("unet.*.attn2.*",)
COPY = ("unet.copy.*",)
WITHOUT_WARP = ("!unet.copy.moved_*", "!unet.copy.still_*")


def hashes(model: nn.Module) -> dict[str, str]:
    return {
        name: hashlib.sha256(p.detach().numpy().tobytes()).hexdigest()
        for name, p in model.named_parameters()
    }


class OneClip:
    """A source of one clip, a little darker for each index; samples `bad` are NaN."""

    def __init__(self, clip: Batch, indices_seen: list[int], bad: set[int]) -> None:
        self.clip, self.indices_seen, self.bad = clip, indices_seen, bad

    def __call__(self, indices: list[int]) -> Batch:
        self.indices_seen.extend(indices)
        samples = [self.sample(index) for index in indices]
        return {name: torch.cat([s[name] for s in samples]) for name in self.clip}

    def sample(self, index: int) -> Batch:
        light = float("nan") if index in self.bad else 1 - 0.01 * (index % 7)
        pictures = ("frames", "target")
        return {name: t * light if name in pictures else t for name, t in self.clip.items()}

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"clip-{index}" for index in indices]


def on_one_clip(
    kind: type[DiffusionStage], clip: Batch, indices_seen: list[int], bad: set[int]
) -> type[DiffusionStage]:
    """Returns the stage with one clip as its data."""

    class OneClipStage(kind):  # type: ignore[misc, valid-type]
        def source(self, split: str) -> OneClip:
            return OneClip(clip, indices_seen, bad)

    return OneClipStage


def trainer(
    kind: type[DiffusionStage],
    model: MuseDance,
    tokenizer: Tokenizer,
    config: TrainConfig,
    clip: Batch,
    indices_seen: list[int] | None = None,
    bad: set[int] | None = None,
) -> Trainer:
    cls = on_one_clip(kind, clip, [] if indices_seen is None else indices_seen, bad or set())
    return Trainer(cls(model, tokenizer, config), config, lambda *_: None)


@pytest.mark.parametrize(
    ("kind", "patterns"),
    [(Stage1, Stage1.trainable + WITHOUT_WARP), (Stage2, Stage2.trainable + ATTN2 + COPY)],
)
def test_exactly_the_trainable_parameters_change(
    enliven: Enliven,
    kind: type[DiffusionStage],
    patterns: tuple[str, ...],
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    enliven(model)
    run = trainer(kind, model, tokenizer, replace(run_config, trainable=patterns), clip)
    trainable = {name for name in run.parameters if not is_unused(kind, name)}
    before = hashes(model)
    run.train()
    after = hashes(model)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == trainable


def is_unused(kind: type[DiffusionStage], name: str) -> bool:
    """Stage 1 does not use the modules of stage 2."""
    dynamics = (".music.", ".beat.", ".motion.", "music_tokens", "beat_tokens")
    return kind is Stage1 and any(part in name for part in dynamics)


def weights(run: Trainer) -> dict[str, Tensor]:
    return {n: p.detach().clone() for n, p in run.parameters.items()}


def test_a_resumed_run_equals_one_that_never_stopped(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch, tmp_path: Path
) -> None:
    start = {n: t.clone() for n, t in model.state_dict().items()}
    straight = trainer(Stage2, model, tokenizer, run_config, clip)
    straight.train()
    expected, average = weights(straight), straight.ema.average

    model.load_state_dict(start)
    config = replace(run_config, output_dir=str(tmp_path / "cut"))
    trainer(Stage2, model, tokenizer, replace(config, max_steps=3), clip).train()
    model.load_state_dict(start)
    indices_seen: list[int] = []
    resumed = trainer(Stage2, model, tokenizer, config, clip, indices_seen)
    progress = resumed.train()
    assert progress.step == 6 and indices_seen == [3, 4, 5]
    for name, value in weights(resumed).items():
        assert torch.equal(value, expected[name]), name
        assert torch.equal(resumed.ema.average[name], average[name]), name


def test_a_sigterm_saves_and_ends(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    config = replace(run_config, max_steps=1000, checkpoint_every=1000)
    run = trainer(Stage1, model, tokenizer, config, clip)
    update = run._training_step

    def stopped_at_two(batches: StepBatches) -> Tensor | None:
        if run.progress.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(batches)

    run._training_step = stopped_at_two  # type: ignore[method-assign]
    assert run.train().step == 2 and run.stop.terminated
    state = find_state(Path(config.output_dir), "latest")
    assert state is not None and state.name == "checkpoint-2"


def test_ctrl_c_saves_and_then_ends_the_run(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(run_config, max_steps=1000, checkpoint_every=1000)
    run = trainer(Stage1, model, tokenizer, config, clip)
    update, handler = run._training_step, signal.default_int_handler
    monkeypatch.setattr(signal, "getsignal", lambda number: handler)  # never in the background

    def interrupted_at_two(batches: StepBatches) -> Tensor | None:
        if run.progress.step == 1:
            os.kill(os.getpid(), signal.SIGINT)
        return update(batches)

    run._training_step = interrupted_at_two  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        run.train()
    state = find_state(Path(config.output_dir), "latest")
    assert state is not None and state.name == "checkpoint-2"


def test_a_second_ctrl_c_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.default_int_handler)
    stop = StopRequest()
    with pytest.raises(KeyboardInterrupt), stop.on_signals():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested and stop.interrupted
        os.kill(os.getpid(), signal.SIGINT)
        pytest.fail("it waits")


def test_a_background_job_keeps_ignoring_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    taken: list[int] = []
    monkeypatch.setattr(signal, "signal", lambda number, handler: taken.append(number))
    with StopRequest().on_signals():
        assert taken == [signal.SIGTERM]


def test_no_state_is_newer_than_the_model(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    config = replace(run_config, max_steps=2)
    run = trainer(Stage1, model, tokenizer, config, clip)
    run.export = full
    with pytest.raises(OSError, match="No space left"):
        run.train()
    assert find_state(Path(config.output_dir), "latest") is None


def test_a_loss_that_is_not_finite_is_skipped_counted_and_named(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = replace(run_config, batch=2, max_steps=3)
    run = trainer(Stage1, model, tokenizer, config, clip, bad={3})
    progress = run.train()
    assert (progress.step, progress.skipped) == (3, 1)
    output = capsys.readouterr().out
    assert "step 1: loss nan" in output and "skipped; in clip-3\n" in output
    assert all(torch.isfinite(p).all() for p in run.parameters.values())


def test_a_skipped_step_changes_nothing_and_many_in_a_row_end_the_run(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    config = replace(run_config, max_steps=100, checkpoint_every=2, abort_after=5)
    bad = set(range(4, 100))
    run = trainer(Stage1, model, tokenizer, config, clip, bad=bad)
    with pytest.raises(TrainingDiverged, match=r"in 5 steps in a row.* that of step 8"):
        run.train()
    good = find_state(Path(config.output_dir), "latest")
    assert good is not None and run.progress.skipped == 5
    short = replace(config, output_dir=str(tmp_folder(config)), max_steps=4)
    after = weights(run)
    model_again = trainer(Stage1, model, tokenizer, replace(short, resume=str(good)), clip)
    model_again._start()
    for name, value in weights(model_again).items():
        assert torch.equal(value, after[name]), name


def tmp_folder(config: TrainConfig) -> Path:
    return Path(config.output_dir).parent / "other"


def test_accumulated_small_batches_equal_a_large_one(
    enliven: Enliven, model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    enliven(model)
    start = {n: t.clone() for n, t in model.state_dict().items()}
    optim = replace(run_config.optim, kind="adamw", lr=1e-3)
    results = {}
    for batch, accumulate in ((4, 1), (2, 2), (1, 4)):
        model.load_state_dict(start)
        folder = f"{run_config.output_dir}-{batch}"
        config = replace(run_config, output_dir=folder, batch=batch, accumulate=accumulate)
        config = replace(config, max_steps=2, optim=optim)
        indices_seen: list[int] = []
        run = trainer(Stage2, model, tokenizer, config, clip, indices_seen)
        run.train()
        assert indices_seen == list(range(8))
        results[batch] = weights(run)
    for name, value in results[4].items():
        for batch in (1, 2):
            assert torch.allclose(results[batch][name], value, atol=2e-5), (batch, name)


def test_a_finished_run_is_left_as_it_is(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    """Recipes run finished stages again, also those that a time limit ended."""
    trainer(Stage1, model, tokenizer, run_config, clip).train()
    before = hashes(model)
    (Path(run_config.output_dir) / "model.safetensors").touch()
    for again in (run_config, replace(run_config, max_steps=99, max_minutes=1e-9)):
        indices_seen: list[int] = []
        assert trainer(Stage1, model, tokenizer, again, clip, indices_seen).train().step == 6
        assert not indices_seen and hashes(model) == before


def test_a_state_of_other_frozen_weights_or_another_optimizer_is_refused(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    trainer(Stage1, model, tokenizer, run_config, clip).train()
    other = replace(run_config, optim=replace(run_config.optim, kind="adam"))
    with pytest.raises(InputError, match="holds the state of adamw, not of adam"):
        trainer(Stage1, model, tokenizer, other, clip).train()
    with torch.no_grad():
        next(model.text.parameters()).add_(0.1)
    with pytest.raises(InputError, match="trained with other frozen weights"):
        trainer(Stage1, model, tokenizer, run_config, clip).train()


def test_a_new_run_in_an_old_folder_renames_the_old_states(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    trainer(Stage1, model, tokenizer, run_config, clip).train()
    fresh = replace(run_config, resume="none", max_steps=2)
    trainer(Stage1, model, tokenizer, fresh, clip).train()
    folder = Path(run_config.output_dir)
    assert find_state(folder, "latest") == folder / "checkpoint-2"
    assert {p.name for p in folder.glob("superseded-*")} == {"superseded-3", "superseded-6"}


def test_weights_only_restarts_the_optimizer_and_its_warm_up(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    first = trainer(Stage1, model, tokenizer, run_config, clip)
    first.train()
    saved, average = weights(first), {n: t.clone() for n, t in first.ema.average.items()}
    state = f"{run_config.output_dir}/checkpoint-6"
    config = replace(run_config, weights_only=True, resume=state, max_steps=7)
    again = trainer(Stage1, model, tokenizer, config, clip)
    with torch.no_grad():
        for parameter in again.parameters.values():
            parameter.zero_()
    again._start()
    assert (again.progress.step, again.progress.warm_from) == (6, 6)
    assert not again.optimizer.state
    for name, value in weights(again).items():
        assert torch.equal(value, saved[name]) and torch.equal(
            again.ema.average[name], average[name]
        )
    again.train()
    assert again.lr == pytest.approx(config.optim.lr / config.optim.warmup)


def test_resuming_with_another_config_lists_the_changes(
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trainer(Stage1, model, tokenizer, run_config, clip).train()
    capsys.readouterr()
    changed = replace(run_config, batch=2, optim=replace(run_config.optim, lr=1e-4))
    trainer(Stage1, model, tokenizer, changed, clip).train()
    output = capsys.readouterr().out
    assert "batch: 1 -> 2" in output and "optim.lr: 0.002 -> 0.0001" in output
    assert output.count("changed since") == 2


def test_the_average_is_swapped_out_again_after_an_error(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    run = trainer(Stage1, model, tokenizer, run_config, clip)
    run.train()
    before = weights(run)
    with pytest.raises(RuntimeError), run.ema.applied():
        assert all(torch.equal(p, run.ema.average[n]) for n, p in run.parameters.items())
        assert not all(torch.equal(p, before[n]) for n, p in run.parameters.items())
        raise RuntimeError
    assert all(torch.equal(p, before[n]) for n, p in run.parameters.items())


def test_the_gradient_is_clipped(
    enliven: Enliven, model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    enliven(model)
    config = replace(run_config, max_steps=1, optim=replace(run_config.optim, clip=1e-3))
    run = trainer(Stage1, model, tokenizer, config, clip)
    run.train()
    grads = [p.grad for p in run.parameters.values() if p.grad is not None]
    assert torch.stack([g.norm() for g in grads]).norm() == pytest.approx(1e-3, rel=1e-3)


def test_only_the_newest_states_are_kept(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    config = replace(run_config, checkpoint_every=1, keep=2)
    trainer(Stage1, model, tokenizer, config, clip).train()
    names = sorted(p.name for p in Path(config.output_dir).glob("*checkpoint-*"))
    assert names == ["checkpoint-5", "checkpoint-6"]


def test_a_missing_state_and_an_unmatched_pattern_are_named(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    with pytest.raises(InputError, match="nowhere"):
        trainer(Stage1, model, tokenizer, replace(run_config, resume="nowhere"), clip).train()
    with pytest.raises(InputError, match=r"unet\.nothing"):
        trainer(Stage1, model, tokenizer, replace(run_config, trainable=("unet.nothing",)), clip)
