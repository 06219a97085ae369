"""`reader.json`: what a user tells about episodes where their files do not say it.

    {"fps": 10, "channels": "bgr", "camera_roles": {"image_side_1": "fix_left"}}

It lies in the folder of the files it is about or in any folder above, up to the path of the
source; the nearest one counts, alone. Every entry may be left out.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

import numpy as np

from xvr.errors import Unusable, UserError, unknown_name
from xvr.sources.records import Image
from xvr.sources.roles import Assignment, assign_roles

NOTES = "reader.json"
MIN_CAMERAS = 3
Channels = Literal["rgb", "bgr"]


@dataclass(frozen=True, kw_only=True)
class ReaderNotes:
    """The content of a `reader.json`."""

    path: Path
    """Where it is, or would be looked for first."""
    fps: float | None = None
    """Frames per second."""
    channels: Channels | None = None
    """Order of the colours as stored: of an array, or of a JPEG as any decoder shows it."""
    camera_roles: Mapping[str, str] | None = None
    """Camera to role; replaces what names tell, and leaves the other cameras out."""

    def roles(self, cameras: Iterable[str], dataset: str = "") -> Assignment:
        """The role of each camera, by choice or by name.

        Raises:
            UserError: `camera_roles` names an unknown camera or role, or a role twice.
        """
        try:
            return assign_roles(cameras, self.camera_roles, dataset)
        except UserError as error:
            raise UserError(f"{self.path}: {error}") from error


def read_notes(folder: Path, top: Path) -> ReaderNotes:
    """The nearest notes from a folder up to another one; empty ones when there are none.

    Raises:
        UserError: they are damaged, or say something unknown.
    """
    folder, top = folder.resolve(), top.resolve()
    places = [folder, *(above for above in folder.parents if above.is_relative_to(top))]
    found = next((place / NOTES for place in places if (place / NOTES).is_file()), None)
    if found is None:
        return ReaderNotes(path=folder / NOTES)
    try:
        content = json.loads(found.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{found}: not JSON: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{found}: expected a JSON object, found {type(content).__name__}")
    known = [field.name for field in fields(ReaderNotes) if field.name != "path"]
    for name in content:
        if name not in known:
            raise UserError(f"{found}: {unknown_name('entry', name, known)}")
    notes = ReaderNotes(path=found, **content)
    if notes.fps is not None and not (type(notes.fps) in (int, float) and notes.fps > 0):
        raise UserError(f"{found}: fps {notes.fps!r} must be a positive number")
    if notes.channels not in (None, "rgb", "bgr"):
        raise UserError(f'{found}: channels {notes.channels!r} must be "rgb" or "bgr"')
    if not isinstance(notes.camera_roles, Mapping | None):
        raise UserError(f"{found}: camera_roles must be an object of camera to role")
    return notes


def notes_file(notes: ReaderNotes) -> Iterable[tuple[str, Path]]:
    """The file of the notes for a source's fingerprint; its name there holds its content."""
    if notes.path.is_file():
        digest = hashlib.sha256(notes.path.read_bytes()).hexdigest()
        yield f"{NOTES} {digest}", notes.path


def check_cameras(assignment: Assignment, notes: ReaderNotes, where: str) -> None:
    """Raise `Unusable` with `too_few_cameras` where unknown names leave fewer than three."""
    roles, left_out = assignment
    if len(roles) < MIN_CAMERAS and left_out:
        raise Unusable(
            "too_few_cameras",
            f"{where}: {len(roles)} cameras with a known role; left out, because they show nothing "
            f"or their name tells no role (camera_roles in {notes.path} can name it): "
            f"{', '.join(left_out)}",
        )


def in_rgb(image: Image, channels: Channels) -> Image:
    """An image in RGB order."""
    return np.ascontiguousarray(image[..., ::-1]) if channels == "bgr" else image
