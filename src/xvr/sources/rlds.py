"""RLDS datasets as TFDS writes them: robot episodes in TFRecord files, read without TensorFlow.

    <root>/<dataset>/<version>/dataset_info.json, features.json
    <root>/<dataset>/<version>/<dataset>-<split>.tfrecord-00000-of-00512

A record is a `tf.train.Example` that holds one episode: a feature such as
`steps/observation/image_0` has one value per step. All splits and all shards that are there are
read. Depth images and tensors are not cameras.

Source: https://github.com/google-research/rlds and https://github.com/tensorflow/datasets,
core/example_serializer.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float

from xvr.errors import Unusable, UserError
from xvr.sources.folders import find_folders
from xvr.sources.pixels import decode_image
from xvr.sources.reader_notes import check_cameras, in_rgb, notes_file
from xvr.sources.records import Episode, EpisodeCamera, Image, Ref, SourceFormat, check_ascending
from xvr.sources.rlds_meta import FEATURES, INFO, RldsDataset, read_rlds
from xvr.sources.roles import Assignment, short_name
from xvr.sources.tf_example import BadMessage, Feature, parse_example
from xvr.sources.tfrecord import Span, checked_buffer, find_records

INSTRUCTIONS = (
    "steps/language_instruction",
    "steps/observation/natural_language_instruction",
    "episode_metadata/language_instruction",
    "episode_metadata/episode_language_instruction",
)
"""Features with the words of an episode; the first that has any counts."""


def index(path: Path) -> list[Ref]:
    """All episodes of the dataset at a path, or of the datasets below it.

    Raises:
        UserError: the path holds no dataset, or one that cannot be understood.
    """
    roots = _dataset_roots(path)
    if not roots:
        raise UserError(f"{path} holds no RLDS dataset: expected {FEATURES} in it or below it")
    refs = []
    for name, root in roots.items():
        dataset = read_rlds(root, path)
        for shard in dataset.shards:
            found = find_records(shard.path)
            count = max(shard.declared, len(found.records) + bool(found.damage))
            for number in range(count):
                episode_id = f"{name}/{shard.name}/{number:06d}"
                refs.append(
                    Ref(
                        format="rlds",
                        root=str(path),
                        id=episode_id,
                        group=episode_id,
                        kind="episode",
                        rig=f"{name}|{dataset.rig(episode_id)}",
                    )
                )
    return sorted(refs, key=lambda ref: ref.id)


def load(ref: Ref) -> Episode:
    """The episode of a ref, the lengths of its features checked against each other.

    Raises:
        Unusable: `unknown_episode`, `truncated_record`, `bad_checksum`, `bad_record`,
            `zero_length`, `length_mismatch`, `too_few_cameras` or `bad_effector_position`.
    """
    name, shard_name, number = ref.id.rsplit("/", 2)
    root = _dataset_roots(Path(ref.root)).get(name)
    dataset = read_rlds(root, Path(ref.root)) if root else None
    shards = {shard.name: shard.path for shard in dataset.shards} if dataset else {}
    if dataset is None or shard_name not in shards:
        raise Unusable("unknown_episode", f"{ref.id} is not in {ref.root}")
    shard = find_records(shards[shard_name])
    buffer = checked_buffer(shard, int(number))
    where = f"{shard.path}, record {int(number)}"
    try:
        features = parse_example(buffer, *shard.records[int(number)])
        cameras = _cameras(dataset, features)
        left_out = sorted(dataset.sizes.keys() - cameras)
        check_cameras(Assignment(cameras, left_out), dataset.notes, where)
        length = _length(features, cameras, where)
        positions = _positions(features, dataset.position, length, where)
        instruction = _instruction(features)
    except BadMessage as error:
        raise Unusable("bad_record", f"{where}: {error}") from error
    return Episode(
        id=ref.id,
        dataset=dataset.name,
        rig=ref.rig,
        instruction=instruction,
        fps=dataset.fps,
        length=length,
        cameras=tuple(
            EpisodeCamera(
                key=key,
                role=role,
                read_frames=partial(
                    _read_frames, shard.path, features[key].spans, dataset, key, where
                ),
            )
            for key, role in cameras.items()
        ),
        effector_positions=positions,
    )


def key_files(path: Path, refs: Sequence[Ref]) -> Iterable[tuple[str, Path]]:
    """Both metadata files, the record files and the notes of each dataset."""
    roots = _dataset_roots(path)
    for name in sorted({ref.id.rsplit("/", 2)[0] for ref in refs}):
        dataset = read_rlds(roots[name], path)
        metadata = [dataset.root / FEATURES, dataset.root / INFO]
        for file in [*metadata, *(shard.path for shard in dataset.shards)]:
            yield f"{name}/{file.name}", file
        yield from notes_file(dataset.notes)


def _dataset_roots(path: Path) -> dict[str, Path]:
    """Datasets at a path or up to three levels below, named by dataset and version at least."""
    found = find_folders(path, lambda folder: (folder / FEATURES).is_file(), levels=3)
    named = {}
    for name, root in found:
        parts = root.resolve().parts
        named["/".join(parts[-max(2, name.count("/") + 1) :])] = root
    return named


def _cameras(dataset: RldsDataset, features: Mapping[str, Feature]) -> dict[str, str]:
    """Cameras of the episode that show something, with their roles.

    A dataset gives an episode without one of its cameras the same blank image at every step. Some
    say so in `episode_metadata/has_<camera>`, but not all that have these flags set them.
    """
    return {
        key: role
        for key, role in dataset.assignment.roles.items()
        if key in features and not _is_frozen(features[key])
    }


def _is_frozen(camera: Feature) -> bool:
    """Whether all images are the same bytes."""
    first, *others = camera.spans or [Span(0, 0)]
    data = camera.buffer[slice(*first)]
    return len(others) > 0 and all(camera.buffer[slice(*span)] == data for span in others)


def _length(features: Mapping[str, Feature], cameras: Iterable[str], where: str) -> int:
    lengths = {key: len(features[key].spans) for key in cameras}
    if "steps/is_first" in features:
        lengths["steps/is_first"] = len(features["steps/is_first"].ints())
    if not any(lengths.values()):
        raise Unusable("zero_length", f"{where}: no step")
    if len(set(lengths.values())) > 1:
        raise Unusable("length_mismatch", f"{where}: steps by feature are {lengths}")
    return next(iter(lengths.values()))


def _positions(
    features: Mapping[str, Feature], name: str, length: int, where: str
) -> Float[np.ndarray, "length 3"] | None:
    if name not in features:
        return None
    values = features[name].floats()
    if len(values) % length or len(values) < 3 * length:
        raise Unusable(
            "bad_effector_position", f"{where}: {name} has {len(values)} numbers for {length} steps"
        )
    positions = values.reshape(length, -1)[:, :3].astype(np.float64)
    if not np.isfinite(positions).all():
        raise Unusable("bad_effector_position", f"{where}: {name} is not finite")
    return positions


def _instruction(features: Mapping[str, Feature]) -> str:
    texts = (text for name in INSTRUCTIONS if name in features for text in features[name].strings())
    return next((text.decode(errors="replace").strip() for text in texts if text.strip()), "")


def _read_frames(
    path: Path,
    spans: Sequence[Span],
    dataset: RldsDataset,
    key: str,
    where: str,
    indices: Sequence[int],
) -> list[Image]:
    check_ascending(indices)
    size = dataset.sizes[key]
    images = []
    with path.open("rb") as file:
        for step in indices:
            start, end = spans[step]
            file.seek(start)
            image = decode_image(file.read(end - start), f"{where}, step {step}, {short_name(key)}")
            height, width = image.shape[:2]
            if size not in (None, (width, height)):
                raise Unusable(
                    "wrong_image_size",
                    f"{where}, step {step}, {short_name(key)}: {width}x{height}, "
                    f"{FEATURES} says {size[0]}x{size[1]}",
                )
            images.append(in_rgb(image, dataset.channels))
    return images


RLDS = SourceFormat(
    name="rlds",
    kind="episode",
    calibration="none",
    geometry="",
    index=index,
    load=load,
    key_files=key_files,
)
