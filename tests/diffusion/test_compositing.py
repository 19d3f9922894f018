"""Full-size frames: the plan's pixels, and what denoised frames add to them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from musedance_core.audio.beats import regular_grid
from musedance_core.audio.waveform import Waveform
from musedance_core.dance.dancer import Dancer
from musedance_core.dance.motion import BONE_INDEX, ROOT_INDEX, DanceMotion, standing
from musedance_core.dance.rig import Rig
from musedance_core.diffusion import compositing
from musedance_core.diffusion.compositing import (
    THRESHOLDS,
    Correction,
    composite,
    correct,
    plan_frames,
)
from musedance_core.media.staging import Background, cut_out, stage
from musedance_core.pipeline import MuseDancePipeline

SIDE, FRAMES, FPS = 32, 4, 12


class Blurred:
    """An autoencoder that returns pictures softer than it takes them."""

    def encode(self, pictures: Tensor) -> Tensor:
        return F.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)

    def decode(self, latents: Tensor) -> Tensor:
        return latents


VAE = Blurred()


def staged(person: tuple[Image.Image, Rig], background: Background = None) -> Dancer:
    """A person in a frame of 72 x 96 pixels."""
    picture, rig = person
    cutout = cut_out(picture, None, 96)
    return stage(cutout, cutout.place_rig(rig), background)


@pytest.fixture(scope="module")
def dancer(person: tuple[Image.Image, Rig]) -> Dancer:
    return staged(person)


@pytest.fixture(scope="module")
def motion() -> DanceMotion:
    """A third of a second at 24 poses a second: a step to the right with one arm up."""
    dance = standing(8, 24)
    dance.root[:, ROOT_INDEX["x"]] = torch.linspace(-0.1, 0.2, 8)
    dance.limbs[:, BONE_INDEX["left_upper_arm"]] = torch.tensor([0.6, -0.8])
    return dance


def reproduced(dancer: Dancer, motion: DanceMotion) -> Tensor:
    """The planned frames as the autoencoder returns them: nothing to add."""
    return VAE.encode(plan_frames(dancer, motion, SIDE, FRAMES, FPS)[0])


def shown(dancer: Dancer, motion: DanceMotion, drawn: Tensor | None, fps: float = FPS) -> Tensor:
    """The frames `[f c h w]` that come of `drawn`, at times of `fps`."""
    added = None if drawn is None else correct(dancer, drawn, motion, VAE, FPS)
    seconds = np.arange(round(FRAMES / FPS * fps)) / fps
    return torch.cat(list(composite(dancer, motion, seconds, added)))


def test_the_plan_is_opaque_in_the_square_with_the_dancer_s_alpha(
    dancer: Dancer, motion: DanceMotion
) -> None:
    frames, coverage = plan_frames(dancer, motion, SIDE, FRAMES, FPS)
    assert frames.shape == (FRAMES, 3, SIDE, SIDE) and coverage.shape == (FRAMES, 1, SIDE, SIDE)
    assert frames.min() >= 0 and frames.max() <= 1 and 0.99 < coverage.max() <= 1
    # 72 x 96 pixels leave four columns at either side.
    assert not coverage[..., :4].any() and not coverage[..., -4:].any()
    columns = torch.arange(SIDE) + 0.5
    centre = (coverage.sum(dim=(1, 2)) * columns).sum(dim=1) / coverage.sum(dim=(1, 2, 3))
    assert (centre.diff() > 0.3).all(), "the dancer steps to the right"


def test_where_frames_agree_with_the_plan_it_is_shown_alone(
    dancer: Dancer, motion: DanceMotion
) -> None:
    noise = torch.rand(FRAMES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    drawn = reproduced(dancer, motion) + (noise * 2 - 1) * THRESHOLDS.same
    assert torch.equal(shown(dancer, motion, drawn), shown(dancer, motion, None))


def test_where_they_show_something_else_it_is_added(dancer: Dancer, motion: DanceMotion) -> None:
    drawn = reproduced(dancer, motion)
    drawn[:, 2] += THRESHOLDS.different  # all of it is bluer
    plan, out = shown(dancer, motion, None), shown(dancer, motion, drawn)
    _, coverage = plan_frames(dancer, motion, SIDE, FRAMES, FPS)
    whole = F.interpolate(coverage[..., 4:-4], (96, 72), mode="bilinear")[:, 0] > 0.98
    added = (out - plan)[:, 2][whole]
    assert len(added) > 100
    assert torch.allclose(added, (1 - plan[:, 2])[whole].clamp_max(THRESHOLDS.different), atol=0.02)
    assert torch.allclose(out[:, :2], plan[:, :2])


def test_the_background_is_never_corrected(dancer: Dancer, motion: DanceMotion) -> None:
    drawn = torch.rand(FRAMES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    plan, out = shown(dancer, motion, None), shown(dancer, motion, drawn)
    _, alpha = dancer.frames(motion.at(np.arange(FRAMES) / FPS))
    outside = (alpha == 0).expand_as(plan)
    assert torch.equal(out[outside], plan[outside])
    assert torch.equal(plan[outside], dancer.background[:3].expand_as(plan)[outside])
    assert (out - plan).abs().max() > 0.3


def test_colours_never_exceed_the_alpha(
    person: tuple[Image.Image, Rig], motion: DanceMotion
) -> None:
    cutout = staged(person, "transparent")
    drawn = torch.ones(FRAMES, 3, SIDE, SIDE)
    plan, out = shown(cutout, motion, None), shown(cutout, motion, drawn)
    assert out.shape == (FRAMES, 4, 96, 72) and torch.equal(out[:, 3], plan[:, 3])
    assert out.min() >= 0 and out.max() <= 1
    assert not out[:, :3][(out[:, 3:] == 0).expand(-1, 3, -1, -1)].any()
    assert (out[:, :3] - plan[:, :3]).max() > 0.3


def test_a_transparent_dance_over_its_background_is_the_opaque_one(
    person: tuple[Image.Image, Rig], motion: DanceMotion
) -> None:
    colour = (20, 200, 90)
    opaque, cutout = staged(person, colour), staged(person, "transparent")
    frames = shown(cutout, motion, None)
    behind = torch.tensor(colour)[:, None, None] / 255
    over = frames[:, :3] * frames[:, 3:] + (1 - frames[:, 3:]) * behind
    assert torch.allclose(over, shown(opaque, motion, None), atol=2e-3)


def test_between_alike_and_other_a_share_is_added(dancer: Dancer, motion: DanceMotion) -> None:
    quarter = THRESHOLDS.same + 0.25 * (THRESHOLDS.different - THRESHOLDS.same)
    drawn = reproduced(dancer, motion) - quarter
    correction = correct(dancer, drawn, motion, VAE, FPS)
    expected = torch.full_like(correction.colours, -0.25 * quarter)
    assert torch.allclose(correction.colours, expected, atol=1e-5)


def test_single_pixels_count_less_than_patches(dancer: Dancer, motion: DanceMotion) -> None:
    """A difference of a single pixel is grain."""
    drawn = reproduced(dancer, motion)
    drawn[:, :, 16, 16] += 0.4
    assert not correct(dancer, drawn, motion, VAE, FPS).colours.any()
    drawn[:, :, 14:19, 14:19] += 0.4
    assert correct(dancer, drawn, motion, VAE, FPS).colours.abs().max() > 0.3


def test_corrections_are_linear_in_time_and_hold_at_the_end() -> None:
    correction = Correction(torch.arange(3.0)[:, None, None, None].expand(3, 3, 2, 2), 12)
    found = correction.at(np.array([0, 0.25, 1, 1.5, 2, 2.75]) / 12)
    assert found[:, 0, 0, 0].tolist() == pytest.approx([0, 0.25, 1, 1.5, 2, 2])


def test_corrections_at_twice_the_rate_pass_through_those_of_the_model(
    dancer: Dancer, motion: DanceMotion
) -> None:
    drawn = reproduced(dancer, motion)
    drawn[1::2] += 0.4  # every other frame is lighter
    slow, fast = shown(dancer, motion, drawn), shown(dancer, motion, drawn, 2 * FPS)
    assert torch.allclose(fast[::2], slow, atol=1e-5)
    plan = shown(dancer, motion, None, 2 * FPS)
    light = (fast - plan).clamp_min(0).flatten(1).sum(dim=1)
    assert 0.3 < light[1] / light[2] < 0.7


def test_frames_come_a_few_at_a_time(dancer: Dancer) -> None:
    pieces = list(composite(dancer, standing(80, 24), np.arange(40) / 12))
    assert [len(piece) for piece in pieces] == [16, 16, 8]


def test_large_frames_come_in_smaller_pieces(
    dancer: Dancer, motion: DanceMotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shown(dancer, motion, None)
    monkeypatch.setattr(compositing, "CHUNK_PIXELS", 3 * 96 * 72)
    pieces = list(composite(dancer, motion, np.arange(FRAMES) / FPS))
    assert [len(piece) for piece in pieces] == [3, 1] and torch.equal(torch.cat(pieces), whole)


def test_the_picture_in_its_own_pose_is_the_picture(
    person: tuple[Image.Image, Rig], dancer: Dancer
) -> None:
    rgba, _ = dancer.at_rest()
    picture, _ = person
    cutout = cut_out(picture, None, 96)
    left, top = cutout.corner
    h, w = cutout.pixels.shape[-2:]
    shown = rgba[:3, top : top + h, left : left + w]
    solid = (cutout.pixels[3:] > 0.999).expand_as(shown)
    assert (shown - cutout.pixels[:3])[solid].abs().mean() < 0.01
    assert torch.equal(rgba[:, 0], dancer.background[:, 0])


def test_the_background_of_a_dance_is_the_picture_s_own(person: tuple[Image.Image, Rig]) -> None:
    """The embedded model dances in a picture without transparency."""
    rows, columns = torch.meshgrid(
        torch.linspace(0, 1, 96), torch.linspace(0, 1, 128), indexing="ij"
    )
    sky = torch.stack([rows, columns, 0.5 + 0.3 * torch.sin(9 * rows)], dim=-1)
    picture = Image.fromarray((sky * 255).byte().numpy())
    sticker = person[0].resize((72, 96))
    picture.paste(sticker, (28, 0), sticker)
    mask = Image.new("L", picture.size)
    mask.paste(sticker.getchannel("A"), (28, 0))
    sound = np.random.default_rng(0).normal(0, 0.1, (1, 8000 * 2)).astype(np.float32)
    pipeline = MuseDancePipeline.from_pretrained(device="cpu")
    video = pipeline(
        picture,
        Waveform(sound, 8000),
        "it hops",
        mask=mask,
        beats=regular_grid(120, 0.0, 2.0),
        seconds=1.0,
        steps=2,
        size=128,
    )
    assert video.frames.shape == (24, 3, 96, 128)
    pixels = torch.from_numpy(np.array(picture)).movedim(-1, 0) / 255
    corners = (video.frames - pixels)[:, :, :12, :12]
    assert corners.abs().median(dim=0).values.max() < 1e-5
    assert video.frames.diff(dim=0).abs().max() > 0.05, "it dances"
