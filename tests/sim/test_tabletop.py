import itertools

import numpy as np
import pytest

from xvr.errors import UserError
from xvr.sim.arrangement import GAP_M, apart, arrange
from xvr.sim.objects import OBJECTS, make
from xvr.sim.orbit import orbit
from xvr.sim.prints import box_atlas, label, write
from xvr.sim.tabletop import CENTRAL
from xvr.sim.textures import canvas, marble, noise, plaid, tiles, wood


@pytest.mark.parametrize("category", OBJECTS)
def test_objects_stand_on_the_table_and_have_everyday_sizes(category: str) -> None:
    thing = make(category, np.random.default_rng(1))
    low, high = thing.vertices.min(0), thing.vertices.max(0)
    assert low[2] == pytest.approx(0)
    assert (low + high)[:2] == pytest.approx((0, 0))
    assert 0.04 < (high - low).max() < 0.45
    assert sum(len(part.mesh.faces) for part in thing.parts) < 20_000
    for part in thing.parts:
        assert part.texture.dtype == np.uint8
        assert np.isfinite(part.mesh.vertices).all()
        assert np.allclose(np.linalg.norm(part.mesh.normals, axis=1), 1, atol=1e-3)


def test_two_objects_of_a_category_differ_and_one_seed_gives_one_object() -> None:
    first, again, other = (make("bottle", np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.vertices, again.vertices)
    assert not np.array_equal(first.vertices, other.vertices)


def test_unknown_category_offers_the_closest() -> None:
    with pytest.raises(UserError, match="did you mean 'kettle'"):
        make("ketle", np.random.default_rng(0))


def test_central_categories_exist() -> None:
    assert len(OBJECTS) >= 30
    assert set(CENTRAL) <= set(OBJECTS)


@pytest.mark.parametrize("seed", range(4))
def test_arranged_objects_stay_on_the_table_and_apart(seed: int) -> None:
    placed = arrange(np.random.default_rng(seed), "kettle", 9, 0.42, 0.75)
    assert placed[0].thing.category == "kettle"
    assert 7 <= len(placed) <= 9
    for item in placed:
        assert np.linalg.norm(item.outline, axis=1).max() < 0.46
        assert item.pose[2, 3] == 0.75
    for a, b in itertools.combinations(placed, 2):
        assert apart(a.outline, b.outline, GAP_M)


def test_outlines_that_touch_are_not_apart() -> None:
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)
    assert apart(square, square + np.array([1.1, 0]), 0.05)
    assert not apart(square, square + np.array([1.02, 0]), 0.05)
    assert not apart(square, square + np.array([0.5, 0.5]), 0.0)


@pytest.mark.parametrize("seed", range(6))
def test_every_camera_sees_at_least_three_others_inside_its_image(seed: int) -> None:
    walk = orbit(np.random.default_rng(seed), 60, 4 / 3, (0, 0, 0.8), (0.7, 0.95))
    focal = 0.5 / np.tan(np.radians(walk.fovx_deg) / 2)  # widths of the image
    centres = walk.poses[:, :3, 3]
    for pose in walk.poses:
        x, y, z = ((centres - pose[:3, 3]) @ pose[:3, :3]).T
        front = z > 0.1
        u, v = focal * x[front] / z[front], focal * y[front] / z[front] * 4 / 3
        assert ((np.abs(u) < 0.46) & (np.abs(v) < 0.46)).sum() >= 3


def test_orbit_poses_are_rigid_and_look_at_the_middle() -> None:
    walk = orbit(np.random.default_rng(0), 12, 4 / 3, (0, 0, 0.8), (0.7, 0.95))
    turn = walk.poses[:, :3, :3]
    assert np.allclose(turn @ turn.transpose(0, 2, 1), np.eye(3))
    assert np.allclose(np.linalg.det(turn), 1)
    towards = (0, 0, 0.8) - walk.poses[:, :3, 3]
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    assert (np.einsum("ij,ij->i", towards, turn[:, :, 2]) > 0.99).all()


def test_noise_repeats_without_a_seam() -> None:
    field = noise(np.random.default_rng(0), (120, 90), (3, 4), 3)
    inner = np.abs(np.diff(field, axis=0)).max()
    assert np.abs(field[0] - field[-1]).max() <= 1.5 * inner


def test_textures_are_pictures_of_the_size_asked_for() -> None:
    rng = np.random.default_rng(0)
    pictures = (
        wood(rng, (40, 60), (120, 90, 60)),
        marble(rng, (40, 60), (220, 220, 210), (90, 90, 90)),
        plaid(rng, (40, 60), [(200, 30, 30), (20, 20, 90)]),
        tiles(rng, (40, 60), (4, 6), [(200, 200, 190), (90, 120, 130)]),
        label(rng, (40, 60), "tea"),
    )
    for picture in pictures:
        assert picture.shape == (40, 60, 3)
        assert picture.dtype == np.uint8


def test_words_stay_inside_their_frame() -> None:
    picture = canvas((80, 200), (255, 255, 255))
    write(picture, "A RATHER LONG WORD", (0.2, 0.3, 0.8, 0.7), (0, 0, 0))
    rows, columns = np.nonzero(picture.min(-1) < 200)
    assert rows.size
    assert rows.min() >= 20
    assert rows.max() < 60
    assert columns.min() >= 37
    assert columns.max() < 163


def test_atlas_refuses_a_face_that_boxes_do_not_have() -> None:
    blank = canvas((4, 4), (0, 0, 0))
    with pytest.raises(ValueError, match="no face"):
        box_atlas((4, 4), {"side": blank}, blank)
