import cv2
import numpy as np
import pytest
from audit_room import COLORS, general_entry, rig_entry, room_views

from xvr.audit.cheaters import run_cheaters, wants_patches
from xvr.dataset.record import MarkRecord, TextBlock

COUNT = 160


def encoded(image):
    return cv2.imencode(".png", image)[1].tobytes()


def noise(rng, brightness=128.0):
    coarse = rng.normal(brightness, 40, (6, 8, 3)).clip(0, 255).astype(np.uint8)
    return cv2.resize(coarse, (32, 24), interpolation=cv2.INTER_LINEAR)


def mark(image, uv, color, end=None):
    return MarkRecord(
        image=image,
        kind="dot" if end is None else "arrow",
        label="Target",
        color=color,
        uv_px=tuple(map(float, uv)),
        uv_end_px=None if end is None else tuple(map(float, end)),
        point_m=(0, 0, 0),
        end_point_m=None if end is None else (0, 0, 0),
    )


def point_entries(rng, *, centered=False, same_color=False, telling=False):
    answers = np.arange(COUNT) % 5
    rng.shuffle(answers)
    views = room_views()[:3]
    entries = []
    for number, right in enumerate(answers):
        places = rng.uniform((10, 10), (150, 110), (5, 2))
        if centered:
            nearest = np.linalg.norm(places - (80, 60), axis=1).argmin()
            places[[right, nearest]] = places[[nearest, right]]
        first = COLORS[right] if same_color else COLORS[rng.integers(5)]
        marks = [
            mark(1, rng.uniform(10, 110, 2), first),
            mark(2, rng.uniform(10, 110, 2), COLORS[rng.integers(5)]),
            *(mark(3, place, color) for place, color in zip(places, COLORS, strict=True)),
        ]
        entry = general_entry(
            task="point_correspondence",
            views=views,
            parts=("reference", "reference", "target"),
            marks=marks,
            world={},
            options=COLORS,
            answer=COLORS[right],
            number=number,
        )
        if telling:
            words = ("alpha", "beta", "gamma", "delta", "epsilon")[right]
            blocks = [TextBlock(type="text", text=words), *entry.sample.prompt_blocks]
            sample = entry.sample.model_copy(update={"prompt_blocks": blocks})
            entry = entry._replace(sample=sample)
        entries.append(entry)
    return entries, answers


def direction_entries(rng, *, parallel):
    answers = np.arange(COUNT) % 4
    rng.shuffle(answers)
    entries = []
    for number, right in enumerate(answers):
        start = rng.uniform(0, 2 * np.pi)
        angles = start + np.arange(4) * np.pi / 2 + rng.uniform(-0.4, 0.4, 4)
        reference = angles[right] if parallel else rng.uniform(0, 2 * np.pi)
        turns = [reference + 0.1, reference - 0.1]
        arrows = [(i, a, c) for i, a, c in zip((1, 2), turns, COLORS, strict=False)]
        arrows += [(3, angle, color) for angle, color in zip(angles, COLORS, strict=False)]
        marks = [
            mark(i, (80, 60), c, (80 + 20 * np.cos(a), 60 + 20 * np.sin(a))) for i, a, c in arrows
        ]
        entries.append(
            general_entry(
                task="directional_correspondence",
                views=room_views()[:3],
                parts=("reference", "reference", "target"),
                marks=marks,
                world={},
                options=COLORS[:4],
                answer=COLORS[right],
                number=number,
            )
        )
    return entries


def viewpoint_entries(rng, *, similar):
    answers = np.arange(COUNT) % 3
    rng.shuffle(answers)
    entries, content = [], {}
    for number, right in enumerate(answers):
        entry = general_entry(
            task="viewpoint_localization",
            views=room_views()[:4],
            parts=("reference", "candidate", "candidate", "candidate"),
            marks=[mark(1, (80, 60), "red")],
            world={},
            options=("2", "3", "4"),
            answer=str(right + 2),
            number=number,
        )
        pictures = [noise(rng) for _ in range(4)]
        if similar:
            pictures[right + 1] = cv2.addWeighted(pictures[0], 0.6, pictures[right + 1], 0.4, 0)
        urls = [image.url for image in entry.proof.images]
        content.update({u: encoded(p) for u, p in zip(urls, pictures, strict=True)})
        entries.append(entry)
    return entries, content.__getitem__


def spatial_entries(rng):
    answers = np.arange(COUNT) % 4
    rng.shuffle(answers)
    entries = [
        general_entry(
            task="spatial_verification",
            views=room_views()[:4],
            parts=("reference",) * 4,
            marks=[mark(i, rng.uniform(10, 110, 2), COLORS[rng.integers(5)]) for i in range(1, 5)],
            world={},
            options=("1", "2", "3", "4"),
            answer=str(right + 1),
            number=number,
        )
        for number, right in enumerate(answers)
    ]
    return entries, answers


def side_entries(rng, *, brighter):
    answers = np.arange(COUNT) % 2
    rng.shuffle(answers)
    entries, content = [], {}
    for number, right in enumerate(answers):
        entry = rig_entry(
            task="directional_view_localization",
            shown=[("fix_center", 5, None), ("fix_left", 5, None), ("fix_right", 5, None)],
            world={"side": "left"},
            options=("2", "3"),
            answer=str(right + 2),
        )
        sample = entry.sample.model_copy(update={"sample_id": f"side_{number}"})
        levels = [128.0, 128.0, 128.0]
        levels[right + 1] += 60 if brighter else 0
        urls = [f"images/{number}_{i}.png" for i in range(3)]
        images = [
            image.model_copy(update={"url": url})
            for image, url in zip(entry.proof.images, urls, strict=True)
        ]
        content.update({u: encoded(noise(rng, x)) for u, x in zip(urls, levels, strict=True)})
        proof = entry.proof.model_copy(update={"images": images})
        entries.append(entry._replace(sample=sample, proof=proof))
    return entries, content.__getitem__


def temporal_entries(rng, *, mostly):
    answers = np.arange(COUNT) % 3
    rng.shuffle(answers)
    entries, content = [], {}
    for number, right in enumerate(answers):
        roles = ["fix_left", "fix_right"]
        rng.shuffle(roles)
        roles.insert(right if mostly and rng.random() < 0.7 else rng.integers(3), "ego")
        shown = [(role, 90 if i == right else 5, None) for i, role in enumerate(roles)]
        entry = rig_entry(
            task="temporal_verification",
            shown=shown,
            world={},
            options=("1", "2", "3"),
            answer=str(right + 1),
        )
        content.update({image.url: encoded(noise(rng)) for image in entry.proof.images})
        sample = entry.sample.model_copy(update={"sample_id": f"time_{number}"})
        entries.append(entry._replace(sample=sample))
    return entries, content.__getitem__


def leaks(entries, patches=None, images=None):
    scores = run_cheaters(entries, patches or [None] * len(entries), images or {}.__getitem__)
    assert all(score.samples == COUNT for score in scores)
    return {score.cheater for score in scores if score.leaky}


def test_clean_points_leak_nothing():
    rng = np.random.default_rng(0)
    entries, _ = point_entries(rng)
    patches = list(rng.uniform(0, 255, (COUNT, 7, 3)))
    assert leaks(entries, patches) == set()


def test_an_answer_that_is_always_nearest_the_centre_leaks():
    entries, _ = point_entries(np.random.default_rng(0), centered=True)
    assert leaks(entries) == {"dot position (rule)", "dot position (learned)"}


def test_a_reference_in_the_colour_of_the_answer_leaks():
    entries, _ = point_entries(np.random.default_rng(0), same_color=True)
    assert leaks(entries) == {"mark colours (rule)", "mark colours (learned)"}


def test_a_text_that_tells_the_answer_leaks():
    entries, _ = point_entries(np.random.default_rng(0), telling=True)
    assert leaks(entries) == {"bag of words"}


def test_a_target_patch_that_looks_like_the_references_leaks():
    rng = np.random.default_rng(0)
    entries, answers = point_entries(rng)
    patches = rng.uniform(0, 255, (COUNT, 7, 3))
    for patch, right in zip(patches, answers, strict=True):
        patch[:2] = patch[2 + right] + rng.normal(0, 10, (2, 3))
    found = leaks(entries, list(patches))
    assert found == {"nearest colour patch (rule)", "nearest colour patch (learned)"}


def test_unbalanced_answers_leak():
    entries, answers = point_entries(np.random.default_rng(0))
    kept = [entry for entry, right in zip(entries, answers, strict=True) if right != 4]
    kept += [entry for entry, right in zip(entries, answers, strict=True) if right == 0]
    scores = run_cheaters(kept, [None] * len(kept), {}.__getitem__)
    assert {"majority answer", "position or colour prior"} <= {s.cheater for s in scores if s.leaky}


@pytest.mark.parametrize("parallel", [False, True])
def test_an_arrow_parallel_to_the_references_leaks(parallel):
    entries = direction_entries(np.random.default_rng(0), parallel=parallel)
    expected = {"arrow in the image (rule)", "arrow in the image (learned)"}
    assert leaks(entries) == (expected if parallel else set())


@pytest.mark.parametrize("similar", [False, True])
def test_a_candidate_that_looks_like_the_reference_leaks(similar):
    entries, images = viewpoint_entries(np.random.default_rng(0), similar=similar)
    expected = {"most similar image (rule)", "most similar image (learned)"}
    found = leaks(entries, images=images)
    assert found >= expected if similar else found == set()


@pytest.mark.parametrize("standing_out", [False, True])
def test_an_odd_patch_colour_leaks(standing_out):
    rng = np.random.default_rng(0)
    entries, answers = spatial_entries(rng)
    patches = np.full((COUNT, 4, 3), 120.0) + rng.normal(0, 20, (COUNT, 4, 3))
    if standing_out:
        patches[np.arange(COUNT), answers] += rng.choice([-60, 60], (COUNT, 3))
    expected = {"colour patch outlier (rule)", "colour patch outlier (learned)"}
    assert leaks(entries, list(patches)) == (expected if standing_out else set())


def test_odd_dots_that_stay_near_their_centre_leak():
    entries, answers = spatial_entries(np.random.default_rng(0))
    for entry, right in zip(entries, answers, strict=True):
        dots = entry.proof.marks
        place = tuple(np.clip(dots[right].uv_px, (60, 45), (100, 75)))
        dots[right] = dots[right].model_copy(update={"uv_px": place})
    assert leaks(entries) == {"dot position (rule)", "dot position (learned)"}


def test_odd_dots_are_no_leak_only_because_the_others_agree():
    rng = np.random.default_rng(1)
    entries, answers = spatial_entries(rng)
    for entry, right in zip(entries, answers, strict=True):
        dots = entry.proof.marks
        place = rng.uniform(30, 90, 2)
        for number in {0, 1, 2, 3} - {int(right)}:
            near = tuple(place + rng.normal(0, 3, 2))
            dots[number] = dots[number].model_copy(update={"uv_px": near})
        far = tuple(rng.uniform(30, 90, 2))
        dots[right] = dots[right].model_copy(update={"uv_px": far})
    scores = run_cheaters(entries, [None] * COUNT, {}.__getitem__)
    told = [score for score in scores if score.advisory]
    assert all(score.accuracy > 0.6 for score in told)
    assert len(told) == 2
    assert not any(score.leaky for score in scores)


@pytest.mark.parametrize("brighter", [False, True])
def test_a_brighter_answer_leaks(brighter):
    entries, images = side_entries(np.random.default_rng(0), brighter=brighter)
    expected = {"look of single images (rule)", "look of single images (learned)"}
    assert leaks(entries, images=images) == (expected if brighter else set())


@pytest.mark.parametrize("mostly", [False, True])
def test_a_camera_that_is_mostly_the_odd_one_leaks(mostly):
    entries, images = temporal_entries(np.random.default_rng(0), mostly=mostly)
    expected = {"camera of the image (rule)", "camera of the image (learned)"}
    assert leaks(entries, images=images) == (expected if mostly else set())


def test_patches_are_wanted_only_where_colours_could_leak():
    points, _ = point_entries(np.random.default_rng(0))
    arrows = direction_entries(np.random.default_rng(0), parallel=False)
    assert wants_patches([points[0], arrows[0]]) == [True, False]
