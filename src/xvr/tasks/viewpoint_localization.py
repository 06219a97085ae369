"""Viewpoint localization: references mark where a camera stands; which candidate did it take?

    Image 1, 2 (Reference) with one dot each, Images 3, 4, 5 (Candidate) -> "4"

All three candidates' cameras stand inside every reference, so any of them could be the marked one;
the right one is the first to third most similar to the references equally often.
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from xvr.geometry.angles import angles_seen_from, upper_pairs
from xvr.geometry.camera import project
from xvr.geometry.spacing import closest_pair
from xvr.geometry.visibility import inside
from xvr.tasks import wordings
from xvr.tasks.compose import pair, pick, prompt, triple, view_ref
from xvr.tasks.draft import COLORS, Draft, Mark, Option, Refusal, Slot
from xvr.tasks.pool import PointPool, margin_px
from xvr.tasks.rules import Rules
from xvr.tasks.task import Task, cells

CANDIDATES = 3


def draft(pool: PointPool, slot: Slot, rng: np.random.Generator, rules: Rules) -> Draft | Refusal:
    """One sample; the variant of the slot is the similarity rank of the right candidate."""
    centers_px, placed = pool.keep("placed cameras", lambda: _placed_cameras(pool, rules))
    count = slot.images - CANDIDATES
    references = _references(pool, placed, count, rng, rules)
    if references is None:
        return Refusal(reason="no_cameras_in_view")
    candidates = _candidates(pool, centers_px, placed, references, rng, rules)
    if candidates is None:
        return Refusal(reason="no_candidates_apart")
    alike = pool.similarity[np.ix_(candidates, references)].mean(axis=1)
    answer = int(candidates[np.argsort(-alike, kind="stable")[slot.variant]])
    camera_px = centers_px[references, answer]
    principal = np.array([(pool.camera(r).cx, pool.camera(r).cy) for r in references])
    diagonals = np.array([pool.camera(r).diagonal_px for r in references])
    off_axis = np.linalg.norm(camera_px - principal, axis=1) / diagonals
    if off_axis.min() < rules.min_principal_px_share:
        return Refusal(reason="camera_on_the_principal_point")
    shown = [c for c in rng.permutation(candidates).tolist() if c != answer]
    shown.insert(slot.answer, answer)
    right = count + 1 + slot.answer
    numbers = ", ".join(str(count + 1 + n) for n in range(CANDIDATES))
    wording = wordings.VIEWPOINT_ONE if count == 1 else wordings.VIEWPOINT
    labels = [f"Image {n} (Reference):" for n in range(1, count + 1)]
    labels += [f"Image {n} (Candidate):" for n in range(count + 1, slot.images + 1)]
    center = triple(pool.centers_world[answer])
    angles = _center_angles(pool)[np.ix_(candidates, candidates)][upper_pairs(CANDIDATES)]
    return Draft(
        slot=slot,
        images=(
            *(view_ref(pool, int(r), "reference") for r in references),
            *(view_ref(pool, c, "candidate") for c in shown),
        ),
        blocks=prompt(
            pick(wordings.GENERAL_OPENINGS, rng),
            labels,
            pick(wording, rng).format(references=count, candidates=numbers),
        ),
        marks=tuple(
            Mark(
                image=n + 1,
                kind="dot",
                color=COLORS[int(rng.integers(len(COLORS)))],
                label="Camera",
                uv_px=pair(camera_px[n]),
                point_m=center,
            )
            for n in range(count)
        ),
        options=tuple(
            Option(
                value=str(count + 1 + n),
                correct=n == slot.answer,
                why="answer" if n == slot.answer else "camera_in_view",
            )
            for n in range(CANDIDATES)
        ),
        answer=str(right),
        key=(pool.names([answer]), pool.names(references), pool.names(candidates)),
        world={"camera_center_m": center, "scene_center_m": triple(pool.center_world)},
        checks={
            "min_candidate_angle_deg": float(angles.min()),
            "min_candidate_px_share": _widest_separation(pool, centers_px, references, candidates),
            "min_principal_px_share": float(off_axis.min()),
            "scene_extent_m": pool.extent_m,
        },
        difficulty={
            "references": float(count),
            "similarity_rank": float(slot.variant),
            "camera_distance_m": float(
                np.linalg.norm(pool.centers_world[references] - center, axis=1).min()
            ),
        },
    )


def _placed_cameras(
    pool: PointPool, rules: Rules
) -> tuple[Float[np.ndarray, "v v 2"], Bool[np.ndarray, "v v"]]:
    """Where camera j stands in the image of camera i, and whether that is inside by the margin."""
    pixels, placed = [], []
    for camera in (view.camera for view in pool.views):
        uv_px, _ = project(camera, pool.centers_world)
        pixels.append(uv_px)
        placed.append(inside(uv_px, camera.width, camera.height, margin_px(camera, rules)))
    return np.stack(pixels), np.stack(placed) & ~np.eye(len(placed), dtype=bool)


def _references(
    pool: PointPool,
    placed: Bool[np.ndarray, "v v"],
    count: int,
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " k"] | None:
    """Views that see the same cameras and differ by the smallest allowed angle."""
    usable = np.flatnonzero(placed.sum(axis=1) >= CANDIDATES)
    angles = _center_angles(pool)
    chosen: list[int] = []
    for view in rng.permutation(usable):
        shared = placed[[*chosen, int(view)]].all(axis=0).sum() >= CANDIDATES
        if shared and (angles[view, chosen] >= rules.min_view_angle_deg).all():
            chosen.append(int(view))
        if len(chosen) == count:
            return np.array(chosen)
    return None


def _candidates(
    pool: PointPool,
    centers_px: Float[np.ndarray, "v v 2"],
    placed: Bool[np.ndarray, "v v"],
    references: Int[np.ndarray, " k"],
    rng: np.random.Generator,
    rules: Rules,
) -> Int[np.ndarray, " c"] | None:
    """Three cameras that all references show, apart in angle and in one reference's pixels."""
    angles = _center_angles(pool)
    chosen: list[int] = []
    for camera in rng.permutation(np.flatnonzero(placed[references].all(axis=0))):
        trial = np.array([*chosen, camera])
        if len(chosen) and angles[camera, chosen].min() < rules.min_candidate_angle_deg:
            continue
        if len(chosen) and (
            _widest_separation(pool, centers_px, references, trial) < rules.min_option_px_share
        ):
            continue
        chosen.append(int(camera))
        if len(chosen) == CANDIDATES:
            return np.array(chosen)
    return None


def _widest_separation(
    pool: PointPool,
    centers_px: Float[np.ndarray, "v v 2"],
    references: Int[np.ndarray, " k"],
    cameras: Int[np.ndarray, " c"],
) -> float:
    """Smallest distance of two dots, of the diagonal, in the reference that parts them best."""
    return max(
        closest_pair(centers_px[view].take(cameras, axis=0)) / pool.camera(view).diagonal_px
        for view in references.tolist()
    )


def _center_angles(pool: PointPool) -> Float[np.ndarray, "v v"]:
    """Angles of every two cameras as seen from the scene's centre."""
    return pool.keep(
        "angles from the center", lambda: angles_seen_from(pool.center_world, pool.centers_world)
    )


TASK = Task(
    name="viewpoint_localization",
    released_id="task5",
    id_prefix="multi_reference_viewpoint_matching",
    domain="general",
    question="References mark where a camera stands; which candidate image did it take?",
    cells=cells((4, 5, 6), lambda _: CANDIDATES),
    variants=CANDIDATES,
    draft=draft,
    eval_count=241,
)
