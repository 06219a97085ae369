import json

import pytest
from records import PROOF, SAMPLE, write

from xvr.dataset.reader import count_samples, read_split, splits_of
from xvr.errors import UserError


def test_samples_come_with_their_proofs(tmp_path):
    write(tmp_path / "train.jsonl", SAMPLE)
    write(tmp_path / "provenance" / "train.jsonl", PROOF)
    ((sample, proof),) = read_split(tmp_path, "train")
    assert sample.image_urls == ["images/img_0000001.png"]
    assert sample.text == "Image 1:\nWhich?"
    assert sample.model_dump() == SAMPLE
    assert proof is not None
    assert proof.source.episode == "toy/episode_000000"


def test_a_release_without_proofs_is_read_too(tmp_path):
    write(tmp_path / "xvr_eval.jsonl", SAMPLE, SAMPLE)
    assert [proof for _, proof in read_split(tmp_path, "xvr_eval")] == [None, None]


def test_splits_are_those_that_are_there_in_order(tmp_path):
    for split in ("xvr_eval", "train"):
        write(tmp_path / f"{split}.jsonl", SAMPLE)
    assert splits_of(tmp_path) == ("train", "xvr_eval")


def test_a_folder_without_splits_is_no_dataset(tmp_path):
    with pytest.raises(UserError, match="holds no dataset"):
        splits_of(tmp_path)
    with pytest.raises(UserError, match="holds no dataset"):
        splits_of(tmp_path / "none")


@pytest.mark.parametrize(
    ("record", "where"),
    [
        ({**SAMPLE, "answer": "1"}, "answer"),
        ({k: v for k, v in SAMPLE.items() if k != "task"}, "task"),
        ({**SAMPLE, "ground_truth_answer": 1}, "ground_truth_answer"),
        ({**SAMPLE, "prompt_blocks": [{"type": "video"}]}, "prompt_blocks.0"),
    ],
)
def test_a_bad_record_is_named_by_file_line_and_field(tmp_path, record, where):
    write(tmp_path / "train.jsonl", SAMPLE, record)
    with pytest.raises(UserError) as caught:
        list(read_split(tmp_path, "train"))
    assert str(caught.value).startswith(f"{tmp_path / 'train.jsonl'}:2: {where}")


def test_a_line_that_is_no_json_is_named(tmp_path):
    (tmp_path / "train.jsonl").write_text(json.dumps(SAMPLE)[:-5])
    with pytest.raises(UserError, match=r"train\.jsonl:1: .*JSON"):
        list(read_split(tmp_path, "train"))


OTHER = {**PROOF, "sample_id": "task1_toy_sample_2"}


@pytest.mark.parametrize("proofs", [[], [OTHER], [PROOF, PROOF], [OTHER, PROOF]])
def test_proofs_in_another_order_or_number_are_refused(tmp_path, proofs):
    write(tmp_path / "train.jsonl", SAMPLE)
    write(tmp_path / "provenance" / "train.jsonl", *proofs)
    with pytest.raises(UserError, match="do not have the same order"):
        list(read_split(tmp_path, "train"))


def test_a_sample_without_a_proof_is_a_null_line_among_others(tmp_path):
    bare = {**SAMPLE, "sample_id": "imported"}
    write(tmp_path / "train.jsonl", bare, SAMPLE)
    write(tmp_path / "provenance" / "train.jsonl", None, PROOF)
    found = [proof and proof.sample_id for _, proof in read_split(tmp_path, "train")]
    assert found == [None, PROOF["sample_id"]]


def test_a_sample_is_never_null(tmp_path):
    (tmp_path / "train.jsonl").write_text("null\n")
    with pytest.raises(UserError, match=r"train\.jsonl:1: "):
        list(read_split(tmp_path, "train"))


def test_bytes_that_are_no_text_are_named(tmp_path):
    (tmp_path / "train.jsonl").write_bytes(b'{"task": "\xff"}\n')
    with pytest.raises(UserError, match=r"train\.jsonl:1: "):
        list(read_split(tmp_path, "train"))


def test_a_file_that_is_cut_short_is_said_to_be(tmp_path):
    write(tmp_path / "train.jsonl", SAMPLE, SAMPLE)
    whole = (tmp_path / "train.jsonl").read_bytes()
    (tmp_path / "train.jsonl").write_bytes(whole[:-30])
    with pytest.raises(UserError, match=r"jsonl:2: Invalid JSON: .*; the file is cut short, get"):
        list(read_split(tmp_path, "train"))


def test_lines_are_counted(tmp_path):
    write(tmp_path / "train.jsonl", SAMPLE, SAMPLE)
    assert count_samples(tmp_path, "train") == 2


def test_a_bad_proof_is_named_by_file_and_line(tmp_path):
    write(tmp_path / "train.jsonl", SAMPLE)
    write(tmp_path / "provenance" / "train.jsonl", {**PROOF, "domain": "space"})
    with pytest.raises(UserError, match=r"provenance/train\.jsonl:1: domain"):
        list(read_split(tmp_path, "train"))
