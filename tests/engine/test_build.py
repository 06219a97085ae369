"""A dataset of all eight tasks, from toy captures and episodes on disk to the written files."""

import io
import json
import os
import subprocess
import sys
import tarfile
from collections import Counter

import numpy as np
import pytest
from written import members, picture

from toy import robot, room
from toy.datasets import hashes, lines, pairs
from xvr.tasks import TASKS

SPLITS = ("train", "valid")


@pytest.fixture(scope="module")
def images(dataset):
    return members(dataset)


def test_a_dataset_has_the_files_of_the_release_and_its_proofs(dataset):
    names = {path.relative_to(dataset).as_posix() for path in dataset.rglob("*") if path.is_file()}
    shards = {name for name in names if name.startswith("image_shards/")}
    assert names - shards == {
        "train.jsonl",
        "valid.jsonl",
        "provenance/train.jsonl",
        "provenance/valid.jsonl",
        "manifest.json",
        "stats.json",
        "README.md",
    }
    assert "image_shards/images_000.tar" in shards
    assert len(shards) > 2


def test_a_sample_has_exactly_the_four_released_keys(dataset):
    for split in SPLITS:
        for sample in lines(dataset / f"{split}.jsonl"):
            assert list(sample) == ["prompt_blocks", "sample_id", "task", "ground_truth_answer"]
            for block in sample["prompt_blocks"]:
                if block["type"] == "text":
                    assert list(block) == ["type", "text"]
                else:
                    assert list(block) == ["type", "image_url"]
                    assert list(block["image_url"]) == ["url"]


def test_every_task_has_its_count_and_every_answer_its_turn(dataset):
    """64 samples, uniform over eight tasks, a quarter of them in valid."""
    for split, count in (("train", 6), ("valid", 2)):
        for task in TASKS:
            found = Counter(
                sample["ground_truth_answer"]
                for sample in lines(dataset / f"{split}.jsonl")
                if sample["task"] == task.released_id
            )
            expected = Counter()
            for index in range(count):
                images, answer = task.cells[index % len(task.cells)]
                expected[answer_word(task.name, images, answer)] += 1
            assert found == expected


def answer_word(task, images, answer):
    if task.endswith("correspondence"):
        return ("red", "green", "blue", "yellow", "purple")[answer]
    first = {
        "spatial_verification": 1,
        "temporal_verification": 1,
        "viewpoint_localization": images - 2,
        "cross_scenario_localization": 4,
    }
    return str(first.get(task, 2) + answer)


def test_ids_are_unique_and_pair_samples_with_their_proofs(dataset):
    ids = []
    for split in SPLITS:
        for sample, proof in pairs(dataset, split):
            assert sample["sample_id"] == proof["sample_id"]
            assert sample["ground_truth_answer"] == proof["answer"]
            assert [i["url"] for i in proof["images"]] == [
                block["image_url"]["url"]
                for block in sample["prompt_blocks"]
                if block["type"] == "image_url"
            ]
            ids.append(sample["sample_id"])
    assert len(set(ids)) == len(ids) == 64


def test_images_are_numbered_once_each_through_all_splits(dataset, images):
    urls = [
        image["url"]
        for split in SPLITS
        for _, proof in pairs(dataset, split)
        for image in proof["images"]
    ]
    assert urls == [f"images/img_{n:07d}.png" for n in range(1, len(urls) + 1)]
    assert sorted(images) == urls


def test_splits_share_no_scene_and_no_episode(dataset):
    used = {}
    for split in SPLITS:
        used[split] = set()
        for _, proof in pairs(dataset, split):
            source = proof["source"]
            used[split] |= {
                source.get("scene") or source["episode"],
                *(source.get("episodes") or ()),
            }
    assert used["train"]
    assert used["valid"]
    assert not used["train"] & used["valid"]


def test_robotic_images_are_the_frames_that_the_proof_names(dataset, images):
    for split in SPLITS:
        for _, proof in pairs(dataset, split):
            if proof["domain"] != "robotic":
                continue
            source = proof["source"]
            for image in proof["images"]:
                episode = (source.get("episodes") or [source["episode"]])[image.get("episode") or 0]
                camera = robot.KEYS.index(image["camera"])
                shown = robot.frame_pixels(camera, int(episode[-6:]), image["frame_index"])
                np.testing.assert_array_equal(picture(images[image["url"]]), shown)


def test_general_images_are_the_views_that_the_proof_names_but_for_their_marks(dataset, images):
    for _, proof in pairs(dataset, "valid"):
        if proof["domain"] != "general":
            continue
        seed = room.seed_of(proof["source"]["scene"])
        for image in proof["images"]:
            clean = room.render(room.furnish(seed), room.orbit(seed)[image["frame_index"]])[0]
            shown = picture(images[image["url"]])
            marks = [mark for mark in proof["marks"] if mark["image"] == image["image"]]
            same = (shown == clean).all(axis=2)
            assert same.mean() > 0.6
            assert same.all() == (not marks)
            for mark in marks:
                column, row = (int(x) for x in mark["uv_px"])
                assert not same[row - 6 : row + 7, column - 6 : column + 7].all()


def test_twenty_lines_of_numpy_prove_a_point_sample(dataset, captures):
    """Nothing but the proof and the capture's own text files: only one dot is the marked point."""
    proofs = [p for _, p in pairs(dataset, "train") if p["task"] == "point_correspondence"]
    assert proofs
    for proof in proofs:
        folder = captures / proof["source"]["scene"]
        matrix = np.reshape(json.loads((folder / "metadata").read_text())["K"], (3, 3)).T
        poses = np.loadtxt(folder / "cam_poses.txt")[:, 1:].reshape(-1, 4, 4)
        poses = {i["image"]: poses[i["frame_index"]] for i in proof["images"]}
        target = proof["images"][-1]["image"]

        def ray(mark, matrix=matrix, poses=poses):
            pose = poses[mark["image"]]
            direction = pose[:3, :3] @ np.linalg.inv(matrix) @ (*mark["uv_px"], 1)
            return pose[:3, 3], direction / np.linalg.norm(direction)

        references = [ray(mark) for mark in proof["marks"] if mark["image"] != target]
        across = [np.eye(3) - np.outer(d, d) for _, d in references]
        point = np.linalg.solve(
            sum(across), sum(a @ c for a, (c, _) in zip(across, references, strict=True))
        )
        miss_m = {}
        for mark in proof["marks"]:
            if mark["image"] == target:
                center, direction = ray(mark)
                miss_m[mark["color"]] = np.linalg.norm(np.cross(point - center, direction))
        assert min(miss_m, key=miss_m.get) == proof["answer"]
        assert miss_m[proof["answer"]] < 1e-3 < 0.02 < sorted(miss_m.values())[1]


def test_the_manifest_tells_how_the_dataset_was_made(dataset, sources):
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert manifest["config"]["sources"] == list(sources)
    assert manifest["config"]["seed"] == 0
    assert manifest["config"]["rules"]["depth_tolerance_share"] == 0.03
    assert {s["source"]: s["refs"] for s in manifest["sources"]} == {"wildrgbd": 4, "lerobot": 6}
    assert {split: sum(counts.values()) for split, counts in manifest["splits"].items()} == {
        "train": 48,
        "valid": 16,
    }
    assert manifest["skipped"] == []
    found = hashes(dataset)
    assert manifest["sha256"] == {name: found[name] for name in manifest["sha256"]}
    assert len(manifest["sha256"]) == 4


def test_the_datasets_library_reads_the_lines_as_they_are(dataset, tmp_path):
    code = (
        "import json, sys\n"
        "from datasets import load_dataset\n"
        "rows = load_dataset('json', data_files=sys.argv[1], split='train')\n"
        "print(json.dumps([rows.column_names, rows[0], len(rows)]))\n"
    )
    places = {"HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(dataset / "train.jsonl")],
        env=os.environ | places | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    columns, row, count = json.loads(done.stdout)
    first = lines(dataset / "train.jsonl")[0]
    assert sorted(columns) == sorted(first)
    assert count == 48
    assert row["ground_truth_answer"] == first["ground_truth_answer"]
    blocks = [
        {name: value for name, value in block.items() if value is not None}
        for block in row["prompt_blocks"]
    ]
    assert blocks == first["prompt_blocks"]


def test_the_shards_are_plain_tars_that_extract_to_the_urls(dataset, images):
    first = dataset / "image_shards" / "images_000.tar"
    with tarfile.open(fileobj=io.BytesIO(first.read_bytes())) as tar:
        names = tar.getnames()
    assert names == sorted(images)[: len(names)]
    assert len(names) == 50
