from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from musedance_core.errors import InputError
from musedance_core.evaluation.backbones import FVD, LPIPS, Identity

WriteScript = Callable[[str, nn.Module], Path]
GENERATOR = torch.Generator().manual_seed(0)
FRAMES = torch.rand(11, 3, 16, 16, generator=GENERATOR)


class Distance(nn.Module):
    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        return (one - two).abs().mean(dim=(1, 2, 3), keepdim=True)


class Colour(nn.Module):
    """Mean colour of pictures or videos."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).mean(dim=2)


class I3D(nn.Module):
    """The call convention of the widely used I3D file."""

    def forward(
        self, x: Tensor, rescale: bool = True, resize: bool = False, return_features: bool = False
    ) -> Tensor:
        x = x / 127.5 - 1 if rescale else x
        features = x.flatten(2).mean(dim=2)
        return features + (0 if resize else 100) if return_features else features[:, :1] * 1000


class Pair(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x


def test_lpips_gets_pictures_in_minus_one_to_one(script: WriteScript) -> None:
    lpips = LPIPS(script("lpips.pt", Distance()), "cpu")
    assert lpips(FRAMES, FRAMES) == 0
    assert lpips(torch.ones(9, 3, 8, 8), torch.zeros(9, 3, 8, 8)) == pytest.approx(2)
    # Batches do not change the mean.
    other = FRAMES.flip(0)
    assert lpips(FRAMES, other) == pytest.approx(2 * float((FRAMES - other).abs().mean()), rel=1e-5)


@pytest.mark.parametrize("module", [Colour(), I3D()])
def test_fvd_features_come_from_either_convention(script: WriteScript, module: nn.Module) -> None:
    features = FVD(script("fvd.pt", module), "cpu")(FRAMES)
    assert features.tolist() == pytest.approx(
        (FRAMES.mean(dim=(0, 2, 3)) * 2 - 1).tolist(), abs=1e-5
    )


def test_identity_embeds_every_picture(script: WriteScript) -> None:
    vectors = Identity(script("face.pt", Colour()), "cpu")(FRAMES)
    assert torch.allclose(vectors, FRAMES.mean(dim=(2, 3)))


def test_a_file_that_is_called_otherwise_is_named(script: WriteScript) -> None:
    one, two = script("colour.pt", Colour()), script("pair.pt", Pair())
    with pytest.raises(InputError, match=r"colour\.pt must be callable as f\(images"):
        LPIPS(one, "cpu")(FRAMES, FRAMES)
    with pytest.raises(InputError, match=r"pair\.pt must be callable as f\(videos.*something else"):
        FVD(two, "cpu")(FRAMES)
    with pytest.raises(InputError, match=r"pair\.pt must be callable as f\(images"):
        Identity(two, "cpu")(FRAMES)


class Alone(nn.Module):
    def forward(self, one: Tensor, two: Tensor) -> Tensor:
        return (one - two).abs().mean()


class Fussy(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if x.ndim > 0:
            raise ValueError("too small")
        return x


class Elsewhere(nn.Module):
    @torch.jit.export
    def embed(self, x: Tensor) -> Tensor:
        return x


def test_every_way_to_fail_is_one_sentence(script: WriteScript) -> None:
    with pytest.raises(InputError, match=r"alone\.pt must be callable.*something else"):
        LPIPS(script("alone.pt", Alone()), "cpu")(FRAMES, FRAMES)
    with pytest.raises(InputError, match=r"fussy\.pt must be callable.*too small") as raised:
        Identity(script("fussy.pt", Fussy()), "cpu")(FRAMES)
    assert "\n" not in str(raised.value)
    with pytest.raises(InputError, match=r"elsewhere\.pt has no method forward"):
        FVD(script("elsewhere.pt", Elsewhere()), "cpu")


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("not a network")
    torch.save({"weights": torch.zeros(3)}, tmp_path / "state.pt")
    for name, said in (("text.pt", "TorchScript"), ("state.pt", "TorchScript"), ("no.pt", "no.pt")):
        with pytest.raises(InputError, match=said):
            LPIPS(tmp_path / name, "cpu")
