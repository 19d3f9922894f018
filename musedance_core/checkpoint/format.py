"""One `.safetensors` file per model: weights and, in the metadata, all there is to know of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..config import MuseDanceConfig
from ..errors import InputError
from ..files import atomic_path
from ..models import MuseDance
from ..models.tokenizer import Tokenizer
from .keymaps import PUBLISHED, published_names, rename

FORMAT_VERSION = 1
METADATA_KEY = "musedance"
VAE_PREFIX = "vae."


@dataclass(frozen=True)
class Header:
    """What a checkpoint's metadata says.

    `provenance["trained"]` tells whether the model was trained to dance; `provenance["stages"]`
    lists how each part was trained.
    """

    config: MuseDanceConfig
    tokenizer: str
    provenance: dict[str, Any]
    licence: str


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A model ready to use and what its file says of it.

    `autoencoder` holds the autoencoder's weights by their own names where the model was built
    without one.
    """

    model: MuseDance
    tokenizer: Tokenizer
    provenance: dict[str, Any]
    licence: str
    autoencoder: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def config(self) -> MuseDanceConfig:
        """The model's config."""
        return self.model.config


def save_weights(
    path: str | Path,
    weights: Mapping[str, Tensor],
    header: Header,
    dtype: torch.dtype | None = torch.float16,
) -> None:
    """Write weights and header, atomically; floating-point weights in `dtype` (None: as they are).

    Raises:
        InputError: `path` does not end in .safetensors, is a directory, its folder is missing, or
            it cannot be written, as on a full disk; what was there before stays.
    """
    if Path(path).suffix.lower() != ".safetensors":
        raise InputError(f"The name {path} of a checkpoint must end in .safetensors.")
    said = {
        "format_version": FORMAT_VERSION,
        "config": header.config.to_dict(),
        "tokenizer": header.tokenizer,
        "provenance": header.provenance,
        "licence": header.licence,
    }
    tensors = {
        rename(name, PUBLISHED): (w.to(dtype) if dtype and w.is_floating_point() else w)
        .detach()
        .cpu()
        .contiguous()
        for name, w in weights.items()
    }
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, {METADATA_KEY: json.dumps(said), "format": "pt"})
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} cannot be written: {error}.") from error
        temporary.chmod(0o644)  # save_file leaves a file that only its owner reads


def save_checkpoint(
    path: str | Path,
    model: MuseDance,
    tokenizer: Tokenizer,
    provenance: dict[str, Any],
    licence: str = "Apache-2.0",
    dtype: torch.dtype | None = torch.float16,
) -> None:
    """Write `model` with its tokenizer and history as one file, atomically."""
    header = Header(model.config, tokenizer.to_json(), provenance, licence)
    save_weights(path, model.state_dict(), header, dtype)


def open_safetensors(path: Path) -> Any:
    """A safetensors file, open for reading.

    Raises:
        InputError: missing, damaged, unreadable or of another kind.
    """
    if not path.is_file():
        raise InputError(f"There is no checkpoint at {path}.")
    if path.suffix.lower() != ".safetensors":
        raise InputError(
            f"{path} is not a .safetensors file; other formats can run code, so they are refused."
        )
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged or no safetensors file: {error}.") from error


def read_header(path: str | Path) -> Header:
    """The metadata of a checkpoint, without its weights.

    Raises:
        InputError: not a file of ours, of another version, or damaged.
    """
    path = Path(path)
    with open_safetensors(path) as file:
        metadata = file.metadata() or {}
    if METADATA_KEY not in metadata:
        raise InputError(f"{path} is no MuseDance checkpoint: its metadata lacks {METADATA_KEY!r}.")
    try:
        said = json.loads(metadata[METADATA_KEY])
        version = said["format_version"]
        if version != FORMAT_VERSION:
            raise InputError(
                f"{path} has format version {version}; this program reads {FORMAT_VERSION}."
            )
        config = MuseDanceConfig.from_dict(said["config"])
        return Header(config, said["tokenizer"], said["provenance"], said["licence"])
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{path} has metadata that lacks {error}.") from error
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} has metadata that cannot be read: {error}.") from error


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file.

    Raises:
        InputError: missing, damaged or not safetensors.
    """
    with open_safetensors(Path(path)) as file:
        # Copied, since results can differ in the last bit where a file leaves tensors unaligned.
        return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118


def require_fit(
    path: str | Path, expected: Mapping[str, Tensor], given: Mapping[str, Tensor]
) -> None:
    """Names and shapes must be exactly those expected.

    Raises:
        InputError: one sentence that names the file and the first names that do not fit.
    """
    missing, extra = sorted(set(expected) - set(given)), sorted(set(given) - set(expected))
    complaints = [
        f"{verb.format(len(names))} ({', '.join(names[:5])}{', ...' if len(names) > 5 else ''})"
        for verb, names in (("lacks {} weights", missing), ("holds {} unknown ones", extra))
        if names
    ]
    if complaints:
        raise InputError(f"{path} does not fit: it {' and '.join(complaints)}.")
    wrong = [
        f"{name} has shape {tuple(w.shape)}, not {tuple(expected[name].shape)}"
        for name, w in sorted(given.items())
        if w.shape != expected[name].shape
    ]
    if wrong:
        raise InputError(f"{path} does not fit: {'; '.join(wrong[:3])}.")


def load_checkpoint(
    path: str | Path,
    ops: Any = nn,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    autoencoder: bool = True,
) -> LoadedCheckpoint:
    """Build the model that `path` describes and fill it, strictly; without the autoencoder where
    that is not wanted.

    Raises:
        InputError: anything about the file that does not fit, in one sentence.
    """
    path = Path(path)
    header = read_header(path)
    weights = {rename(name, PUBLISHED): w for name, w in read_weights(path).items()}
    apart = {}
    if not autoencoder:
        apart = {name: weights.pop(name) for name in list(weights) if name.startswith(VAE_PREFIX)}
    with torch.device("meta"):
        model = MuseDance(header.config, autoencoder=autoencoder)
    own, names = model.state_dict(), published_names(model.state_dict())
    require_fit(path, {name: own[names[name]] for name in names}, weights)
    if ops is not nn:
        with torch.device("meta"):
            model = MuseDance(header.config, ops, autoencoder)
    model.load_state_dict({names[name]: w for name, w in weights.items()}, assign=True)
    model.to(device=device, dtype=dtype)
    tokenizer = Tokenizer.from_json(header.tokenizer, header.config.text.max_tokens)
    if max(tokenizer.start, tokenizer.end) >= header.config.text.vocab_size:
        raise InputError(
            f"{path} does not fit: its tokenizer gives ids up to {tokenizer.end}, its text encoder "
            f"knows {header.config.text.vocab_size}."
        )
    apart = {name.removeprefix(VAE_PREFIX): w for name, w in apart.items()}
    return LoadedCheckpoint(model, tokenizer, header.provenance, header.licence, apart)
