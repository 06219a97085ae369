"""A room with a box on a table-like block, ray-cast exactly, and samples made by hand from it.

Everything an auditor needs is known in closed form: depth along z at any pixel, and the world
point behind it. Cameras stand on an arc and look at the box.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from xvr.audit.written import Entry
from xvr.dataset.record import (
    ImageBlock,
    ImageRecord,
    ImageUrl,
    MarkRecord,
    OptionRecord,
    Provenance,
    Sample,
    SourceRecord,
    TextBlock,
)
from xvr.geometry.camera import Camera, project
from xvr.sources.records import Episode, EpisodeCamera, Scene, View

COLORS = ("red", "green", "blue", "yellow", "purple")
WIDTH, HEIGHT, FOCAL = 160, 120, 130.0
ROOM = np.array([[-2.0, -2.0, 0.0], [2.0, 2.0, 2.5]])
BOXES = np.array([[[-0.6, -0.6, 0.0], [0.6, 0.6, 0.3]], [[-0.15, -0.1, 0.3], [0.1, 0.2, 0.42]]])
PATCHES = (
    (0.35, 0.3, 0.3),
    (0.4, -0.3, 0.3),
    (-0.45, -0.5, 0.3),
    (-0.45, 0.45, 0.3),
    (0.0, 0.05, 0.42),
)
"""Surface points that most cameras see."""


def look_at(center: Sequence[float], target: Sequence[float]) -> np.ndarray:
    """World from camera with z up in the image."""
    forward = np.subtract(target, center)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3] = np.column_stack([right, np.cross(forward, right), forward, center])
    return pose


def arc_camera(angle_deg: float, radius: float = 1.5, height: float = 1.6) -> Camera:
    """A camera on the arc, looking at the box."""
    angle = np.radians(angle_deg)
    center = (radius * np.cos(angle), radius * np.sin(angle), height)
    return Camera(
        width=WIDTH,
        height=HEIGHT,
        fx=FOCAL,
        fy=FOCAL,
        cx=WIDTH / 2,
        cy=HEIGHT / 2,
        world_from_camera=look_at(center, (0.0, 0.0, 0.3)),
    )


ANGLES = (-60.0, -36.0, -12.0, 12.0, 36.0, 60.0)


@cache
def ray_cast(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Depth along z and the world point of every pixel: the room from inside, boxes outside."""
    u, v = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    rays = np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones_like(u)], 2)
    rays = rays @ camera.world_from_camera[:3, :3].T  # depth along z is the parameter
    rays = np.where(np.abs(rays) < 1e-9, 1e-9, rays)
    depth = np.maximum(*((ROOM - camera.center)[:, None, None] / rays)).min(axis=2)
    for box in BOXES:
        near, far = (box - camera.center)[:, None, None] / rays
        enter = np.minimum(near, far).max(axis=2)
        leave = np.maximum(near, far).min(axis=2)
        depth = np.where((enter < leave) & (enter > 0), np.minimum(depth, enter), depth)
    return depth, camera.center + rays * depth[:, :, None]


@cache
def _picture(camera: Camera) -> np.ndarray:
    """Smooth colours and a coarse checker by world position."""
    _, points = ray_cast(camera)
    waves = 0.5 + 0.25 * np.sin(points * (2.1, 2.7, 3.3)) + 0.15 * np.cos(points[:, :, ::-1] * 5)
    checker = (np.floor(points / 0.25 + 1e-6).sum(axis=2) % 2)[:, :, None]
    return np.clip(255 * (0.8 * waves + 0.15 * checker), 0, 255).astype(np.uint8)


def picture(camera: Camera) -> np.ndarray:
    """A fresh copy of what a camera sees."""
    return _picture(camera).copy()


@cache
def room_views() -> tuple[View, ...]:
    """The six views, without files."""
    views = []
    for number, angle in enumerate(ANGLES):
        camera = arc_camera(angle)
        views.append(
            View(
                name=f"{number:05d}.png",
                camera=camera,
                frame_index=number,
                read_image=lambda camera=camera: picture(camera),
                read_depth=lambda camera=camera: ray_cast(camera)[0].astype(np.float32),
            )
        )
    return tuple(views)


def room_scene() -> Scene:
    """The room as a scene record."""
    return Scene(id="room/scenes/scene_000", dataset="hand", category="room", views=room_views())


def write_room(root: Path) -> None:
    """The room in the WildRGB-D layout."""
    folder = root / "room" / "scenes" / "scene_000"
    for name in ("rgb", "depth"):
        (folder / name).mkdir(parents=True)
    poses = []
    for view in room_views():
        millimetres = np.round(ray_cast(view.camera)[0] * 1000).astype(np.uint16)
        rgb = cv2.cvtColor(picture(view.camera), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(folder / "rgb" / view.name), rgb)
        cv2.imwrite(str(folder / "depth" / view.name), millimetres)
        numbers = view.camera.world_from_camera.ravel()
        poses.append(" ".join([str(view.frame_index), *(f"{x:.9f}" for x in numbers)]))
    (folder / "cam_poses.txt").write_text("\n".join(poses) + "\n")
    matrix = view.camera.matrix.T.ravel().tolist()
    (folder / "metadata").write_text(json.dumps({"w": WIDTH, "h": HEIGHT, "K": matrix}))


def pixel(view: View, point: Sequence[float]) -> tuple[float, float]:
    """Where a view sees a point."""
    u, v = project(view.camera, np.array([point]))[0][0]
    return float(u), float(v)


def dot(views: Sequence[View], image: int, point: Sequence[float], color: str) -> MarkRecord:
    """A dot on a point in an image of the prompt."""
    x, y, z = map(float, point)
    uv = pixel(views[image - 1], point)
    return MarkRecord(
        image=image, kind="dot", label="Target", color=color, uv_px=uv, point_m=(x, y, z)
    )


def arrow(
    views: Sequence[View], image: int, point: Sequence[float], end: Sequence[float], color: str
) -> MarkRecord:
    """An arrow between two points in an image of the prompt."""
    return dot(views, image, point, color).model_copy(
        update={
            "kind": "arrow",
            "uv_end_px": pixel(views[image - 1], end),
            "end_point_m": tuple(map(float, end)),
        }
    )


def general_entry(
    *,
    task: str,
    views: Sequence[View],
    parts: Sequence[str],
    marks: Sequence[MarkRecord],
    world: dict[str, Any],
    options: Sequence[str],
    answer: str,
    path: str = "/nowhere",
    number: int = 0,
) -> Entry:
    """A sample of the room with its proof."""
    sample_id = f"{task}_{number:03d}"
    images = [
        ImageRecord(
            image=i,
            url=f"images/img_{8 * number + i:07d}.png",
            part=part,
            view=view.name,
            frame_index=view.frame_index,
            width=view.camera.width,
            height=view.camera.height,
        )
        for i, (view, part) in enumerate(zip(views, parts, strict=True), 1)
    ]
    source = SourceRecord(format="wildrgbd", path=path, scene="room/scenes/scene_000")
    return _entry(sample_id, task, "general", source, images, marks, world, options, answer)


def _entry(
    sample_id: str,
    task: str,
    domain: Any,
    source: SourceRecord,
    images: list[ImageRecord],
    marks: Sequence[MarkRecord],
    world: dict[str, Any],
    options: Sequence[str],
    answer: str,
) -> Entry:
    proof = Provenance(
        sample_id=sample_id,
        task=task,
        domain=domain,
        source=source,
        images=images,
        marks=list(marks),
        world=world,
        options=[OptionRecord(value=v, correct=v == answer, why="by hand") for v in options],
        answer=answer,
        checks={},
        difficulty={},
        seed=0,
        version="0",
    )
    blocks: list[TextBlock | ImageBlock] = []
    for image in images:
        blocks.append(TextBlock(type="text", text=f"Image {image.image}:"))
        blocks.append(ImageBlock(type="image_url", image_url=ImageUrl(url=image.url)))
    blocks.append(TextBlock(type="text", text=f"A question on {task}, {world.get('text', '')}."))
    sample = Sample(
        prompt_blocks=blocks, sample_id=sample_id, task="task0", ground_truth_answer=answer
    )
    return Entry("train", sample, proof)


def relabelled(entry: Entry, answer: str) -> Entry:
    """The same sample with another answer, consistently wrong in record and proof."""
    options = [o.model_copy(update={"correct": o.value == answer}) for o in entry.proof.options]
    return Entry(
        entry.split,
        entry.sample.model_copy(update={"ground_truth_answer": answer}),
        entry.proof.model_copy(update={"answer": answer, "options": options}),
    )


def with_marks(entry: Entry, marks: Sequence[MarkRecord]) -> Entry:
    """The same sample with other marks."""
    return entry._replace(proof=entry.proof.model_copy(update={"marks": list(marks)}))


def point_entry(right: int = 0, **where: Any) -> Entry:
    """Two references and five target dots; the right one has colour number `right`."""
    views = [room_views()[i] for i in (0, 2, 4)]
    points = [PATCHES[0], *PATCHES[1:5]]
    points = [*points[1 : right + 1], points[0], *points[right + 1 :]]
    marks = [dot(views, 1, PATCHES[0], "red"), dot(views, 2, PATCHES[0], "blue")]
    marks += [dot(views, 3, p, color) for p, color in zip(points, COLORS, strict=True)]
    return general_entry(
        task="point_correspondence",
        views=views,
        parts=("reference", "reference", "target"),
        marks=marks,
        world={"point_m": PATCHES[0]},
        options=COLORS,
        answer=COLORS[right],
        **where,
    )


def direction_entry(right: int = 0, **where: Any) -> Entry:
    """Two references and four target arrows from one anchor."""
    views = [room_views()[i] for i in (0, 2, 4)]
    anchor = np.array(PATCHES[1])
    directions = np.array([[0.0, 0.8, 0.6], [0.0, -1.0, 0.0], [0.6, 0.0, -0.8], [-0.8, 0.0, 0.6]])
    ends = anchor + 0.35 * directions
    order = [*range(1, right + 1), 0, *range(right + 1, 4)]
    marks = [arrow(views, i, anchor, ends[0], color) for i, color in ((1, "red"), (2, "purple"))]
    marks += [arrow(views, 3, anchor, ends[k], c) for k, c in zip(order, COLORS, strict=False)]
    return general_entry(
        task="directional_correspondence",
        views=views,
        parts=("reference", "reference", "target"),
        marks=marks,
        world={"point_m": anchor.tolist(), "direction": directions[0].tolist()},
        options=COLORS[:4],
        answer=COLORS[right],
        **where,
    )


def spatial_entry(odd: int = 2, **where: Any) -> Entry:
    """Four images, of which number `odd` marks another point."""
    views = [room_views()[i] for i in (0, 1, 3, 4)]
    marks = [
        dot(views, i, PATCHES[2] if i == odd else PATCHES[0], color)
        for i, color in zip((1, 2, 3, 4), COLORS, strict=False)
    ]
    return general_entry(
        task="spatial_verification",
        views=views,
        parts=("reference",) * 4,
        marks=marks,
        world={"point_m": PATCHES[0], "odd_point_m": PATCHES[2]},
        options=("1", "2", "3", "4"),
        answer=str(odd),
        **where,
    )


def viewpoint_views() -> tuple[View, ...]:
    """A camera far back that sees the centres of the others, and three candidates."""
    far = replace(arc_camera(0.0), world_from_camera=look_at((-1.9, 0.0, 1.3), (0.9, 0.0, 1.4)))
    camera_views = [room_views()[i] for i in (1, 2, 4)]
    first = View(name="far", camera=far, frame_index=9, read_image=lambda: picture(far))
    return (first, *camera_views)


def viewpoint_entry(right: int = 2) -> Entry:
    """One reference and three candidates, images 2 to 4."""
    views = viewpoint_views()
    center = views[right - 1].camera.center
    return general_entry(
        task="viewpoint_localization",
        views=views,
        parts=("reference", "candidate", "candidate", "candidate"),
        marks=[dot(views, 1, center, "green")],
        world={"camera_center_m": center.tolist()},
        options=("2", "3", "4"),
        answer=str(right),
    )


def rig_episode(name: str = "episode_0", *, calibrated: bool = False) -> Episode:
    """Three fixed cameras and a wrist camera, 10 Hz, 20 s, moving end effector."""
    places = {"fix_center": 0.0, "fix_left": -40.0, "fix_right": 40.0, "ego": 10.0}
    cameras = []
    for role, angle in places.items():
        camera = arc_camera(angle)
        cameras.append(
            EpisodeCamera(
                key=f"observation.images.{role}_view",
                role=role,
                read_frames=lambda frames: [np.zeros((24, 32, 3), np.uint8) for _ in frames],
                calibration=(lambda _, camera=camera: camera) if calibrated else None,
            )
        )
    path = np.linspace(0.0, 1.0, 200)[:, None] * (0.5, 0.2, 0.1)
    return Episode(
        id=name,
        dataset="hand",
        rig="hand",
        instruction="move",
        fps=10.0,
        length=200,
        cameras=tuple(cameras),
        effector_positions=path,
    )


def rig_entry(
    *,
    task: str,
    shown: Sequence[tuple[str, int, int | None]],
    world: dict[str, Any],
    options: Sequence[str],
    answer: str,
) -> Entry:
    """A sample of one or two rig episodes; `shown` has role, frame and episode of each image."""
    images = [
        ImageRecord(
            image=i,
            url=f"images/img_{i:07d}.png",
            part="image",
            camera=f"observation.images.{role}_view",
            role=role,
            episode=episode,
            frame_index=frame,
            time_s=frame / 10,
            width=32,
            height=24,
        )
        for i, (role, frame, episode) in enumerate(shown, 1)
    ]
    source = SourceRecord(format="hand", path="/nowhere", episode="episode_0")
    return _entry(f"{task}_0", task, "robotic", source, images, (), world, options, answer)


def write_dataset(root: Path, entries: Sequence[Entry]) -> None:
    """The entries in the released layout, with unpacked images that carry their marks."""
    (root / "provenance").mkdir(parents=True, exist_ok=True)
    (root / "images").mkdir(exist_ok=True)
    (root / "manifest.json").write_text(json.dumps({"config": {"rules": {}}}))
    views = {view.name: view for view in room_views()}
    for split in dict.fromkeys(entry.split for entry in entries):
        chosen = [entry for entry in entries if entry.split == split]
        samples = "".join(entry.sample.model_dump_json() + "\n" for entry in chosen)
        (root / f"{split}.jsonl").write_text(samples)
        proofs = "".join(entry.proof.model_dump_json() + "\n" for entry in chosen)
        (root / "provenance" / f"{split}.jsonl").write_text(proofs)
    for entry in entries:
        for image in entry.proof.images:
            rgb = picture(views[image.view or ""].camera)
            for mark in entry.proof.marks:
                if mark.image == image.image:
                    u, v = mark.uv_px
                    cv2.circle(rgb, (round(u), round(v)), 3, (255, 0, 0), -1)
            cv2.imwrite(str(root / image.url), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
