"""Part maps of a source video: from a model that the user brings, or from PNG files.

A model is a TorchScript file. It is called with pictures `[n 3 h w]`, float32 in 0..1, and returns
either part ids `[n h w]`, integers in 0..24, or their scores `[n 25 h w]`, floats.
PNG files lie in FOLDER/SOURCE/ (the video's name without its ending), one for each frame of the
source that is used. The digits at the end of a file's stem are the frame's number, from 0 on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from einops import rearrange
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from ..dataset.format import ClipRecord
from ..errors import InputError
from ..parts import SUBJECT
from .crop import PixelBox
from .options import ClipOptions
from .rejections import UnusableVideo, UnusedInput
from .sources import SourceVideo

DENSEPOSE_IDS = 25
BATCH = 8
"""Pictures that a model is called with at a time."""


class PartMapSource(Protocol):
    """Gives the part ids of a source video's frames."""

    def for_frames(self, frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Part ids uint8 `[f h w]` of whole frames; their height and width may differ from those
        of the frames.

        Args:
            frames: uint8 `[f h w 3]`.
            numbers: their frame numbers in the source `[f]`.
        """

    def for_crop(self, frames: np.ndarray, numbers: np.ndarray, crop: PixelBox) -> np.ndarray:
        """Part ids uint8 `[f h w]` of cropped frames, of the same height and width.

        Args:
            frames: uint8 `[f h w 3]`, cropped at `crop` and scaled.
            numbers: their frame numbers in the source `[f]`.
        """


def open_part_maps(source: SourceVideo, options: ClipOptions) -> PartMapSource | None:
    """The part maps that the options name for the source, or None.

    Raises:
        InputError: the model cannot be loaded.
        UnusableVideo: two files are the map of one frame.
    """
    if options.densepose:
        return ModelPartMaps(options.densepose)
    if options.maps:
        folder = part_map_folder(source, options)
        return FolderPartMaps(folder) if folder.is_dir() else None
    return None


def part_map_folder(source: SourceVideo, options: ClipOptions) -> Path:
    """The folder of the source's part maps as PNG files; it need not exist."""
    return Path(options.maps) / Path(source.name).with_suffix("")


class ModelPartMaps:
    """Part ids from a TorchScript model."""

    def __init__(self, path: str | Path) -> None:
        """Load the model.

        Raises:
            InputError: `path` is missing or not a TorchScript file.
        """
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
            InputError: it fails, or returns something other than the module's docstring says.
        """
        self._predict(np.full((1, 64, 48, 3), 128, np.uint8))

    def for_frames(self, frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """See `PartMapSource`."""
        batches = [self._predict(frames[i : i + BATCH]) for i in range(0, len(frames), BATCH)]
        return np.concatenate(batches)

    def for_crop(self, frames: np.ndarray, numbers: np.ndarray, crop: PixelBox) -> np.ndarray:
        """See `PartMapSource`; the model sees the cropped frames."""
        return self.for_frames(frames, numbers)

    @torch.inference_mode()
    def _predict(self, frames: np.ndarray) -> np.ndarray:
        """Part ids uint8 `[n h w]` of pictures uint8 `[n h w 3]`."""
        images = rearrange(torch.from_numpy(frames).float() / 255, "n h w c -> n c h w")
        try:
            output = self.model(images)
        except (RuntimeError, TypeError, AttributeError, torch.jit.Error) as error:
            message = str(error).strip() or type(error).__name__
            raise InputError(
                f"The part model {self.path} fails on pictures {tuple(images.shape)}: "
                f"{message.splitlines()[-1].rstrip(':. ')}."
            ) from error
        ids = self._checked_ids(output, images)
        return ids.to(torch.uint8).numpy()

    def _checked_ids(self, output: object, images: Tensor) -> Tensor:
        """Part ids `[n h w]` from the model's output, which may be ids or scores."""
        n, _, h, w = images.shape
        if isinstance(output, Tensor):
            if output.shape == (n, DENSEPOSE_IDS, h, w) and output.is_floating_point():
                return output.argmax(dim=1)
            integers = not output.is_floating_point() and output.dtype != torch.bool
            if output.shape == (n, h, w) and integers:
                if int(output.min()) >= 0 and int(output.max()) < DENSEPOSE_IDS:
                    return output
                raise InputError(
                    f"The part model {self.path} gives ids from {int(output.min())} to "
                    f"{int(output.max())}; they must be 0 to {DENSEPOSE_IDS - 1}."
                )
        got = f"{output.dtype} {tuple(output.shape)}" if isinstance(output, Tensor) else "no tensor"
        raise InputError(
            f"The part model {self.path} must return integer ids {(n, h, w)} or float scores "
            f"{(n, DENSEPOSE_IDS, h, w)}, not {got}."
        )


class FolderPartMaps:
    """Part ids from PNG files, one for each frame."""

    def __init__(self, folder: Path) -> None:
        """Index the files of the folder by frame number.

        Raises:
            UnusableVideo: two files are the map of one frame.
        """
        self.folder = folder
        self.files: dict[int, Path] = {}
        for path in sorted(folder.glob("*.png")):
            number = _frame_number(path)
            if number is None:
                continue
            other = self.files.setdefault(number, path)
            if other != path:
                raise UnusableVideo(
                    f"part maps: {other} and {path.name} are both maps of frame {number}"
                )

    def for_frames(self, frames: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """See `PartMapSource`.

        Raises:
            UnusableVideo: the file of a frame is missing, is not an 8-bit picture, has another size
                than the others, or holds an unknown id.
        """
        maps = {number: self._read(int(number)) for number in np.unique(numbers)}
        if len({ids.shape for ids in maps.values()}) > 1:
            raise UnusableVideo(f"part maps: {self.folder} holds pictures of several sizes")
        return np.stack([maps[number] for number in numbers])

    def for_crop(self, frames: np.ndarray, numbers: np.ndarray, crop: PixelBox) -> np.ndarray:
        """See `PartMapSource`; each pixel gets the id of the nearest one in the map.

        Raises:
            UnusableVideo: as `for_frames`.
        """
        ids = self.for_frames(frames, numbers)
        left, top, right, bottom = crop.shares
        rows = _nearest_cells(top, bottom, ids.shape[1], frames.shape[1])
        columns = _nearest_cells(left, right, ids.shape[2], frames.shape[2])
        cropped: np.ndarray = ids[:, rows[:, None], columns[None, :]]
        return cropped

    def _read(self, number: int) -> np.ndarray:
        """Part ids `[h w]` of one frame."""
        if number not in self.files:
            raise UnusableVideo(f"part maps: {self.folder} has no map of frame {number}")
        path = self.files[number]
        try:
            with Image.open(path) as picture:
                ids = np.asarray(picture)
                mode = picture.mode
        except (UnidentifiedImageError, OSError, SyntaxError) as error:
            raise UnusableVideo(f"part maps: {path} cannot be read as a picture") from error
        if mode not in ("L", "P"):
            raise UnusableVideo(f"part maps: {path} must have 8 bits a pixel, not mode {mode}")
        if ids.max() > SUBJECT:
            raise UnusableVideo(f"part maps: {path} holds id {ids.max()}, the last is {SUBJECT}")
        return ids


def unused_part_maps(
    sources: Sequence[SourceVideo], options: ClipOptions, clips: Iterable[ClipRecord]
) -> list[UnusedInput]:
    """The folders and files below `options.maps` that no clip uses, without hidden ones."""
    if not options.maps:
        return []
    root, records = Path(options.maps), list(clips)
    with_clips = {clip.source for clip in records}
    with_maps = {clip.source for clip in records if clip.part_maps}
    reasons: dict[Path, str | None] = {}
    for source in sources:  # two videos may have one folder: a.mp4 and a.mov
        reason = "belongs to a video without clips"
        if source.name in with_clips:
            reason = "marks nobody in the clips of its video"
        folder = part_map_folder(source, options)
        used = source.name in with_maps or reasons.get(folder, reason) is None
        reasons[folder] = None if used else reason
    unused: list[UnusedInput] = []
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        folder = Path(place)
        names = sorted(name for name in files if not name.startswith("."))
        why = reasons.get(folder, "belongs to no video")
        if folder == root or why is None:
            # Maps of frames that no clip shows are usual; files that are no maps are not.
            unused += [
                UnusedInput("part maps", str(folder / name), "is not FOLDER/VIDEO/FRAME_NUMBER.png")
                for name in names
                if folder == root or _frame_number(folder / name) is None
            ]
        elif names:
            unused.append(UnusedInput("part maps", str(folder), why))
    return unused


def _frame_number(path: Path) -> int | None:
    """The frame number that a PNG file's name ends in; None if there is none."""
    digits = re.search(r"(\d+)$", path.stem)
    return int(digits[1]) if digits and path.suffix == ".png" else None


def _nearest_cells(begin: float, end: float, old: int, new: int) -> np.ndarray:
    """For each of `new` cells between the shares `begin` and `end`, the nearest of `old` cells."""
    places = (begin + (np.arange(new) + 0.5) * (end - begin) / new) * old
    return places.astype(np.int64).clip(0, old - 1)
