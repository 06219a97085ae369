"""The extended tasks from end to end: built when asked for, audited, and changed on purpose."""

import json

from toy.datasets import lines, pairs
from xvr.audit import audit
from xvr.tasks import EXTENDED_TASKS

NAMES = {task.name for task in EXTENDED_TASKS}


def test_asking_for_extended_tasks_makes_all_of_them(extended):
    found = pairs(extended, "train")
    assert {proof["task"] for _, proof in found} == NAMES
    assert all(sample["task"] == proof["task"] for sample, proof in found)


def test_the_audit_finds_nothing_wrong(extended):
    report = audit(extended)
    assert report.answers_checked == 60
    assert not report.findings


def test_every_changed_answer_is_found(extended, tmp_path):
    """Each answer becomes the next option, in the record and in the proof."""
    (tmp_path / "provenance").mkdir()
    for name in ("images", "image_shards"):
        if (extended / name).exists():
            (tmp_path / name).symlink_to(extended / name)
    (tmp_path / "manifest.json").write_bytes((extended / "manifest.json").read_bytes())
    samples, proofs = lines(extended / "train.jsonl"), lines(extended / "provenance/train.jsonl")
    for sample, proof in zip(samples, proofs, strict=True):
        values = [option["value"] for option in proof["options"]]
        wrong = values[(values.index(proof["answer"]) + 1) % len(values)]
        for option in proof["options"]:
            option["correct"] = option["value"] == wrong
        sample["ground_truth_answer"] = proof["answer"] = wrong
    for path, rows in (("train.jsonl", samples), ("provenance/train.jsonl", proofs)):
        (tmp_path / path).write_text("".join(json.dumps(row) + "\n" for row in rows))
    report = audit(tmp_path, pixels=0)
    caught = {f.sample_id for f in report.findings if f.reason == "wrong_answer"}
    assert caught == {sample["sample_id"] for sample in samples}
