"""Cheaters of the extended tasks: each finds the leak it is there for, and nothing in noise."""

from itertools import permutations

import cv2
import numpy as np
import pytest
from audit_room import general_entry, rig_entry, room_views

from xvr.audit.cheaters import run_cheaters
from xvr.dataset.record import MarkRecord

COUNT = 160
MOVES = [("left", 30), ("left", 80), ("right", 30), ("right", 80)]
ORDERS = list(permutations((3, 4, 5)))


def noise(rng, brightness=128.0):
    coarse = rng.normal(brightness, 40, (6, 8, 3)).clip(0, 255).astype(np.uint8)
    return cv2.resize(coarse, (32, 24), interpolation=cv2.INTER_LINEAR)


def leaks(made):
    """Cheaters that win on samples with their pictures."""
    entries = [entry for entry, _ in made]
    content = {}
    for entry, pictures in made:
        for image, picture in zip(entry.proof.images, pictures, strict=True):
            content[image.url] = cv2.imencode(".png", picture)[1].tobytes()
    scores = run_cheaters(entries, [None] * len(entries), content.__getitem__)
    assert all(score.samples == COUNT for score in scores)
    return {score.cheater for score in scores if score.leaky}


def numbered(entry, number):
    """The same sample with an id and urls of its own."""
    images = [
        image.model_copy(update={"url": f"images/{number}_{image.image}.png"})
        for image in entry.proof.images
    ]
    sample = entry.sample.model_copy(update={"sample_id": f"sample_{number}"})
    return entry._replace(sample=sample, proof=entry.proof.model_copy(update={"images": images}))


def poses(rng, *, alike):
    """Moves; with `alike`, images after a smaller turn look more like the first one."""
    for number in range(COUNT):
        letters, right = rng.permutation(4), number % 4
        spelled = "; ".join(
            f"{letter}: to the {MOVES[k][0]} by about {MOVES[k][1]} degrees"
            for letter, k in zip("ABCD", letters, strict=True)
        )
        entry = general_entry(
            task="relative_pose",
            views=room_views()[:2],
            parts=("reference", "target"),
            marks=(),
            world={"text": spelled},
            options=tuple("ABCD"),
            answer="ABCD"[letters.tolist().index(right)],
        )
        first, second = noise(rng), noise(rng)
        if alike and right % 2 == 0:
            second = cv2.addWeighted(first, 0.7, second, 0.3, 0)
        yield numbered(entry, number), (first, second)


def candidates(rng, task, *, like_reference=False, unlike_others=False):
    """A reference and three candidates, of which the right one may give itself away."""
    answers = rng.permutation(np.arange(COUNT) % 3)
    for number, right in enumerate(answers):
        entry = general_entry(
            task=task,
            views=room_views()[:4],
            parts=("reference", "candidate", "candidate", "candidate"),
            marks=(),
            world={},
            options=("2", "3", "4"),
            answer=str(2 + right),
        )
        pictures = [noise(rng) for _ in range(4)]
        if like_reference:
            own = pictures[1 + right]
            pictures[1 + right] = cv2.addWeighted(pictures[0], 0.7, own, 0.3, 0)
        if unlike_others:
            base = noise(rng)
            for other in {1, 2, 3} - {1 + int(right)}:
                pictures[other] = cv2.addWeighted(base, 0.7, pictures[other], 0.3, 0)
        yield numbered(entry, number), pictures


def dots(rng, *, low):
    """Three dots; with `low`, the right one is the lowest in its image."""
    answers = rng.permutation(np.arange(COUNT) % 3)
    for number, right in enumerate(answers):
        places = rng.uniform(20, 100, (3, 2))
        if low:
            lowest = places[:, 1].argmax()
            places[[right, lowest]] = places[[lowest, right]]
        marks = [
            MarkRecord(
                image=2 + k,
                kind="dot",
                label="Point",
                color=("red", "green", "blue")[rng.integers(3)],
                uv_px=(float(u), float(v)),
                point_m=(0, 0, 0),
            )
            for k, (u, v) in enumerate(places)
        ]
        entry = general_entry(
            task="depth_order",
            views=room_views()[:4],
            parts=("reference", "candidate", "candidate", "candidate"),
            marks=marks,
            world={},
            options=("2", "3", "4"),
            answer=str(2 + right),
        )
        yield numbered(entry, number), [noise(rng) for _ in range(4)]


def orders(rng, *, smooth=False, brighter=False):
    """Orders; frames may change smoothly, or get brighter with time."""
    text = "; ".join(
        f"{k}: {', '.join(map(str, o))}" for k, o in zip("ABCDEF", ORDERS, strict=True)
    )
    for number in range(COUNT):
        right = number % 6
        entry = rig_entry(
            task="temporal_order",
            shown=[("fix_left", 0, None), ("fix_left", 2, None), *[("ego", 1, None)] * 3],
            world={"text": text},
            options=tuple("ABCDEF"),
            answer="ABCDEF"[right],
        )
        frames = [noise(rng, 128 + 40 * k * brighter) for k in (-1, 0, 1)]
        if smooth:
            frames[1] = cv2.addWeighted(frames[0], 0.5, frames[2], 0.5, 0)
        pictures = [noise(rng), noise(rng), *[None] * 3]
        for image, frame in zip(ORDERS[right], frames, strict=True):
            pictures[image - 1] = frame
        yield numbered(entry, number), pictures


@pytest.mark.parametrize(
    ("make", "settings", "cheater"),
    [
        (poses, {"alike": True}, "most similar image"),
        (candidates, {"task": "view_overlap", "like_reference": True}, "most similar image"),
        (candidates, {"task": "temporal_sync", "like_reference": True}, "most similar image"),
        (candidates, {"task": "temporal_sync", "unlike_others": True}, "unlike the other options"),
        (dots, {"low": True}, "dot position"),
        (orders, {"smooth": True}, "smoothest order"),
        (orders, {"brighter": True}, "look of single images"),
    ],
)
def test_a_way_to_guess_is_found(make, settings, cheater):
    found = leaks(list(make(np.random.default_rng(1), **settings)))
    assert {f"{cheater} (rule)", f"{cheater} (learned)"} <= found


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (poses, {"alike": False}),
        (candidates, {"task": "view_overlap"}),
        (candidates, {"task": "temporal_sync"}),
        (dots, {"low": False}),
        (orders, {}),
    ],
)
def test_noise_leaks_nothing(make, settings):
    assert leaks(list(make(np.random.default_rng(2), **settings))) == set()
