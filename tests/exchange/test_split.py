import json
from collections import defaultdict

import pytest
from datasets_by_hand import episodes, scene, write_dataset
from write_release import point, write_images, write_lines, write_release

from toy.datasets import hashes, lines, pairs
from xvr.audit import audit
from xvr.cli import main
from xvr.errors import UserError
from xvr.exchange.release import import_release
from xvr.exchange.split import split


def manifest_of(dataset):
    return json.loads((dataset / "manifest.json").read_text())


def count(dataset, name):
    return len(lines(dataset / f"{name}.jsonl"))


@pytest.fixture
def dataset(tmp_path):
    """Ten scenes of two samples and ten episodes of two, one in train and one in valid."""
    general = [scene(n // 2, [2 * n, 2 * n + 1]) for n in range(20)]
    for place, (sample, proof) in enumerate(general):
        sample["sample_id"] = proof["sample_id"] = f"general_{place}"
    robotic = [episodes(n // 2, [2 * n, 2 * n + 1]) for n in range(20, 40)]
    every = general + robotic
    return write_dataset(tmp_path / "a", train=every[::2], valid=every[1::2])


def places(dataset):
    """Splits of every scene and episode."""
    found = defaultdict(set)
    for path in (dataset / "provenance").iterdir():
        for _, proof in pairs(dataset, path.stem):
            source = proof["source"]
            for name in source.get("episodes") or [source.get("scene") or source["episode"]]:
                found[name].add(path.stem)
    return found


@pytest.mark.parametrize("shares", [(0.8, 0.2), (0.5, 0.3, 0.2), (0.7, 0, 0.3)])
def test_scenes_and_episodes_stay_whole_and_shares_are_met(dataset, tmp_path, shares):
    out = tmp_path / "out"
    split(dataset, out, shares=shares)
    assert all(len(found) == 1 for found in places(out).values())
    assert len(places(out)) == 20
    for name, share in zip(("train", "valid", "xvr_eval"), shares, strict=False):
        if share == 0:
            assert not (out / f"{name}.jsonl").exists()
            continue
        assert count(out, name) == pytest.approx(40 * share, abs=2)
        domains = [proof["domain"] for _, proof in pairs(out, name)]
        assert domains.count("general") == domains.count("robotic")


def test_nothing_is_lost_and_ids_stay(dataset, tmp_path):
    split(dataset, tmp_path / "out", shares=(0.9, 0.1))
    before = {
        line["sample_id"]
        for name in ("train", "valid")
        for line in lines(dataset / f"{name}.jsonl")
    }
    after = {
        line["sample_id"]
        for name in ("train", "valid")
        for line in lines(tmp_path / "out" / f"{name}.jsonl")
    }
    assert before == after
    assert manifest_of(tmp_path / "out")["across_splits"] == 0


def test_a_sample_of_two_episodes_in_different_splits_is_left_out_and_counted(tmp_path):
    alone = [episodes(n, [2 * n, 2 * n + 1]) for n in range(4)]
    both = [episodes(0, [10, 11], second=n) for n in range(1, 4)]
    dataset = write_dataset(tmp_path / "a", train=alone + both)
    split(dataset, tmp_path / "out", shares=(0.5, 0.5))
    assert all(len(found) == 1 for found in places(tmp_path / "out").values())
    left = count(tmp_path / "out", "train") + count(tmp_path / "out", "valid")
    assert manifest_of(tmp_path / "out")["across_splits"] == 7 - left == 2


def test_the_same_seed_gives_the_same_bytes_and_another_another_split(dataset, tmp_path):
    for name, seed in (("x", 0), ("y", 0), ("z", 1)):
        split(dataset, tmp_path / name, shares=(0.7, 0.3), seed=seed)
    assert hashes(tmp_path / "x") == hashes(tmp_path / "y")
    assert places(tmp_path / "x") != places(tmp_path / "z")


def test_a_split_build_passes_the_audit(small, tmp_path):
    split(small, tmp_path / "out", shares=(0.5, 0.5))
    before, after = audit(small), audit(tmp_path / "out")
    assert after.answers_checked == sum(sum(tasks.values()) for tasks in after.samples.values())
    assert not after.of_kind("integrity")
    kinds = {(finding.kind, finding.reason) for finding in before.findings}
    assert {(f.kind, f.reason) for f in after.findings} <= kinds | {("rule", "unbalanced")}
    for command in ("stats", "show"):
        assert main(["data", command, str(tmp_path / "out")]) == 0


def test_imported_samples_are_refused_until_grouping_by_id_is_asked_for(tmp_path, capsys):
    release = tmp_path / "release"
    import_release(write_release(release), tmp_path / "imported")
    words = [
        "data",
        "split",
        str(tmp_path / "imported"),
        str(tmp_path / "out"),
        "--shares",
        "0.5",
        "0.5",
    ]
    assert main(words) == 2
    message = capsys.readouterr().err
    assert "5 of 5 samples have no provenance" in message
    assert "--by-id" in message
    assert main([*words, "--by-id"]) == 0
    (both,) = {
        name
        for name in ("train", "valid")
        if any(
            "episode_001412" in line["sample_id"]
            for line in lines(tmp_path / "out" / f"{name}.jsonl")
        )
    }
    assert (
        sum("001412" in line["sample_id"] for line in lines(tmp_path / "out" / f"{both}.jsonl"))
        == 2
    )
    assert manifest_of(tmp_path / "out")["unproven"]


def test_imported_samples_that_share_an_image_stay_together(tmp_path):
    write_images(tmp_path / "release", range(9))
    chain = [point(n, [n, n + 1]) for n in range(4)]
    write_lines(tmp_path / "release", "train", *chain, point(8, [6, 7]))
    import_release(tmp_path / "release", tmp_path / "imported")
    split(tmp_path / "imported", tmp_path / "out", shares=(0.5, 0.5), by_id=True)
    assert sorted(count(tmp_path / "out", name) for name in ("train", "valid")) == [1, 4]


def test_too_few_scenes_are_a_mistake(tmp_path):
    dataset = write_dataset(tmp_path / "a", train=[scene(1, [0, 1]), scene(2, [2, 3])])
    with pytest.raises(
        UserError, match="2 scenes and episodes are too few, xvr_eval would be empty"
    ):
        split(dataset, tmp_path / "out", shares=(0.4, 0.3, 0.3))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("shares", [(), (1.0,), (0.9, 0.2), (1.1, -0.1), (0.25,) * 4])
def test_shares_that_make_no_whole_are_refused(dataset, tmp_path, shares):
    with pytest.raises(UserError, match=r"that sum to 1, such as 0\.9 0\.1"):
        split(dataset, tmp_path / "out", shares=shares)


def test_the_command_tells_what_was_left_out(tmp_path, capsys):
    both = [episodes(n, [2 * n, 2 * n + 1], second=1 - n) for n in range(2)]
    alone = [episodes(n, [2 * n + 4, 2 * n + 5]) for n in range(2)]
    dataset = write_dataset(tmp_path / "a", train=both + alone)
    words = ["data", "split", str(dataset), str(tmp_path / "out"), "--shares", "0.5", "0.5"]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "left out: 2 samples of two episodes" in captured.err
