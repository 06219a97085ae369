"""Which columns of a LeRobot data set make the state, the action and the pictures of a policy.

GR00T's `meta/modality.json` names slices of columns and cameras. Without it the entries of
`observation.state` and `action` are grouped by their names in `meta/info.json`: neighbours that
differ in their last part only (`base_position_x`, `base_position_y`) are one field; a vector
without names is one field.

A field is `continuous` unless something says otherwise: `--kinds`, a `rotation_type` in
`modality.json`, names that end in x, y, z, w, or `KNOWN_KINDS`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from xvr.errors import UserError, unknown_name
from xvr.sources.lerobot_meta import MODALITY, Dataset
from xvr.sources.roles import short_name
from xvr.vla.contract import WIDTHS, FieldSpec, Kind

STATE, ACTION = "observation.state", "action"
BINARY_NAMES = ("gripper_close", "control_mode")
"""Actions that are switches in RoboCasa's data. Whether they are {0, 1} or {-1, +1} differs between
its releases, so the data decide (`xvr.vla.data.kinds`)."""
KNOWN_KINDS: dict[str, Kind] = {
    "base_rotation": "quaternion_xyzw",
    "end_effector_rotation_absolute": "quaternion_xyzw",
    "end_effector_rotation_relative": "quaternion_xyzw",
}
"""States of RoboCasa's data sets where they have four entries
(robocasa/robocasa@0c81ff9, models/assets/groot_dataset_assets/PandaOmron_modality.json)."""
ROTATION_TYPES: dict[str, Kind] = {
    "quaternion": "quaternion_xyzw",
    "rotation_6d": "rotation_6d",
}
"""What `rotation_type` says; others (Euler angles, axis-angle) stay numbers."""


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A field and where its numbers stand."""

    spec: FieldSpec
    column: str
    entries: tuple[int, ...]
    """Of the column's vector."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All that a data set offers, or what was chosen of it."""

    cameras: Mapping[str, str]
    """Name to the camera's key."""
    state: tuple[Slot, ...]
    action: tuple[Slot, ...]

    @property
    def columns(self) -> list[str]:
        """The columns that are needed, each once."""
        return list(dict.fromkeys(slot.column for slot in (*self.state, *self.action)))


def read_layout(dataset: Dataset) -> Layout:
    """What a data set offers.

    Raises:
        UserError: it has no action, or `modality.json` names columns or slices that are not there.
    """
    if dataset.modality:
        state = _by_modality(dataset, "state", STATE)
        action = _by_modality(dataset, "action", ACTION)
    else:
        state, action = _by_names(dataset, STATE), _by_names(dataset, ACTION)
    if not action:
        raise UserError(
            f"{dataset.root}: no action to learn: neither a column {ACTION!r} nor an entry "
            f"'action' in {MODALITY}"
        )
    cameras = {name: key for key, name in dataset.assignment.roles.items()}
    return Layout(cameras=cameras, state=state, action=action)


def choose(
    layout: Layout,
    cameras: Sequence[str] = (),
    state: Sequence[str] = (),
    action: Sequence[str] = (),
    kinds: Mapping[str, Kind] | None = None,
) -> Layout:
    """A part of a layout, in the order asked for; `none` chooses nothing, no name everything.

    Raises:
        UserError: a name that the data set does not have; the closest one is offered.
    """
    names = _chosen("camera", layout.cameras, cameras)
    chosen = Layout(
        cameras={name: layout.cameras[name] for name in names},
        state=_slots("state field", layout.state, state),
        action=_slots("action field", layout.action, action),
    )
    known = {f"{part}.{slot.spec.name}" for part, slot in _parts(chosen)}
    known |= {slot.spec.name for _, slot in _parts(chosen)}
    for name in kinds or {}:
        if name not in known:
            raise unknown_name("field", name, known)
    return replace(
        chosen,
        state=tuple(_of_kind("state", slot, kinds or {}) for slot in chosen.state),
        action=tuple(_of_kind("action", slot, kinds or {}) for slot in chosen.action),
    )


def _parts(layout: Layout) -> list[tuple[str, Slot]]:
    return [("state", slot) for slot in layout.state] + [("action", s) for s in layout.action]


def _of_kind(part: str, slot: Slot, kinds: Mapping[str, Kind]) -> Slot:
    kind = kinds.get(f"{part}.{slot.spec.name}", kinds.get(slot.spec.name))
    return slot if kind is None else replace(slot, spec=replace(slot.spec, kind=kind))


def _chosen(kind: str, offered: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    if tuple(names) == ("none",):
        return []
    for name in names:
        if name not in offered:
            raise unknown_name(kind, name, offered)
    return list(names or offered)


def _slots(kind: str, slots: Sequence[Slot], names: Sequence[str]) -> tuple[Slot, ...]:
    offered = {slot.spec.name: slot for slot in slots}
    return tuple(offered[name] for name in _chosen(kind, offered, names))


def _by_modality(dataset: Dataset, part: str, column: str) -> tuple[Slot, ...]:
    entries = dataset.modality.get(part, {})
    return tuple(_slot(dataset, part, str(name), entries[name], column) for name in entries)


def _slot(dataset: Dataset, part: str, name: str, entry: Any, column: str) -> Slot:
    where = f"{dataset.root / MODALITY}, {part}.{name}"
    try:
        start, end = int(entry["start"]), int(entry["end"])
        column = str(entry.get("original_key") or column)
        rotation = str(entry.get("rotation_type") or "")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where}: {error!r}, expected start and end") from error
    if column not in dataset.features:
        raise UserError(f"{where}: {dataset.root / 'meta/info.json'} has no column {column!r}")
    width = _width(dataset, column)
    if not 0 <= start < end <= width:
        raise UserError(f"{where}: {start} to {end} is no part of {column}, which has {width}")
    kind = ROTATION_TYPES.get(rotation) or _known_kind(part, name, end - start)
    names = tuple(dataset.names(column)[start:end])
    return Slot(
        spec=_spec(name, end - start, kind, names), column=column, entries=tuple(range(start, end))
    )


def _by_names(dataset: Dataset, column: str) -> tuple[Slot, ...]:
    if column not in dataset.features:
        return ()
    part = "action" if column == ACTION else "state"
    width, names = _width(dataset, column), dataset.names(column)
    if len(names) != width or len(set(names)) != width:
        spec = FieldSpec(name=short_name(column), dims=width)
        return (Slot(spec=spec, column=column, entries=tuple(range(width))),)
    slots = []
    for stem, group in groupby(range(width), key=lambda entry: _stem(names, entry)):
        entries = tuple(group)
        labels = tuple(names[entry] for entry in entries)
        name = stem if len(entries) > 1 else labels[0]
        ends = tuple(label.lower()[-1] for label in labels)
        kind = "quaternion_xyzw" if ends == tuple("xyzw") else _known_kind(part, name, len(entries))
        spec = _spec(name, len(entries), kind, labels)
        slots.append(Slot(spec=spec, column=column, entries=entries))
    return tuple(slots)


def _stem(names: Sequence[str], entry: int) -> str:
    """A name without its last part, or all of it where a neighbour does not share the rest."""
    stems = [re.sub(r"[._ ]?[^._ ]+$", "", name) for name in names]
    stem = stems[entry]
    shared = any(
        0 <= other < len(names) and stem and stems[other] == stem
        for other in (entry - 1, entry + 1)
    )
    return stem if shared else names[entry]


def _spec(name: str, dims: int, kind: Kind, names: tuple[str, ...]) -> FieldSpec:
    fits = dims == WIDTHS.get(kind, dims)
    return FieldSpec(name=name, dims=dims, kind=kind if fits else "continuous", names=names)


def _known_kind(part: str, name: str, dims: int) -> Kind:
    if part == "state" and dims == 4:
        return KNOWN_KINDS.get(name, "continuous")
    return "continuous"


def _width(dataset: Dataset, column: str) -> int:
    shape = dataset.features[column].get("shape") or [1]
    width = 1
    for side in shape:
        width *= int(side)
    return width
