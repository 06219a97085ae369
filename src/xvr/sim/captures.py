"""Simulated object-centric captures: RGB-D walks around cluttered tables, as WildRGB-D has them.

    for capture in record_captures(Path("captures"), scenes=12, seed=0):
        print(capture.scene, capture.written)

A scene depends on the seed and its number alone, so that more scenes, or more workers, do not
change the others. Each is written beside its place and renamed when complete: to run again is to
resume.
"""

import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from xvr.errors import UserError
from xvr.sim.renderer import import_mujoco
from xvr.sim.tabletop import category_of, draw_scene, film
from xvr.sim.wildrgbd_writer import write_cameras, write_frame, write_lists

RECORD = "xvr_sim.json"
"""File at the root of the output that tells how it was made."""
VERSION = 1
"""Grows when the same arguments give other scenes."""


@dataclass(frozen=True, kw_only=True)
class Capture:
    """One finished scene."""

    scene: str
    """Path below the output folder: CATEGORY/scenes/scene_NNN."""
    written: bool
    """False where it was complete before."""


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What all scenes of one output share."""

    seed: int
    frames: int
    width: int
    height: int
    plain: bool

    def record(self) -> dict[str, object]:
        """What the file at the root says; a folder made before there was `plain` says nothing."""
        settings = asdict(self)
        return settings if self.plain else {k: v for k, v in settings.items() if k != "plain"}


def record_captures(  # noqa: PLR0913
    out: Path,
    scenes: int,
    seed: int = 0,
    frames: int = 60,
    width: int = 640,
    height: int = 480,
    workers: int = 1,
    plain: bool = False,
) -> Iterator[Capture]:
    """Renders simulated captures into a folder and yields each scene as it is finished.

    Args:
        out: new folder, or one made with the same seed, frames and size (it is completed).
        scenes: how many scenes the folder should hold.
        seed: of everything random.
        frames: per scene, over one full turn around the table.
        width: of the images in pixels.
        height: of the images in pixels.
        workers: processes; the files are the same for any number.
        plain: draw without shadows and multisampling.

    Raises:
        UserError: an argument is out of range, the folder holds something else, or MuJoCo or an
            OpenGL library is missing.
    """
    plan = _Plan(seed=seed, frames=frames, width=width, height=height, plain=plain)
    _check(plan, scenes, workers)
    import_mujoco()
    _claim(out, plan)
    waiting = []
    for number in range(scenes):
        scene = scene_path(seed, number)
        if (out / scene).is_dir():
            yield Capture(scene=scene, written=False)
        else:
            waiting.append(number)
    if workers == 1 or len(waiting) < 2:
        for number in waiting:
            yield _record(out, plan, number)
    else:
        yield from _record_in_processes(out, plan, waiting, workers)
    for category in sorted(out.iterdir()):
        if (category / "scenes").is_dir():
            write_lists(category)


def scene_path(seed: int, number: int) -> str:
    """Where scene `number` of a seed lies below the output folder."""
    return f"{category_of(seed, number)}/scenes/scene_{number:03d}"


def _record(out: Path, plan: _Plan, number: int) -> Capture:
    path = scene_path(plan.seed, number)
    place = out / path
    partial = place.with_name(f".{place.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    scene = draw_scene(
        seed=plan.seed,
        number=number,
        frames=plan.frames,
        width=plan.width,
        height=plan.height,
    )
    for index, frame in enumerate(film(scene, plan.plain)):
        write_frame(partial, index, frame)
    write_cameras(partial, (plan.width, plan.height), scene.matrix, scene.orbit.poses)
    partial.replace(place)
    return Capture(scene=path, written=True)


def _record_in_processes(
    out: Path, plan: _Plan, waiting: list[int], workers: int
) -> Iterator[Capture]:
    """Each process has a GL context of its own and draws with one thread."""
    pool = ProcessPoolExecutor(
        min(workers, len(waiting)), mp_context=get_context("spawn"), initializer=_one_thread
    )
    with pool:
        try:
            for future in as_completed([pool.submit(_record, out, plan, n) for n in waiting]):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _one_thread() -> None:
    # Mesa's software renderer takes one thread per core, which is too many for several processes.
    os.environ.setdefault("LP_NUM_THREADS", "1")


def _check(plan: _Plan, scenes: int, workers: int) -> None:
    least = {"scenes": (scenes, 1), "workers": (workers, 1), "seed": (plan.seed, 0)}
    least |= {"frames": (plan.frames, 1), "width": (plan.width, 16), "height": (plan.height, 16)}
    for name, (value, low) in least.items():
        if value < low:
            raise UserError(f"{name} must be {low} or more, not {value}")


def _claim(out: Path, plan: _Plan) -> None:
    """Makes the folder ours, or checks that it is and was made in the same way."""
    wanted = {"command": "sim captures", "version": VERSION, **plan.record()}
    record = out / RECORD
    if record.is_file():
        try:
            found = json.loads(record.read_text())
        except ValueError as error:
            raise UserError(f"{record} can't be read ({error}); choose another folder") from error
        if found != wanted:
            raise UserError(
                f"{out} was made with {found}, not {wanted}: use the same arguments "
                "to complete it, or choose another folder"
            )
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out} holds something else: choose a new folder")
    out.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(wanted, indent=1) + "\n")
