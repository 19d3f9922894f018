from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from einops import repeat
from torch import Tensor

from musedance_core.dance.motion import DanceMotion, standing
from musedance_core.errors import InputError
from musedance_core.evaluation.clip import Clip, quantise
from musedance_core.evaluation.judges.networks import Recognition
from musedance_core.evaluation.measure import MetricNetworks, measure
from musedance_core.world.dances import Dance

FPS, FRAMES = 12, 48
Draw = Callable[[np.ndarray], Tensor]
Swing = Callable[[np.ndarray, float, float], np.ndarray]
BEATS = 0.2 + 0.5 * np.arange(-1, 9)
WRONG = Recognition("sway", "right", "big")


def dance_of(draw: Draw, swing: Swing, late: float = 0.0) -> Tensor:
    return quantise(draw(swing(np.arange(FRAMES) / FPS, 0.5, 0.2 + late)))


def clip_of(frames: Tensor, truth: Tensor | None, asked: Dance | None = None) -> Clip:
    reference = (frames if truth is None else truth)[0]
    return Clip("a", frames, FPS, reference, "a.mp4", truth, beats=BEATS, dance=asked)


def colour(frames: Tensor) -> Tensor:
    return frames.mean(dim=(2, 3))


def features(videos: Tensor) -> Tensor:
    return videos.mean(dim=(1, 3, 4))


def test_the_truth_itself_is_perfect(draw: Draw, swing: Swing) -> None:
    truth = dance_of(draw, swing)
    found = measure(clip_of(truth, truth), MetricNetworks(identity=colour))
    values = found.sample.values
    assert found.truth is not None and found.truth.values.items() <= values.items()
    assert values["psnr"] == 100 and values["ssim"] == pytest.approx(1)
    assert values["alignment"] > 0.95 and values["lag"] == pytest.approx(0, abs=0.01)
    assert values["motion_correlation"] == pytest.approx(1)
    assert values["motion_ratio"] == 1 and values["truth_lag"] == pytest.approx(0)
    assert values["background"] == values["flicker"] == 0
    assert "lpips" not in values and "seam" not in values and "drift" not in values


def test_a_late_dance_is_late_against_both_beats_and_truth(draw: Draw, swing: Swing) -> None:
    truth, late = dance_of(draw, swing), dance_of(draw, swing, 0.1)
    values = measure(clip_of(late, truth), MetricNetworks()).sample.values
    assert values["lag"] == pytest.approx(0.1, abs=0.015)
    assert values["truth_lag"] == pytest.approx(0.1, abs=0.015)
    assert values["alignment"] < 0.3 and values["psnr"] < 40


def test_a_background_that_changes_is_seen_though_it_changes_all_the_time(
    draw: Draw, swing: Swing
) -> None:
    truth = dance_of(draw, swing)
    values = measure(clip_of((truth + 0.2).clamp(0, 1), truth), MetricNetworks()).sample.values
    assert values["background"] == pytest.approx(51, abs=1)


def test_without_truth_and_beats_the_rest_is_measured(draw: Draw, swing: Swing) -> None:
    frames = dance_of(draw, swing)
    alone = Clip("a", frames, FPS, frames[0], "a.mp4")
    found = measure(alone, MetricNetworks(identity=colour))
    assert found.truth is None and found.sample.track is None
    assert found.sample.values.keys() == {"background", "flicker", "identity"}
    assert len(found.beats_inside()) == 0


def test_the_beats_of_a_clip_are_those_while_it_lasts(draw: Draw, swing: Swing) -> None:
    found = measure(clip_of(dance_of(draw, swing), None), MetricNetworks())
    inside = found.beats_inside()
    assert inside.tolist() == pytest.approx((0.2 + 0.5 * np.arange(8)).tolist())


def test_two_segments_have_a_seam_and_a_drift(draw: Draw) -> None:
    way = 4 + 0.1 * np.arange(96)
    way[48:] += 5
    frames = quantise(draw(way))
    values = measure(clip_of(frames, None), MetricNetworks(identity=colour)).sample.values
    assert values["seam"] > 10 and values["drift"] == pytest.approx(1, abs=0.1)


def test_a_clip_says_how_long_its_segments_are(draw: Draw) -> None:
    way = 4 + 0.1 * np.arange(48)
    way[32:] += 5
    clip = replace(clip_of(quantise(draw(way)), None), segment=16)
    values = measure(clip, MetricNetworks(identity=colour)).sample.values
    assert values["seam"] > 10 and "drift" in values


def test_a_figure_that_is_not_finite_is_named(draw: Draw, swing: Swing) -> None:
    truth = dance_of(draw, swing)
    for networks, label in (
        (MetricNetworks(lpips=lambda one, two: float("nan")), "LPIPS"),
        (MetricNetworks(fvd=lambda frames: torch.tensor([1.0, float("inf")])), "FVD"),
        (MetricNetworks(identity=lambda frames: colour(frames) * float("nan")), "identity"),
    ):
        with pytest.raises(InputError, match=f"'{label}' of .*a is not finite"):
            measure(clip_of(truth, truth), networks)


def test_recognised_dances_are_compared_with_the_request(draw: Draw, swing: Swing) -> None:
    truth = dance_of(draw, swing)
    poses, true_poses = standing(96, 24.0), standing(48, 12.0)

    def judge(motion: DanceMotion, beats: np.ndarray) -> Recognition:
        """Recognises the true poses only."""
        assert beats is BEATS
        return Recognition("hop", "left", "big") if motion is true_poses else WRONG

    def figures(dance: Dance) -> tuple[dict[str, float], dict[str, float]]:
        clip = replace(clip_of(truth, truth, dance), motion=poses, true_motion=true_poses)
        found = measure(clip, MetricNetworks(motion=features, dance=judge))
        assert found.truth is not None
        assert found.sample.features["world_frechet"].shape == (3,)
        return found.sample.values, found.truth.values

    made, true = figures(Dance("kick", "left", "big"))
    assert [made[name] for name in ("move", "side", "size")] == [0, 0, 1]
    assert [true[name] for name in ("move", "side", "size")] == [0, 1, 1]
    made, true = figures(Dance("hop", "either", "big"))
    assert true["move"] == 1 and made["move"] == 0 and "side" not in made


def test_a_video_without_poses_has_no_recognised_move(draw: Draw, swing: Swing) -> None:
    clip = clip_of(dance_of(draw, swing), None, Dance("hop"))
    networks = MetricNetworks(motion=features, dance=lambda motion, beats: WRONG)
    assert not {"move", "side", "size"} & measure(clip, networks).sample.values.keys()


def test_the_background_is_measured_where_the_dancer_never_is(draw: Draw, swing: Swing) -> None:
    truth = dance_of(draw, swing)
    elsewhere = truth.clone()
    elsewhere[10, :, :6, :6] = 1.0
    clip = clip_of(elsewhere, truth)
    assert measure(clip, MetricNetworks()).sample.values["background"] > 0
    covered = torch.zeros(truth.shape[-2:], dtype=torch.bool)
    covered[:6, :6] = True
    values = measure(replace(clip, covered=covered), MetricNetworks()).sample.values
    assert values["background"] == values["flicker"] == 0


def test_brought_networks_are_asked(draw: Draw, swing: Swing) -> None:
    truth, late = dance_of(draw, swing), dance_of(draw, swing, 0.1)
    networks = MetricNetworks(
        lpips=lambda one, two: float((one - two).abs().mean()),
        fvd=lambda frames: frames.mean(dim=(0, 2, 3)),
    )
    found = measure(clip_of(late, truth), networks)
    assert found.sample.values["lpips"] > 0
    assert found.truth is not None and "lpips" not in found.truth.values
    assert found.sample.features["fvd"].shape == found.truth.features["fvd"].shape == (3,)


def test_quantise_rounds_to_eight_bits() -> None:
    levels = repeat(torch.arange(256), "h -> c h w", c=3, w=1).float() / 255
    assert torch.equal(quantise(levels), levels)
    assert torch.equal(quantise(levels + 0.4 / 255), levels)
    assert quantise(torch.tensor([-1.0, 2.0])).tolist() == [0, 1]
