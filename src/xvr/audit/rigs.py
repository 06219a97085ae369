"""The robotic tasks, decided by the episode's own timestamps, camera keys, roles and poses."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from xvr.audit.moments import check_order, check_sync
from xvr.audit.report import Problem
from xvr.audit.sightings import check_recorded
from xvr.audit.thresholds import Thresholds
from xvr.audit.wording import described, question_of
from xvr.audit.written import Entry
from xvr.dataset.record import ImageRecord
from xvr.geometry.camera import Camera
from xvr.sources.records import Episode, EpisodeCamera

Side = Literal["left", "right", ""]


class Kind(NamedTuple):
    """What a role says about where a camera is, without its running number."""

    mount: str
    """First word of the role: `fix` stands still, `ego` is on the robot."""
    place: str
    """Second word, such as `left` or `top`; empty where there is none."""

    @property
    def side(self) -> Side:
        """Left or right, empty for any other place."""
        return self.place if self.place in ("left", "right") else ""


def kind_of(role: str) -> Kind:
    """The kind of a role such as `fix_left_1`."""
    words = [word for word in re.split(r"[^a-z]+", role.lower()) if word]
    return Kind(words[0] if words else "", words[1] if len(words) > 1 else "")


def check_robotic(
    entry: Entry, episodes: Sequence[Episode], limits: Thresholds
) -> Iterator[Problem]:
    """The check of the sample's task, once its images are known to exist in the source.

    Raises:
        KeyError: the task is not a robotic one.
    """
    check = CHECKS[entry.proof.task]
    unknown = False
    for problem in check_frames(entry, episodes):
        unknown = unknown or problem.reason.startswith("unknown")
        yield problem
    for episode in episodes:
        yield from _check_episode(episode, limits)
    if not unknown:
        yield from check(entry, episodes, limits)


def check_frames(entry: Entry, episodes: Sequence[Episode]) -> Iterator[Problem]:
    """Every image is a camera and frame that its episode has, at the time and role recorded."""
    for image in entry.proof.images:
        episode = episodes[image.episode or 0]
        camera = _camera(image, episodes)
        if camera is None:
            yield Problem("answer", "unknown_camera", f"image {image.image}: {image.camera!r}")
            continue
        if image.role is not None and camera.role != image.role:
            detail = f"image {image.image}: {image.role}, the source says {camera.role}"
            yield Problem("answer", "role_differs", detail)
        if not 0 <= image.frame_index < episode.length:
            detail = f"image {image.image}: frame {image.frame_index} of {episode.length}"
            yield Problem("answer", "unknown_frame", detail)
        elif image.time_s is not None:
            away = abs(image.time_s - episode.time_s(image.frame_index))
            if away > 0.5 / episode.fps + 1e-6:
                yield Problem("answer", "time_differs", f"image {image.image} by {away:.3f} s")


def check_temporal(
    entry: Entry, episodes: Sequence[Episode], limits: Thresholds
) -> Iterator[Problem]:
    """The one image whose time differs from all others'."""
    episode, images = episodes[0], entry.proof.images
    cameras = [image.camera for image in images]
    if len(set(cameras)) != len(cameras):
        yield Problem("answer", "camera_twice", ", ".join(map(str, cameras)))
    times = [episode.time_s(image.frame_index) for image in images]
    common, agreeing = Counter(times).most_common(1)[0]
    odd = [number for number, time in enumerate(times) if time != common]
    if len(odd) != 1 or agreeing < 2:
        yield Problem("answer", "not_one_odd", f"times are {times} s")
        return
    number = str(images[odd[0]].image)
    if number != entry.answer:
        yield Problem("answer", "wrong_answer", f"image {number} is odd, not {entry.answer}")
    gap = abs(times[odd[0]] - common)
    if gap < limits.min_time_gap_s - 1e-6:
        yield Problem("rule", "times_too_close", f"{gap:.3f} s")
    measured = {"time_gap_s": gap}
    if episode.effector_positions is not None:
        here = images[odd[0]].frame_index
        there = next(image.frame_index for image in images if image.image != images[odd[0]].image)
        moved = np.linalg.norm(episode.effector_positions[here] - episode.effector_positions[there])
        measured["effector_move_m"] = float(moved)
        if not moved >= limits.min_effector_move_m - 1e-4:
            yield Problem("rule", "effector_still", f"moved {moved:.4f} m between the times")
    yield from check_recorded(entry, measured)


def check_directional_view(
    entry: Entry, episodes: Sequence[Episode], limits: Thresholds
) -> Iterator[Problem]:
    """The image on the side asked for, by azimuth from the centre camera or by its role."""
    images = entry.proof.images
    asked = entry.proof.world.get("side")
    if len(images) != 3 or asked not in ("left", "right"):
        yield Problem("answer", "wrong_options", f"{len(images)} images, side {asked!r}")
        return
    cameras = [_camera(image, episodes) for image in images]
    poses = [_pose(image, camera) for image, camera in zip(images, cameras, strict=True)]
    sides = []
    for pose, camera in zip(poses[1:], cameras[1:], strict=True):
        if poses[0] is not None and pose is not None and camera is not None:
            x = _sideways_m(poses[0], pose)
            sides.append("right" if x > 0 else "left")
            if abs(x) < limits.min_side_m - 1e-6:
                yield Problem("rule", "side_unclear", f"{camera.key} is {x:.3f} m to the right")
            yield from check_recorded(entry, {f"{camera.role}_x_m": x})
        elif camera is not None:
            sides.append(kind_of(camera.role).side)
    if sorted(sides) != ["left", "right"]:
        yield Problem("answer", "sides_unclear", f"images 2 and 3 are {sides}")
        return
    number = str(images[1 + sides.index(asked)].image)
    if number != entry.answer:
        yield Problem("answer", "wrong_answer", f"image {number} is {asked}, not {entry.answer}")
    if set(re.findall(r"\b(left|right)\b", question_of(entry))) != {asked}:
        yield Problem("answer", "question_differs", f"it does not ask for {asked} alone")
    roles = [kind_of(camera.role).side for camera in cameras[1:] if camera is not None]
    if sorted(roles) == ["left", "right"] and roles != sides:
        yield Problem("answer", "role_against_pose", f"poses say {sides}, roles {roles}")


def check_cross_scenario(
    entry: Entry, episodes: Sequence[Episode], limits: Thresholds
) -> Iterator[Problem]:
    """The image of the second episode taken by the camera of the image asked about."""
    proof = entry.proof
    first = [image for image in proof.images if not image.episode]
    second = [image for image in proof.images if image.episode == 1]
    asked = next((i for i in first if i.image == proof.world.get("asked_image")), None)
    if len(episodes) != 2 or asked is None or not second:
        detail = f"{len(episodes)} episodes, asked {proof.world.get('asked_image')!r}"
        yield Problem("answer", "wrong_options", detail)
        return
    if episodes[0].id == episodes[1].id:
        yield Problem("answer", "same_episode", episodes[0].id)
    if (episodes[0].dataset, episodes[0].rig) != (episodes[1].dataset, episodes[1].rig):
        yield Problem("rule", "rigs_differ", f"{episodes[0].rig} and {episodes[1].rig}")
    matching = [str(image.image) for image in second if image.camera == asked.camera]
    if matching != [entry.answer]:
        detail = f"{asked.camera} is image {', '.join(matching) or 'none'}, not {entry.answer}"
        yield Problem("answer", "wrong_answer", detail)
    named = {number for number in re.findall(r"image (\d)", question_of(entry)) if number < "4"}
    if named != {str(asked.image)}:
        yield Problem("answer", "question_differs", f"it names images {sorted(named)}")
    asked_camera = _camera(asked, episodes)
    if asked_camera is not None and proof.world.get("asked_role") != asked_camera.role:
        detail = f"asked for {proof.world.get('asked_role')}, the source says {asked_camera.role}"
        yield Problem("answer", "role_differs", detail)
    if sorted(i.camera or "" for i in first) != sorted(i.camera or "" for i in second):
        yield Problem("rule", "cameras_differ", "the scenarios do not show the same cameras")
    yield from _check_rig_poses(asked, second, episodes, limits)


def check_language(
    entry: Entry, episodes: Sequence[Episode], limits: Thresholds
) -> Iterator[Problem]:
    """The one undescribed image whose camera is of the described kind, by role and by words."""
    del limits
    role = str(entry.proof.world.get("asked_role", ""))
    description = described(question_of(entry))
    by_role, by_words = [], []
    for image in entry.proof.images[1:]:
        camera = _camera(image, episodes)
        kind = kind_of(camera.role) if camera is not None else kind_of("")
        if kind == kind_of(role):
            by_role.append(str(image.image))
        if description == (kind.mount == "ego", {kind.place} - {""}):
            by_words.append(str(image.image))
    if len(by_role) != 1:
        yield Problem("answer", "not_one_fits", f"{role}: images {', '.join(by_role) or 'none'}")
    elif by_role != [entry.answer]:
        yield Problem("answer", "wrong_answer", f"image {by_role[0]} fits, not {entry.answer}")
    if description is not None and by_words and entry.answer not in by_words:
        yield Problem("answer", "description_differs", f"it describes image {by_words}")


def _check_episode(episode: Episode, limits: Thresholds) -> Iterator[Problem]:
    """The episode is long enough, with enough cameras and motion."""
    if episode.duration_s < limits.min_episode_s - 1e-6:
        yield Problem("rule", "episode_too_short", f"{episode.id}: {episode.duration_s:.2f} s")
    if len(episode.cameras) < limits.min_cameras:
        yield Problem("rule", "too_few_cameras", f"{episode.id}: {len(episode.cameras)}")
    if episode.effector_positions is not None:
        steps = np.diff(episode.effector_positions, axis=0)
        path_m = float(np.linalg.norm(steps, axis=1).sum())
        if not path_m >= limits.min_effector_path_m - 1e-4:
            yield Problem("rule", "effector_path_too_short", f"{episode.id}: {path_m:.3f} m")


def _camera(image: ImageRecord, episodes: Sequence[Episode]) -> EpisodeCamera | None:
    cameras = episodes[image.episode or 0].cameras
    return next((camera for camera in cameras if camera.key == image.camera), None)


def _pose(image: ImageRecord, camera: EpisodeCamera | None) -> Camera | None:
    if camera is None or camera.calibration is None:
        return None
    return camera.calibration(image.frame_index)


def _sideways_m(center: Camera, side: Camera) -> float:
    """How far a camera is to the right of the centre camera, in the latter's frame."""
    towards = side.world_from_camera[:3, 3] - center.world_from_camera[:3, 3]
    return float(center.world_from_camera[:3, 0] @ towards)


def _check_rig_poses(
    asked: ImageRecord, second: list[ImageRecord], episodes: Sequence[Episode], limits: Thresholds
) -> Iterator[Problem]:
    """Cameras that stand still are where they were, and the others are elsewhere."""
    here = _pose(asked, _camera(asked, episodes))
    if here is None or kind_of(asked.role or "").mount == "ego":
        return
    for image in second:
        there = _pose(image, _camera(image, episodes))
        if there is None:
            continue
        shift = float(np.linalg.norm(here.center - there.center))
        turn = here.world_from_camera[:3, :3].T @ there.world_from_camera[:3, :3]
        degrees = float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))
        near = shift <= limits.max_same_pose_m and degrees <= limits.max_same_pose_deg
        if near != (image.camera == asked.camera):
            detail = f"image {image.image} is {shift:.3f} m and {degrees:.1f} deg away"
            yield Problem("rule", "poses_disagree", detail)


CHECKS: dict[str, Callable[[Entry, Sequence[Episode], Thresholds], Iterator[Problem]]] = {
    "temporal_verification": check_temporal,
    "directional_view_localization": check_directional_view,
    "cross_scenario_localization": check_cross_scenario,
    "language_conditioned_localization": check_language,
    "temporal_order": check_order,
    "temporal_sync": check_sync,
}
