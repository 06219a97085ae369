"""What tasks draft from, made of the toy world in memory, and drafts made of it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from toy import robot, room
from xvr.geometry.camera import Camera
from xvr.sources.records import Episode, EpisodeCamera
from xvr.tasks import get_task
from xvr.tasks.draft import Draft, Refusal
from xvr.tasks.grid import EpisodePair, FrameGrid
from xvr.tasks.pool import PointPool, ViewPixels, build_pool
from xvr.tasks.rules import Rules

RULES = Rules(
    min_scene_points=50_000,
    depth_tolerance_share=0.03,
    max_turn_likeness_sd=9.0,
    max_overlap_likeness_sd=9.0,
)
"""For images of 160 x 120: their pixels are four times as far apart as those of a capture. And a
room has too few views to choose those that look alike."""
ROLES: dict[str, str] = dict(
    zip(robot.CAMERAS, ("fix_center", "fix_left", "fix_right", "ego"), strict=True)
)
DRAFTS = 24
FRAMES = tuple(range(0, robot.LENGTH, 7))


@cache
def views(seed: int) -> tuple[ViewPixels, ...]:
    """All views of a room, depth in whole millimetres as a capture has it."""
    found = []
    for number, camera in enumerate(room.orbit(seed)):
        image, depth_m = room.render(room.furnish(seed), camera)
        depth = (np.round(depth_m * 1000) / 1000).astype(np.float32)
        found.append(ViewPixels(f"{number:05d}.png", number, None, camera, image, depth))
    return tuple(found)


@cache
def pool(seed: int = 0) -> PointPool:
    """The pool of a room."""
    return build_pool(views(seed), None, RULES, np.random.default_rng(seed))


def episode(
    number: int = 0,
    names: Sequence[str] = robot.CAMERAS,
    frame: Callable[[int, int, int], np.ndarray] = robot.frame_pixels,
    poses: Callable[[str, int], np.ndarray] | None = robot.poses,
    effector: bool = True,
) -> Episode:
    """A toy episode in memory; `frame` and `poses` replace what it shows and where cameras are."""
    cameras = []
    for name in names:
        index = robot.CAMERAS.index(name)
        cameras.append(
            EpisodeCamera(
                key=f"observation.images.{name}",
                role=ROLES[name],
                read_frames=lambda wanted, index=index: [frame(index, number, f) for f in wanted],
                calibration=_calibration(poses(name, number)) if poses else None,
            )
        )
    return Episode(
        id=f"kitchen/episode_{number:06d}",
        dataset="kitchen",
        rig="toy",
        instruction="stir the pot",
        fps=float(robot.FPS),
        length=robot.LENGTH,
        cameras=tuple(cameras),
        effector_positions=robot.effector_path(number) if effector else None,
    )


def grid(subject: Episode, frames: Sequence[int] = FRAMES) -> FrameGrid:
    """An episode at a few instants."""
    return FrameGrid(episode=subject, frames=tuple(frames), gray_width_px=RULES.ssim_width_px)


def pair(own: Episode | None = None, partner: Episode | None = None) -> EpisodePair:
    """An episode with a partner; toy episodes 0 and 1 when left out."""
    return EpisodePair(own=grid(own or episode(0)), partner=grid(partner or episode(1)))


def fresh(subject: PointPool) -> PointPool:
    """The same pool, without what tasks found out about it."""
    return replace(subject, kept={})


def tries(
    task: str, subject: PointPool | EpisodePair, rules: Rules = RULES, count: int = 60
) -> list[Draft | Refusal]:
    """What a task says to one slot after the other, of a pool that keeps nothing from before."""
    if isinstance(subject, PointPool):
        subject = fresh(subject)
    rng, chosen = np.random.default_rng(count), get_task(task)
    return [chosen.draft(subject, chosen.slot("train", n), rng, rules) for n in range(count)]


@cache
def drafts(task: str) -> tuple[tuple[int, Draft], ...]:
    """Drafts of the first slots, each with the seed of its room (0 for an episode)."""
    subject = pair()
    return tuple(fill(task, index, subject) for index in range(DRAFTS))


def fill(task: str, index: int, episodes: EpisodePair | None = None) -> tuple[int, Draft]:
    """The draft of one slot; as in a build, another room when one does not give it."""
    chosen = get_task(task)
    for attempt in range(4):
        seed = (index + attempt) % 4 if chosen.domain == "general" else 0
        subject = fresh(pool(seed)) if chosen.domain == "general" else episodes or pair()
        rng = np.random.default_rng((3, index, attempt))
        for _ in range(RULES.attempts_per_sample):
            made = chosen.draft(subject, chosen.slot("train", index), rng, RULES)
            if isinstance(made, Draft):
                return seed, made
    raise AssertionError(f"{task}, slot {index}: the toy world gives no draft")


def _calibration(poses: np.ndarray) -> Callable[[int], Camera]:
    size = robot.SIZE
    return lambda frame: Camera(
        width=size,
        height=size,
        fx=robot.FOCAL,
        fy=robot.FOCAL,
        cx=size / 2,
        cy=size / 2,
        world_from_camera=poses[frame],
    )
