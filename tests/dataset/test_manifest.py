import hashlib
import json

import pytest

from xvr.dataset.manifest import read_manifest, write_manifest
from xvr.errors import UserError


def test_the_manifest_holds_hashes_sizes_versions_and_what_was_skipped(tmp_path):
    (tmp_path / "provenance").mkdir()
    (tmp_path / "image_shards").mkdir()
    for name in ("train.jsonl", "provenance/train.jsonl"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / "image_shards" / "images_000.tar").write_bytes(b"12345")
    skipped = [{"id": "b", "reason": "bad_pose"}, {"id": "a", "reason": "too_short"}]
    write_manifest(
        tmp_path,
        identity="id",
        config={"seed": 3},
        sources=[{"source": "wildrgbd", "refs": 2, "sha256": "x"}],
        outcome={"splits": {"train": {}}, "skipped": [*skipped, {"id": "c", "reason": "bad_pose"}]},
    )
    manifest = read_manifest(tmp_path)
    assert manifest is not None
    assert manifest["identity"] == "id"
    assert manifest["config"] == {"seed": 3}
    assert manifest["skipped_by_reason"] == {"bad_pose": 2, "too_short": 1}
    assert manifest["shard_bytes"] == {"images_000.tar": 5}
    assert manifest["sha256"] == {
        name: hashlib.sha256(f"{name}\n".encode()).hexdigest()
        for name in ("provenance/train.jsonl", "train.jsonl")
    }
    assert {"numpy", "opencv-python-headless"} <= set(manifest["libraries"])
    assert "splits" in manifest


def test_a_release_without_a_manifest_has_none(tmp_path):
    assert read_manifest(tmp_path) is None


def test_a_damaged_manifest_is_named(tmp_path):
    (tmp_path / "manifest.json").write_text('{"identity": ')
    with pytest.raises(UserError, match=r"manifest\.json is no JSON"):
        read_manifest(tmp_path)


def test_every_file_of_a_dataset_is_covered(dataset):
    manifest = json.loads((dataset / "manifest.json").read_text())
    shards = {path.name for path in (dataset / "image_shards").glob("*.tar")}
    assert set(manifest["shard_bytes"]) == shards
    assert set(manifest["sha256"]) == {
        f"{folder}{split}.jsonl" for folder in ("", "provenance/") for split in ("train", "valid")
    }
