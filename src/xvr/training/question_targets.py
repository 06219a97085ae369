"""What follows from the provenance of a question alone: how its images and marks go together.

No image, no depth and no pose is looked at. Answers are used by `verdicts_of`, `odd_of` and
`evidence_of`, which say where they can be known, and for where a marked camera stands.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from xvr.dataset.record import MarkRecord, Provenance
from xvr.sources.roles import ROLES
from xvr.tasks.directional_view_localization import SIDES
from xvr.tasks.draft import COLORS
from xvr.training.token_targets import AFTER, UNKNOWN, Grid, Place, Relation

ODD_TASKS = ("spatial_verification", "temporal_verification")
"""Tasks that ask which image does not go together with the others."""
_ROLES = tuple(ROLES)


def relations_of(proof: Provenance, grids: Sequence[Grid]) -> tuple[Relation, ...]:
    """How images and marks of a question go together."""
    found = [
        Relation(
            "same_point", mark.image - 1, token_of_mark(proof, mark, grids), earlier.image - 1, same
        )
        for mark in proof.marks
        for earlier in proof.marks
        if earlier.image < mark.image and mark.label != "Camera"
        for same in [tip_of(mark) == tip_of(earlier)]
    ]
    cameras = [mark.image - 1 for mark in proof.marks if mark.label == "Camera"]
    for image in proof.images:
        number = image.image - 1
        if cameras and image.part == "candidate":
            right = str(image.image) == proof.answer
            found += [
                Relation("stands_there", number, AFTER, earlier, right) for earlier in cameras
            ]
        for other in proof.images[:number] if proof.domain == "robotic" else ():
            earlier = other.image - 1
            if proof.task == "temporal_verification":
                same = image.frame_index == other.frame_index
                found.append(Relation("same_moment", number, AFTER, earlier, same))
            if proof.task == "cross_scenario_localization" and image.episode != other.episode:
                found.append(
                    Relation("same_camera", number, AFTER, earlier, image.role == other.role)
                )
    return tuple(found)


def verdicts_of(proof: Provenance, grids: Sequence[Grid], most: int) -> Int[np.ndarray, "k t"]:
    """Which of the marks to choose from is right, at its token."""
    verdicts = np.full((len(grids), most), UNKNOWN, np.int64)
    for mark in proof.marks:
        if is_option(proof, mark):
            right = mark.color == proof.answer
            token = token_of_mark(proof, mark, grids)
            if right or verdicts[mark.image - 1, token] == UNKNOWN:  # two may share a token
                verdicts[mark.image - 1, token] = class_of(mark) if right else 0
    return verdicts


def odd_of(proof: Provenance, grids: Sequence[Grid]) -> tuple[Place, int] | None:
    """Where it can be known first which image is the odd one, and its number, from 0."""
    if proof.task not in ODD_TASKS:
        return None
    last = len(grids) - 1
    own = [mark for mark in proof.marks if mark.image - 1 == last]
    token = token_of_mark(proof, own[0], grids) if own else AFTER
    return Place(last, token), int(proof.answer) - 1


def evidence_of(proof: Provenance, grids: Sequence[Grid]) -> tuple[Place, ...]:
    """Tokens to look at in the end; none for a question that is answered in other words."""
    if proof.answer in COLORS:
        return tuple(
            Place(mark.image - 1, token_of_mark(proof, mark, grids))
            for mark in proof.marks
            if mark.color == proof.answer and is_option(proof, mark)
        )
    odd = odd_of(proof, grids)
    if odd is not None:
        return (odd[0],)
    if proof.answer.isdecimal() and 0 < int(proof.answer) <= len(grids):
        return (Place(int(proof.answer) - 1, AFTER),)
    return ()


def named_by(proof: Provenance) -> Int[np.ndarray, " 3"]:
    """What the question names; see `TokenTargets.named`."""
    side, image = proof.world.get("side"), proof.world.get("asked_image")
    return np.array(
        [
            role_of(proof.world.get("asked_role")),
            SIDES.index(side) if side in SIDES else UNKNOWN,
            UNKNOWN if image is None else image - 1,
        ]
    )


def role_of(name: str | None) -> int:
    """Place of a role in `ROLES`, or `UNKNOWN`."""
    return _ROLES.index(name) if name in _ROLES else UNKNOWN


def token_of_mark(proof: Provenance, mark: MarkRecord, grids: Sequence[Grid]) -> int:
    """Token that shows a dot, or the head of an arrow."""
    image = proof.images[mark.image - 1]
    rows, columns = grids[mark.image - 1]
    u, v = mark.uv_end_px or mark.uv_px
    row = min(max(int(v * rows / image.height), 0), rows - 1)
    column = min(max(int(u * columns / image.width), 0), columns - 1)
    return row * columns + column


def tip_of(mark: MarkRecord) -> tuple[float, float, float]:
    """Where a dot is, or the head of an arrow; metres, world."""
    return mark.end_point_m or mark.point_m


def class_of(mark: MarkRecord) -> int:
    """One of `MARK_CLASSES`."""
    return 1 + COLORS.index(mark.color) + (len(COLORS) if mark.kind == "arrow" else 0)


def is_option(proof: Provenance, mark: MarkRecord) -> bool:
    """Whether a mark is one of several to choose from, and no statement about the scene."""
    return proof.images[mark.image - 1].part == "target"
