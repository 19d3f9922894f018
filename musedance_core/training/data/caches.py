"""What frozen encoders say of a data set's clips, kept beside it so that no step computes it again.

A file is named by the SHA-256 of the clip's content, its sentence, and the encoders' weights and
settings: another video, sentence, encoder or size is another file. Entries are in half precision.
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
"""At how many places of a clip a sample may begin once the music is cached per place."""
SONGS_HELD = 16
CHECKED = 3
TOLERANCE = 0.02


def possible_offsets(spare: int, cached: bool) -> list[int]:
    """First frames of samples in a clip that has `spare` frames more than a sample."""
    if not cached or spare < OFFSETS:
        return list(range(spare + 1))
    return [int(i) for i in np.linspace(0, spare, OFFSETS).round()]


class Songs:
    """Log-mels `[t mel]` of whole tracks, the last few of them kept."""

    def __init__(self, folder: str | Path, mel_bins: int) -> None:
        self.folder, self.mel_bins = Path(folder), mel_bins
        self.held: dict[str, Tensor] = {}

    def mel(self, record: ClipRecord) -> Tensor:
        """The log-mel of the clip's track."""
        if record.track not in self.held:
            if len(self.held) >= SONGS_HELD:
                del self.held[next(iter(self.held))]
            self.held[record.track] = song_log_mel(read_track(self.folder, record), self.mel_bins)
        return self.held[record.track]


@dataclass(frozen=True)
class Cached:
    """One clip: `latents [f c h w]`, `text [77 d]`, and `music [l d]` by first frame."""

    latents: Tensor
    text: Tensor
    music: dict[int, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """By name, in half precision."""
        music = {f"music/{offset}": tokens for offset, tokens in self.music.items()}
        named = {"latents": self.latents, "text": self.text, **music}
        return {name: tensor.half().cpu().contiguous() for name, tensor in named.items()}

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> Cached:
        """The inverse of `tensors`."""
        music = {int(n[6:]): t.float() for n, t in tensors.items() if n.startswith("music/")}
        return cls(tensors["latents"].float(), tensors["text"].float(), music)


class ClipCache:
    """Reads entries; see `fill_cache` for how they come to be."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.folder, self.settings = folder / FOLDER, settings

    @classmethod
    def beside(
        cls, dataset: str | Path, model: MuseDance, tokenizer: Tokenizer, frames: int
    ) -> ClipCache:
        """The cache of a data set for these encoders and samples of `frames` frames."""
        clip = model.config.clip
        settings = [weights_fingerprint(m) for m in (model.vae, model.text, model.music)]
        settings += [hashlib.sha256(tokenizer.to_json().encode()).hexdigest()]
        settings += [f"size={clip.size} fps={clip.fps} frames={frames} offsets={OFFSETS}"]
        return cls(Path(dataset), " ".join(settings))

    def path(self, record: ClipRecord) -> Path:
        """Where the clip's entry is."""
        key = "\n".join([record.content, str(record.start), record.text, self.settings])
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.safetensors"

    def read(self, record: ClipRecord) -> Cached:
        """The clip's entry.

        Raises:
            InputError: it is missing or damaged.
        """
        path = self.path(record)
        try:
            return Cached.of(load_file(path))
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(
                f"The cache of {record.file_name} in {path} cannot be read: {error}."
            ) from error

    def write(self, record: ClipRecord, entry: Cached) -> None:
        """Write the clip's entry, atomically.

        Raises:
            InputError: it cannot be written.
        """
        try:
            self.folder.mkdir(exist_ok=True)
            with atomic_path(self.path(record)) as temporary:
                save_file(entry.tensors(), temporary)
        except (OSError, SafetensorError) as error:
            raise InputError(
                f"The cache of {record.file_name} cannot be written to {self.folder}: {error}."
            ) from error


def weights_fingerprint(module: nn.Module) -> str:
    """SHA-256 of a module's weights, whatever device they are on."""
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
    songs: Songs,
    frames: int,
) -> Cached:
    """What the encoders say of a clip, for samples of `frames` frames (0: stage 1, no music)."""
    device, clip = next(model.parameters()).device, model.config.clip
    pictures = read_frames(dataset, record, range(record.frames), clip.size)
    latents = run_in_batches(lambda some: model.vae.encode(some.to(device)), pictures, clip.size)
    text = model.text(tokenizer.encode([record.text]).to(device))[0]
    music = {}
    for offset in possible_offsets(record.frames - frames, True) if frames else []:
        start = record.start + offset / record.fps
        window = clip_window(songs.mel(record), start, frames, clip.fps, model.config.music.length)
        tokens, _ = model.music.encode_clip(window[None].to(device), frames / clip.fps)
        music[offset] = tokens[0]
    return Cached(latents, text, music)


def verify_cache(
    dataset: str | Path,
    records: Sequence[ClipRecord],
    cache: ClipCache,
    model: MuseDance,
    tokenizer: Tokenizer,
    frames: int,
) -> None:
    """Compute a few evenly spread clips anew and compare: media and cache still belong together.

    Raises:
        InputError: a clip's media changed, or its entry is not what the encoders say.
    """
    songs = Songs(dataset, model.config.music.mel_bins)
    for i in np.linspace(0, len(records) - 1, min(CHECKED, len(records))).round():
        record = records[int(i)]
        folder = Path(dataset)
        if content_hash(folder / record.file_name, folder / record.track) != record.content:
            raise InputError(
                f"{record.file_name} or its track is not what metadata.jsonl says: prepare the "
                f"data set again."
            )
        fresh = encode_clip(dataset, record, model, tokenizer, songs, frames).tensors()
        kept = cache.read(record).tensors()
        if kept.keys() != fresh.keys():
            raise InputError(f"{cache.path(record)} is no entry of this cache: remove it.")
        for name, tensor in fresh.items():
            error = (kept[name].float() - tensor.float()).abs().max()
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
    """Write the entries that are missing of these clips; how many that were."""
    songs = Songs(dataset, model.config.music.mel_bins)
    missing = [record for record in records if not cache.path(record).is_file()]
    for record in tqdm(missing, desc="caching", unit="clip", disable=None):
        cache.write(record, encode_clip(dataset, record, model, tokenizer, songs, frames))
    return len(missing)
