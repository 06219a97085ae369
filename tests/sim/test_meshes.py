import numpy as np
import pytest

from xvr.sim.meshes import Mesh, grid, volume
from xvr.sim.solids import box, curve, extrusion, lathe, sphere, tube

SOLIDS = {
    "cylinder": (lathe([(0, 0), (1, 0)], [(1, 0), (1, 2)], [(1, 2), (0, 2)]), 2 * np.pi),
    "sphere": (sphere(1.0), 4 / 3 * np.pi),
    "tube": (tube([(0, 0, 0), (1, 0, 0), (2, 0, 0)], 1.0, 40), 2 * np.pi),
    "box": (box((1, 2, 3), 0.001), 6.0),
    "extrusion": (extrusion([(0, 0), (1, 0), (1, 1), (0, 1)], 2.0), 2.0),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_solids_are_closed_and_face_outwards(name: str) -> None:
    mesh, expected = SOLIDS[name]
    assert volume(mesh) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_have_unit_length_and_agree_with_the_faces(name: str) -> None:
    mesh = SOLIDS[name][0]
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] for corner in range(3))
    across = np.cross(b - a, c - a)
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1)
    mean = mesh.normals[mesh.faces].mean(1)
    assert (np.einsum("ij,ij->i", mean, across) > -1e-12).all()


def test_lathe_wraps_the_texture_left_to_right_for_someone_outside() -> None:
    wall = lathe([(1, 0), (1, 1)], segments=36)
    front = wall.vertices[:, 1] < -0.9  # seen by someone at -y
    x, u = wall.vertices[front, 0], wall.uv[front, 0]
    assert np.corrcoef(x, u)[0, 1] > 0.99
    assert np.corrcoef(wall.vertices[:, 2], wall.uv[:, 1])[0, 1] < -0.99


def test_box_front_reads_left_to_right() -> None:
    mesh = box((2, 1, 1), 0.01)
    front = (mesh.uv[:, 0] < 1 / 3) & (mesh.uv[:, 1] < 1 / 2) & (mesh.vertices[:, 1] < -0.4)
    assert np.corrcoef(mesh.vertices[front, 0], mesh.uv[front, 0])[0, 1] > 0.99
    assert np.corrcoef(mesh.vertices[front, 2], mesh.uv[front, 1])[0, 1] < -0.99


def test_curve_passes_through_its_ends_and_never_swings_beyond_its_points() -> None:
    points = [(0.0, 0.0), (1.0, 0.1), (1.0, 2.0), (0.2, 3.0)]
    line = curve(points, 50)
    assert np.allclose(line[[0, -1]], (points[0], points[-1]))
    assert line.min(0) == pytest.approx((0, 0))
    assert line.max(0) == pytest.approx((1, 3))


def test_two_sided_sheet_has_both_directions() -> None:
    sheet: Mesh = grid(np.array([[(0, 0, 0), (1, 0, 0)], [(0, 1, 0), (1, 1, 0)]], float))
    assert np.allclose(sheet.normals, (0, 0, 1))
    assert np.allclose(sheet.two_sided().normals.sum(0), 0)
