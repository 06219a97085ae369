import errno
import json
import os
import shutil

import pytest
from write_release import (
    picture,
    point,
    temporal,
    url,
    write_images,
    write_lines,
    write_release,
)

from toy.datasets import hashes, lines
from xvr.audit import audit
from xvr.cli import main
from xvr.dataset.reader import read_split
from xvr.dataset.shards import ShardReader
from xvr.errors import UserError
from xvr.exchange.release import import_release
from xvr.viewer import show


@pytest.fixture
def release(tmp_path):
    return write_release(tmp_path / "release")


def rejected(report):
    return [(found.file, found.line, found.reason) for found in report.rejected]


def test_a_release_becomes_a_dataset_that_other_commands_take(release, tmp_path):
    out = tmp_path / "out"
    report = import_release(release, out)
    assert report.samples == {"train": 4, "xvr_eval": 1}
    assert report.rejected == []
    assert report.notes == {"empty_block_keys": 3}
    sample, proof = next(read_split(out, "train"))
    assert sample.model_dump() == point(70, [0, 1, 2])
    assert proof is None
    with ShardReader(out) as images:
        assert images.read(url(11)) == picture(11)
    for command in ("stats", "show", "audit"):
        assert main(["data", command, str(out)]) == 0
    assert not (out / "provenance").exists()


def test_shards_are_linked_and_indexed_and_not_rewritten(release, tmp_path):
    import_release(release, tmp_path / "out")
    for shard in (release / "image_shards").iterdir():
        taken = tmp_path / "out" / "image_shards" / shard.name
        assert taken.samefile(shard)
        index = json.loads(taken.with_suffix(".index.json").read_text())
        assert index["bytes"] == shard.stat().st_size


def test_shards_are_copied_where_no_link_can_be(release, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    import_release(release, tmp_path / "out")
    name = "image_shards/images_000.tar"
    assert not (tmp_path / "out" / name).samefile(release / name)
    assert (tmp_path / "out" / name).read_bytes() == (release / name).read_bytes()


def test_links_of_a_download_cache_are_followed(release, tmp_path):
    shard = release / "image_shards" / "images_000.tar"
    shard.rename(tmp_path / "blob")
    shard.symlink_to(tmp_path / "blob")
    import_release(release, tmp_path / "out")
    assert not (tmp_path / "out" / "image_shards" / "images_000.tar").is_symlink()


def test_the_same_release_gives_the_same_bytes(release, tmp_path):
    for name in ("a", "b"):
        import_release(release, tmp_path / name)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_unpacked_images_are_taken_as_files(release, tmp_path):
    shards = release / "image_shards"
    (release / "images").mkdir()
    for number in range(12):
        (release / url(number)).write_bytes(picture(number))
    for shard in shards.iterdir():
        shard.unlink()
    report = import_release(release, tmp_path / "out")
    assert report.samples == {"train": 4, "xvr_eval": 1}
    assert (tmp_path / "out" / url(3)).read_bytes() == picture(3)
    assert audit(tmp_path / "out").ok


@pytest.mark.parametrize("folder", ["", "./images/", "shard_0/"])
def test_images_are_known_by_their_file_names(tmp_path, folder):
    write_images(tmp_path / "release", range(3), folder)
    write_lines(tmp_path / "release", "train", point(1, [0, 1, 2]))
    assert import_release(tmp_path / "release", tmp_path / "out").samples == {"train": 1}
    assert audit(tmp_path / "out").ok


def without(sample, key):
    return {name: value for name, value in sample.items() if name != key}


GOOD = point(1, [0, 1])
BAD_LINES = {
    "not_utf8": json.dumps(GOOD).encode().replace(b"several", b"sever\xff"),
    "not_json": json.dumps(GOOD)[:-9],
    "wrong_keys": without(GOOD, "task"),
    "wrong_value": GOOD | {"ground_truth_answer": 3},
    "no_images": GOOD | {"prompt_blocks": [{"type": "text", "text": "Which?"}]},
    "no_text": GOOD | {"prompt_blocks": GOOD["prompt_blocks"][2:3]},
    "missing_image": point(2, [0, 99]),
    "duplicate_id": GOOD,
}


@pytest.mark.parametrize("reason", BAD_LINES)
def test_a_bad_line_is_listed_with_its_place_and_nothing_else_is_lost(tmp_path, reason):
    write_images(tmp_path / "release", range(6))
    good = point(3, [2, 3])
    write_lines(tmp_path / "release", "train", GOOD, BAD_LINES[reason], good)
    report = import_release(tmp_path / "release", tmp_path / "out")
    assert report.samples == {"train": 2}
    assert rejected(report) == [("train.jsonl", 2, reason)]
    listed = json.loads((tmp_path / "out" / "import.json").read_text())
    assert listed["rejected"] == {reason: 1}
    assert listed["left_out"][0] | {"detail": ""} == {
        "file": "train.jsonl",
        "line": 2,
        "reason": reason,
        "detail": "",
    }


@pytest.mark.parametrize(
    "line",
    ["", "[]", "3", "null", "[" * 9000, '{"prompt_blocks": NaN}'],
)
def test_strange_lines_do_no_harm(tmp_path, line):
    write_images(tmp_path / "release", range(2))
    write_lines(tmp_path / "release", "train", line, GOOD)
    report = import_release(tmp_path / "release", tmp_path / "out")
    assert [found.line for found in report.rejected] == [1]


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ("text", "wrong_value"),
        (["text"], "wrong_value"),
        ([{"type": "video", "text": "x"}], "wrong_value"),
        ([{"type": "image_url", "image_url": None}], "wrong_value"),
        ([{"type": "image_url", "image_url": {"url": 3}}], "wrong_value"),
        ([], "no_images"),
    ],
)
def test_prompts_of_another_form_are_rejected(tmp_path, blocks, reason):
    write_images(tmp_path / "release", range(2))
    write_lines(tmp_path / "release", "train", GOOD | {"prompt_blocks": blocks}, point(2, [1]))
    report = import_release(tmp_path / "release", tmp_path / "out")
    assert rejected(report) == [("train.jsonl", 1, reason)]


def test_early_files_keep_their_order_and_their_other_keys(tmp_path):
    """Labels out of order, paths instead of urls, and more keys than four."""
    early = temporal(14, [0, 1, 2])
    for place, label in ((1, 3), (3, 1), (5, 2)):
        early["prompt_blocks"][place]["text"] = f"Image {label}: View: fix_left"
    for place in (2, 4, 6):
        image = early["prompt_blocks"][place]["image_url"]
        image["url"] = f"/tmp/frames/{image['url'].removeprefix('images/')}"
    early |= {"answer_options": ["1", "2", "3"], "data_type": "teleop"}
    write_images(tmp_path / "release", range(3))
    write_lines(tmp_path / "release", "train", early)
    report = import_release(tmp_path / "release", tmp_path / "out")
    assert report.samples == {"train": 1}
    assert set(report.notes) == {
        "empty_block_keys",
        "extra_keys",
        "images_elsewhere",
        "labels_out_of_order",
    }
    ((sample, _),) = read_split(tmp_path / "out", "train")
    assert sample.image_urls == [url(0), url(1), url(2)]
    assert [sample.text.index(f"Image {label}") for label in (3, 1, 2)] == sorted(
        sample.text.index(f"Image {label}") for label in (3, 1, 2)
    )
    (kept,) = lines(tmp_path / "out" / "extra" / "train.jsonl")
    assert kept == {
        "sample_id": early["sample_id"],
        "answer_options": ["1", "2", "3"],
        "data_type": "teleop",
    }


def test_scenarios_may_start_to_count_again(tmp_path):
    sample = temporal(3, [0, 1])
    blocks = sample["prompt_blocks"]
    second = {"type": "text", "text": "Scenario 2:"}
    sample["prompt_blocks"] = [*blocks[:-1], second, *blocks[1:]]
    write_images(tmp_path / "release", range(2))
    write_lines(tmp_path / "release", "train", sample)
    assert "labels_out_of_order" not in import_release(tmp_path / "release", tmp_path / "out").notes


def test_unusual_tasks_and_answers_are_kept_and_counted(tmp_path):
    write_images(tmp_path / "release", range(2))
    strange = GOOD | {"task": "task8", "ground_truth_answer": "orange"}
    write_lines(tmp_path / "release", "train", strange)
    notes = import_release(tmp_path / "release", tmp_path / "out").notes
    assert notes == {"unknown_answer": 1, "unknown_task": 1}


def test_a_shard_that_is_cut_short_is_left_out_with_its_samples(release, tmp_path):
    shard = release / "image_shards" / "images_001.tar"
    os.truncate(shard, 700)
    report = import_release(release, tmp_path / "out")
    assert report.samples == {"train": 1}
    assert rejected(report)[0] == ("image_shards/images_001.tar", 0, "damaged_shard")
    assert {found.reason for found in report.rejected[1:]} == {"missing_image"}
    assert audit(tmp_path / "out").ok


def test_a_link_that_leads_nowhere_is_a_shard_that_is_left_out(release, tmp_path):
    shard = release / "image_shards" / "images_002.tar"
    shard.unlink()
    shard.symlink_to(tmp_path / "gone")
    report = import_release(release, tmp_path / "out")
    assert [found.reason for found in report.rejected] == ["damaged_shard", "missing_image"]
    assert "leads nowhere" in str(report.rejected[0])


def test_a_missing_shard_costs_only_its_samples(release, tmp_path):
    (release / "image_shards" / "images_002.tar").unlink()
    report = import_release(release, tmp_path / "out")
    assert report.samples == {"train": 4}
    assert rejected(report) == [("xvr_eval.jsonl", 1, "missing_image")]
    assert not (tmp_path / "out" / "xvr_eval.jsonl").exists()


def test_nothing_usable_is_a_mistake_that_shows_the_first_lines(tmp_path, capsys):
    write_images(tmp_path / "release", range(2))
    write_lines(tmp_path / "release", "train", "{}", "[]")
    assert main(["data", "import", str(tmp_path / "release"), str(tmp_path / "out")]) == 2
    found = capsys.readouterr()
    assert "not_json 1, wrong_keys 1" in found.err
    assert "train.jsonl:1: wrong_keys: no prompt_blocks" in found.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["release"]


def test_an_empty_file_is_a_mistake(tmp_path):
    write_images(tmp_path / "release", range(2))
    write_lines(tmp_path / "release", "train")
    with pytest.raises(UserError, match="every file is empty"):
        import_release(tmp_path / "release", tmp_path / "out")


def test_a_folder_without_images_or_lines_is_a_mistake(tmp_path):
    with pytest.raises(UserError, match="holds no dataset"):
        import_release(tmp_path, tmp_path / "out")
    write_lines(tmp_path, "train", GOOD)
    with pytest.raises(UserError, match="holds no images"):
        import_release(tmp_path, tmp_path / "out")


def test_a_dataset_is_no_release(small, tmp_path):
    with pytest.raises(UserError, match="is a dataset with a manifest already"):
        import_release(small, tmp_path / "out")


def test_nothing_is_overwritten(release, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(UserError, match="nothing is overwritten"):
        import_release(release, tmp_path / "out")


def test_the_command_tells_what_was_left_out(release, tmp_path, capsys):
    with (release / "train.jsonl").open("a") as file:
        file.write("{}\n")
    assert main(["data", "import", str(release), str(tmp_path / "out")]) == 0
    found = capsys.readouterr()
    assert found.out == ""
    assert "5 samples (train 4, xvr_eval 1)" in found.err
    assert "its answers cannot be checked" in found.err
    assert "left out: wrong_keys 1" in found.err
    assert "train.jsonl:5: wrong_keys" in found.err


def test_an_audit_says_what_it_cannot_check(release, tmp_path):
    import_release(release, tmp_path / "out")
    report = audit(tmp_path / "out")
    assert report.ok
    assert report.unproven == 5
    assert "0 of 5 answers recomputed" in report.to_text()
    assert "no answer could be checked" in report.to_text()
    assert "every answer agrees" not in report.to_text()
    report.write(tmp_path / "out" / "audit.json")
    page = show(tmp_path / "out").read_text()
    assert "0 answers checked against the source, 0 wrong, 5 cannot be checked" in page


def test_an_audit_decodes_images_that_nothing_else_is_known_of(release, tmp_path):
    shard = release / "image_shards" / "images_002.tar"
    shard.write_bytes(shard.read_bytes().replace(b"PNG", b"GNP"))
    import_release(release, tmp_path / "out")
    report = audit(tmp_path / "out")
    assert report.images_decoded == 5
    assert [(f.split, f.kind, f.reason) for f in report.findings] == [
        ("xvr_eval", "pixels", "unreadable")
    ]
    assert audit(tmp_path / "out", pixels=0).ok


def test_a_full_disk_leaves_nothing_of_an_import(release, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(UserError, match="No space left on device; nothing is left of it"):
        import_release(release, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["release"]


def test_an_audit_finds_images_that_went_missing_since(release, tmp_path):
    import_release(release, tmp_path / "out")
    (tmp_path / "out" / "image_shards" / "images_002.tar").unlink()
    report = audit(tmp_path / "out")
    assert not report.ok
    assert {finding.reason for finding in report.findings} == {"missing_image"}


def test_a_sample_that_the_manifest_does_not_know_is_no_imported_one(release, tmp_path):
    import_release(release, tmp_path / "out")
    with (tmp_path / "out" / "train.jsonl").open("a") as file:
        file.write(json.dumps(point(99, [0, 1])) + "\n")
    assert "no_provenance" in {finding.reason for finding in audit(tmp_path / "out").findings}
