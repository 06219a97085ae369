import errno
import json
import math
import os
import shutil
from collections import Counter
from itertools import pairwise

import pytest
from datasets_by_hand import episodes, scene, write_dataset
from write_release import picture, write_release

from toy.datasets import hashes, lines, pairs
from xvr.audit import audit
from xvr.cli import main
from xvr.dataset.reader import read_split
from xvr.dataset.shards import ShardReader, ShardWriter
from xvr.errors import UserError
from xvr.exchange.mix import mix
from xvr.exchange.release import import_release


def manifest_of(dataset):
    return json.loads((dataset / "manifest.json").read_text())


def ids(dataset, split="train"):
    return [line["sample_id"] for line in lines(dataset / f"{split}.jsonl")]


@pytest.fixture
def two(tmp_path):
    """Two datasets of different scenes whose ids and image names are the same."""
    a = write_dataset(
        tmp_path / "a",
        train=[scene(1, [0, 1]), scene(2, [2, 3]), episodes(1, [4, 5])],
        valid=[scene(3, [6, 7])],
    )
    b = write_dataset(
        tmp_path / "b", path="other", prints="bb", train=[scene(1, [0, 2]), scene(2, [1, 3])]
    )
    return a, b


def test_all_samples_come_together_with_unique_ids_and_images(two, tmp_path):
    mix(two, tmp_path / "out")
    found = pairs(tmp_path / "out", "train")
    assert len(found) == 5
    names = ids(tmp_path / "out") + ids(tmp_path / "out", "valid")
    assert len(set(names)) == 6
    assert sum(name.endswith("_2") for name in names) == 2
    urls = [image["url"] for _, proof in found for image in proof["images"]]
    assert len(set(urls)) == len(urls) == 10
    for sample, proof in found:
        assert sample["sample_id"] == proof["sample_id"]
    assert manifest_of(tmp_path / "out")["renamed_ids"] == 2


def test_images_are_those_of_their_samples(two, tmp_path):
    mix(two, tmp_path / "out")
    numbers = {"data": {"scene_1": [0, 1], "scene_2": [2, 3]}, "other": {"scene_1": [0, 2]}}
    checked = 0
    with ShardReader(tmp_path / "out") as images:
        for _, proof in pairs(tmp_path / "out", "train"):
            source = proof["source"]
            for place, number in enumerate(numbers[source["path"]].get(source.get("scene"), [])):
                assert images.read(proof["images"][place]["url"]) == picture(number)
                checked += 1
    assert checked == 6


def test_the_manifest_names_the_parents_and_their_hashes(two, tmp_path):
    mix(two, tmp_path / "out", weights=(1, 2), seed=5)
    manifest = manifest_of(tmp_path / "out")
    assert manifest["made_by"] == "mix"
    assert manifest["arguments"] == {"weights": [1, 2], "seed": 5}
    for parent, path in zip(manifest["parents"], two, strict=True):
        assert parent["path"] == str(path)
        assert parent["identity"] == path.name
        assert parent["sha256"] == {
            name: sha for name, sha in hashes(path).items() if name.endswith(".jsonl")
        }
    assert [parent["samples"]["train"] for parent in manifest["parents"]] == [1, 2]
    assert manifest["config"]["rules"] == {"max_ssim": 0.9}


def test_the_looser_rules_of_the_parents_are_kept(two, tmp_path):
    for path, rules in zip(
        two, ({"max_ssim": 0.9, "min_views": 3}, {"max_ssim": 0.8, "min_views": 2}), strict=True
    ):
        manifest = manifest_of(path)
        manifest["config"]["rules"] = rules
        (path / "manifest.json").write_text(json.dumps(manifest))
    mix(two, tmp_path / "out")
    assert manifest_of(tmp_path / "out")["config"]["rules"] == {"max_ssim": 0.9, "min_views": 2}


def test_the_same_arguments_give_the_same_bytes_and_another_seed_another_order(two, tmp_path):
    for name, seed in (("x", 0), ("y", 0), ("z", 1)):
        mix(two, tmp_path / name, seed=seed)
    assert hashes(tmp_path / "x") == hashes(tmp_path / "y")
    assert ids(tmp_path / "x") != ids(tmp_path / "z")


def many(count, start, answers=("red", "green", "blue", "yellow", "purple")):
    return [
        scene(start + n, [2 * n % 80, 2 * n % 80 + 1], answers[n % len(answers)])
        for n in range(count)
    ]


def test_weights_set_shares_and_keep_the_answers_even(tmp_path):
    a = write_dataset(tmp_path / "a", train=many(40, 0))
    b = write_dataset(tmp_path / "b", path="other", prints="bb", train=many(40, 100))
    mix([a, b], tmp_path / "out", weights=(3, 1))
    found = pairs(tmp_path / "out", "train")
    paths = Counter(proof["source"]["path"] for _, proof in found)
    assert paths == {"data": 40, "other": 13}
    answers = Counter(
        sample["ground_truth_answer"]
        for sample, proof in found
        if proof["source"]["path"] == "other"
    )
    assert max(answers.values()) - min(answers.values()) <= 1


def test_each_parent_keeps_its_order_and_they_alternate(tmp_path):
    a = write_dataset(tmp_path / "a", train=many(30, 0))
    b = write_dataset(tmp_path / "b", path="other", prints="bb", train=many(30, 100))
    mix([a, b], tmp_path / "out")
    turns = [proof["source"]["path"] for _, proof in pairs(tmp_path / "out", "train")]
    scenes = [proof["source"]["scene"] for _, proof in pairs(tmp_path / "out", "train")]
    assert [s for s, t in zip(scenes, turns, strict=True) if t == "data"] == [
        f"scene_{n}" for n in range(30)
    ]
    assert sum(x != y for x, y in pairwise(turns)) > 10


def test_a_scene_that_one_dataset_holds_out_leaves_the_training_of_the_other(tmp_path):
    a = write_dataset(tmp_path / "a", train=[scene(1, [0, 1]), scene(2, [2, 3])])
    b = write_dataset(tmp_path / "b", train=[scene(4, [0, 1])], xvr_eval=[scene(2, [4, 5])])
    mix([a, b], tmp_path / "out")
    train = {proof["source"]["scene"] for _, proof in pairs(tmp_path / "out", "train")}
    assert train == {"scene_1", "scene_4"}
    assert len(ids(tmp_path / "out", "xvr_eval")) == 1
    assert manifest_of(tmp_path / "out")["held_out_elsewhere"] == 1


@pytest.mark.parametrize("second", [{"prints": "aa", "path": "moved/data"}, {"prints": "cc"}])
def test_a_source_is_known_by_its_fingerprint_or_its_path(tmp_path, second):
    a = write_dataset(tmp_path / "a", train=[scene(1, [0, 1]), scene(2, [2, 3])])
    b = write_dataset(tmp_path / "b", valid=[scene(1, [4, 5])], **second)
    mix([a, b], tmp_path / "out")
    assert manifest_of(tmp_path / "out")["held_out_elsewhere"] == 1


def test_a_path_is_the_same_with_a_slash_at_its_end(tmp_path):
    a = write_dataset(tmp_path / "a", train=[scene(1, [0, 1]), scene(2, [2, 3])])
    b = write_dataset(tmp_path / "b", path="moved", valid=[scene(1, [4, 5])])
    manifest = manifest_of(b)
    manifest["config"]["sources"] = ["wildrgbd:moved/", "lerobot:moved/"]
    (b / "manifest.json").write_text(json.dumps(manifest))
    mix([a, b], tmp_path / "out")
    assert manifest_of(tmp_path / "out")["held_out_elsewhere"] == 1


def test_another_source_with_the_same_scene_names_is_another_place(tmp_path):
    a = write_dataset(tmp_path / "a", train=[scene(1, [0, 1]), scene(2, [2, 3])])
    b = write_dataset(tmp_path / "b", path="other", prints="bb", valid=[scene(1, [4, 5])])
    mix([a, b], tmp_path / "out")
    assert manifest_of(tmp_path / "out")["held_out_elsewhere"] == 0


def test_either_episode_of_a_sample_keeps_it_from_training(tmp_path):
    a = write_dataset(tmp_path / "a", train=[episodes(1, [0, 1], second=2), episodes(3, [2, 3])])
    b = write_dataset(tmp_path / "b", valid=[episodes(2, [4, 5])])
    mix([a, b], tmp_path / "out")
    assert [proof["source"]["episode"] for _, proof in pairs(tmp_path / "out", "train")] == ["e3"]


def test_two_scenes_of_one_place_are_one_group(tmp_path):
    a = write_dataset(tmp_path / "a", train=[scene(1, [0, 1], groups=["room"]), scene(3, [2, 3])])
    b = write_dataset(tmp_path / "b", valid=[scene(2, [4, 5], groups=["room"])])
    mix([a, b], tmp_path / "out")
    assert manifest_of(tmp_path / "out")["held_out_elsewhere"] == 1


def test_a_release_and_a_build_make_a_dataset_that_says_what_is_proven(small, tmp_path):
    import_release(write_release(tmp_path / "release"), tmp_path / "imported")
    out = tmp_path / "out"
    mix([small, tmp_path / "imported"], out)
    proven = [proof is not None for _, proof in read_split(out, "train")]
    assert Counter(proven) == {True: 18, False: 4}
    assert manifest_of(out)["unproven"] == {"train": 4, "xvr_eval": 1}
    assert not (out / "provenance" / "xvr_eval.jsonl").exists()
    assert "5 samples were imported" in (out / "README.md").read_text()
    before, report = audit(small), audit(out)
    assert (report.unproven, report.answers_checked) == (5, before.answers_checked)
    assert not report.of_kind("integrity")
    assert report.ok == before.ok
    assert "5 samples were imported without provenance" in report.to_text()
    for command in ("stats", "show"):
        assert main(["data", command, str(out)]) == 0


def test_images_that_a_release_shows_twice_are_kept_once(two, tmp_path):
    import_release(write_release(tmp_path / "release"), tmp_path / "imported")
    mix([two[0], tmp_path / "imported"], tmp_path / "out")
    urls = [
        url
        for split in ("train", "xvr_eval")
        for sample, proof in read_split(tmp_path / "out", split)
        if proof is None
        for url in sample.image_urls
    ]
    assert (len(urls), len(set(urls))) == (14, 12)


def test_a_mixture_can_be_mixed_again(two, tmp_path):
    c = write_dataset(tmp_path / "c", prints="zz", path="third", train=[scene(9, [0, 1])])
    mix(two, tmp_path / "ab")
    mix([tmp_path / "ab", c], tmp_path / "abc")
    assert len(ids(tmp_path / "abc")) == 6
    assert manifest_of(tmp_path / "abc")["parents"][0]["made_by"] == "mix"
    assert {source["path"] for source in manifest_of(tmp_path / "abc")["sources"]} == {
        f"{kind}:{path}" for kind in ("wildrgbd", "lerobot") for path in ("data", "other", "third")
    }


def test_datasets_without_images_mix_among_themselves_only(two, tmp_path):
    manifest = manifest_of(two[0])
    manifest["config"]["images"] = "none"
    (two[0] / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="was built with --images none, and others with images"):
        mix(two, tmp_path / "out")


def test_datasets_without_images_give_one_without(two, tmp_path):
    for path in two:
        manifest = manifest_of(path)
        manifest["config"]["images"] = "none"
        (path / "manifest.json").write_text(json.dumps(manifest))
        shutil.rmtree(path / "image_shards")
    mix(two, tmp_path / "out")
    assert not (tmp_path / "out" / "image_shards").exists()
    assert manifest_of(tmp_path / "out")["config"]["images"] == "none"
    assert "missing_image" not in {finding.reason for finding in audit(tmp_path / "out").findings}


def test_unmarked_copies_come_along_where_all_have_them(two, tmp_path):
    for path in two:
        manifest = manifest_of(path)
        manifest["config"]["keep_clean"] = True
        (path / "manifest.json").write_text(json.dumps(manifest))
        with ShardWriter(path, first_shard=1) as shards:
            for number in range(8):
                shards.add(f"clean/img_{number:07d}.png", picture(number) + b"clean")
    mix(two, tmp_path / "out")
    assert manifest_of(tmp_path / "out")["config"]["keep_clean"] is True
    with ShardReader(tmp_path / "out") as images:
        for number in range(1, 13):
            name = f"img_{number:07d}.png"
            assert images.read(f"clean/{name}") == images.read(f"images/{name}") + b"clean"


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1,), "1 weights for 2 datasets"),
        ((1, 0), "each must be above 0"),
        ((1, -2), "each must be above 0"),
        ((1, math.nan), "each must be above 0"),
        ((1, math.inf), "each must be above 0"),
    ],
)
def test_bad_weights_are_refused(two, tmp_path, weights, message):
    with pytest.raises(UserError, match=message):
        mix(two, tmp_path / "out", weights=weights)
    assert not (tmp_path / "out").exists()


def test_one_dataset_is_not_mixed_with_itself(two, tmp_path):
    with pytest.raises(UserError, match="hold the same samples"):
        mix([two[0], two[0]], tmp_path / "out")
    with pytest.raises(UserError, match="at least two"):
        mix([two[0]], tmp_path / "out")


def test_the_command_takes_datasets_and_then_the_folder_to_write(two, tmp_path, capsys):
    assert main(["data", "mix", *map(str, two), str(tmp_path / "out"), "--weights", "1", "1"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{tmp_path / 'out'}: 5 samples (train 4, valid 1)")
    assert main(["data", "mix", str(tmp_path / "lonely")]) == 2


def test_a_full_disk_leaves_nothing_of_a_mixture(two, tmp_path, monkeypatch):
    left = iter(range(5))

    def full(*_):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ShardWriter, "add", full)
    with pytest.raises(UserError, match="No space left on device; nothing is left of it"):
        mix(two, tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_damaged_shard_is_named(two, tmp_path):
    shard = two[1] / "image_shards" / "images_000.tar"
    os.truncate(shard, 900)
    with pytest.raises(UserError, match=r"b/image_shards/images_000\.tar: the shard is damaged"):
        mix(two, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unfinished_build_is_not_mixed(two, tmp_path):
    (two[0] / "manifest.json").unlink()
    (two[0] / ".build").mkdir()
    with pytest.raises(UserError, match="is an unfinished build"):
        mix(two, tmp_path / "out")
