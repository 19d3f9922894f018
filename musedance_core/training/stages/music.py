"""Training of the `sticker` music encoder: it learns labels of synthetic songs, then is frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from einops import reduce
from torch import Tensor, nn

from ...audio.mel import clip_window
from ...config import MuseDanceConfig
from ...models import MuseDance
from ...models.music import column_seconds
from ...models.tokenizer import Tokenizer
from ...world.song_bank import SongBank
from ...world.songs import GENRES, Song, make_song
from ..config import DataConfig, TrainConfig
from ..runtime.step_random import StepRandom
from .base import SPLIT_SEEDS, Batch, SampleSource, Stage

WINDOW_STREAM = 102


@dataclass(frozen=True)
class Equaliser:
    """Standard deviations of the random equaliser, in units of the log-mel."""

    tilt: float = 0.6
    """Slope from the lowest to the highest band."""
    wave: float = 0.4
    """Amplitude of one sine wave over the bands."""
    gain: float = 0.4
    """The same in all bands."""


EQUALISER = Equaliser()


class MusicWindows:
    """Windows of synthetic songs with exact labels for each time column of the AST.

    A batch holds `mel [b length mel]`, and as labels `phase [b columns 2]` (sine and cosine of the
    beat's phase), `energy` and `pause [b columns]` in 0..1, `tempo [b]` as log2(BPM / 120),
    `genre [b]`, and `inside [b columns]`, which is 1 between the song's first and last beat.
    """

    def __init__(self, model: MuseDanceConfig, data: DataConfig, split: str) -> None:
        self.model, self.data = model, data
        self.seed = data.seed * 3 + SPLIT_SEEDS[split]
        self.songs = SongBank(self.song, model.music.mel_bins)

    def song(self, index: int) -> Song:
        """Returns song `index`, with its sound."""
        return make_song(self.seed, index)

    def __call__(self, indices: list[int]) -> Batch:
        samples = [self.window(index) for index in indices]
        return {name: torch.stack([s[name] for s in samples]) for name in samples[0]}

    def names(self, indices: Sequence[int]) -> list[str]:
        return [f"window {index} of the synthetic songs" for index in indices]

    def window(self, index: int) -> Batch:
        """Returns one window at a random place of a random song, through a random equaliser."""
        rng = np.random.default_rng((self.data.seed, WINDOW_STREAM, index))
        song, mel = self.songs[int(rng.integers(self.data.songs))]
        clip, music = self.model.clip, self.model.music
        # It may start a second before the song or end a second after it.
        start = float(rng.uniform(-1.0, len(mel) * 0.010 - clip.seconds + 1.0))
        window = clip_window(mel, start, clip.frames, clip.fps, music.length)
        # Recordings differ in timbre: tilt, bend and shift the spectrum.
        bins = torch.linspace(0, 1, music.mel_bins)
        tilt, wave, gain = rng.normal(0, (EQUALISER.tilt, EQUALISER.wave, EQUALISER.gain))
        window = (
            window + tilt * (bins - 0.5) + wave * torch.sin(bins * 6 + rng.uniform(0, 6)) + gain
        )
        times = start + column_seconds(music, clip.seconds).double().numpy()
        angle = 2 * np.pi * song.grid.count(times)
        labels = {
            "phase": np.stack([np.sin(angle), np.cos(angle)], -1),
            "energy": song.energy_at(times),
            "pause": song.in_break(times),
            "tempo": np.log2(song.grid.tempo / 120),
            "inside": (times >= song.grid.times[0]) & (times < song.grid.times[-1]),
        }
        targets = {name: torch.as_tensor(v, dtype=torch.float32) for name, v in labels.items()}
        return {"mel": window, "genre": torch.tensor(list(GENRES).index(song.genre)), **targets}


class MusicStage(Stage):
    """Beat phase, energy and pauses for each time column; tempo and genre for each window."""

    model: MuseDance
    part = "music"
    trainable = ("music.*",)

    def __init__(self, model: MuseDance, tokenizer: Tokenizer, config: TrainConfig) -> None:
        super().__init__(model)
        self.config = config
        width = model.config.music.width
        # Plain torch layers: training never runs inside a host with its own operations.
        self.column_head = nn.Linear(width, 4)
        self.window_head = nn.Linear(width, 1 + len(GENRES))

    def source(self, split: str) -> SampleSource:
        return MusicWindows(self.model.config, self.config.data, split)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Returns each loss term by name; "phase" is 1 - cos(predicted - true phase)."""
        grid = self.model.music(batch["mel"])
        columns = self.column_head(reduce(grid, "b r c d -> b c d", "mean")).float()
        window = self.window_head(reduce(grid, "b r c d -> b d", "mean")).float()
        phase = 1 - (F.normalize(columns[..., :2], dim=-1) * batch["phase"]).sum(-1)
        energy = (columns[..., 2] - batch["energy"]) ** 2
        pause = F.binary_cross_entropy_with_logits(
            columns[..., 3], batch["pause"], reduction="none"
        )
        # Columns outside the song have no beat, so they do not count.
        inside = batch["inside"]
        share = inside / inside.sum().clamp(min=1)
        return {
            "phase": (phase * share).sum(),
            "energy": (energy * share).sum(),
            "pause": (pause * share).sum(),
            "tempo": F.mse_loss(window[:, 0], batch["tempo"]),
            "genre": F.cross_entropy(window[:, 1:], batch["genre"]),
        }

    def forward(self, batch: Batch, rng: StepRandom) -> Tensor:
        terms = self.losses(batch)
        return (
            terms["phase"]
            + 4 * terms["energy"]
            + 0.5 * terms["pause"]
            + terms["tempo"]
            + 0.2 * terms["genre"]
        )

    def evaluate(self, batch: Batch) -> dict[str, float]:
        """Returns each loss term on held-out songs."""
        return {name: value.item() for name, value in self.losses(batch).items()}
