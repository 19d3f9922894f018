"""Part maps from a TorchScript model and from PNG files; other models and files are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from musedance_core.errors import InputError
from musedance_core.preparation.crop import PixelBox
from musedance_core.preparation.options import ClipOptions
from musedance_core.preparation.part_maps import FolderPartMaps, ModelPartMaps, open_part_maps
from musedance_core.preparation.rejections import UnusableVideo
from musedance_core.preparation.sources import SourceVideo


class Ids(nn.Module):
    """The red channel as part ids."""

    def forward(self, images: Tensor) -> Tensor:
        return (images[:, 0] * 24).round().long()


class Scores(nn.Module):
    """The same ids as scores."""

    def forward(self, images: Tensor) -> Tensor:
        parts = torch.arange(25).reshape(1, 25, 1, 1)
        return -(images[:, :1] * 24 - parts).abs()


class Scaled(nn.Module):
    """Ids multiplied by a factor."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, images: Tensor) -> Tensor:
        return (images[:, 0] * 24).round().long() * self.factor


class Halves(nn.Module):
    """Ids of half the size."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, 0, ::2, ::2].long()


class Fractions(nn.Module):
    """Floats instead of ids."""

    def forward(self, images: Tensor) -> Tensor:
        return images[:, 0]


class Pairs(nn.Module):
    """Two outputs."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


class Four(nn.Module):
    """Expects four channels."""

    def forward(self, images: Tensor) -> Tensor:
        return (images * torch.ones(1, 4, 1, 1))[:, 0].long()


class Fails(nn.Module):
    """Raises an error of its own."""

    def forward(self, images: Tensor) -> Tensor:
        raise ValueError("no")


class Nothing(nn.Module):
    """Has no forward method."""

    @torch.jit.export
    def other(self, images: Tensor) -> Tensor:
        return images


def scripted(folder: Path, module: nn.Module) -> Path:
    path = folder / "parts.pt"
    torch.jit.script(module).save(str(path))
    return path


@pytest.mark.parametrize("module", [Ids(), Scores()])
def test_ids_and_scores_give_the_same_maps(tmp_path: Path, module: nn.Module) -> None:
    model = ModelPartMaps(scripted(tmp_path, module))
    model.check()
    truth = np.random.default_rng(0).integers(0, 25, (11, 16, 24)).astype(np.uint8)
    frames = np.zeros((11, 16, 24, 3), np.uint8)
    frames[..., 0] = np.round(truth * (255 / 24))
    ids = model.for_frames(frames, np.arange(11))
    assert ids.dtype == np.uint8 and np.array_equal(ids, truth)


@pytest.mark.parametrize(
    ("module", "word"),
    [
        (Scaled(3), "from 36 to 36"),
        (Scaled(-1), "-12"),
        (Halves(), "int64"),
        (Fractions(), "float32"),
        (Pairs(), "no tensor"),
        (Four(), "fails on pictures"),
        (Fails(), "fails on pictures"),
        (Nothing(), "forward"),
    ],
)
def test_a_model_of_another_kind_is_refused(tmp_path: Path, module: nn.Module, word: str) -> None:
    path = scripted(tmp_path, module)
    with pytest.raises(InputError, match=word) as caught:
        ModelPartMaps(path).check()
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no model")
    torch.save({"a": torch.ones(2)}, tmp_path / "weights.pt")
    for name in ("text.pt", "weights.pt", "none.pt"):
        with pytest.raises(InputError, match=name):
            ModelPartMaps(tmp_path / name)


def test_png_files_are_found_by_frame_number_and_cropped(tmp_path: Path) -> None:
    folder = tmp_path / "maps/dance"
    folder.mkdir(parents=True)
    ids = np.zeros((3, 40, 60), np.uint8)
    ids[:, 10:30, 20:40] = np.array([1, 12, 25])[:, None, None]
    for k in range(3):
        Image.fromarray(ids[k]).save(folder / f"frame_{k:05d}.png")
    source = SourceVideo("dance.mp4", tmp_path / "dance.mp4")
    maps = open_part_maps(source, ClipOptions(maps=str(tmp_path / "maps")))
    assert isinstance(maps, FolderPartMaps)
    numbers = np.array([2, 0, 0])
    assert np.array_equal(maps.for_frames(np.zeros((3, 4, 6, 3), np.uint8), numbers), ids[numbers])
    share = PixelBox(200, 100, 400, 300, (600, 400))
    cut = maps.for_crop(np.zeros((3, 50, 50, 3), np.uint8), numbers, share)
    assert cut.shape == (3, 50, 50)
    assert [np.unique(c).tolist() for c in cut] == [[25], [1], [1]]
    assert (
        open_part_maps(SourceVideo("other.mp4", tmp_path), ClipOptions(maps=str(tmp_path / "maps")))
        is None
    )
    assert open_part_maps(source, ClipOptions()) is None


def test_two_png_files_of_one_frame_are_refused(tmp_path: Path) -> None:
    for name in ("a1.png", "b01.png"):
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / name)
    with pytest.raises(UnusableVideo, match=r"a1\.png and b01\.png are both maps of frame 1"):
        FolderPartMaps(tmp_path)


def test_png_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 26, np.uint8)).save(tmp_path / "0.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    (tmp_path / "2.png").write_text("no picture")
    for number, word in ((0, "id 26"), (1, "RGB"), (2, "cannot be read"), (3, "frame 3")):
        with pytest.raises(UnusableVideo, match=rf"^part maps: .*{word}"):
            FolderPartMaps(tmp_path).for_frames(
                np.zeros((1, 8, 8, 3), np.uint8), np.array([number])
            )
