"""A cache beside a data set: latents, text tokens and music tokens of its clips.

The frozen encoders run once per clip instead of in every step. The name of an entry is the SHA-256
of the clip's content, its sentence, the encoders' weights and the sample size, so a change in any
of them leads to another entry. Entries are in half precision.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from ...audio.mel import clip_window, song_log_mel
from ...dataset.format import ClipRecord
from ...dataset.reading import content_hash, read_frames, read_track
from ...errors import InputError
from ...files import atomic_path
from ...models import MuseDance
from ...models.tokenizer import Tokenizer
from ...models.vae import run_in_batches

FOLDER = "cache"
OFFSETS = 4
"""Number of places in a clip at which a sample can start: the music is cached for each of them."""
TRACKS_IN_MEMORY = 16
CLIPS_CHECKED = 3
TOLERANCE = 0.02
"""Largest error of a cached entry, relative to its peak: half precision, and another device."""


def possible_offsets(spare: int, cached: bool) -> list[int]:
    """Returns the frames at which a sample can start in a clip `spare` frames longer than it."""
    if not cached or spare < OFFSETS:
        return list(range(spare + 1))
    return [int(i) for i in np.linspace(0, spare, OFFSETS).round()]


class TrackMels:
    """Log-mels `[t mel]` of whole tracks; the latest stay in memory."""

    def __init__(self, folder: str | Path, mel_bins: int) -> None:
        self.folder, self.mel_bins = Path(folder), mel_bins
        self._mels: dict[str, Tensor] = {}

    def read(self, record: ClipRecord) -> Tensor:
        """Returns the log-mel of the clip's track.

        Raises:
            InputError: the track cannot be read.
        """
        if record.track not in self._mels:
            if len(self._mels) >= TRACKS_IN_MEMORY:
                del self._mels[next(iter(self._mels))]
            self._mels[record.track] = song_log_mel(read_track(self.folder, record), self.mel_bins)
        return self._mels[record.track]


@dataclass(frozen=True)
class CachedClip:
    """The encoders' output for one clip.

    Attributes:
        latents: `[f c h w]`.
        text: `[77 d]`.
        music: `[l d]` for each frame at which a sample can start.
    """

    latents: Tensor
    text: Tensor
    music: dict[int, Tensor]

    def to_tensors(self) -> dict[str, Tensor]:
        """Returns the tensors of the file by name, in half precision."""
        music = {f"music/{offset}": tokens for offset, tokens in self.music.items()}
        named = {"latents": self.latents, "text": self.text, **music}
        return {name: tensor.half().cpu().contiguous() for name, tensor in named.items()}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor]) -> CachedClip:
        """The inverse of `to_tensors`."""
        music = {int(n[6:]): t.float() for n, t in tensors.items() if n.startswith("music/")}
        return cls(tensors["latents"].float(), tensors["text"].float(), music)


class ClipCache:
    """Reads and writes entries; `fill_cache` makes them."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder, self.settings = folder / FOLDER, settings

    @classmethod
    def beside(
        cls, dataset: str | Path, model: MuseDance, tokenizer: Tokenizer, frames: int
    ) -> ClipCache:
        """Returns the cache of a data set for these encoders and samples of `frames` frames."""
        clip = model.config.clip
        settings = [weights_fingerprint(m) for m in (model.vae, model.text, model.music)]
        settings += [hashlib.sha256(tokenizer.to_json().encode()).hexdigest()]
        settings += [f"size={clip.size} fps={clip.fps} frames={frames} offsets={OFFSETS}"]
        return cls(Path(dataset), " ".join(settings))

    def path(self, record: ClipRecord) -> Path:
        """Returns the path of the clip's entry."""
        key = "\n".join([record.content, str(record.start), record.text, self.settings])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.safetensors"

    def read(self, record: ClipRecord) -> CachedClip:
        """Returns the clip's entry.

        Raises:
            InputError: it is missing or damaged.
        """
        path = self.path(record)
        try:
            return CachedClip.from_tensors(load_file(path))
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(
                f"The cache of {record.file_name} in {path} cannot be read: {error}."
            ) from error

    def write(self, record: ClipRecord, entry: CachedClip) -> None:
        """Writes the clip's entry, atomically.

        Raises:
            InputError: it cannot be written.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            with atomic_path(self.path(record)) as temporary:
                save_file(entry.to_tensors(), temporary)
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"The cache of {record.file_name} cannot be written to {self.folder}: {error}."
            ) from error


def weights_fingerprint(module: nn.Module) -> str:
    """Returns the SHA-256 of a module's weights in single precision."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


@torch.no_grad()
def encode_clip(
    dataset: str | Path,
    record: ClipRecord,
    model: MuseDance,
    tokenizer: Tokenizer,
    track_mels: TrackMels,
    frames: int,
) -> CachedClip:
    """Runs the encoders on a clip, for samples of `frames` frames (0: stage 1, no music)."""
    device, clip = next(model.parameters()).device, model.config.clip
    pictures = read_frames(dataset, record, range(record.frames), clip.size)
    latents = run_in_batches(lambda chunk: model.vae.encode(chunk.to(device)), pictures, clip.size)
    text = model.text(tokenizer.encode([record.text]).to(device))[0]
    music = {}
    for offset in possible_offsets(record.frames - frames, True) if frames else []:
        start, mel = record.start + offset / record.fps, track_mels.read(record)
        window = clip_window(mel, start, frames, clip.fps, model.config.music.length)
        tokens, _ = model.music.encode_clip(window[None].to(device), frames / clip.fps)
        music[offset] = tokens[0]
    return CachedClip(latents, text, music)


def verify_cache(
    dataset: str | Path,
    records: Sequence[ClipRecord],
    cache: ClipCache,
    model: MuseDance,
    tokenizer: Tokenizer,
    frames: int,
) -> None:
    """Encodes a few evenly spread clips again and compares them with their entries.

    Raises:
        InputError: a clip's media changed, or its entry differs from the encoders' output.
    """
    track_mels = TrackMels(dataset, model.config.music.mel_bins)
    for i in np.linspace(0, len(records) - 1, min(CLIPS_CHECKED, len(records))).round():
        record = records[int(i)]
        # The key of an entry has the hash from metadata.jsonl, so the files may have changed since.
        folder = Path(dataset)
        if content_hash(folder / record.file_name, folder / record.track) != record.content:
            raise InputError(
                f"{record.file_name} or its track differs from metadata.jsonl: prepare the data "
                f"set again."
            )
        fresh = encode_clip(dataset, record, model, tokenizer, track_mels, frames).to_tensors()
        cached = cache.read(record).to_tensors()
        if cached.keys() != fresh.keys():
            raise InputError(f"{cache.path(record)} is no entry of this cache: remove it.")
        for name, tensor in fresh.items():
            error = (cached[name].float() - tensor.float()).abs().max()
            if error > TOLERANCE * tensor.float().abs().max():
                raise InputError(
                    f"The cached {name} of {record.file_name} differ by {error:.3g} from what the "
                    f"encoders give: remove {cache.path(record)}."
                )


def fill_cache(
    dataset: str | Path,
    records: Sequence[ClipRecord],
    cache: ClipCache,
    model: MuseDance,
    tokenizer: Tokenizer,
    frames: int,
) -> int:
    """Writes the missing entries of these clips; returns their number.

    Raises:
        InputError: a clip cannot be read, or an entry cannot be written.
    """
    track_mels = TrackMels(dataset, model.config.music.mel_bins)
    missing = [record for record in records if not cache.path(record).is_file()]
    for record in tqdm(missing, desc="caching", unit="clip", disable=None):
        cache.write(record, encode_clip(dataset, record, model, tokenizer, track_mels, frames))
    return len(missing)
