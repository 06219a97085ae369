"""AgiBot-World Alpha and Beta: episodes of a robot with two arms and cameras on head and hands.

    <root>/task_info/task_<task>.json
    <root>/observations/<task>/<episode>/videos/head_color.mp4, hand_left_color.mp4, ...
    <root>/parameters/<task>/<episode>/parameters/camera/...      see `xvr.sources.agibot_cameras`
    <root>/proprio_stats/<task>/<episode>/proprio_stats.h5        see `xvr.sources.agibot_proprio`

Each of the last three may be extracted or still in the tar archives of the release, as in
`observations/<task>/<first>-<last>.tar`. Videos are AV1 at 30 frames a second; states and poses are
aligned with their frames. Depth maps and the videos of touch sensors are not used.

Source: https://github.com/OpenDriveLab/AgiBot-World,
https://huggingface.co/datasets/agibot-world/AgiBotWorld-Beta.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from xvr.errors import Unusable, UserError
from xvr.sources.agibot_cameras import Calibration, read_calibration
from xvr.sources.agibot_proprio import Proprio, read_proprio
from xvr.sources.archives import File, Tree, open_tree
from xvr.sources.folders import find_folders
from xvr.sources.records import Episode, EpisodeCamera, Ref, SourceFormat
from xvr.sources.roles import assign_roles
from xvr.sources.video import VideoInfo, probe, read_by_index

NOT_USED = ("depth", "tactile")
"""Folders of an episode that are not read; depth maps are nearly all of an archive's files."""
LENGTH_SLACK = 1
"""Frames by which videos, states and poses of an episode may differ at its end."""


def index(path: Path) -> list[Ref]:
    """All episodes with a folder in `observations/`, of the dataset at a path or those below it.

    Raises:
        UserError: there is none, or an archive is damaged.
    """
    refs = []
    for name, root in _roots(path):
        tree = _tree(root)
        tree.index_all()
        for task in _numbered(tree, "observations"):
            refs += [
                Ref(
                    format="agibot",
                    root=str(path),
                    id=f"{name}/{task}/{episode}",
                    group=f"{name}/{task}/{episode}",
                    kind="episode",
                    rig=f"{name}/{task}",
                )
                for episode in _numbered(tree, f"observations/{task}")
            ]
    if not refs:
        raise UserError(
            f"{path} holds no AgiBot-World episode: expected observations/TASK/EPISODE/videos/ or "
            "observations/TASK/*.tar in it"
        )
    return sorted(refs, key=lambda ref: ref.id)


def load(ref: Ref) -> Episode:
    """The episode of a ref, the lengths of its files compared.

    Raises:
        UserError: h5py is not installed.
        Unusable: `missing_video`, `unreadable_video`, `zero_length`, `length_mismatch`,
            `unreadable_hdf5`, `bad_effector_position`, `bad_metadata`, `bad_intrinsics` or
            `bad_pose`.
    """
    name, task, episode = ref.id.rsplit("/", 2)
    tree = _tree(dict(_roots(Path(ref.root)))[name], task)
    videos = _videos(tree, f"observations/{task}/{episode}/videos", ref.id)
    roles = assign_roles(videos).roles
    infos = {key: probe(videos[key]) for key in roles}
    file = tree.find(_proprio_place(task, episode))
    proprio = None if file is None else read_proprio(file)
    calibrations = {
        key: read_calibration(tree, task, episode, _camera_name(key), infos[key].size)
        for key in roles
    }
    length = _length(ref.id, infos, proprio, calibrations)
    effector = None if proprio is None else proprio.travelled
    return Episode(
        id=ref.id,
        dataset=name,
        rig=ref.rig,
        instruction=_instruction(tree, task, episode),
        fps=max((info.fps for info in infos.values()), default=0.0),
        length=length,
        cameras=tuple(
            EpisodeCamera(
                key=key,
                role=role,
                read_frames=partial(read_by_index, videos[key]),
                calibration=found.by_frame(_camera_name(key), length, proprio)
                if (found := calibrations[key]) is not None
                else None,
            )
            for key, role in roles.items()
        ),
        effector_positions=None if effector is None else effector[:length],
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """The lists of tasks, the archives, and the states of episodes that are not in one."""
    roots = dict(_roots(path))
    for name, root in roots.items():
        for archive in _tree(root).archives:
            yield f"{name}/{archive.relative_to(root).as_posix()}", archive
    for name, task in sorted({tuple(ref.id.rsplit("/", 2)[:2]) for ref in refs}):
        yield f"{name}/{_task_place(task)}", roots[name] / _task_place(task)
    for ref in refs:
        name, task, episode = ref.id.rsplit("/", 2)
        file = roots[name] / _proprio_place(task, episode)
        if file.is_file():
            yield f"{name}/{_proprio_place(task, episode)}", file


def _roots(path: Path) -> list[tuple[str, Path]]:
    """Names and folders of the dataset at a path, or of those one or two levels below."""
    return find_folders(path, lambda folder: (folder / "observations").is_dir(), levels=2)


def _tree(root: Path, task: str = "*") -> Tree:
    """The files of a dataset, those of one task if it is named."""
    kinds = ("observations", "parameters", "proprio_stats")
    patterns = [f"{kind}/{name}" for kind in kinds for name in ("*.tar", f"{task}/*.tar")]
    return open_tree(root, patterns, NOT_USED)


def _numbered(tree: Tree, folder: str) -> list[str]:
    return [name for name in tree.folders(folder) if name.isdecimal()]


def _videos(tree: Tree, folder: str, where: str) -> dict[str, File]:
    """Video files by their name without extension."""
    found = {}
    for name in tree.files(folder):
        file = tree.find(f"{folder}/{name}") if name.endswith(".mp4") else None
        if file is not None:
            found[name.removesuffix(".mp4")] = file
    if not found:
        raise Unusable("missing_video", f"{where}: no mp4 in {folder}")
    return found


def _camera_name(key: str) -> str:
    return key.removesuffix("_color")


def _task_place(task: str) -> str:
    return f"task_info/task_{task}.json"


def _proprio_place(task: str, episode: str) -> str:
    return f"proprio_stats/{task}/{episode}/proprio_stats.h5"


def _length(
    where: str,
    infos: Mapping[str, VideoInfo],
    proprio: Proprio | None,
    calibrations: Mapping[str, Calibration | None],
) -> int:
    """Frames that videos, states and poses have in common."""
    lengths = {key: info.frames for key, info in infos.items()}
    for name in ("positions", "orientations_xyzw", "head", "waist"):
        values = getattr(proprio, name, None)
        if values is not None:
            lengths[f"states ({name})"] = len(values)
    for key, found in calibrations.items():
        if found is not None and len(found.base_from_camera) > 1:
            lengths[f"poses of {key}"] = len(found.base_from_camera)
    shortest, longest = min(lengths.values(), default=0), max(lengths.values(), default=0)
    if longest - shortest > LENGTH_SLACK:
        told = ", ".join(f"{name} {count}" for name, count in lengths.items())
        raise Unusable("length_mismatch", f"{where}: frames are {told}")
    if shortest == 0:
        raise Unusable("zero_length", f"{where}: no frame")
    return shortest


def _instruction(tree: Tree, task: str, episode: str) -> str:
    """The task and its steps in words; empty where the release does not tell them."""
    file = tree.find(_task_place(task))
    if not isinstance(file, Path):
        return ""
    entry = _task_entries(file, file.stat().st_mtime_ns).get(int(episode), {})
    try:
        steps = [step["action_text"] for step in entry["label_info"]["action_config"]]
    except (KeyError, TypeError):
        steps = []
    words = "; ".join(str(step).strip() for step in steps if step)
    name = str(entry.get("task_name") or "").strip()
    return f"{name}: {words}" if name and words else name or words


@lru_cache(maxsize=64)
def _task_entries(path: Path, changed_ns: int) -> dict[int, dict[str, Any]]:  # noqa: ARG001
    """What a task's file says of each episode; the date only makes a rewritten file a new one."""
    try:
        return {int(entry["episode_id"]): entry for entry in json.loads(path.read_bytes())}
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable("bad_metadata", f"{path}: {error!r}, expected a list of episodes") from error


AGIBOT = SourceFormat(
    name="agibot",
    kind="episode",
    calibration="head and hands, where the parameters are there",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)
