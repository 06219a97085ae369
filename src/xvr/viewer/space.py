"""The proof of a sample in 3D: its cameras, from the source, and its points, from the provenance.

Where the source cannot be read the points are drawn alone, and a note says why.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from xvr.audit.origin import Origins
from xvr.dataset.marks import RGB
from xvr.dataset.record import ImageRecord, MarkRecord, Provenance
from xvr.errors import Unusable, UserError
from xvr.geometry.camera import Camera, unproject
from xvr.sources.records import Episode, Scene, View
from xvr.viewer.drawing import CLOUD_POINTS, Drawing
from xvr.viewer.pictures import Picture

IMAGE_COLORS = ("#0f8f86", "#c65a17", "#64748b", "#c2417c", "#6f7d12", "#92633f")
"""Of image 1, 2, ...; none is near one of the five colours of marks."""
NEUTRAL = "text"
"""The page's own text colour."""
ODD = "#d92d20"
_SEEN_POINTS = 3 * CLOUD_POINTS
"""Sampled in the views of a sample, before those far away are left out."""
_PATH_POINTS = 240


class Space(NamedTuple):
    """A 3D view and what has to be said about it."""

    drawing: dict[str, Any] | None
    """None where there is nothing to draw."""
    note: str


def image_color(image: int) -> str:
    """The colour that stands for an image."""
    return IMAGE_COLORS[(image - 1) % len(IMAGE_COLORS)]


def mark_color(word: str) -> str:
    """The colour of a mark for the page; grey where the word is unknown."""
    red, green, blue = RGB.get(word, (128, 128, 128))
    return f"#{red:02x}{green:02x}{blue:02x}"


def draw_space(proof: Provenance, origins: Origins, pictures: Mapping[str, Picture]) -> Space:
    """The 3D view of a sample; a source that cannot be read is a note, not an error."""
    drawing, notes = Drawing(), []
    cameras: dict[int, Camera] = {}
    try:
        subjects = origins.open(proof.source)
        if isinstance(subjects[0], Scene):
            cameras = _draw_scene(drawing, proof, subjects[0], pictures)
        else:
            episodes = [s for s in subjects if isinstance(s, Episode)]
            cameras = _draw_episodes(drawing, proof, episodes)
            if not cameras:
                notes.append("The source has no camera calibration: no cameras are drawn.")
    except (Unusable, UserError) as error:
        notes.append(f"Cameras are not drawn, as the source cannot be read: {error}")
    for image, camera in cameras.items():
        drawing.camera(image, camera, image_color(image), str(image) == proof.answer)
    _draw_marks(drawing, proof, cameras)
    _draw_turn(drawing, proof, cameras)
    _draw_distances(drawing, proof, cameras)
    return Space(drawing.to_json(), " ".join(notes))


def _draw_scene(
    drawing: Drawing, proof: Provenance, scene: Scene, pictures: Mapping[str, Picture]
) -> dict[int, Camera]:
    """Cameras by image; the depth of the views is drawn as a cloud."""
    views = {view.name: view for view in scene.views}
    cameras = {}
    for record in proof.images:
        view = views.get(record.view or "")
        if view is None:
            raise Unusable("unknown_view", f"{record.view!r} is not in {scene.id}")
        cameras[record.image] = view.camera
        picture = pictures[record.url]
        if view.read_depth is not None and picture.jpeg:
            _draw_cloud(drawing, view, picture, _SEEN_POINTS // len(proof.images))
    if not drawing.clouds and scene.tracks is not None:
        points = scene.tracks.points_world
        points = points[:: max(1, len(points) // _SEEN_POINTS)]
        drawing.clouds.append((points, np.full(points.shape, 140, dtype=np.uint8)))
    return cameras


def _draw_cloud(drawing: Drawing, view: View, picture: Picture, count: int) -> None:
    assert view.read_depth is not None, view.name
    depth_m = view.read_depth()
    height, width = depth_m.shape
    step = max(1, int(np.sqrt(height * width / count)))
    rows, columns = (
        grid.ravel()
        for grid in np.mgrid[step // 2 : height : step, step // 2 : width : step]  # (k,), (k,)
    )
    known = depth_m[rows, columns] > 0
    rows, columns = rows[known], columns[known]
    uv_px = np.column_stack([columns, rows]) + 0.5
    points = unproject(view.camera, uv_px, depth_m[rows, columns].astype(np.float64))
    colors = picture.pixels[rows * picture.height // height, columns * picture.width // width]
    drawing.clouds.append((points, colors))


def _draw_episodes(
    drawing: Drawing, proof: Provenance, episodes: list[Episode]
) -> dict[int, Camera]:
    """Cameras by image where there is calibration, and the paths of the end effectors."""
    drawing.up = np.array([0.0, 0.0, 1.0])
    for number, episode in enumerate(episodes):
        positions = episode.effector_positions
        if positions is not None and np.isfinite(positions).all():
            step = max(1, len(positions) // _PATH_POINTS)
            drawing.line(positions[::step].tolist(), NEUTRAL, dash=number > 0)
    cameras = {}
    for record in proof.images:
        episode = episodes[record.episode or 0]
        found = [camera for camera in episode.cameras if camera.key == record.camera]
        if not found or not 0 <= record.frame_index < episode.length:
            raise Unusable("unknown_frame", f"{record.camera!r}, frame {record.frame_index}")
        if found[0].calibration is not None:
            cameras[record.image] = found[0].calibration(record.frame_index)
    _draw_instants(drawing, proof.images, episodes)
    return cameras


def _draw_instants(drawing: Drawing, images: list[ImageRecord], episodes: list[Episode]) -> None:
    """Where the end effector is in each image; images of one instant share a dot."""
    instants: dict[tuple[int, int], list[int]] = {}
    for record in images:
        instants.setdefault((record.episode or 0, record.frame_index), []).append(record.image)
    for (number, frame), shown in instants.items():
        positions = episodes[number].effector_positions
        if positions is not None and np.isfinite(positions[frame]).all():
            label = "gripper in " + ", ".join(map(str, shown))
            drawing.dot(positions[frame].tolist(), image_color(shown[0]), label)


def _draw_marks(drawing: Drawing, proof: Provenance, cameras: Mapping[int, Camera]) -> None:
    targets = {record.image for record in proof.images if record.part == "target"}
    marks = [mark for mark in proof.marks if np.isfinite(mark.point_m).all()]
    for mark in marks:
        right = mark.image not in targets or mark.color == proof.answer
        if mark.image in cameras and right:
            rays = [cameras[mark.image].center.tolist(), list(mark.point_m)]
            drawing.line(rays, image_color(mark.image), dash=True)
        if mark.image in targets:
            _draw_option(drawing, mark, right)
    for name, label, color in (
        ("point_m", "same point", NEUTRAL),
        ("odd_point_m", "odd point", ODD),
        ("camera_center_m", "camera", NEUTRAL),
    ):
        point = _point(proof.world.get(name))
        if point and not targets:
            drawing.dot(point, color, label)


def _draw_turn(drawing: Drawing, proof: Provenance, cameras: Mapping[int, Camera]) -> None:
    """The two arms of a move around the scene's centre."""
    center = _point(proof.world.get("scene_center_m"))
    if center is None or "turn_side" not in proof.world:
        return
    drawing.dot(center, NEUTRAL, "middle of the scene")
    for image, camera in cameras.items():
        drawing.line([center, camera.center.tolist()], image_color(image))


def _draw_distances(drawing: Drawing, proof: Provenance, cameras: Mapping[int, Camera]) -> None:
    """Marked points and their ways to the camera of the first image."""
    distances_m = proof.world.get("distances_m", {})
    for mark in proof.marks:
        value = str(mark.image)
        if value in distances_m and np.isfinite(mark.point_m).all():
            label = f"point of {value}: {distances_m[value]:.2f}"
            drawing.dot(list(mark.point_m), image_color(mark.image), label, value == proof.answer)
            if 1 in cameras:
                ends = [cameras[1].center.tolist(), list(mark.point_m)]
                drawing.line(ends, image_color(mark.image))


def _draw_option(drawing: Drawing, mark: MarkRecord, right: bool) -> None:
    label = f"{mark.color}: the answer" if right else mark.color
    color = mark_color(mark.color)
    if mark.end_point_m is None:
        drawing.dot(list(mark.point_m), color, label, right)
    elif np.isfinite(mark.end_point_m).all():
        drawing.arrow([list(mark.point_m), list(mark.end_point_m)], color, label, right)


def _point(value: Any) -> list[float] | None:
    """A world position, if it is one."""
    numbers = isinstance(value, list) and all(isinstance(x, int | float) for x in value)
    return value if numbers and len(value) == 3 and np.isfinite(value).all() else None
