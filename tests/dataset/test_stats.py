import json
from collections import Counter

from records import PROOF, SAMPLE, write

from xvr.dataset.reader import read_split
from xvr.dataset.stats import compute_stats, describe


def record(number, answer, difficulty, task="temporal_verification", images=3):
    block = {"type": "image_url", "image_url": {"url": "images/img_0000001.png"}}
    named = {"sample_id": f"s{number}"}
    sample = SAMPLE | named | {"ground_truth_answer": answer, "prompt_blocks": [block] * images}
    options = [{"value": v, "correct": v == answer, "why": ""} for v in "123"]
    proof = PROOF | named | {"task": task, "options": options, "difficulty": {"gap_s": difficulty}}
    return sample, proof


def written(tmp_path, records, proofs=True):
    write(tmp_path / "train.jsonl", *(sample for sample, _ in records))
    if proofs:
        write(tmp_path / "provenance" / "train.jsonl", *(proof for _, proof in records))
    return compute_stats(tmp_path)


def test_counts_by_task_answer_and_source(tmp_path):
    records = [record(0, "1", 2.0), record(1, "3", 2.0), record(2, "1", 5.0, images=4)]
    stats = written(tmp_path, records)
    assert (stats["samples"], stats["images"], stats["images_per_sample"]) == (3, 10, 3.3333)
    assert stats["splits"] == {"train": {"temporal_verification": 3}}
    task = stats["tasks"]["temporal_verification"]
    assert task["answers"] == {"3": {"1": 2, "3": 1}}
    assert task["difficulty"] == {"gap_s": {"values": [2.0, 5.0], "counts": [2, 1]}}
    assert stats["sources"] == {"lerobot:/data": {"temporal_verification": 3}}


def test_a_measure_with_many_values_has_ten_bins_that_hold_all_of_them(tmp_path):
    values = [0.0, 10.0, *(n * 0.37 for n in range(25))]
    records = [record(n, "1", value) for n, value in enumerate(values)]
    found = written(tmp_path, records)["tasks"]["temporal_verification"]["difficulty"]["gap_s"]
    assert found["edges"] == [float(n) for n in range(11)]
    expected = Counter(min(int(value), 9) for value in values)
    assert found["counts"] == [expected[n] for n in range(10)]
    assert sum(found["counts"]) == len(values)


def test_a_release_without_proofs_is_counted_by_our_names(tmp_path):
    stats = written(tmp_path, [record(0, "1", 0.0), record(1, "2", 0.0)], proofs=False)
    assert stats["splits"] == {"train": {"temporal_verification": 2}}
    assert stats["tasks"]["temporal_verification"]["answers"] == {"any": {"1": 1, "2": 1}}
    assert stats["sources"] == {}
    assert "temporal_verification" in describe(stats)


def test_an_empty_split_is_no_error(tmp_path):
    stats = written(tmp_path, [])
    assert (stats["samples"], stats["images_per_sample"]) == (0, 0.0)
    assert describe(stats).startswith("0 samples")


def test_the_written_stats_are_those_of_the_lines(dataset):
    stats = json.loads((dataset / "stats.json").read_text())
    assert stats == compute_stats(dataset)
    for split in ("train", "valid"):
        found = Counter(proof.task for _, proof in read_split(dataset, split))
        assert stats["splits"][split] == dict(sorted(found.items()))
    images = sum(
        len(s.image_urls) for split in stats["splits"] for s, _ in read_split(dataset, split)
    )
    assert stats["images"] == images


def test_the_table_has_a_row_for_every_task(dataset):
    stats = compute_stats(dataset)
    rows = describe(stats).splitlines()[2:]
    assert [row.split()[0] for row in rows] == list(stats["tasks"])
