"""Samples of a data set on disk: contents, order and cache."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from musedance_core.dataset.format import read_metadata, write_metadata
from musedance_core.dataset.reading import read_frames
from musedance_core.errors import InputError
from musedance_core.models import MuseDance
from musedance_core.models.tokenizer import Tokenizer
from musedance_core.training.config import DataConfig, TrainConfig
from musedance_core.training.data.caches import ClipCache, possible_offsets
from musedance_core.training.data.recordings import RecordedClips, epoch_order, split_records
from musedance_core.training.data.sources import clip_source, pair_source
from musedance_core.training.runtime.frozen import FrozenWeights
from musedance_core.training.runtime.step_random import StepRandom
from musedance_core.training.stages.base import LATENTS, choose_trainable
from musedance_core.training.stages.diffusion import DiffusionStage
from musedance_core.training.stages.stage1 import Stage1
from musedance_core.training.stages.stage2 import Stage2


@pytest.fixture
def data(dataset: Path) -> DataConfig:
    return DataConfig(dataset=str(dataset), frames=6, workers=0)


@pytest.fixture
def copied(dataset: Path, tmp_path: Path) -> Path:
    """A copy of the data set that a test may damage."""
    return Path(shutil.copytree(dataset, tmp_path / "copy"))


@pytest.fixture
def source(model: MuseDance, tokenizer: Tokenizer, data: DataConfig) -> RecordedClips:
    made = clip_source(model.config, data, tokenizer, "train")
    assert isinstance(made, RecordedClips)
    return made


def test_each_epoch_has_each_clip_once_in_its_own_order() -> None:
    orders = [epoch_order(40, 7, epoch).tolist() for epoch in range(3)]
    assert all(sorted(order) == list(range(40)) for order in orders)
    assert orders[0] != orders[1] != orders[2]
    assert epoch_order(40, 7, 1).tolist() == orders[1]


def test_a_sample_depends_on_its_index_alone(
    source: RecordedClips, model: MuseDance, tokenizer: Tokenizer, data: DataConfig
) -> None:
    """So a run resumed in the middle of an epoch continues with the same samples."""
    straight = [source([i]) for i in range(12)]
    fresh = clip_source(model.config, data, tokenizer, "train")
    for i in (11, 3, 7):
        again = fresh([i])
        assert all(torch.equal(straight[i][name], again[name]) for name in again)
    assert [source.names([i]) for i in range(5)] == [fresh.names([i]) for i in range(5)]
    assert len({source.names([i])[0] for i in range(5)}) == 5


def test_a_sample_has_the_selected_frames_and_their_beats(
    source: RecordedClips, dataset: Path
) -> None:
    continued = set()
    for index in range(40):
        selection = source.select_frames(source.record(index), np.random.default_rng(index))
        sample = source.load(selection, None)
        assert selection.frames == list(range(selection.frames[0], selection.frames[0] + 6))
        assert torch.equal(
            sample["frames"], read_frames(dataset, selection.record, selection.frames, 32)
        )
        before = list(range(selection.frames[0] - 2, selection.frames[0]))
        assert selection.previous in (before, [selection.reference] * 2)
        continued.add(selection.previous == before)
        assert bool(sample["has_map"]) == bool(selection.record.part_maps)
        times = selection.record.start + np.array(selection.frames) / 12
        on_beat = [
            bool((abs(np.array(selection.record.beats) - t) <= 1 / 24 + 1e-9).any()) for t in times
        ]
        assert sample["beat_ids"].bool().tolist() == on_beat
    assert continued == {True, False}


def test_splits_are_disjoint_and_an_empty_one_is_named(copied: Path) -> None:
    assert [r.key for r in split_records(str(copied), "test")] == ["6"]
    records = read_metadata(copied)
    write_metadata(copied, [r for r in records if r.split != "test"])
    with pytest.raises(InputError, match="no clip in its split 'test'"):
        split_records(str(copied), "test")
    write_metadata(copied, [*records[:1], replace(records[1], split="test"), *records[2:]])
    with pytest.raises(InputError, match=r"video-0\.mp4 is in test and train"):
        split_records(str(copied), "train")


def test_clips_of_another_rate_or_too_short_are_named(
    model: MuseDance, tokenizer: Tokenizer, data: DataConfig, copied: Path
) -> None:
    with pytest.raises(InputError, match=r"clips/0\.mp4 has 10 frames, data\.frames is 11"):
        clip_source(model.config, replace(data, frames=11), tokenizer, "train")
    records = read_metadata(copied)
    write_metadata(copied, [replace(records[0], fps=24), *records[1:]])
    with pytest.raises(InputError, match=r"clips/0\.mp4 has 24 frames a second, the model 12"):
        clip_source(model.config, replace(data, dataset=str(copied)), tokenizer, "train")


@pytest.mark.parametrize("kind", [Stage1, Stage2])
@pytest.mark.parametrize("cached", [False, True])
def test_both_stages_train_on_a_data_set(
    kind: type[DiffusionStage],
    cached: bool,
    model: MuseDance,
    tokenizer: Tokenizer,
    run_config: TrainConfig,
    data: DataConfig,
    copied: Path,
) -> None:
    data = replace(data, dataset=str(copied), cache=cached)
    stage = kind(model, tokenizer, replace(run_config, data=data))
    stage.fill_caches(0, 1)
    stage.verify_caches()
    batch = stage.source("train")([0, 1, 2])
    assert any(name.endswith(LATENTS) for name in batch) == cached
    loss = stage(batch, StepRandom(0, 0, 3))
    assert loss.shape == (3,) and torch.isfinite(loss).all()
    figures = stage.evaluate(stage.source("validation")([0]))
    assert {"right", "picture", "map", "text", "t999"} <= set(figures)


def test_cached_equals_computed_but_for_half_precision(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, data: DataConfig, copied: Path
) -> None:
    data = replace(data, dataset=str(copied), frames=9)
    losses = []
    for cached in (False, True):
        config = replace(run_config, data=replace(data, cache=cached))
        stage = Stage2(model, tokenizer, config)
        stage.fill_caches(0, 1)
        losses.append(stage(stage.source("train")([0, 1, 2, 3]), StepRandom(0, 0, 4)))
    assert torch.allclose(losses[0], losses[1], rtol=2e-3)


def test_a_run_with_encoders_in_bf16_reads_the_cache(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, data: DataConfig, copied: Path
) -> None:
    config = replace(run_config, data=replace(data, dataset=str(copied), cache=True))
    stage = Stage2(model, tokenizer, config)
    choose_trainable(stage, stage.trainable)
    stage.fill_caches(0, 1)
    FrozenWeights(stage).to_bf16()
    assert "frames" + LATENTS in stage.source("train")([0, 1])


def test_a_cache_entry_is_keyed_by_clip_text_encoders_and_sample_size(
    model: MuseDance, tokenizer: Tokenizer, dataset: Path
) -> None:
    record = read_metadata(dataset)[0]
    cache = ClipCache.beside(dataset, model, tokenizer, 6)
    paths = {cache.path(record)}
    for change in ({"text": "it sways"}, {"content": "0" * 64}, {"start": 2.0}):
        paths.add(cache.path(replace(record, **change)))
    paths.add(ClipCache.beside(dataset, model, tokenizer, 7).path(record))
    with torch.no_grad():
        next(model.vae.parameters()).add_(0.01)
    paths.add(ClipCache.beside(dataset, model, tokenizer, 6).path(record))
    assert len(paths) == 6


def test_filling_a_cache_resumes_and_is_shared_by_processes(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, data: DataConfig, copied: Path
) -> None:
    config = replace(run_config, data=replace(data, dataset=str(copied), cache=True))
    stage = Stage2(model, tokenizer, config)
    assert "7 clips, 4 of them encoded now" in stage.fill_caches(0, 2)
    assert "7 clips, 3 of them encoded now" in stage.fill_caches(1, 2)
    assert "7 clips, 0 of them encoded now" in stage.fill_caches(0, 2)


def test_a_stale_or_damaged_cache_is_named(
    model: MuseDance, tokenizer: Tokenizer, run_config: TrainConfig, data: DataConfig, copied: Path
) -> None:
    config = replace(run_config, data=replace(data, dataset=str(copied), cache=True))
    stage = Stage2(model, tokenizer, config)
    stage.fill_caches(0, 1)
    record = read_metadata(copied)[0]
    path = ClipCache.beside(copied, model, tokenizer, 6).path(record)
    entry = load_file(path)
    save_file({**entry, "latents": entry["latents"] + 0.5}, path)
    with pytest.raises(InputError, match=r"cached latents of clips/0\.mp4 differ"):
        stage.verify_caches()
    path.write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"cache of clips/0\.mp4"):
        stage.verify_caches()
    path.unlink()
    stage.fill_caches(0, 1)
    shutil.copy(copied / "clips/1.mp4", copied / "clips/0.mp4")
    with pytest.raises(InputError, match=r"clips/0\.mp4 or its track differs from metadata"):
        stage.verify_caches()


def test_samples_start_anywhere_unless_the_music_is_cached() -> None:
    assert possible_offsets(30, cached=False) == list(range(31))
    assert possible_offsets(30, cached=True) == [0, 10, 20, 30]
    assert possible_offsets(2, cached=True) == [0, 1, 2]


def test_a_corrupt_clip_and_a_missing_sound_are_named(
    model: MuseDance, tokenizer: Tokenizer, data: DataConfig, copied: Path
) -> None:
    data = replace(data, dataset=str(copied))
    (copied / "clips/2.mp4").write_bytes(b"no video at all")
    with pytest.raises(InputError, match=r"clips/2\.mp4"):
        pair_source(model.config, data, tokenizer, "train")(list(range(5)))
    shutil.copy(copied / "clips/1.mp4", copied / "clips/2.mp4")
    (copied / "tracks/3.wav").unlink()
    with pytest.raises(InputError, match=r"tracks/3\.wav"):
        clip_source(model.config, data, tokenizer, "train")(list(range(5)))
