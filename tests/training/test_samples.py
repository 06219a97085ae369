import json
import shutil
from collections import Counter

import numpy as np
import pytest
from training_data import sample, write_noise

from xvr.errors import Unusable, UserError
from xvr.training.mixture import Order, strata_of
from xvr.training.samples import DataSpec, open_source, open_sources, parse_data
from xvr.training.vqa import read_question


def order_of(*words, seed=0, **weights):
    sources = open_sources([parse_data(str(word)) for word in words])
    surveys = [source.survey() for source in sources]
    return sources, Order(strata_of(sources, surveys, weights), seed)


def drawn(order, positions):
    return [order.draw(position) for position in positions]


def test_an_epoch_shows_every_sample_once(noise):
    _, order = order_of(noise)
    assert order.epoch == 16
    for epoch in range(3):
        lines = [line for _, line in drawn(order, range(16 * epoch, 16 * epoch + 16))]
        assert sorted(lines) == list(range(16))


def test_the_order_depends_on_seed_and_position_alone(noise):
    _, order = order_of(noise, seed=3)
    forward = drawn(order, range(40))
    _, again = order_of(noise, seed=3)
    assert [again.draw(position) for position in reversed(range(40))] == forward[::-1]
    assert drawn(order_of(noise, seed=4)[1], range(40)) != forward
    assert forward[:16] != forward[16:32]


def test_the_weight_of_a_dataset_is_its_share(noise, tmp_path):
    other = write_noise(tmp_path / "other", train=64)
    _, order = order_of(f"{noise}:3", f"{other}:1")
    shares = Counter(source for source, _ in drawn(order, range(order.epoch)))
    assert shares == {0: 60, 1: 20}


def test_the_weight_of_a_task_multiplies_its_samples(noise):
    _, order = order_of(noise, temporal_verification=3)
    assert order.counts() == {"point_correspondence": 8, "temporal_verification": 8}
    _, order = order_of(noise, temporal_verification=0)
    assert order.counts() == {"point_correspondence": 12}


@pytest.mark.parametrize(
    ("weights", "message"),
    [({"temporal_order": 2}, "unknown task"), ({"point_correspondence": -1}, "0 or more")],
)
def test_weights_that_cannot_be_meant_are_refused(noise, weights, message):
    with pytest.raises(UserError, match=message):
        order_of(noise, **weights)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give at least one"),
        (("{noise}", "{noise}"), "twice"),
        (("{noise}:1", "."), "to every path"),
        (("{noise}:x",), "no weight"),
        (("{noise}:0",), "above 0"),
        (("/no/such/place",), "there is nothing"),
        (("/tmp",), "holds no dataset"),
    ],
)
def test_data_that_cannot_be_read_is_named(noise, words, message):
    with pytest.raises(UserError, match=message):
        open_sources([parse_data(word.format(noise=noise)) for word in words])


def test_shards_and_a_folder_give_the_same_samples(noise, tmp_path):
    folder = write_noise(tmp_path / "folder", unpacked=True, train=16, valid=4)
    ours, theirs = (open_source(DataSpec(path=path)) for path in (noise, folder))
    for line in range(16):
        mine, other = ours.example(line), theirs.example(line)
        assert (mine.sample_id, mine.answer) == (other.sample_id, other.answer)
        for one, two in zip(mine.prompt.pictures, other.prompt.pictures, strict=True):
            assert one.read() == two.read()


def test_texts_and_images_keep_their_order(noise):
    parts = open_source(DataSpec(path=noise)).example(5).prompt.parts
    assert [getattr(part, "name", part) for part in parts] == [
        "Two views of room 5.\n",
        "Image 1:\n",
        "images/img_0000011.png",
        "Image 2:\n",
        "images/img_0000012.png",
        "Which dot is the same point?",
    ]


def test_a_missing_shard_is_found_without_opening_images(noise, tmp_path):
    torn = shutil.copytree(noise, tmp_path / "torn")
    (torn / "image_shards" / "images_001.tar").unlink()
    survey = open_source(DataSpec(path=torn)).survey()
    # 14 images are gone with the second shard of seven: those of samples 3 to 6
    assert sorted(survey.unusable) == [3, 4, 5, 6]
    assert survey.unusable[4].reason == "missing_image"
    assert "images/img_0000009.png" in survey.unusable[4].detail


def test_a_shard_that_is_cut_short_is_found(noise, tmp_path):
    torn = shutil.copytree(noise, tmp_path / "torn")
    shard = torn / "image_shards" / "images_001.tar"
    shard.write_bytes(shard.read_bytes()[:-1000])
    reasons = {
        error.reason for error in open_source(DataSpec(path=torn)).survey().unusable.values()
    }
    assert reasons == {"damaged_shard", "missing_image"}


def test_a_line_that_is_no_sample_is_named(noise, tmp_path):
    torn = shutil.copytree(noise, tmp_path / "torn")
    with (torn / "train.jsonl").open("a") as lines:
        lines.write(json.dumps(sample(0, ["../secret.png"])) + "\n{}\n")
    unusable = open_source(DataSpec(path=torn)).survey().unusable
    assert {line: error.reason for line, error in unusable.items()} == {
        16: "bad_line",
        17: "bad_line",
    }
    assert "outside of the dataset" in unusable[16].detail
    assert "train.jsonl:18: prompt_blocks" in unusable[17].detail


def test_a_release_without_manifest_is_read(noise, tmp_path):
    release = shutil.copytree(noise, tmp_path / "release")
    (release / "manifest.json").unlink()
    for index in release.glob("image_shards/*.json"):
        index.unlink()
    example = open_source(DataSpec(path=release)).example(0)
    assert example.answer == "red"
    assert example.prompt.pictures[0].read()[:4] == b"\x89PNG"


def test_an_unfinished_build_is_refused(noise, tmp_path):
    unfinished = shutil.copytree(noise, tmp_path / "unfinished")
    (unfinished / "manifest.json").unlink()
    (unfinished / ".build").mkdir()
    with pytest.raises(UserError, match="unfinished build"):
        open_source(DataSpec(path=unfinished))


MESSAGES = [
    {"role": "user", "content": "<image>A<image>\nB?"},
    {"role": "assistant", "content": "C"},
]


def test_questions_from_elsewhere_are_read_in_both_forms(tmp_path):
    (tmp_path / "a.png").write_bytes(b"a")
    turns = [{"from": "human", "value": "Hello?"}, {"from": "gpt", "value": "Yes."}]
    lines = [
        {"messages": MESSAGES, "images": ["a.png", "b.png"], "task": "vqa"},
        {"id": 7, "conversations": turns},
    ]
    (tmp_path / "other.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = open_source(DataSpec(path=tmp_path / "other.jsonl"))
    first, second = source.example(0), source.example(1)
    assert [getattr(part, "name", part) for part in first.prompt.parts] == [
        *("a.png", "A", "b.png", "\nB?"),
    ]
    assert (first.sample_id, first.task, first.answer) == ("other:0", "vqa", "C")
    assert (second.sample_id, second.task, second.prompt.parts) == ("7", "other", ("Hello?",))
    survey = source.survey()
    assert list(survey.unusable) == [0]
    assert np.array_equal(survey.images, [2, 0])
    with pytest.raises(Unusable, match="missing_image"):
        first.prompt.pictures[1].read()


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"messages": MESSAGES, "images": ["a.png"]}, "2 <image> in the question and 1 images"),
        ({"messages": MESSAGES * 2, "images": []}, "split the conversation"),
        ({"messages": MESSAGES[:1]}, "no single question"),
        ({"text": "x"}, "neither messages nor conversations"),
        ({"messages": [{"role": "user", "content": 3}]}, "is no text"),
        ([], "no JSON object"),
    ],
)
def test_questions_of_another_form_are_refused(record, message):
    with pytest.raises(ValueError, match=message):
        read_question(json.dumps(record).encode(), "x:0")
