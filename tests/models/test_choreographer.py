"""Properties of the choreographer's network."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from musedance_core.config import (
    ChoreographerConfig,
    DynamicsConfig,
    MuseDanceConfig,
    MusicConfig,
    TextConfig,
)
from musedance_core.dance.motion import FEATURES, DanceMotion
from musedance_core.dance.posing import Body, pose_body
from musedance_core.dance.stick import stick_joints
from musedance_core.models import Choreographer, ClipAudio, Conditions, MuseDance, init_weights
from musedance_core.presets import SD15, STICKER

CONFIG = ChoreographerConfig(width=32, layers=2, heads=2, previous=2)
TEXT, MUSIC = TextConfig(width=16, heads=2), MusicConfig(width=16, heads=2)
FRAMES, TOKENS = 6, 5


def network(dynamics: DynamicsConfig | None = None) -> Choreographer:
    torch.manual_seed(0)
    made = Choreographer(CONFIG, dynamics or DynamicsConfig(), TEXT, MUSIC)
    init_weights(made)
    return made


def randomise(made: Choreographer) -> Choreographer:
    """Weights as after training: no output is zero."""
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.3)
    return made


def inputs(made: Choreographer, b: int = 2, **changed: Tensor) -> tuple[Tensor, Tensor, Conditions]:
    generator = torch.Generator().manual_seed(1)

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    given = {
        "text": noise(b, 7, 16),
        "music": noise(b, TOKENS, 16),
        "count": torch.arange(FRAMES)[None].expand(b, -1) / 3,
        "previous": noise(b, 2 * CONFIG.poses, FEATURES),
        "keep": torch.ones(b, dtype=torch.bool),
        "noisy": noise(b, FRAMES * CONFIG.poses, FEATURES),
        **changed,
    }
    seconds = torch.arange(FRAMES) / 12
    ids = (given["count"] % 1 == 0).long()
    music, beat = made.music_tokens, made.beat_tokens
    conditions = Conditions(
        text=given["text"],
        music=None if music is None else music(given["music"], torch.arange(TOKENS) / 10),
        beat=None if beat is None else beat(ids, given["count"], seconds),
        seconds=seconds,
        previous=made.encode_previous(given["previous"]),
        keep_reference=given["keep"],
    )
    return given["noisy"], torch.full((b,), 500), conditions


def test_v_has_the_shape_of_the_poses_and_is_zero_in_a_fresh_network() -> None:
    made = network()
    noisy, t, conditions = inputs(made)
    v = made(noisy, t, conditions)
    assert v.shape == noisy.shape and not v.any()


def test_layers_of_a_fresh_network_leave_music_beats_and_poses_before_alone() -> None:
    made = network()
    n = FRAMES // CONFIG.frames
    x, style = torch.randn(2, n, 32), torch.randn(2, n, 32)
    _, _, conditions = inputs(made)
    _, _, others = inputs(
        made, music=torch.zeros(2, TOKENS, 16), previous=torch.zeros(2, 2 * CONFIG.poses, FEATURES)
    )
    seconds = torch.arange(n) / 6
    one, other = (dataclasses.replace(c, seconds=seconds) for c in (conditions, others))
    layer = made.layers[0]
    assert torch.allclose(layer(x, style, one), layer(x, style, other))


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("text", (2, 7, 16)),
        ("music", (2, TOKENS, 16)),
        ("count", (2, FRAMES)),
        ("previous", (2, 2 * CONFIG.poses, FEATURES)),
    ],
)
def test_every_condition_changes_the_prediction(name: str, shape: tuple[int, ...]) -> None:
    made = randomise(network())
    right = made(*inputs(made))
    wrong = made(*inputs(made, **{name: torch.full(shape, 0.4)}))
    assert (right - wrong).abs().max() > 1e-3


def test_samples_without_poses_before_do_not_depend_on_them() -> None:
    made = randomise(network())
    keep = torch.tensor([True, False])
    one = made(*inputs(made, keep=keep))
    zeros = torch.zeros(2, 2 * CONFIG.poses, FEATURES)
    other = made(*inputs(made, keep=keep, previous=zeros))
    assert not torch.allclose(one[0], other[0]) and torch.equal(one[1], other[1])


def test_the_phase_within_eight_beats_counts_and_that_within_sixteen_does_not() -> None:
    made = randomise(network())
    count = torch.arange(FRAMES)[None].expand(2, -1) / 3
    now, later, much_later = (made(*inputs(made, count=count + beats)) for beats in (0.0, 4.0, 8.0))
    assert (now - later).abs().max() > 1e-3
    assert torch.allclose(now, much_later, atol=1e-4)


@pytest.mark.parametrize("module", ["music", "beat", "motion"])
def test_modules_can_be_left_out(module: str) -> None:
    made = network(DynamicsConfig(**{module: False}))
    assert not any(f".{module}." in name for name in made.state_dict())
    noisy, t, conditions = inputs(made)
    assert made(noisy, t, conditions).shape == noisy.shape


def test_normalised_features_come_back() -> None:
    made = network()
    made.mean.copy_(torch.randn(FEATURES))
    made.std.copy_(torch.rand(FEATURES) + 0.1)
    features = torch.randn(3, FEATURES)
    assert torch.allclose(made.denormalise(made.normalise(features)), features, atol=1e-5)


def test_dropped_music_and_beats_are_not_seen(config: MuseDanceConfig) -> None:
    torch.manual_seed(0)
    model = MuseDance(config)
    init_weights(model)
    assert model.choreographer is not None
    keep = torch.tensor([False])

    def tokens(seed: int) -> tuple[Tensor | None, Tensor | None]:
        torch.manual_seed(seed)
        audio = ClipAudio(
            music=torch.randn(1, 4, config.music.width),
            music_seconds=torch.arange(4) / 4,
            beat_ids=torch.randint(0, 2, (1, 6)),
            beat_count=torch.rand(1, 6),
            seconds=torch.arange(6) / 12,
            keep=keep,
        )
        return model.embed_music(audio, model.choreographer), model.embed_beats(
            audio, model.choreographer
        )

    (music, beats), (other_music, other_beats) = tokens(1), tokens(2)
    assert music is not None and beats is not None and other_beats is not None
    assert torch.equal(music, torch.zeros_like(music)) and torch.equal(music, other_music)
    assert torch.equal(beats, other_beats)


def test_the_sticker_preset_has_a_choreographer_of_a_few_million_numbers() -> None:
    assert STICKER.choreographer is not None and SD15.choreographer is None
    with torch.device("meta"):
        made = Choreographer(STICKER.choreographer, STICKER.dynamics, STICKER.text, STICKER.music)
    assert 2e6 < sum(p.numel() for p in made.parameters()) < 6e6


def test_files_from_before_the_choreographer_still_have_a_config() -> None:
    values = SD15.to_dict()
    assert MuseDanceConfig.from_dict(values) == SD15
    del values["choreographer"]
    assert MuseDanceConfig.from_dict(values) == SD15
    assert MuseDanceConfig.from_dict(STICKER.to_dict()) == STICKER
    with pytest.raises(ValueError, match="choreographer must not be 3"):
        MuseDanceConfig.from_dict({**values, "choreographer": 3})


def test_widths_that_do_not_divide_are_refused() -> None:
    with pytest.raises(ValueError, match="width 100 is not divisible by 8 groups"):
        dataclasses.replace(CONFIG, width=100)


def test_stick_joints_are_those_of_a_standing_person() -> None:
    torch.manual_seed(0)
    root = torch.randn(12, 9) * 0.2
    root[:, 1] = root[:, 1].abs()
    angle = torch.randn(12, 8) * 1.5
    limbs = torch.stack([angle.sin(), angle.cos()], dim=-1) * (0.5 + 0.5 * torch.rand(12, 8, 1))
    motion = DanceMotion(root, limbs, 24)
    expected = pose_body(Body.standing(1.0, 0.0, 0.0), motion).warped_joints
    assert torch.allclose(stick_joints(motion.features()), expected, atol=1e-5)
