"""Answers of the general tasks, found again from pixels by casting rays into the exact room."""

from itertools import combinations

import numpy as np
import pytest

from toy import room
from toy.drafting import RULES, drafts

DIAGONAL_PX = float(np.hypot(room.WIDTH, room.HEIGHT))
SLACK_M = 0.06
"""Neighbouring pixels may differ by 3 % of the depth, and a point by that of what is seen there."""


def camera(seed, draft, image):
    """The camera of an image of a draft, by the name of its view."""
    return room.orbit(seed)[int(draft.images[image - 1].view.removesuffix(".png"))]


def shown(seed, draft, mark):
    """What the room shows at a mark."""
    return room.hit(room.furnish(seed), camera(seed, draft, mark.image), mark.uv_px)


def angle_deg(a, b):
    """Angle between two vectors by its tangent."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(a, b)), np.dot(a, b))))


def view_angles(seed, draft, point):
    """Angles of all pairs of views seen from a point."""
    centers = [camera(seed, draft, n).center for n in range(1, len(draft.images) + 1)]
    return [angle_deg(a - point, b - point) for a, b in combinations(centers, 2)]


def nearest_to_rays(rays):
    """The point nearest to lines given as (centre, direction)."""
    matrix, vector = np.zeros((3, 3)), np.zeros(3)
    for center, direction in rays:
        across = np.eye(3) - np.outer(direction, direction) / (direction @ direction)
        matrix += across
        vector += across @ center
    return np.linalg.solve(matrix, vector)


def ray(seed, draft, mark, end=False):
    lens = camera(seed, draft, mark.image)
    return lens.center, room.pixel_rays(lens, np.array([mark.uv_end_px if end else mark.uv_px]))[0]


def grazing_deg(seed, draft, mark):
    """Angle between a mark's ray and the surface, from three rays a thousandth of a pixel apart."""
    lens, world = camera(seed, draft, mark.image), room.furnish(seed)
    steps = np.array([(0.0, 0.0), (1e-3, 0.0), (0.0, 1e-3)])
    a, b, c = (room.hit(world, lens, mark.uv_px + step) for step in steps)
    angle = angle_deg(np.cross(b - a, c - a), lens.center - a)
    return min(angle, 180 - angle)


@pytest.mark.parametrize(
    "task", ["point_correspondence", "directional_correspondence", "spatial_verification"]
)
def test_every_mark_lies_on_the_surface_point_that_it_names(task):
    for seed, draft in drafts(task):
        for mark in draft.marks:
            u, v, _ = room.pixel_of(camera(seed, draft, mark.image), mark.point_m)
            assert mark.uv_px == pytest.approx((u, v), abs=0.01)
            assert np.linalg.norm(shown(seed, draft, mark) - mark.point_m) < SLACK_M


@pytest.mark.parametrize(
    "task", ["point_correspondence", "directional_correspondence", "spatial_verification"]
)
def test_no_mark_lies_on_a_grazing_surface(task):
    for seed, draft in drafts(task):
        angles = [grazing_deg(seed, draft, mark) for mark in draft.marks]
        assert max(angles) < RULES.max_grazing_deg + 5


@pytest.mark.parametrize(
    "task", ["point_correspondence", "directional_correspondence", "spatial_verification"]
)
def test_views_differ_by_the_angles_of_the_rules_and_the_checks_say_so(task):
    for seed, draft in drafts(task):
        angles = view_angles(seed, draft, draft.world["point_m"])
        assert min(angles) >= RULES.min_view_angle_deg - 0.01
        assert max(angles) <= RULES.max_view_angle_deg + 0.01
        assert draft.checks["min_view_angle_deg"] == pytest.approx(min(angles), abs=0.01)
        assert draft.checks["max_view_angle_deg"] == pytest.approx(max(angles), abs=0.01)


def test_only_the_right_dot_lies_where_all_reference_rays_meet():
    for seed, draft in drafts("point_correspondence"):
        references = [mark for mark in draft.marks if mark.image < len(draft.images)]
        options = {m.label: m for m in draft.marks if m.image == len(draft.images)}
        assert len(references) == len(draft.images) - 1
        assert [image.part for image in draft.images] == ["reference"] * len(references) + [
            "target"
        ]
        assert {mark.label for mark in references} == {"Target"}
        assert sorted(options) == sorted(option.value for option in draft.options)
        assert all(mark.color == label for label, mark in options.items())
        meeting = nearest_to_rays([ray(seed, draft, mark) for mark in references])
        far_m = RULES.min_option_scene_share * draft.checks["scene_extent_m"] - SLACK_M
        for value, mark in options.items():
            gap_m = np.linalg.norm(shown(seed, draft, mark) - meeting)
            assert gap_m < SLACK_M if value == draft.answer else gap_m > far_m


def test_dots_of_a_target_are_apart_in_pixels_and_in_space():
    for _, draft in drafts("point_correspondence"):
        dots = [mark for mark in draft.marks if mark.image == len(draft.images)]
        for a, b in combinations(dots, 2):
            pixels = np.linalg.norm(np.subtract(a.uv_px, b.uv_px)) / DIAGONAL_PX
            metres = np.linalg.norm(np.subtract(a.point_m, b.point_m))
            assert pixels >= RULES.min_option_px_share - 1e-4
            extent_m = draft.checks["scene_extent_m"]
            assert metres >= RULES.min_option_scene_share * extent_m - 1e-4


def test_at_least_one_wrong_dot_is_hard():
    for _, draft in drafts("point_correspondence"):
        assert {option.why for option in draft.options} & {"near_depth", "similar_color"}


def test_triangulated_from_the_references_only_the_right_arrow_fits_the_target():
    for seed, draft in drafts("directional_correspondence"):
        target = len(draft.images)
        references = [mark for mark in draft.marks if mark.image < target]
        options = {mark.label: mark for mark in draft.marks if mark.image == target}
        assert len(options) == 4
        assert len({mark.uv_px for mark in options.values()}) == 1
        tail = nearest_to_rays([ray(seed, draft, mark) for mark in references])
        head = nearest_to_rays([ray(seed, draft, mark, end=True) for mark in references])
        extent_m = draft.checks["scene_extent_m"]
        assert np.linalg.norm(head - tail) == pytest.approx(
            RULES.arrow_scene_share * extent_m, rel=0.01
        )
        assert angle_deg(head - tail, draft.world["direction"]) < 0.5
        lens = camera(seed, draft, target)
        seen = np.subtract(room.pixel_of(lens, head)[:2], room.pixel_of(lens, tail)[:2])
        for value, mark in options.items():
            drawn = np.subtract(mark.uv_end_px, mark.uv_px)
            turn = angle_deg((*seen, 0.0), (*drawn, 0.0))
            assert turn < 1.0 if value == draft.answer else turn > RULES.min_arrow_gap_deg - 1


def test_arrows_are_long_enough_apart_and_determined():
    for seed, draft in drafts("directional_correspondence"):
        target = len(draft.images)
        drawn = [(*np.subtract(mark.uv_end_px, mark.uv_px), 0.0) for mark in draft.marks]
        shortest_px = RULES.min_arrow_px_share * DIAGONAL_PX
        assert min(np.linalg.norm(arrow) for arrow in drawn) >= shortest_px - 0.01
        in_target = [a for a, m in zip(drawn, draft.marks, strict=True) if m.image == target]
        gaps = [angle_deg(a, b) for a, b in combinations(in_target, 2)]
        assert min(gaps) >= RULES.min_arrow_gap_deg - 0.01
        normals = [
            np.cross(ray(seed, draft, mark)[1], ray(seed, draft, mark, end=True)[1])
            for mark in draft.marks
            if mark.image < target
        ]
        planes = [angle_deg(a, b) for a, b in combinations(normals, 2)]
        assert max(min(p, 180 - p) for p in planes) >= RULES.min_plane_angle_deg - 0.1


def test_the_odd_image_alone_marks_another_surface_point():
    for seed, draft in drafts("spatial_verification"):
        assert [mark.image for mark in draft.marks] == list(range(1, len(draft.images) + 1))
        points = {mark.image: shown(seed, draft, mark) for mark in draft.marks}
        odd = int(draft.answer)
        agreeing = [point for image, point in points.items() if image != odd]
        assert len(agreeing) >= 3
        middle = np.mean(agreeing, axis=0)
        assert max(np.linalg.norm(point - middle) for point in agreeing) < SLACK_M
        extent_m = draft.checks["scene_extent_m"]
        far_m = RULES.min_option_scene_share * extent_m - SLACK_M
        assert np.linalg.norm(points[odd] - middle) > far_m
        expected = room.pixel_of(camera(seed, draft, odd), draft.world["point_m"])[:2]
        off_px = np.linalg.norm(np.subtract(draft.marks[odd - 1].uv_px, expected))
        assert off_px >= RULES.min_option_px_share * DIAGONAL_PX - 0.01


def test_the_marked_pixel_looks_at_the_right_candidate_and_at_no_other():
    for seed, draft in drafts("viewpoint_localization"):
        references = [mark.image for mark in draft.marks]
        assert references == list(range(1, len(draft.images) - 2))
        candidates = range(len(draft.images) - 2, len(draft.images) + 1)
        off_deg = {n: [] for n in candidates}
        for mark in draft.marks:
            center, direction = ray(seed, draft, mark)
            for number in candidates:
                off_deg[number].append(
                    angle_deg(direction, camera(seed, draft, number).center - center)
                )
        for number, angles in off_deg.items():
            right = str(number) == draft.answer
            assert max(angles) < 0.01 if right else max(angles) > 1.0


def test_every_candidate_could_be_marked_and_all_are_apart():
    margin_px = RULES.margin_share * room.HEIGHT
    for seed, draft in drafts("viewpoint_localization"):
        numbers = range(1, len(draft.images) + 1)
        lenses = [camera(seed, draft, number) for number in numbers]
        references, candidates = lenses[:-3], lenses[-3:]
        separations = []
        for reference in references:
            spots = [room.pixel_of(reference, lens.center) for lens in candidates]
            for u, v, depth_m in spots:
                assert depth_m > 0
                assert margin_px <= u <= room.WIDTH - margin_px
                assert margin_px <= v <= room.HEIGHT - margin_px
            pixels = np.array(spots)[:, :2]
            separations.append(min(np.linalg.norm(a - b) for a, b in combinations(pixels, 2)))
        assert max(separations) >= RULES.min_option_px_share * DIAGONAL_PX - 0.01
        middle = draft.world["scene_center_m"]
        from_middle = [lens.center - middle for lens in candidates]
        angles = [angle_deg(a, b) for a, b in combinations(from_middle, 2)]
        assert min(angles) >= RULES.min_candidate_angle_deg - 0.01
        assert draft.checks["min_candidate_angle_deg"] == pytest.approx(min(angles), abs=0.01)


def test_a_camera_is_never_marked_on_the_principal_point():
    for _, draft in drafts("viewpoint_localization"):
        principal = np.array([room.WIDTH / 2, room.HEIGHT / 2])
        off_px = [np.linalg.norm(np.array(mark.uv_px) - principal) for mark in draft.marks]
        assert min(off_px) >= RULES.min_principal_px_share * DIAGONAL_PX - 0.01
