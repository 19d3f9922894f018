"""Inputs of the pipeline's other methods from Python: each bad one is one sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from musedance_core import InputError, MuseDancePipeline, Waveform
from musedance_core.audio.beats import regular_grid
from musedance_core.dance.motion import DanceMotion, standing
from musedance_core.dance.rig import Rig
from musedance_core.diffusion.segment import Reference, SongFeatures

CHICK = Path(__file__).parents[1] / "assets" / "sticker-chick.png"
NAN = float("nan")


@pytest.fixture(scope="module")
def pipe(written: Path) -> MuseDancePipeline:
    return MuseDancePipeline.from_pretrained(written, device="cpu")


@pytest.fixture(scope="module")
def song() -> Waveform:
    noise = np.random.default_rng(0).normal(0, 0.1, (1, 8000 * 3)).astype(np.float32)
    return Waveform(noise, 8000)


@pytest.fixture(scope="module")
def reference(pipe: MuseDancePipeline) -> Reference:
    return pipe.prepare_picture(CHICK, size=64)


@pytest.fixture(scope="module")
def features(pipe: MuseDancePipeline, song: Waveform) -> SongFeatures:
    return pipe.encode_song(song, regular_grid(120, 0.0, 3.0))


def test_a_picture_is_prepared_from_every_form(
    pipe: MuseDancePipeline, reference: Reference
) -> None:
    grey = Image.open(CHICK).convert("LA")
    for picture in (str(CHICK), Image.open(CHICK), grey):
        prepared = pipe.prepare_picture(picture, size=64)
        assert prepared.dancer is not None and reference.dancer is not None
        alpha, own = (r.dancer.figure.layers[:, 3].amax(dim=0) for r in (prepared, reference))
        assert torch.allclose(alpha.mean(), own.mean(), rtol=0.1)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"picture": "nobody.png"}, "no picture file"),
        ({"picture": Image.new("RGB", (1, 1))}, "is 1 x 1 pixels"),
        ({"picture": Image.new("RGBA", (40, 40))}, "all of it is transparent"),
        ({"mask": Image.new("RGB", (40, 10), "white")}, "must have the same shape"),
        ({"mask": Image.new("RGB", (40, 40))}, "marks nothing"),
        ({"size": 0}, r"whole number within 64\.\.2048, not 0"),
        ({"size": -5}, "not -5"),
        ({"size": NAN}, "not nan"),
        ({"background": "blu"}, "background 'blu'"),
        ({"rig": Rig((0, 0), torch.zeros(16, 2), torch.ones(16))}, "of 0 x 0 pixels"),
    ],
)
def test_a_picture_that_cannot_be_prepared(
    pipe: MuseDancePipeline, changed: dict[str, object], words: str
) -> None:
    picture = Image.new("RGB", (40, 40), "white")
    with pytest.raises(InputError, match=words):
        pipe.prepare_picture(**{"picture": picture, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"size": (0, 0)}, r"width in pixels must be a whole number within 64\.\.2048, not 0"),
        ({"size": (512, NAN)}, "height in pixels .* not nan"),
        ({"size": (64.5, 64)}, "not 64.5"),
        ({"size": 512}, "must be width and height in pixels, not 512"),
        ({"size": (64, 64, 64)}, "must be width and height"),
        ({"fps": NAN}, r"rate in frames a second must be within 1\.\.60, not nan"),
        ({"fps": 0}, "not 0"),
        ({"fps": 1e9}, "not 1000000000"),
        ({"steps": 1001}, r"steps must be a whole number within 1\.\.1000, not 1001"),
        ({"steps": 2.5}, "not 2.5"),
        ({"guidance": 1e6}, r"guidance must be within 0\.\.100"),
        ({"seed": 2**62}, "seed must be a whole number"),
    ],
)
def test_poses_that_cannot_be_made(
    pipe: MuseDancePipeline, song: Waveform, changed: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        pipe.pose(song, "it hops", beats=[0.0, 0.5, 1.0], **changed)  # type: ignore[arg-type]


def broken() -> DanceMotion:
    motion = standing(4, 24)
    return replace(motion, root=torch.full_like(motion.root, NAN))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"frames": 0}, "frames must be a whole number within 1"),
        ({"frames": 2.5}, "not 2.5"),
        ({"start": NAN}, "start in seconds must be within 0"),
        ({"start": -5}, "not -5"),
        ({"start": 1e9}, "not 1000000000"),
        ({"motion": standing(0, 24)}, "holds no pose"),
        ({"motion": broken()}, "not finite"),
        ({"seed": 2**70}, "seed"),
        ({"text": [(1.0, "it hops"), (0.5, "it sways")]}, "rising times"),
    ],
)
def test_a_dance_that_cannot_be_made(
    pipe: MuseDancePipeline,
    reference: Reference,
    features: SongFeatures,
    changed: dict[str, object],
    words: str,
) -> None:
    options: dict[str, object] = {"text": "it hops", "frames": 4, "draft": True}
    with pytest.raises(InputError, match=words):
        pipe.animate(reference, features, **{**options, **changed})  # type: ignore[arg-type]
