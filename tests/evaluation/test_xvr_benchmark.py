"""Datasets as a benchmark: options, clusters, and lines that cannot be asked."""

import json
import shutil

import pytest

from xvr.dataset.reader import read_split
from xvr.dataset.shards import ShardWriter
from xvr.errors import UserError
from xvr.evaluation.benchmarks import BENCHMARKS, get_benchmark
from xvr.evaluation.benchmarks.xvr import load
from xvr.evaluation.benchmarks.xvr_options import options_of
from xvr.evaluation.item import Picture
from xvr.exchange.prompts import parts_of
from xvr.tasks import EXTENDED_TASKS, TASKS, task_name

GENERAL = "multi_reference_point_matching_001_5717086b"
ROBOTIC = "task1_agibot_episode_000007_sample_1"


def record(sample_id=GENERAL, task="task9", answer="red", labels=("Image 1:",), ask="Which one?"):
    """A line of a release; only a label with a colon at its end is followed by an image."""
    blocks = []
    for number, label in enumerate(labels):
        blocks.append({"type": "text", "text": f"\n{label}\n"})
        if label.endswith(":"):
            url = f"images/img_{number:07d}.png"
            blocks.append({"type": "image_url", "image_url": {"url": url}})
    blocks.append({"type": "text", "text": f"\n{ask}\n"})
    return {
        "prompt_blocks": blocks,
        "sample_id": sample_id,
        "task": task,
        "ground_truth_answer": answer,
    }


def release(root, *records, split="xvr_eval"):
    """A dataset without proofs, images unpacked."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    for number in range(6):
        (root / f"images/img_{number:07d}.png").write_bytes(b"image %d" % number)
    (root / f"{split}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    return root


def only(root, *records):
    (found,) = load(release(root, *records)).items
    return found


def test_a_build_is_asked_as_it_is_written(dataset):
    found = load(dataset, "train")
    written = list(read_split(dataset, "train"))
    assert len(found.items) == len(written)
    assert {one.target.task for one in found.items} == {task.name for task in TASKS}
    for one, (sample, proof) in zip(found.items, written, strict=True):
        assert one.target.item_id == one.prompt.item_id == sample.sample_id
        assert one.target.answer == sample.ground_truth_answer
        assert list(one.target.options) == [option.value for option in proof.options]
        assert one.target.facts == {"proven": proof.answer}
        texts = [None if isinstance(part, Picture) else part for part in one.prompt.parts]
        assert texts == list(parts_of(sample))
        assert [picture.name for picture in one.prompt.pictures] == sample.image_urls
    data = found.items[0].prompt.pictures[0].read()
    assert data.startswith((b"\x89PNG", b"\xff\xd8"))


@pytest.mark.parametrize("made", ["dataset", "extended"])
def test_options_told_by_the_prompt_are_those_of_the_proof(made, request):
    path = request.getfixturevalue(made)
    seen = set()
    for sample, proof in read_split(path, "train"):
        told = {option.value for option in proof.options}
        options, is_told = options_of(sample, proof.task)
        assert (set(options), is_told) == (told, True), (sample.sample_id, proof.task)
        seen.add(proof.task)
    assert seen == {task.name for task in (TASKS if made == "dataset" else EXTENDED_TASKS)}


@pytest.mark.parametrize(
    ("task", "answer", "labels", "ask", "options"),
    [
        ("task9", "red", ("Image 1:",), "Which?", "red green blue yellow purple"),
        ("task10", "red", ("Image 1:",), "red, blue, green or purple?", "red green blue purple"),
        ("task6", "1", ("Image 1:", "Image 2:"), "Which?", "1 2"),
        ("task1", "3", ("Image 1 (ego):", "Image 3:", "Image 2:"), "Which?", "1 3 2"),
        ("task3", "2", ("Image 1 (fix_center):", "Image 2:", "Image 3:"), "Left?", "2 3"),
        ("task3", "2", ("Image 3:", "Image 2:", "Image 1: from the centre:"), "Left?", "3 2"),
        ("task5", "3", ("Image 1 (Reference):", "Image 2:", "Image 3:"), "Which?", "2 3"),
        (
            "task5",
            "3",
            ("Image 1 (Reference):", "Image 2 (Candidate):", "Image 3 (Candidate):"),
            "Which?",
            "2 3",
        ),
        (
            "task2",
            "3",
            ("Scenario 1", "Image 1:", "Image 2:", "Scenario 2", "Image 3:", "Image 4:"),
            "Which?",
            "3 4",
        ),
        (
            "task2",
            "2",
            ("Scenario 1", "Image 1:", "Image 2:", "Scenario 2", "Image 1:", "Image 2:"),
            "Which?",
            "1 2",
        ),
        ("task4", "2", ("Image 1 (a camera):", "Image 2:", "Image 3:"), "Which?", "2 3"),
        ("view_overlap", "3", ("Image 1:", "Image 2:", "Image 3:"), "Of Images 2 and 3?", "2 3"),
        ("relative_pose", "B", ("Image 1:",), "A: left; B: right. Letter?", "A B"),
    ],
)
def test_without_a_proof_the_prompt_tells_the_options(tmp_path, task, answer, labels, ask, options):
    found = only(tmp_path, record(task=task, answer=answer, labels=labels, ask=ask))
    assert found.target.options == tuple(options.split())
    kinds = {"r": "color", "A": "letter"}
    assert found.target.kind == kinds.get(options[0], "image_number")
    assert found.target.task == task_name(task)
    assert load(tmp_path).notes == ("split xvr_eval",)


def test_where_the_prompt_does_not_tell_them_all_images_are_taken_and_told(tmp_path):
    labels = ("Image 1:", "Image 2:", "Image 3:")
    found = load(release(tmp_path, record(task="task5", answer="1", labels=labels)))
    assert found.items[0].target.options == ("1", "2", "3")
    assert found.notes[1].startswith("1 prompts do not tell their options")


def test_the_one_number_that_nobody_knows_is_that_of_viewpoints(tmp_path):
    labels = ("Image 1 (Reference):", "Image 2:", "Image 3:", "Image 4:")
    lines = [record(), record("v", "task8", "3", labels), record("w", "task8", "4", labels)]
    found = load(release(tmp_path, *lines))
    assert [one.target.task for one in found.items[1:]] == ["viewpoint_localization"] * 2
    assert found.items[1].target.options == ("2", "3", "4")
    assert found.notes == (
        "split xvr_eval",
        "task8 is taken for viewpoint_localization, whose number is not public",
    )


def test_the_release_is_read_as_it_was_downloaded(tmp_path):
    line = record()
    for block in line["prompt_blocks"]:
        if block["type"] == "text":
            block["image_url"] = None
    found = only(tmp_path, line)
    assert [picture.read() for picture in found.prompt.pictures] == [b"image 0"]
    assert found.prompt.parts[-1] == "\nWhich one?\n"


def test_scenes_and_episodes_are_clusters(dataset, tmp_path):
    for one, (_, proof) in zip(
        load(dataset, "train").items, read_split(dataset, "train"), strict=True
    ):
        source = proof.source
        origin = source.scene or (source.episodes or [source.episode])[0]
        assert one.target.cluster == f"{source.format}:{source.path}:{origin}"
    robotic = record(ROBOTIC, "task1", "1", ("Image 1:", "Image 2:"))
    assert only(tmp_path / "r", robotic).target.cluster == "agibot_episode_000007"
    assert only(tmp_path / "g", record()).target.cluster == ""


def test_the_held_out_split_is_asked_unless_another_is_named(tmp_path):
    release(tmp_path, record("a"), split="train")
    assert load(tmp_path).notes == ("split train",)
    release(tmp_path, record("b"), split="valid")
    assert load(tmp_path).notes == ("split valid",)
    release(tmp_path, record("c"))
    assert [one.target.item_id for one in load(tmp_path).items] == ["c"]
    named = get_benchmark("xvr", split="train")
    assert [one.target.item_id for one in named.load(tmp_path).items] == ["a"]
    with pytest.raises(UserError, match="did you mean 'train'"):
        load(tmp_path, "trian")


def test_the_revision_is_that_of_the_questions_and_proofs(dataset, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    first = load(dataset, "train").revision
    assert load(copy, "train").revision == first
    assert load(dataset, "valid").revision != first
    with (copy / "provenance" / "train.jsonl").open("r+b") as file:
        text = file.read().replace(b'"seed": 0', b'"seed": 1')
        file.seek(0)
        file.write(text)
    assert load(copy, "train").revision != first


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([record(), record()], rf"xvr_eval.jsonl:2: sample_id {GENERAL} is that of line 1 too"),
        ([record(" ")], "xvr_eval.jsonl:1: wrong_value: sample_id is empty; xvr data import makes"),
        ([record(task="task_x")], "xvr_eval.jsonl:1: unknown task 'task_x': "),
        (
            [record(task=task, sample_id=task, answer="1") for task in ("task5", "task7")],
            "xvr_eval.jsonl:2: unknown task 'task7': ",
        ),
        (
            [record(task=task, sample_id=task, answer="1") for task in ("task8", "task7")],
            "xvr_eval.jsonl:2: unknown task 'task7': ",
        ),
        (
            [record(answer="orange")],
            "xvr_eval.jsonl:1: the answer 'orange' is none of the options red, green, blue, "
            "yellow, purple; mend",
        ),
        ([record(task="task6", answer="2")], "the answer '2' is none of the options 1; mend"),
        ([record(), {"sample_id": "x"}], "xvr_eval.jsonl:2: wrong_keys: no prompt_blocks"),
        ([], "xvr_eval.jsonl is empty; choose another --split"),
    ],
)
def test_lines_that_cannot_be_asked_are_told(tmp_path, records, message):
    with pytest.raises(UserError, match=message):
        load(release(tmp_path, *records))


def test_an_empty_id_in_a_dataset_with_a_manifest_is_told(tmp_path):
    release(tmp_path, record(" "))
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(UserError, match=r"xvr_eval.jsonl:1: sample_id is empty; give every sample"):
        load(tmp_path)


def test_what_is_no_dataset_to_ask_is_told(tmp_path):
    with pytest.raises(UserError, match="holds no dataset"):
        load(tmp_path)
    release(tmp_path, record())
    (tmp_path / ".build").mkdir()
    with pytest.raises(UserError, match="is an unfinished build"):
        load(tmp_path)
    (tmp_path / "manifest.json").write_text('{"config": {"images": "none"}}')
    with pytest.raises(UserError, match="was built without images; build it with --images shards"):
        load(tmp_path)


def test_images_come_from_shards_too_and_missing_ones_are_told(tmp_path):
    release(tmp_path, record())
    shutil.rmtree(tmp_path / "images")
    with ShardWriter(tmp_path) as shards:
        shards.add("images/img_0000000.png", b"from the shard")
    (picture,) = load(tmp_path).items[0].prompt.pictures
    assert picture.read() == b"from the shard"
    shutil.rmtree(tmp_path / "image_shards")
    (picture,) = load(tmp_path).items[0].prompt.pictures
    with pytest.raises(UserError, match=r"no image 'images/img_0000000.png'"):
        picture.read()


def test_benchmarks_have_names_of_their_own_and_say_what_they_do_not_take():
    assert len({one.name for one in BENCHMARKS}) == len(BENCHMARKS)
    assert get_benchmark("xvr") in BENCHMARKS
    with pytest.raises(UserError, match="unknown benchmark 'xrv': did you mean 'xvr'"):
        get_benchmark("xrv")
