"""The checkpoint format: a `.safetensors` file with config, tokenizer and history in its metadata.

Loading is strict: names, shapes and metadata must fit, and every weight must be finite. Whatever
does not fit raises one `InputError` that names the file.
"""

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
from ..models.initialise import without_weights
from ..models.tokenizer import Tokenizer

FORMAT_VERSION = 1
METADATA_KEY = "musedance"
VAE_PREFIX = "vae."


@dataclass(frozen=True)
class Header:
    """A checkpoint's metadata.

    Attributes:
        config: config of the model.
        tokenizer: the tokenizer in the format of `tokenizer.json`.
        provenance: `["trained"]`, whether the model was trained to dance; `["stages"]`, how each
            part was trained; and further notes.
        licence: licence of the weights.
    """

    config: MuseDanceConfig
    tokenizer: str
    provenance: dict[str, Any]
    licence: str

    def to_json(self) -> str:
        """The text that `read_header` reads."""
        return json.dumps(
            {
                "format_version": FORMAT_VERSION,
                "config": self.config.to_dict(),
                "tokenizer": self.tokenizer,
                "provenance": self.provenance,
                "licence": self.licence,
            }
        )


@dataclass(frozen=True)
class LoadedCheckpoint:
    """A model with its tokenizer and history.

    `autoencoder` holds the autoencoder's weights if the model was built without one.
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
    """Write weights and header atomically, floating-point weights in `dtype` (None: as they are).

    Raises:
        InputError: `path` does not end in .safetensors, is a directory, its folder is missing, it
            cannot be written, as on a full disk, or a weight is not finite in `dtype`. A file that
            was there before stays as it was.
    """
    if Path(path).suffix.lower() != ".safetensors":
        raise InputError(f"The name {path} of a checkpoint must end in .safetensors.")
    metadata = {METADATA_KEY: header.to_json(), "format": "pt"}
    tensors = {
        name: (w.to(dtype) if dtype and w.is_floating_point() else w).detach().cpu().contiguous()
        for name, w in weights.items()
    }
    infinite = non_finite(tensors)
    if infinite:
        raise InputError(
            f"{path} is not written: {len(infinite)} of {len(tensors)} weights are not finite "
            f"({_some(infinite)}), as after a diverged training or in a number format too small."
        )
    write_tensors(path, tensors, metadata)


def write_tensors(path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a .safetensors file, atomically.

    Raises:
        InputError: it cannot be written, as on a full disk; the file that was there stays.
    """
    with atomic_path(path) as temporary:
        try:
            save_file(tensors, temporary, metadata)
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} cannot be written: {error}.") from error


def save_checkpoint(
    path: str | Path,
    model: MuseDance,
    tokenizer: Tokenizer,
    provenance: dict[str, Any],
    licence: str = "Apache-2.0",
    dtype: torch.dtype | None = torch.float16,
) -> None:
    """Write `model` with its tokenizer and history atomically; errors as for `save_weights`."""
    header = Header(model.config, tokenizer.to_json(), provenance, licence)
    save_weights(path, model.state_dict(), header, dtype)


def open_safetensors(path: Path) -> Any:
    """Open a safetensors file for reading.

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
        values = json.loads(metadata[METADATA_KEY])
        version = values["format_version"]
        if version != FORMAT_VERSION:
            raise InputError(
                f"{path} has format version {version}; this program reads {FORMAT_VERSION}."
            )
        config = MuseDanceConfig.from_dict(values["config"])
        header = Header(config, values["tokenizer"], values["provenance"], values["licence"])
    except InputError:
        raise
    except KeyError as error:
        raise InputError(f"{path} has metadata that lacks {error}.") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} has metadata that cannot be read: {error}.") from error
    _require_types(path, header)
    return header


def _require_types(path: Path, header: Header) -> None:
    """Check what `MuseDanceConfig` does not check itself."""
    provenance = header.provenance
    stages = provenance.get("stages", []) if isinstance(provenance, dict) else None
    good = {
        "tokenizer": isinstance(header.tokenizer, str),
        "licence": isinstance(header.licence, str),
        "provenance": isinstance(stages, list) and all(isinstance(s, dict) for s in stages),
    }
    for name in (name for name, fits in good.items() if not fits):
        raise InputError(f"{path} has metadata that cannot be read: its {name} is of another kind.")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """All tensors of a safetensors file.

    Raises:
        InputError: missing, damaged or not safetensors.
    """
    with open_safetensors(Path(path)) as file:
        # Cloned, because unaligned tensors of a file can change results in the last bit.
        return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118


def non_finite(weights: Mapping[str, Tensor]) -> list[str]:
    """Sorted names of `weights` that hold infinities or NaN."""
    return [
        name
        for name, w in sorted(weights.items())
        if w.is_floating_point() and w.numel() and not _is_finite(w)
    ]


def _is_finite(w: Tensor) -> bool:
    """True if all values are finite. One pass: aminmax shows infinities and propagates NaN."""
    low, high = w.float().aminmax()
    return bool(low.isfinite() and high.isfinite())


def _some(names: list[str], most: int = 5) -> str:
    return f"{', '.join(names[:most])}{', ...' if len(names) > most else ''}"


def require_fit(
    path: str | Path, expected: Mapping[str, Tensor], weights: Mapping[str, Tensor]
) -> None:
    """Check that names and shapes of `weights` are exactly those expected and all values finite.

    Raises:
        InputError: one sentence that names the file and the first names that do not fit.
    """
    missing, extra = sorted(set(expected) - set(weights)), sorted(set(weights) - set(expected))
    complaints = [
        f"{verb.format(len(names))} ({_some(names)})"
        for verb, names in (("lacks {} weights", missing), ("holds {} unknown ones", extra))
        if names
    ]
    if complaints:
        raise InputError(f"{path} does not fit: it {' and '.join(complaints)}.")
    wrong = [
        f"{name} has shape {tuple(w.shape)}, not {tuple(expected[name].shape)}"
        for name, w in sorted(weights.items())
        if w.shape != expected[name].shape
    ]
    if wrong:
        raise InputError(f"{path} does not fit: {'; '.join(wrong[:3])}.")
    infinite = non_finite(weights)
    if infinite:
        raise InputError(
            f"{path} is damaged or comes from a diverged training: {len(infinite)} weights are not "
            f"finite ({_some(infinite)})."
        )


def load_checkpoint(
    path: str | Path,
    ops: Any = nn,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    autoencoder: bool = True,
) -> LoadedCheckpoint:
    """Build the model of a checkpoint and load its weights, strictly.

    Args:
        path: the file.
        ops: namespace of layers (`models.layers`).
        device: device of the weights.
        dtype: data type of the weights.
        autoencoder: False leaves the autoencoder out of the model and returns its weights apart.

    Raises:
        InputError: anything about the file that does not fit, in one sentence.
    """
    path = Path(path)
    header = read_header(path)
    weights = read_weights(path)
    apart = {}
    if not autoencoder:
        apart = {name: weights.pop(name) for name in list(weights) if name.startswith(VAE_PREFIX)}

    # A host's layers may hold no weights yet, so shapes are compared on plain ones.
    model = _build(path, header, nn, autoencoder)
    require_fit(path, model.state_dict(), weights)
    if ops is not nn:
        model = _build(path, header, ops, autoencoder)
    model.load_state_dict(weights, assign=True)
    model.to(device=device, dtype=dtype)
    tokenizer = _read_tokenizer(path, header)
    apart = {name.removeprefix(VAE_PREFIX): w for name, w in apart.items()}
    return LoadedCheckpoint(model, tokenizer, header.provenance, header.licence, apart)


def _build(path: Path, header: Header, ops: Any, autoencoder: bool) -> MuseDance:
    """The model on the meta device, without memory for its weights."""
    try:
        with without_weights():
            return MuseDance(header.config, ops, autoencoder)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{path} has a config that cannot be built: {error}.") from error


def _read_tokenizer(path: Path, header: Header) -> Tokenizer:
    text = header.config.text
    try:
        tokenizer = Tokenizer.from_json(header.tokenizer, text.max_tokens)
    except ValueError as error:
        raise InputError(f"{path} has a tokenizer that cannot be read: {error}.") from error
    if max(tokenizer.start, tokenizer.end) >= text.vocab_size:
        raise InputError(
            f"{path} does not fit: its tokenizer gives ids up to {tokenizer.end}, its text encoder "
            f"knows {text.vocab_size}."
        )
    return tokenizer
