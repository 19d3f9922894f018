"""The loop: what it changes, what it leaves alone, and that it goes on as if never stopped."""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.tokenizer import Tokenizer
from musedance_core.training.config import OptimConfig, TrainConfig
from musedance_core.training.diffusion import DiffusionStage, Stage1, Stage2
from musedance_core.training.loop import Trainer, TrainingStopped, learning_rate
from musedance_core.training.stage import Batch, Source, choose_trainable
from musedance_core.training.states import find_state

ATTN2 = ("unet.*.attn2.*",)


def hashes(model: nn.Module) -> dict[str, str]:
    return {
        name: hashlib.sha256(p.detach().numpy().tobytes()).hexdigest()
        for name, p in model.named_parameters()
    }


def fed(kind: type[DiffusionStage], clip: Batch, seen: list[int]) -> type[DiffusionStage]:
    """The stage with one clip as its data, shifted a little from index to index."""

    class Fed(kind):  # type: ignore[misc, valid-type]
        def source(self, split: str) -> Source:
            def batch(indices: list[int]) -> Batch:
                seen.extend(indices)
                bright = 1 - 0.01 * (indices[0] % 7)
                return {n: t * bright if n in ("frames", "target") else t for n, t in clip.items()}

            return batch

    return Fed


def trainer(
    kind: type[DiffusionStage],
    model: MuseDance,
    tokenizer: Tokenizer,
    config: TrainConfig,
    clip: Batch,
    seen: list[int] | None = None,
) -> Trainer:
    stage = fed(kind, clip, [] if seen is None else seen)(model, tokenizer, config)
    return Trainer(stage, config, lambda steps, minutes: None)


def with_alive_outputs(model: MuseDance) -> None:
    """As after stage 1: no layer of the spatial half is zero any more."""
    torch.manual_seed(3)
    for name, p in model.named_parameters():
        if name.startswith(("unet", "reference", "mask")) and not any(
            part in name for part in (".music.", ".beat.", ".motion.")
        ):
            p.data.add_(torch.randn_like(p) * 0.02)


@pytest.mark.parametrize(
    ("kind", "patterns"), [(Stage1, Stage1.trainable), (Stage2, Stage2.trainable + ATTN2)]
)
def test_exactly_what_is_listed_learns(
    kind: type[DiffusionStage],
    patterns: tuple[str, ...],
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    clip: Batch,
) -> None:
    with_alive_outputs(model)
    run = trainer(kind, model, tokenizer, replace(run_config, trainable=patterns), clip)
    learns = {name for name in run.parameters if not kind_is_silent(kind, name)}
    before = hashes(model)
    run.run()
    after = hashes(model)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == learns


def kind_is_silent(kind: type[DiffusionStage], name: str) -> bool:
    """Stage 1 trains the spatial half only."""
    dynamics = (".music.", ".beat.", ".motion.", "music_tokens", "beat_tokens")
    return kind is Stage1 and any(part in name for part in dynamics)


def test_every_trainable_gets_a_gradient_within_two_steps(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    with_alive_outputs(model)
    stage = Stage2(model, tokenizer, run_config)
    learns = choose_trainable(stage, Stage2.trainable + ATTN2)
    optimizer = torch.optim.SGD(learns.values(), lr=1.0)
    reached: set[str] = set()
    for step in range(2):
        optimizer.zero_grad()
        stage(clip, torch.Generator().manual_seed(step)).backward()
        reached |= {n for n, p in learns.items() if p.grad is not None and p.grad.abs().sum() > 0}
        optimizer.step()
    assert set(learns) - reached == set()


def weights(run: Trainer) -> dict[str, Tensor]:
    return {n: p.detach().clone() for n, p in run.parameters.items()}


def test_a_resumed_run_equals_one_that_never_stopped(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch, tmp_path: Path
) -> None:
    start = {n: t.clone() for n, t in model.state_dict().items()}
    straight = trainer(Stage2, model, tokenizer, run_config, clip)
    straight.run()
    expected, average = weights(straight), straight.ema.average

    model.load_state_dict(start)
    config = replace(run_config, output_dir=str(tmp_path / "cut"))
    trainer(Stage2, model, tokenizer, replace(config, max_steps=3), clip).run()
    model.load_state_dict(start)
    seen: list[int] = []
    resumed = trainer(Stage2, model, tokenizer, config, clip, seen)
    progress = resumed.run()
    assert progress.step == 6 and seen == [3, 4, 5]
    for name, value in weights(resumed).items():
        assert torch.equal(value, expected[name]), name
        assert torch.equal(resumed.ema.average[name], average[name]), name


def test_a_sigterm_saves_and_ends(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    config = replace(run_config, max_steps=1000, checkpoint_every=1000)
    run = trainer(Stage1, model, tokenizer, config, clip)
    step = run._step

    def stopped_at_two(batch: Batch) -> Tensor | None:
        if run.progress.step == 1:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(batch)

    run._step = stopped_at_two  # type: ignore[method-assign]
    assert run.run().step == 2
    state = find_state(Path(config.output_dir), "latest")
    assert state is not None and state.name == "checkpoint-2"


def test_a_loss_that_is_not_finite_is_skipped_and_then_gives_up(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    broken = {**clip, "target": clip["target"] * float("nan")}
    run = trainer(Stage1, model, tokenizer, replace(run_config, max_steps=100), broken)
    before = hashes(model)
    with pytest.raises(TrainingStopped):
        run.run()
    after = hashes(model)
    assert {n: h for n, h in after.items() if n.startswith("unet")} == {
        n: h for n, h in before.items() if n.startswith("unet")
    }
    assert run.progress.skipped == 20 or run.progress.step >= 19


def test_only_the_newest_states_are_kept(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    config = replace(run_config, checkpoint_every=1, keep=2)
    trainer(Stage1, model, tokenizer, config, clip).run()
    names = sorted(p.name for p in Path(config.output_dir).glob("*checkpoint-*"))
    assert names == ["checkpoint-5", "checkpoint-6"]


def test_what_does_not_exist_is_named(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, clip: Batch
) -> None:
    with pytest.raises(InputError, match="nowhere"):
        trainer(Stage1, model, tokenizer, replace(run_config, resume="nowhere"), clip).run()
    with pytest.raises(InputError, match=r"unet\.nothing"):
        trainer(Stage1, model, tokenizer, replace(run_config, trainable=("unet.nothing",)), clip)


def test_the_learning_rate_warms_up_and_falls() -> None:
    optim = OptimConfig(lr=1.0, warmup=10)
    assert learning_rate(optim, 0, 110) == pytest.approx(0.1)
    assert learning_rate(optim, 10, 110) == pytest.approx(1.0)
    assert learning_rate(optim, 60, 110) == pytest.approx(0.5)
    assert learning_rate(optim, 110, 110) == pytest.approx(0.0)
    constant = replace(optim, schedule="constant")
    assert learning_rate(constant, 5000, 110) == 1.0
