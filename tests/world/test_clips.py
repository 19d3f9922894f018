"""Clips of the dance world: seeds and splits, their truth, and the plan of the dance."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from musedance_core.dance.motion import DanceMotion
from musedance_core.dance.skeleton import INDEX, PARTS
from musedance_core.errors import InputError
from musedance_core.world.clip_music import beat_times, clip_music, random_beat_edit
from musedance_core.world.clips import FPS, PREVIOUS, SWITCH_FRAMES, ClipBatch, World
from musedance_core.world.dances import dance_motion
from musedance_core.world.shots import PLAN_SCALE, dance_frames, planned_frames, shot
from musedance_core.world.songs import SONG_SECONDS

FRAMES = 8
INDICES = range(8)
TINY = {"size": 16, "mixture": {"emoji": 1.0}}
"""Options of worlds whose pictures do not matter."""


def world(split: str = "train", **options: object) -> World:
    return World(split, songs=4, mel_bins=16, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def batch() -> ClipBatch:
    return world().clips(INDICES, frames=FRAMES)


def same(one: object, two: object) -> bool:
    if isinstance(one, torch.Tensor):
        assert isinstance(two, torch.Tensor)
        return torch.equal(one.nan_to_num(-1e6), two.nan_to_num(-1e6))
    if isinstance(one, DanceMotion):
        assert isinstance(two, DanceMotion)
        return torch.equal(one.features(), two.features())
    if isinstance(one, list):
        assert isinstance(two, list)
        return all(same(a, b) for a, b in zip(one, two, strict=True))
    return repr(one) == repr(two)


def test_same_seed_and_index_give_the_same_bytes(batch: ClipBatch) -> None:
    again = world().clips(INDICES, frames=FRAMES)
    for item in fields(ClipBatch):
        assert same(getattr(batch, item.name), getattr(again, item.name)), item.name


def test_a_clip_does_not_depend_on_its_batch(batch: ClipBatch) -> None:
    for i in (0, 3, 7):
        alone = world().clips([i], frames=FRAMES)
        assert torch.equal(alone.frames[0], batch.frames[i])
        assert torch.equal(alone.mel[0], batch.mel[i])
        assert alone.captions[0] == batch.captions[i]


def test_other_seeds_and_splits_give_other_clips(batch: ClipBatch) -> None:
    for other in (world(seed=1), world("validation"), world("test")):
        clips = other.clips(INDICES, frames=FRAMES)
        assert not torch.equal(clips.frames, batch.frames)
        assert not torch.equal(clips.mel, batch.mel)
        assert clips.captions != batch.captions


def test_shapes_types_and_ranges(batch: ClipBatch) -> None:
    b = len(INDICES)
    assert batch.frames.shape == (b, FRAMES, 3, 64, 64)
    assert batch.previous.shape == (b, PREVIOUS, 3, 64, 64)
    assert batch.reference.shape == (b, 3, 64, 64)
    assert batch.part_map.shape == (b, 64, 64) and batch.part_map.dtype == torch.int64
    assert batch.mel.shape == (b, 1024, 16)
    assert batch.beat_ids.shape == batch.beat_count.shape == (b, FRAMES)
    assert batch.beat_ids.dtype == torch.int64 and batch.beat_count.dtype == torch.float32
    assert batch.joints.shape == (b, FRAMES, 16, 2)
    assert batch.planned.shape == batch.frames.shape
    assert batch.coverage.shape == (b, FRAMES, 1, 64, 64)
    for pictures in (batch.frames, batch.previous, batch.reference, batch.planned, batch.coverage):
        assert pictures.dtype == torch.float32
        assert pictures.min() >= 0 and pictures.max() <= 1
    assert torch.isfinite(batch.mel).all()


def test_frames_show_the_poses_of_their_times(batch: ClipBatch) -> None:
    assert not batch.switched.all()
    for i in np.flatnonzero(~batch.switched.numpy()):
        times = batch.starts[i] + np.arange(-PREVIOUS, FRAMES) / FPS
        music = clip_music(batch.songs[i], batch.grids[i], times)
        motion = dance_motion(batch.dances[i], music, batch.takes[i], FPS)
        assert torch.allclose(motion.features(), batch.motions[i].features(), atol=1e-6)
        frames, _ = dance_frames(batch.shots[i].appearance, motion[PREVIOUS:])
        assert torch.allclose(frames, batch.frames[i], atol=1e-5)
        times = times[PREVIOUS:]
        count = torch.from_numpy(batch.grids[i].count(times)).float()
        assert torch.equal(batch.beat_count[i], count)


def test_beat_ids_mark_the_frames_nearest_to_the_beats(batch: ClipBatch) -> None:
    for i in range(len(INDICES)):
        frames = np.round((batch.grids[i].times - batch.starts[i]) * FPS).astype(int)
        wanted = [frame for frame in frames if 0 <= frame < FRAMES]
        assert np.flatnonzero(batch.beat_ids[i].numpy()).tolist() == sorted(set(wanted))


def test_previous_are_the_frames_before_or_the_reference_twice() -> None:
    long = world(continued=1.0, edited=0.0, switched=0.0).clips(INDICES, frames=FRAMES)
    first = world(continued=0.0, edited=0.0, switched=0.0).clips(INDICES, frames=FRAMES)
    assert torch.equal(first.previous, first.reference[:, None].expand_as(first.previous))
    assert torch.equal(long.frames, first.frames)
    steps = (long.frames[:, 1:] - long.frames[:, :-1]).abs().mean((2, 3, 4))
    seam = (long.frames[:, 0] - long.previous[:, -1]).abs().mean((1, 2, 3))
    assert (seam <= 2 * steps.amax(dim=1) + 1e-3).all()
    both = world(**TINY).clips(range(40), frames=1)
    assert 0.3 < both.continued.float().mean() < 0.7


def test_after_another_sentence_the_dancer_moves_over_without_a_jump() -> None:
    switched = world(continued=1.0, switched=1.0).clips(INDICES, frames=FRAMES)
    steady = world(continued=1.0, switched=0.0).clips(INDICES, frames=FRAMES)
    assert switched.switched.all() and not steady.switched.any()
    later = slice(SWITCH_FRAMES, None)
    assert torch.allclose(switched.frames[:, later], steady.frames[:, later], atol=1e-3)
    assert not torch.equal(switched.previous, steady.previous)
    assert switched.captions == steady.captions
    jump = (steady.frames[:, 0] - switched.previous[:, -1]).abs().mean()
    seam = (switched.frames[:, 0] - switched.previous[:, -1]).abs().mean()
    assert seam < 0.7 * jump
    assert world(**TINY).clips(range(50), frames=1).switched.float().mean() < 0.2


def test_the_background_and_place_stay_while_the_dancer_moves() -> None:
    clips = world(edited=0.0).clips(INDICES, frames=FRAMES)
    moved = (clips.frames.amax(1) - clips.frames.amin(1)).amax(1)
    assert (moved.amin((1, 2)) == 0).all()  # somewhere nothing changes
    dancing = ~clips.frozen.any(1)
    assert (moved.amax((1, 2))[dancing] > 0.1).all()


def test_the_reference_is_any_moment_of_the_song() -> None:
    clips = world(edited=0.0).clips(range(12), frames=4)
    gap = (clips.reference[:, None] - clips.frames).abs().mean((2, 3, 4)).amin(1)
    assert (gap > 1e-3).float().mean() > 0.3


def test_three_of_ten_training_grids_are_edited_and_no_others() -> None:
    def edited_share(clips: ClipBatch) -> float:
        own = zip(clips.grids, clips.songs, strict=True)
        return float(np.mean([not np.array_equal(g.times, s.grid.times) for g, s in own]))

    assert edited_share(world(**TINY).clips(range(120), frames=1)) == pytest.approx(0.3, abs=0.1)
    assert edited_share(world("test", **TINY).clips(range(20), frames=1)) == 0


def test_edits_move_halve_and_double_the_beats() -> None:
    song = world().song(0)
    rng = np.random.default_rng(0)
    tempi, shifts = set(), []
    for _ in range(60):
        grid = random_beat_edit(song.grid, rng)
        assert (np.diff(grid.times) > 0).all()
        tempi.add(round(grid.tempo / song.grid.tempo, 2))
        if len(grid.times) == len(song.grid.times):
            shifts.append(np.abs(grid.times - song.grid.times).max() * song.grid.tempo / 60)
    assert len(tempi) >= 2 and 1.0 in tempi
    assert min(shifts) > 0.05 and max(shifts) <= 0.5


def test_beat_times_invert_the_count() -> None:
    grid = world().song(1).grid
    beats = np.arange(-5, len(grid.times) + 5)
    assert np.allclose(grid.count(beat_times(grid, beats)), beats)


def test_clips_lie_within_their_songs(batch: ClipBatch) -> None:
    assert min(batch.starts) >= PREVIOUS / FPS
    assert max(batch.starts) + FRAMES / FPS <= SONG_SECONDS


def test_song_with_sound_is_the_one_the_clip_was_made_of(batch: ClipBatch) -> None:
    song = world().song(batch.song_indices[0])
    assert np.array_equal(song.grid.times, batch.songs[0].grid.times)
    assert song.wave.seconds == pytest.approx(SONG_SECONDS)


def test_pairs_and_pictures_are_seeded_and_differ() -> None:
    reference, target, part_map, captions = world().pairs(range(8))
    again = world().pairs(range(8))
    assert torch.equal(reference, again[0]) and captions == again[3]
    assert reference.shape == target.shape == (8, 3, 64, 64)
    assert part_map.shape == (8, 64, 64) and len(captions) == 8
    assert ((reference - target).abs().mean((1, 2, 3)) > 1e-3).float().mean() > 0.8
    pictures, parts = world().pictures(range(8))
    again = world().pictures(range(8))
    assert pictures.shape == (8, 3, 64, 64) and parts.shape == (8, 64, 64)
    assert torch.equal(pictures, again[0]) and torch.equal(parts, again[1])
    assert not torch.equal(pictures, reference)


def test_part_maps_of_pictures_are_where_the_dancers_are() -> None:
    pictures, parts = world(flat_backgrounds=True).pictures(range(12))
    flat = (pictures == pictures[:, :, :1, :1]).all(dim=1)
    assert (flat & (parts > 0)).sum() < 0.05 * (parts > 0).sum()
    assert (parts > 0).flatten(1).any(dim=1).all()


def test_part_maps_distinguish_emoji_and_puppets() -> None:
    emoji = world(mixture={"emoji": 1.0}).clips(range(6), frames=1)
    assert set(emoji.part_map.unique().tolist()) == {0, 25}
    puppets = world(mixture={"puppet": 1.0}).clips(range(6), frames=1)
    assert 25 not in puppets.part_map and len(puppets.part_map.unique()) > 4
    assert emoji.joints.isnan().all() and not puppets.joints[:, :, INDEX["neck"]].isnan().any()


def test_flat_backgrounds_are_of_one_colour() -> None:
    clips = world(flat_backgrounds=True).clips(range(6), frames=1)
    for picture, parts in zip(clips.reference, clips.part_map, strict=True):
        corner = picture[:, 0, 0]
        share = (picture == corner[:, None, None]).all(0).float().mean()
        assert share > 0.2 or parts.float().mean() > 0


def test_other_sizes() -> None:
    pictures, parts = world(size=128).pictures([0])
    assert pictures.shape == (1, 3, 128, 128) and parts.shape == (1, 128, 128)


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="holdout"):
        world("holdout")
    with pytest.raises(ValueError, match="photo"):
        world(mixture={"photo": 1.0})
    with pytest.raises(InputError, match="fonts-noto-color-emoji"):
        world(font="/nowhere/font.ttf")


def test_a_dancer_dances_to_another_clips_song(batch: ClipBatch) -> None:
    other = [(i + 1) % len(INDICES) for i in INDICES]
    swapped = world().clips(INDICES, FRAMES, to=other)
    assert swapped.captions == batch.captions and swapped.dances == batch.dances
    assert torch.equal(swapped.mel, batch.mel[other])
    assert torch.equal(swapped.beat_count, batch.beat_count[other])
    assert not torch.equal(swapped.frames, batch.frames)
    assert same(world().clips(INDICES, FRAMES, to=INDICES).frames, batch.frames)


def test_beside_a_bystander_only_the_part_map_marks_the_dancer() -> None:
    alone, beside = (world(bystanders=share).clips(INDICES, FRAMES) for share in (0.0, 1.0))
    assert beside.captions == alone.captions
    assert same(beside.motions, alone.motions)
    left = 0
    for i in INDICES:
        dancer = beside.part_map[i] > 0
        columns = dancer.nonzero()[:, 1].float().mean() / dancer.shape[1]
        assert not 0.4 < columns < 0.6
        left += int(columns < 0.5)
        outer = slice(0, 8) if columns > 0.5 else slice(-8, None)
        held = beside.frames[i][..., outer]
        assert torch.equal(held, held[:1].expand_as(held)), "the bystander's side stands still"
    assert 0 < left < len(INDICES)


def test_a_share_of_clips_and_pairs_has_bystanders() -> None:
    none, some = world(), world(bystanders=0.5)
    for one, two in (
        (none.clips(INDICES, 2).frames, some.clips(INDICES, 2).frames),
        (none.pairs(INDICES)[1], some.pairs(INDICES)[1]),
    ):
        changed = [not torch.equal(a, b) for a, b in zip(one, two, strict=True)]
        assert 0 < sum(changed) < len(changed)


def test_joints_of_limbs_lie_on_the_dancer() -> None:
    clips = world("validation", mixture={"puppet": 1.0}, flat_backgrounds=True).clips(range(12), 4)
    inside = []
    for frames, joints in zip(clips.frames.flatten(0, 1), clips.joints.flatten(0, 1), strict=True):
        dancer = (frames - frames[:, :1, :1]).abs().amax(dim=0) > 0.02
        near = torch.nn.functional.max_pool2d(dancer[None].float(), 7, 1, 3)[0] > 0
        places = joints[torch.isfinite(joints).all(dim=-1)].long()
        x, y = places[(places >= 0).all(dim=-1) & (places < 64).all(dim=-1)].unbind(-1)
        inside += near[y, x].tolist()
    assert np.mean(inside) > 0.9


def test_planned_frames_resemble_the_truth() -> None:
    """More than the picture itself does, although its pose is none of the plan's business."""
    for kind in ("emoji", "puppet"):
        clips = world("validation", mixture={kind: 1.0}).clips(range(8), frames=8)
        planned = (clips.planned - clips.frames).abs().mean()
        rest = (clips.reference[:, None] - clips.frames).abs().mean()
        assert planned < 0.85 * rest, kind


def test_coverage_is_where_the_planned_dancer_hides_the_background(batch: ClipBatch) -> None:
    for i in INDICES:
        background = batch.shots[i].appearance.background
        covered, planned = batch.coverage[i], batch.planned[i]
        free = (covered == 0).expand_as(planned)
        assert torch.equal(planned[free], background.expand_as(planned)[free])
        assert 0.01 < covered.mean() < 0.7


def test_the_plan_knows_the_picture_alone() -> None:
    """Another pose in the picture gives another plan of the same dance."""
    clips = world("validation", mixture={"puppet": 1.0}).clips([0, 1, 2], frames=2)
    for i, motion in enumerate(clips.motions):
        frames, alpha = planned_frames(clips.shots[i], motion[PREVIOUS:])
        assert torch.equal(frames, clips.planned[i]) and torch.equal(alpha, clips.coverage[i])
    other, again = (shot(clips.shots[0].appearance, m[:1]) for m in clips.motions[1:])
    plans = [planned_frames(s, clips.motions[0][PREVIOUS:])[0] for s in (other, again)]
    assert not torch.allclose(plans[0], plans[1], atol=1e-2)


def test_a_shot_shows_the_picture_with_its_parts_and_rig() -> None:
    clips = world(mixture={"puppet": 1.0}, flat_backgrounds=True).clips(range(4), frames=1)
    for taken, picture, part_map in zip(clips.shots, clips.reference, clips.part_map, strict=True):
        size = PLAN_SCALE * 64
        assert torch.equal(taken.picture, picture) and torch.equal(taken.part_map, part_map)
        assert taken.figure.shape == (4, size, size) and taken.rig.size == (size, size)
        assert taken.rig.parts is not None and taken.rig.parts.shape == (len(PARTS), size, size)
        seen = taken.figure[3] > 0.99
        assert (taken.rig.parts.sum(dim=0)[seen] == 1).all()
        rest = torch.nn.functional.avg_pool2d(taken.figure, PLAN_SCALE)
        over = rest[:3] + (1 - rest[3:]) * taken.appearance.background
        assert (over - picture).abs().mean() < 0.01
