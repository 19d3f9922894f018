"""Validation clips, made by the same pipeline as people use, with their song under them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor, nn

from ...audio.mel import song_log_mel
from ...audio.waveform import Waveform
from ...config import MuseDanceConfig
from ...dataset.reading import read_frames, read_part_maps, read_track
from ...diffusion.segment import SongFeatures
from ...media.video import write_video
from ...models import MuseDance
from ...models.tokenizer import Tokenizer
from ...pipeline import MuseDancePipeline
from ..config import DataConfig, TrainConfig
from ..data.recordings import grid_of, split_records
from ..data.sources import WorldClips
from .journal import Journal
from .tensorboard import LoggedClip

FOLDER = "validation"


@dataclass(frozen=True)
class Example:
    """What a person would give: picture `[3 s s]`, part map, song with its beats, sentence."""

    picture: Tensor
    part_map: Tensor | None
    text: str
    sound: Waveform
    track: SongFeatures
    start: float


def world_examples(
    model: MuseDanceConfig, data: DataConfig, tokenizer: Tokenizer, count: int
) -> list[Example]:
    """Unseen characters and songs of the dance world."""
    world = WorldClips(model, data, tokenizer, "validation").world
    made = []
    for index in range(count):
        clip = world.clips([index], model.clip.frames)
        sound = world.song(clip.song_indices[0]).wave
        track = SongFeatures(song_log_mel(sound, model.music.mel_bins), clip.grids[0])
        made.append(
            Example(
                clip.reference[0],
                clip.part_map[0],
                clip.captions[0],
                sound,
                track,
                clip.starts[0],
            )
        )
    return made


def recorded_examples(model: MuseDanceConfig, data: DataConfig, count: int) -> list[Example]:
    """The first frames of clips of a data set's validation split, evenly spread."""
    records, folder, size = split_records(data.dataset, "validation"), data.dataset, model.clip.size
    made = []
    for i in np.linspace(0, len(records) - 1, min(count, len(records))).round():
        record = records[int(i)]
        sound = read_track(folder, record)
        track = SongFeatures(song_log_mel(sound, model.music.mel_bins), grid_of(record))
        maps = read_part_maps(folder, record, [0], size)
        picture = read_frames(folder, record, [0], size)[0]
        part_map = None if maps is None else maps[0]
        made.append(Example(picture, part_map, record.text, sound, track, record.start))
    return made


class ValidationClips:
    """Makes the same clips whenever it is called, with the weights that the model has then."""

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        self.model, self.tokenizer, self.config = model, tokenizer, config
        self.examples: list[Example] = []

    def __call__(self, step: int, journal: Journal) -> None:
        """Write `validation/step-STEP-N.mp4` and show them to the trackers."""
        if not self.examples:
            self.examples = self._examples()
        folder = Path(self.config.output_dir) / FOLDER
        folder.mkdir(exist_ok=True)
        fps = self.model.config.clip.fps
        for number, example in enumerate(self.examples):
            frames = self.frames(example)
            path = folder / f"step-{step}-{number}.mp4"
            written = write_clip(path, frames, fps, example)
            sound = example.sound.cut(example.start, len(frames) / fps)
            journal.show(
                step, f"clip {number}: {example.text}", LoggedClip(frames, fps, sound, written)
            )
        where = f"in {folder}" if written else "not as files: PyAV is not installed"
        journal.say(f"step {step}  {len(self.examples)} validation clips, {where}")

    def frames(self, example: Example) -> Tensor:
        """One segment `[f 3 h w]` as `MuseDancePipeline` makes it."""
        with lent(self.model):
            segments = MuseDancePipeline(self.model, self.tokenizer).animate(
                example.picture,
                example.track,
                [(0.0, example.text)],
                frames=self.model.config.clip.frames,
                start=example.start,
                part_map=example.part_map,
                seed=self.config.seed,
                steps=self.config.validate_steps or None,
            )
            return next(iter(segments)).frames

    def _examples(self) -> list[Example]:
        config = self.config
        if config.data.dataset:
            return recorded_examples(self.model.config, config.data, config.validate_clips)
        count = config.validate_clips
        return world_examples(self.model.config, config.data, self.tokenizer, count)


def write_clip(path: Path, frames: Tensor, fps: int, example: Example) -> Path | None:
    """The clip with its song, where PyAV is there to write it."""
    if importlib.util.find_spec("av") is None:
        return None
    write_video(path, [frames], fps, example.sound, example.start)
    return path


@contextmanager
def lent(model: nn.Module) -> Iterator[None]:
    """The pipeline freezes its model; afterwards everything learns again that learned before."""
    learning = [p for p in model.parameters() if p.requires_grad]
    modes = {module: module.training for module in model.modules()}
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)
        for module, training in modes.items():
            module.training = training
