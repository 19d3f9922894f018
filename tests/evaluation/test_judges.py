"""The judges: frozen, strict about their file, blind to what they must not see."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from musedance_core.errors import InputError
from musedance_core.evaluation.judges.data import RoundTrip, dancers, dances
from musedance_core.evaluation.judges.figures import identity_figures, share, verification
from musedance_core.evaluation.judges.networks import (
    FEWEST,
    METADATA_KEY,
    SHIPPED,
    Judges,
    load_judges,
    save_judges,
)
from musedance_core.models import MuseDance
from musedance_core.world.cast import Cast
from musedance_core.world.clips import PREVIOUS, World
from musedance_core.world.dances import MOVES, SIDES

PUPPETS = {"puppet": 1.0}


@pytest.fixture(scope="module")
def judges() -> Judges:
    return load_judges()


@pytest.fixture(scope="module")
def truth() -> Tensor:
    """Three dances of unseen puppets, [3 20 3 64 64]."""
    return World("test", songs=2, mixture=PUPPETS).clips(range(3), 20).frames


@pytest.fixture(scope="module")
def untouched(model: MuseDance) -> RoundTrip:
    return RoundTrip(model.vae, 0, 0)


def test_the_shipped_file_is_the_one_that_is_written_about(judges: Judges) -> None:
    readme = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    digest = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert f"`{judges.name}` | `{digest}`" in readme
    assert judges.name == SHIPPED.stem


def test_they_are_small_and_say_how_they_were_made(judges: Judges) -> None:
    assert SHIPPED.stat().st_size <= 4 * 2**20
    for network in (judges.embedder, judges.encoder, judges.dance):
        assert sum(p.numel() for p in network.parameters()) <= 1_000_000
    readme = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    for name in ("identity", "motion", "dance"):
        assert {"command", "options", "test"} <= set(judges.history[name])
    for name in ("move", "side", "size"):
        assert f"{100 * judges.history['dance']['test'][name]['share']:.1f} %" in readme


def test_unseen_dances_are_recognised(judges: Judges) -> None:
    batch = World("test", songs=2, mixture=PUPPETS).clips(range(8), 48)
    right = 0
    for motion, dance, grid, start in zip(
        batch.motions, batch.dances, batch.grids, batch.starts, strict=True
    ):
        found = judges.recognise(motion[PREVIOUS:], grid.times - start)
        right += found.move == dance.move
        assert found.move in MOVES and found.side in SIDES
    assert right >= 6


def test_recognition_needs_the_beats(judges: Judges) -> None:
    """To halved beats, the same poses are other dances."""
    batch = World("test", songs=2, mixture=PUPPETS).clips(range(8), 48)
    changed = 0
    for motion, grid, start in zip(batch.motions, batch.grids, batch.starts, strict=True):
        own = judges.recognise(motion[PREVIOUS:], grid.times - start)
        changed += own != judges.recognise(motion[PREVIOUS:], grid.halved().times - start)
    assert changed > 0


def test_a_dancer_is_known_again_in_another_pose_and_place(
    judges: Judges, untouched: RoundTrip
) -> None:
    people = dancers(Cast("test", 64), 32, 2, 0, untouched)
    figures = identity_figures(judges.embedder, people)
    assert figures["other"]["auc"] > 0.9
    assert figures["same_background"]["auc"] > 0.9


def test_motion_is_read_independently_of_static_content(judges: Judges, truth: Tensor) -> None:
    calm = 0.4 + 0.2 * truth[:3, :FEWEST]
    brighter = judges.motion(calm + 0.2)
    torch.testing.assert_close(judges.motion(calm), brighter, atol=0.05, rtol=0)


def test_motion_depends_on_the_order_of_frames(judges: Judges, truth: Tensor) -> None:
    clip = truth[:3, :FEWEST]
    shuffled = clip[:, torch.randperm(FEWEST, generator=torch.Generator().manual_seed(0))]
    other = judges.motion(shuffled) - judges.motion(clip)
    assert other.square().mean() > 0.1


def test_a_clip_is_read_the_same_alone_and_in_a_batch(judges: Judges, truth: Tensor) -> None:
    clips = truth[:3, :20]
    together, alone = judges.motion(clips), judges.motion(clips[1:2])
    torch.testing.assert_close(together[1:2], alone, atol=1e-4, rtol=1e-4)
    assert together.shape == (3, 64)


def test_a_still_clip_can_be_read(judges: Judges) -> None:
    assert judges.motion(torch.full((1, FEWEST, 3, 64, 64), 0.3)).isfinite().all()


def test_embeddings_are_unit_vectors_of_8_bit_pictures_of_any_size(
    judges: Judges, truth: Tensor
) -> None:
    frames = (truth[:2, 0] * 255).round() / 255
    found = judges.identity(frames)
    torch.testing.assert_close(found.norm(dim=-1), torch.ones(2))
    assert torch.equal(found, judges.identity(frames + 0.4 / 255))
    larger = torch.nn.functional.interpolate(frames, (128, 128), mode="bilinear")
    assert (judges.identity(larger) * found).sum(dim=-1).min() > 0.8


def test_judges_refuse_unsuitable_input(judges: Judges) -> None:
    with pytest.raises(ValueError, match="16 to 48 frames, not 15"):
        judges.motion(torch.zeros(1, 15, 3, 64, 64))
    with pytest.raises(ValueError, match="square pictures, not 64 x 32"):
        judges.identity(torch.zeros(1, 3, 32, 64))


def test_saved_judges_are_the_judges(judges: Judges, tmp_path: Path) -> None:
    save_judges(tmp_path / "again.safetensors", judges)
    again = load_judges(tmp_path / "again.safetensors")
    assert (again.name, again.history) == (judges.name, judges.history)
    first, second = load_file(SHIPPED), load_file(tmp_path / "again.safetensors")
    assert first.keys() == second.keys()
    for key, weight in first.items():
        assert second[key].dtype == weight.dtype and torch.equal(second[key], weight), key


def test_a_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.safetensors"
    with pytest.raises(InputError, match=r"bad\.safetensors"):
        load_judges(path)
    path.write_bytes(b"no weights")
    with pytest.raises(InputError, match=r"bad\.safetensors is damaged"):
        load_judges(path)
    weights = load_file(SHIPPED)
    said = {"format_version": 2, "name": "x", "history": {}}
    save_file(weights, path)
    with pytest.raises(InputError, match="is not a judges file"):
        load_judges(path)
    save_file(weights, path, {METADATA_KEY: json.dumps(said | {"format_version": 9})})
    with pytest.raises(InputError, match="format version 9"):
        load_judges(path)
    save_file(weights, path, {METADATA_KEY: "{"})
    with pytest.raises(InputError, match="cannot be read"):
        load_judges(path)
    weights["motion.extra"] = weights.pop("motion.frame.bias")
    save_file(weights, path, {METADATA_KEY: json.dumps(said)})
    with pytest.raises(InputError, match=r"lacks 1 weights \(motion\.frame\.bias\) and holds 1"):
        load_judges(path)


def test_dancers_of_a_block_share_backgrounds_by_rows_then_by_columns(
    untouched: RoundTrip,
) -> None:
    people = dancers(Cast("train", 64, PUPPETS), 16, 2, 3, untouched)
    corner = people.views[..., 0, 0].reshape(4, 4, 2, 3).long()
    assert (corner[:, :, 0] == corner[:, :1, 0]).all()
    assert (corner[:, :, 1] == corner[:1, :, 1]).all()
    assert (corner[:, :, 0] != corner[:, :, 1]).any(dim=-1).all()
    again = dancers(Cast("train", 64, PUPPETS), 16, 2, 3, untouched)
    assert torch.equal(people.views, again.views)


def test_clips_carry_their_labels_and_tempo(untouched: RoundTrip) -> None:
    world = World("test", songs=2, mixture=PUPPETS)
    bank, batch = dances(world, range(2), 16, untouched), world.clips(range(2), 16)
    asked = [[MOVES.index(d.move), SIDES.index(d.side)] for d in batch.dances]
    assert bank.labels[:, :2].tolist() == asked
    bpm = torch.tensor([grid.tempo for grid in batch.grids])
    torch.testing.assert_close(60 * 2**bank.tempo, bpm, rtol=0.02, atol=0)


def test_a_round_trip_changes_the_requested_share_of_pictures(model: MuseDance) -> None:
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    rounded = (picture * 255).round().to(torch.uint8)
    trip, generator = RoundTrip(model.vae, 0.5, 0.2), torch.Generator().manual_seed(0)
    kept = [torch.equal(trip(picture, generator), rounded) for _ in range(30)]
    assert 8 <= sum(kept) <= 22


def test_figures_of_verification_and_shares() -> None:
    low, high = torch.linspace(-1, 0, 50), torch.linspace(0.1, 1, 50)
    assert verification(high, low)["auc"] == 1 and verification(high, low)["equal_error"] == 0
    assert verification(low, high)["auc"] == 0
    assert verification(low, low)["auc"] == pytest.approx(0.5)
    figure = share(95, 100)
    assert figure["share"] == 0.95
    assert figure["interval"] == pytest.approx([0.888, 0.978], abs=0.001)
