"""Part maps of a source: from a model the user brings, or from pictures on disk.

A model is a TorchScript file. It is called with pictures `[n 3 h w]`, float32 in 0..1, and returns
either part ids `[n h w]`, integers in 0..24, or their scores `[n 25 h w]`, floats.
Pictures lie in FOLDER/SOURCE/ (the video's name without its ending), one PNG file per frame of the
source that is used; the digits at the end of its name are the frame's number, counted from 0.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from einops import rearrange
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ..errors import InputError
from ..parts import SUBJECT
from .crop import PixelBox
from .log import Unusable
from .options import ClipOptions
from .sources import SourceVideo

DENSEPOSE_IDS = 25
BATCH = 8


class PartMaps(Protocol):
    """Where part ids come from."""

    def whole(self, frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Ids uint8 `[f h w]` of whole frames uint8 `[f h w 3]` with these numbers in the source;
        height and width may be others than the frames'."""

    def cropped(self, frames: np.ndarray, numbers: np.ndarray, share: PixelBox) -> np.ndarray:
        """Ids uint8 `[f h w]` of frames uint8 `[f h w 3]` that were cut out at `share`."""


def part_maps(source: SourceVideo, options: ClipOptions) -> PartMaps | None:
    """The part maps that the options name for the source, or None.

    Raises:
        InputError: the model is not as this module says.
    """
    if options.densepose:
        return ModelParts(options.densepose)
    if options.maps:
        folder = maps_folder(source, options)
        return FolderParts(folder) if folder.is_dir() else None
    return None


def maps_folder(source: SourceVideo, options: ClipOptions) -> Path:
    """Where the source's part maps lie as pictures, if it has any."""
    return Path(options.maps) / Path(source.name).with_suffix("")


class ModelParts:
    """Part ids from a TorchScript model."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise InputError(f"There is no part model at {path}.")
        try:
            load: Any = torch.jit.load
            self.model = load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError) as error:
            raise InputError(f"{path} is not a TorchScript file.") from error

    def check(self) -> None:
        """Try the model on one picture.

        Raises:
            InputError: it does not answer as it must.
        """
        self._ids(np.full((1, 64, 48, 3), 128, np.uint8))

    def whole(self, frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """See `PartMaps`."""
        pieces = [self._ids(frames[i : i + BATCH]) for i in range(0, len(frames), BATCH)]
        return np.concatenate(pieces)

    def cropped(self, frames: np.ndarray, numbers: np.ndarray, share: PixelBox) -> np.ndarray:
        """See `PartMaps`."""
        return self.whole(frames, numbers)

    @torch.inference_mode()
    def _ids(self, frames: np.ndarray) -> np.ndarray:
        images = rearrange(torch.from_numpy(frames).float() / 255, "n h w c -> n c h w")
        try:
            answer = self.model(images)
        except (RuntimeError, TypeError, AttributeError, torch.jit.Error) as error:
            told = str(error).strip() or type(error).__name__
            raise InputError(
                f"The part model {self.path} fails on pictures {tuple(images.shape)}: "
                f"{told.splitlines()[-1].rstrip(':. ')}."
            ) from error
        ids = self._checked(answer, images)
        return ids.to(torch.uint8).numpy()

    def _checked(self, answer: object, images: Tensor) -> Tensor:
        """Ids `[n h w]` from an answer of either kind."""
        n, _, h, w = images.shape
        if isinstance(answer, Tensor):
            if answer.shape == (n, DENSEPOSE_IDS, h, w) and answer.is_floating_point():
                return answer.argmax(dim=1)
            whole_numbers = not answer.is_floating_point() and answer.dtype != torch.bool
            if answer.shape == (n, h, w) and whole_numbers:
                if int(answer.min()) >= 0 and int(answer.max()) < DENSEPOSE_IDS:
                    return answer
                raise InputError(
                    f"The part model {self.path} gives ids from {int(answer.min())} to "
                    f"{int(answer.max())}; they must be 0 to {DENSEPOSE_IDS - 1}."
                )
        got = f"{answer.dtype} {tuple(answer.shape)}" if isinstance(answer, Tensor) else "no tensor"
        raise InputError(
            f"The part model {self.path} must return integer ids {(n, h, w)} or float scores "
            f"{(n, DENSEPOSE_IDS, h, w)}, not {got}."
        )


class FolderParts:
    """Part ids from PNG files, one per frame."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        numbered = ((re.search(r"(\d+)$", path.stem), path) for path in folder.glob("*.png"))
        self.files = {int(found[1]): path for found, path in numbered if found}

    def whole(self, frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """See `PartMaps`.

        Raises:
            Unusable: a frame's file is missing, or no 8-bit picture of one size with the others,
                or holds ids that do not exist.
        """
        maps = {number: self._read(int(number)) for number in np.unique(numbers)}
        if len({ids.shape for ids in maps.values()}) > 1:
            raise Unusable(f"part maps: {self.folder} holds pictures of several sizes")
        return np.stack([maps[number] for number in numbers])

    def cropped(self, frames: np.ndarray, numbers: np.ndarray, share: PixelBox) -> np.ndarray:
        """See `PartMaps`; the nearest pixel gives the id."""
        ids = self.whole(frames, numbers)
        left, top, right, bottom = share.shares
        rows = _centres(top, bottom, ids.shape[1], frames.shape[1])
        columns = _centres(left, right, ids.shape[2], frames.shape[2])
        cut: np.ndarray = ids[:, rows[:, None], columns[None, :]]
        return cut

    def _read(self, number: int) -> np.ndarray:
        if number not in self.files:
            raise Unusable(f"part maps: {self.folder} has no map of frame {number}")
        path = self.files[number]
        try:
            with Image.open(path) as picture:
                ids = np.asarray(picture)
                mode = picture.mode
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise Unusable(f"part maps: {path} cannot be read as a picture") from error
        if mode not in ("L", "P"):
            raise Unusable(f"part maps: {path} must have 8 bits a pixel, not mode {mode}")
        if ids.max() > SUBJECT:
            raise Unusable(f"part maps: {path} holds id {ids.max()}, the last is {SUBJECT}")
        return ids


def _centres(begin: float, end: float, old: int, new: int) -> np.ndarray:
    """For each of `new` cells between the shares `begin` and `end`, the nearest of `old` cells."""
    places = (begin + (np.arange(new) + 0.5) * (end - begin) / new) * old
    return places.astype(np.int64).clip(0, old - 1)
