"""Targets of image tokens against the toy room, whose surfaces are known in closed form."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from toy import robot, room
from xvr.dataset.reader import read_split
from xvr.dataset.record import Provenance
from xvr.training.camera_targets import sides_of, toward
from xvr.training.target_maker import TargetMaker
from xvr.training.target_tensors import stacked
from xvr.training.token_targets import (
    AFTER,
    GONE,
    HIDDEN,
    UNKNOWN,
    Place,
    Relation,
    TokenTargets,
)

GRID = (6, 8)


def proofs(dataset: Path, task: str) -> list[Provenance]:
    found = [proof for _, proof in read_split(dataset, "train") if proof and proof.task == task]
    assert found
    return found


def targets(proof: Provenance) -> TokenTargets:
    return TargetMaker().targets(proof, [GRID] * len(proof.images))


def of_kind(found: TokenTargets, kind: str) -> list[Relation]:
    return [relation for relation in found.relations if relation.kind == kind]


def seed_of(proof: Provenance) -> int:
    assert proof.source.scene is not None
    return int(proof.source.scene[-3:])


def test_tokens_that_correspond_see_one_point_of_the_room(dataset: Path):
    for proof in proofs(dataset, "point_correspondence")[:3]:
        seed, found = seed_of(proof), targets(proof).seen_at
        first, second = (room.orbit(seed)[proof.images[i].frame_index] for i in (0, 1))
        middles = np.array([(c + 0.5, r + 0.5) for r in range(6) for c in range(8)]) * 20
        seen = 0
        for token, at in enumerate(found[0, 1]):
            if at < 0:
                continue
            point = room.hit(room.furnish(seed), first, tuple(middles[token]))
            u, v, depth_m = room.pixel_of(second, point)
            assert (int(v // 20), int(u // 20)) == divmod(int(at), 8)
            again = room.hit(room.furnish(seed), second, (u, v))
            assert np.linalg.norm(again - point) < 0.1 * depth_m
            seen += 1
        assert seen >= 5


def with_depth(proof: Provenance, episodes: Path, folder: Path) -> Provenance:
    """The same question about a copy of its episodes that has depth."""
    if not folder.exists():
        shutil.copytree(episodes, folder)
    names = proof.source.episodes or [str(proof.source.episode)]
    for image in proof.images:
        episode = int(names[image.episode or 0].rpartition("_")[2])
        robot.write_depth(folder, str(image.camera), episode, image.frame_index)
    source = proof.source.model_copy(update={"path": str(folder)})
    return proof.model_copy(update={"source": source})


def test_in_an_episode_what_moved_is_gone_and_the_rest_is_matched(
    dataset: Path, episodes: Path, tmp_path: Path
):
    gone, seen = 0, 0
    for proof in proofs(dataset, "temporal_verification"):
        assert (targets(proof).seen_at == UNKNOWN).all()  # as there is no depth
        found = targets(with_depth(proof, episodes, tmp_path / "kitchen")).seen_at
        for a, first in enumerate(proof.images):
            for b, second in enumerate(proof.images):
                if first.frame_index == second.frame_index:
                    assert (found[a, b] != GONE).all()
                elif a != b:
                    gone += (found[a, b] == GONE).sum()
                seen += (found[a, b] >= 0).sum()
    assert gone > 0
    assert seen > 10 * len(proofs(dataset, "temporal_verification"))


def test_images_of_two_episodes_have_no_surface_in_common(
    dataset: Path, episodes: Path, tmp_path: Path
):
    for proof in proofs(dataset, "cross_scenario_localization")[:3]:
        found = targets(with_depth(proof, episodes, tmp_path / "kitchen")).seen_at
        for a, first in enumerate(proof.images):
            for b, second in enumerate(proof.images):
                if first.episode != second.episode:
                    assert (found[a, b] == UNKNOWN).all()
        assert (found >= 0).any()


def test_what_stands_in_the_way_hides(dataset: Path):
    hidden = sum(
        (targets(p).seen_at == HIDDEN).sum() for p in proofs(dataset, "spatial_verification")
    )
    assert hidden > 0


def test_marks_of_one_point_go_together_and_distractors_do_not(dataset: Path):
    for proof in proofs(dataset, "point_correspondence"):
        target = len(proof.images)
        right = next(m for m in proof.marks if m.image == target and m.color == proof.answer)
        found = targets(proof)
        asked = [r for r in of_kind(found, "same_point") if r.image == target - 1]
        assert sum(r.holds for r in asked) == target - 1
        token = int(right.uv_px[1] // 20) * 8 + int(right.uv_px[0] // 20)
        assert {r.token for r in asked if r.holds} == {token}
        assert found.evidence == (Place(target - 1, token),)
        assert found.marked[target - 1, token] >= 1


def test_the_odd_image_goes_together_with_none(dataset: Path):
    for proof in proofs(dataset, "spatial_verification"):
        odd = int(proof.answer) - 1
        found = targets(proof)
        for relation in of_kind(found, "same_point"):
            assert relation.holds == (odd not in (relation.image, relation.earlier))


@pytest.mark.parametrize(
    ("task", "kind"),
    [("temporal_verification", "same_moment"), ("cross_scenario_localization", "same_camera")],
)
def test_images_of_episodes_go_together_by_their_records(dataset: Path, task: str, kind: str):
    for proof in proofs(dataset, task):
        relations = of_kind(targets(proof), kind)
        assert {r.token for r in relations} == {AFTER}
        for relation in relations:
            a, b = proof.images[relation.image], proof.images[relation.earlier]
            same = a.role == b.role if kind == "same_camera" else a.frame_index == b.frame_index
            assert relation.holds == same


def test_the_right_candidate_stands_where_references_mark(dataset: Path):
    for proof in proofs(dataset, "viewpoint_localization"):
        found = targets(proof)
        asked = of_kind(found, "stands_there")
        assert {r.image + 1 for r in asked if r.holds} == {int(proof.answer)}
        assert len({r.image for r in asked}) == 3
        assert found.evidence == (Place(int(proof.answer) - 1, AFTER),)


def test_the_odd_one_is_asked_where_all_images_were_seen(dataset: Path):
    for task in ("spatial_verification", "temporal_verification"):
        for proof in proofs(dataset, task):
            found = targets(proof)
            assert found.odd is not None
            place, odd = found.odd
            assert place.image == len(proof.images) - 1
            assert odd == int(proof.answer) - 1
            assert found.evidence == (place,)
            own = [mark for mark in proof.marks if mark.image == len(proof.images)]
            assert (place.token == AFTER) == (not own)


def test_questions_about_cameras_name_a_role_and_images_have_one(dataset: Path):
    for task in ("directional_view_localization", "cross_scenario_localization"):
        for proof in proofs(dataset, task):
            found = targets(proof)
            role, side, image = found.named
            right = int(proof.answer) - 1
            assert found.roles[right] == role
            assert (side == UNKNOWN) == (task == "cross_scenario_localization")
            assert image == UNKNOWN or found.roles[image] == role


def test_sides_are_as_the_earlier_camera_sees_them(dataset: Path):
    checked = 0
    for proof in proofs(dataset, "point_correspondence"):
        cameras = [room.orbit(seed_of(proof))[image.frame_index] for image in proof.images]
        for relation in sides_of(toward(cameras)):
            first, second = cameras[relation.earlier], cameras[relation.image]
            to_the_right = first.world_from_camera[:3, 0] @ (second.center - first.center)
            assert relation.holds == (to_the_right > 0)
            checked += 1
        assert sides_of(toward(cameras)) == tuple(of_kind(targets(proof), "to_the_right"))
    assert checked


def test_stacked_targets_keep_every_number(dataset: Path):
    first = proofs(dataset, "spatial_verification")[0]
    second = proofs(dataset, "cross_scenario_localization")[0]
    found = [targets(first), targets(second)]
    batch = stacked([found[0], None, found[1]])
    for row, one in ((0, found[0]), (2, found[1])):
        k, t = one.marks.shape
        assert (batch["seen_at"][row, :k, :k, :t].numpy() == one.seen_at).all()
        assert (batch["roles"][row, :k].numpy() == one.roles).all()
        np.testing.assert_allclose(batch["hands"][row, :k], one.hands, rtol=1e-6)
        assert (batch["relations"][:, 0] == row).sum() == len(one.relations)
        assert (batch["after"][:, 0] == row).sum() == k
    assert (batch["named"][1] == UNKNOWN).all()
    assert (batch["hands_at"][1] == HIDDEN).all()
