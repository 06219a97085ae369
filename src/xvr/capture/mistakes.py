"""Mistakes that are often made with calibration, each with a way to undo it.

A mistake is believed when undoing it makes views agree that did not. Poses are
`world_from_camera` with OpenCV axes, as readers give them; undoing gives other cameras, or another
reading of the depth maps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations

import numpy as np
from jaxtyping import Float

from xvr.capture.agreement import ReadDepth
from xvr.geometry.camera import Camera

Undo = Callable[[Sequence[Camera]], list[Camera]]

OPENGL = np.diag([1.0, -1.0, -1.0, 1.0])
"""Turns axes x right, y up, z backward into OpenCV's."""
BODY = np.array([[0.0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
"""Columns are OpenCV's axes in a frame with x forward, y left, z up."""
DEPTH_FACTORS = (1000.0, 0.001, 100.0, 0.01, 10.0, 0.1, 5.0, 0.2, 4.0, 0.25)
"""4, 5 and 10 are maps with 4000, 5000 and 10000 steps per metre, read as millimetres."""
LAGS = (1, -1, 2, -2, 3, -3, 5, -5, 10, -10, 20, -20)
SIZE_FACTORS = (0.5, 2.0, 0.25, 4.0)
FOCAL_FACTORS = (0.8, 0.85, 0.9, 0.95, 1.05, 1.1, 1.15, 1.25)
SHIFT_SHARES = (-0.1, -0.05, -0.025, 0.025, 0.05, 0.1)
"""Of the image's width."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake and what undoes it."""

    name: str
    """Short snake_case word, such as `opengl_axes`."""
    tells: str
    """What it looks like, for people."""
    undo: Undo
    read_depth: ReadDepth | None = None
    focal_factor: float = 1.0
    """By which undoing changes focal lengths."""


def pose_mistakes() -> Iterator[Mistake]:
    """Wrong axes, poses given the other way round, both."""
    opengl = "camera axes are OpenGL's (y up, z backward) taken for OpenCV's, or the reverse"
    inverse = "poses are world-to-camera taken for camera-to-world, or the reverse"
    yield _of_poses("opengl_axes", opengl, lambda pose: pose @ OPENGL)
    # an inverse has the world's axes on its right, where turning them changes nothing
    yield _of_poses("inverted_poses", inverse, _inverse)
    yield _of_poses(
        "inverted_poses_opengl_axes",
        f"{inverse}, and {opengl}",
        lambda pose: _inverse(pose) @ OPENGL,
    )
    body = "camera axes are a body's (x forward, y left, z up) taken for OpenCV's"
    yield _of_poses("body_axes", body, lambda pose: pose @ BODY)


def depth_mistakes() -> Iterator[Mistake]:
    """A wrong unit, or depth along the ray."""
    yield Mistake(
        name="ray_depth",
        tells="depth is the distance along the ray where depth along z is expected",
        undo=list,
        read_depth=_along_z,
    )
    for factor in DEPTH_FACTORS:
        wrong = 1 / factor
        size = f"{wrong:g} times too large" if wrong > 1 else f"{factor:g} times too small"
        yield Mistake(
            name="depth_unit",
            tells=f"depth is {size} for these poses: the unit of depth, or of poses, is another",
            undo=list,
            read_depth=partial(_scaled, factor),
        )


def order_mistakes(cameras: Sequence[Camera], chosen: Sequence[int]) -> Iterator[Mistake]:
    """Poses that belong to other frames.

    Args:
        cameras: of all frames, in order.
        chosen: which of them are compared.
    """
    count = len(cameras)
    yield _of_order(
        "reversed_poses",
        "poses are in the reverse order of the frames",
        cameras,
        [count - 1 - number for number in chosen],
    )
    by_name = sorted(range(count), key=str)
    place = {number: n for n, number in enumerate(by_name)}
    yield _of_order(
        "poses_sorted_as_text",
        "poses are in the order 1, 10, 11, 2 of the frames' numbers",
        cameras,
        [place[number] for number in chosen],
    )
    yield _of_order(
        "frames_sorted_as_text",
        "frames are in the order 1, 10, 11, 2 of their numbers, poses are not",
        cameras,
        [by_name[number] for number in chosen],
    )
    for lag in LAGS:
        frames = f"{abs(lag)} frame{'s' if abs(lag) > 1 else ''}"
        yield _of_order(
            "shifted_poses",
            f"poses are {frames} {'late' if lag > 0 else 'early'}",
            cameras,
            [(number + lag) % count for number in chosen],
        )


def focal_mistakes() -> Iterator[Mistake]:
    """Another focal length, as of depth that is not registered to colour."""
    for factor in FOCAL_FACTORS:
        yield _of_intrinsics(factor, (0.0, 0.0))


def size_mistakes() -> Iterator[Mistake]:
    """Intrinsics for images of another size."""
    for factor in SIZE_FACTORS:
        yield Mistake(
            name="intrinsics_of_another_size",
            tells=f"intrinsics are for images {1 / factor:g} times as large",
            undo=partial(_resized, factor),
        )


def shift_mistakes(factor: float) -> Iterator[Mistake]:
    """Another principal point, with another focal length or the same (factor 1)."""
    for share in SHIFT_SHARES:
        yield _of_intrinsics(factor, (share, 0.0))
        yield _of_intrinsics(factor, (0.0, share))


def rig_mistakes(members: Sequence[tuple[int, str]]) -> Iterator[Mistake]:
    """Wrong poses of a single camera of a rig, and calibrations of two cameras exchanged.

    Args:
        members: per compared view, its instant and the name of its camera.
    """
    names = sorted({name for _, name in members})
    for name in names:
        for mistake in pose_mistakes():
            yield Mistake(
                name=mistake.name,
                tells=f"{mistake.tells}, for {name} alone",
                undo=partial(_undone_for_one, mistake, members, name),
            )
    for one, other in combinations(names, 2):
        yield Mistake(
            name="exchanged_cameras",
            tells=f"calibrations of {one} and {other} are exchanged",
            undo=partial(_exchanged, members, {one: other, other: one}),
        )


def _undone_for_one(
    mistake: Mistake, members: Sequence[tuple[int, str]], name: str, cameras: Sequence[Camera]
) -> list[Camera]:
    undone = mistake.undo(cameras)
    return [undone[n] if member[1] == name else cameras[n] for n, member in enumerate(members)]


def _exchanged(
    members: Sequence[tuple[int, str]], others: Mapping[str, str], cameras: Sequence[Camera]
) -> list[Camera]:
    """Each camera with the pose and intrinsics that another has at the same instant."""
    places = {member: number for number, member in enumerate(members)}
    found = []
    for camera, (instant, name) in zip(cameras, members, strict=True):
        other = cameras[places.get((instant, others.get(name, name)), places[instant, name])]
        found.append(replace(other, width=camera.width, height=camera.height))
    return found


def _of_poses(
    name: str, tells: str, change: Callable[[Float[np.ndarray, "4 4"]], Float[np.ndarray, "4 4"]]
) -> Mistake:
    def undo(cameras: Sequence[Camera]) -> list[Camera]:
        return [replace(c, world_from_camera=change(c.world_from_camera)) for c in cameras]

    return Mistake(name=name, tells=tells, undo=undo)


def _of_order(name: str, tells: str, cameras: Sequence[Camera], numbers: Sequence[int]) -> Mistake:
    def undo(chosen: Sequence[Camera]) -> list[Camera]:
        poses = [cameras[number].world_from_camera for number in numbers]
        return [replace(c, world_from_camera=p) for c, p in zip(chosen, poses, strict=True)]

    return Mistake(name=name, tells=tells, undo=undo)


def _inverse(pose: Float[np.ndarray, "4 4"]) -> Float[np.ndarray, "4 4"]:
    inverse = np.eye(4)
    inverse[:3, :3] = pose[:3, :3].T
    inverse[:3, 3] = -pose[:3, :3].T @ pose[:3, 3]
    return inverse


def _along_z(
    camera: Camera, uv_px: Float[np.ndarray, "n 2"], along_ray: Float[np.ndarray, " n"]
) -> Float[np.ndarray, " n"]:
    """Depth along z of what is that far along the ray; the lens's distortion is ignored."""
    x, y = ((uv_px - (camera.cx, camera.cy)) / (camera.fx, camera.fy)).T
    return along_ray / np.sqrt(x * x + y * y + 1)


def _scaled(
    factor: float,
    camera: Camera,  # noqa: ARG001
    uv_px: Float[np.ndarray, "n 2"],  # noqa: ARG001
    depth: Float[np.ndarray, " n"],
) -> Float[np.ndarray, " n"]:
    return depth * factor


def _resized(factor: float, cameras: Sequence[Camera]) -> list[Camera]:
    return [
        replace(c, fx=c.fx * factor, fy=c.fy * factor, cx=c.cx * factor, cy=c.cy * factor)
        for c in cameras
    ]


def _of_intrinsics(factor: float, shift: tuple[float, float]) -> Mistake:
    def undo(cameras: Sequence[Camera]) -> list[Camera]:
        return [
            replace(
                c,
                fx=c.fx * factor,
                fy=c.fy * factor,
                cx=c.cx + shift[0] * c.width,
                cy=c.cy + shift[1] * c.width,
            )
            for c in cameras
        ]

    parts = [f"a focal length {factor:g} times as long"] if factor != 1 else []
    parts += [
        f"a principal point {share:+g} of the width away along {axis}"
        for axis, share in zip("xy", shift, strict=True)
        if share
    ]
    return Mistake(
        name="wrong_intrinsics",
        tells="depth is not registered to the colour camera, or intrinsics are another camera's: "
        f"{' and '.join(parts)} fits better",
        undo=undo,
        focal_factor=factor,
    )
