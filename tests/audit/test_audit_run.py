import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from audit_room import (
    direction_entry,
    point_entry,
    relabelled,
    spatial_entry,
    write_dataset,
    write_room,
)

from xvr.audit import audit
from xvr.errors import UserError


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    root = tmp_path_factory.mktemp("source")
    write_room(root)
    return root


@pytest.fixture
def entries(room):
    makers = (point_entry, direction_entry, spatial_entry)
    return [make(path=str(room), number=i) for i, make in enumerate(makers)]


def found(report):
    return {(finding.kind, finding.reason) for finding in report.findings}


def edit_line(path: Path, change) -> None:
    lines = path.read_text().splitlines()
    first = json.loads(lines[0])
    change(first)
    path.write_text("\n".join([json.dumps(first), *lines[1:]]) + "\n")


def test_a_right_dataset_passes(tmp_path, entries):
    write_dataset(tmp_path, entries)
    report = audit(tmp_path)
    assert report.ok
    assert report.findings == ()
    assert report.answers_checked == 3
    assert report.images_checked == 3
    assert report.samples == {
        "train": {
            "directional_correspondence": 1,
            "point_correspondence": 1,
            "spatial_verification": 1,
        }
    }


def test_a_wrong_answer_fails_the_audit_and_names_the_sample(tmp_path, entries):
    write_dataset(tmp_path, [entries[0], relabelled(entries[1], "green"), entries[2]])
    report = audit(tmp_path)
    assert not report.ok
    assert found(report) == {("answer", "wrong_answer")}
    assert report.findings[0].sample_id == entries[1].sample.sample_id
    assert "directional_correspondence_001: wrong_answer" in report.to_text()


def test_workers_do_not_change_the_report(tmp_path, entries):
    write_dataset(tmp_path, [relabelled(entries[0], "green"), *entries[1:]])
    assert audit(tmp_path, workers=2) == audit(tmp_path)


def test_images_in_shards_are_read(tmp_path, entries):
    write_dataset(tmp_path, entries)
    (tmp_path / "image_shards").mkdir()
    with tarfile.open(tmp_path / "image_shards" / "images_000.tar", "w") as archive:
        for image in sorted((tmp_path / "images").iterdir()):
            archive.add(image, f"images/{image.name}")
            image.unlink()
    assert audit(tmp_path).ok


def test_a_moved_source_is_found_by_relocation(tmp_path, room):
    write_dataset(tmp_path, [point_entry(path="/old/data")])
    assert found(audit(tmp_path)) >= {("answer", "missing_source")}
    assert audit(tmp_path, relocate={"/old/data": str(room)}).ok
    assert audit(tmp_path, relocate={"/old": str(room.parent)}).findings


def test_a_swapped_image_is_found_by_its_pixels(tmp_path, entries):
    write_dataset(tmp_path, entries[:1])
    first, second = (tmp_path / image.url for image in entries[0].proof.images[:2])
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    third = cv2.imread(str(tmp_path / entries[0].proof.images[2].url))
    cv2.imwrite(str(tmp_path / entries[0].proof.images[2].url), third[::-1])
    assert found(audit(tmp_path)) == {("pixels", "other_frame")}


def test_lossy_images_still_match_their_source(tmp_path, entries):
    write_dataset(tmp_path, entries)
    for image in (tmp_path / "images").iterdir():
        jpeg = cv2.imencode(".jpg", cv2.imread(str(image)), [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
        image.write_bytes(np.asarray(jpeg).tobytes())
    assert audit(tmp_path).ok


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line.update(extra=1), "bad_line"),
        (lambda line: line.pop("task"), "bad_line"),
        (lambda line: line.update(ground_truth_answer=3), "bad_line"),
        (lambda line: line.update(ground_truth_answer="orange"), "unknown_answer"),
        (lambda line: line.update(ground_truth_answer="green"), "answers_disagree"),
        (lambda line: line["prompt_blocks"].reverse(), "image_order"),
        (lambda line: line["prompt_blocks"][0].pop("type"), "bad_block"),
        (lambda line: line.update(sample_id="other"), "no_provenance"),
    ],
)
def test_a_damaged_record_is_found(tmp_path, entries, change, reason):
    write_dataset(tmp_path, entries)
    edit_line(tmp_path / "train.jsonl", change)
    report = audit(tmp_path)
    assert ("integrity", reason) in found(report)
    assert not report.ok


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda line: line["images"][0].update(image=7), "image_numbers"),
        (lambda line: line["marks"][0].update(uv_px=[-4.0, 5.0]), "mark_outside_image"),
        (lambda line: line["marks"][0].update(kind="arrow"), "bad_mark"),
        (lambda line: line["marks"][0].update(color="orange"), "bad_mark"),
        (lambda line: line["options"][1].update(correct=True), "answers_disagree"),
        (lambda line: line["options"].pop(0), "answers_disagree"),
        (lambda line: line["marks"].pop(), "option_not_shown"),
    ],
)
def test_a_damaged_proof_is_found(tmp_path, entries, change, reason):
    write_dataset(tmp_path, entries)
    edit_line(tmp_path / "provenance" / "train.jsonl", change)
    assert ("integrity", reason) in found(audit(tmp_path))


def test_provenance_in_another_order_is_found(tmp_path, entries):
    write_dataset(tmp_path, entries)
    path = tmp_path / "provenance" / "train.jsonl"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    assert ("integrity", "provenance_out_of_order") in found(audit(tmp_path))


def test_missing_shared_and_unused_images_are_found(tmp_path, entries):
    write_dataset(tmp_path, [*entries, entries[0]])
    (tmp_path / entries[1].proof.images[0].url).unlink()
    (tmp_path / "images" / "img_9999999.png").write_bytes(b"")
    wanted = {"missing_image", "image_shared", "unused_images", "id_twice"}
    assert wanted <= {reason for _, reason in found(audit(tmp_path))}


def test_the_same_question_with_other_colours_is_a_duplicate(tmp_path, room):
    same = [point_entry(right, path=str(room), number=right) for right in (0, 3)]
    write_dataset(tmp_path, same)
    assert found(audit(tmp_path)) == {("integrity", "duplicate_question")}


def test_unbalanced_answers_are_found(tmp_path, room):
    same = [spatial_entry(2, path=str(room), number=i) for i in range(3)]
    write_dataset(tmp_path, same)
    assert ("integrity", "unbalanced") in found(audit(tmp_path))


def test_a_scene_in_two_splits_is_found(tmp_path, entries):
    write_dataset(tmp_path, [entries[0], entries[1]._replace(split="xvr_eval")])
    assert found(audit(tmp_path)) == {("integrity", "splits_overlap")}


def test_a_folder_without_a_dataset_says_what_is_expected(tmp_path):
    with pytest.raises(UserError, match=r"train, valid, xvr_eval \(\.jsonl\)"):
        audit(tmp_path)


def test_the_json_report_is_written_whole_and_reproducible(tmp_path, entries):
    write_dataset(tmp_path, entries)
    audit(tmp_path).write(tmp_path / "audit.json")
    first = (tmp_path / "audit.json").read_bytes()
    audit(tmp_path).write(tmp_path / "audit.json")
    assert (tmp_path / "audit.json").read_bytes() == first
    content = json.loads(first)
    assert content["ok"] is True
    assert content["answers_checked"] == 3
    assert not list(tmp_path.glob("*.part"))
