import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from write_robospatial import OUTLINE, QUESTIONS, annotations, png, write_parquet, write_robospatial

from xvr.errors import UserError
from xvr.evaluation.benchmarks.robospatial import BENCHMARK, load

IDS = ["context-000", "compatibility-000", "configuration-000", "configuration-001"]


def broken(tmp_path, **changes):
    """The release with its first entry changed; None takes the field away."""
    first = {key: value for key, value in (annotations()[0] | changes).items() if value is not None}
    return write_robospatial(tmp_path, [first, *annotations()[1:]])


def says(path):
    with pytest.raises(UserError) as caught:
        load(path)
    return str(caught.value)


def judged(target, text):
    return [name for name, scorer in BENCHMARK.scorers.items() if scorer(target, text).correct]


def test_both_forms_on_disk_give_the_same_items(tmp_path):
    made = load(write_robospatial(tmp_path / "made"))
    hub = load(write_parquet(tmp_path / "hub"))
    for loaded in (made, hub):
        targets = {item.target.item_id: item.target for item in loaded.items}
        assert sorted(targets) == sorted(IDS)
        assert [targets[name].answer for name in IDS] == ["", "no", "yes", "no"]
        assert [targets[name].kind for name in IDS] == ["point", "yes_no", "yes_no", "yes_no"]
        assert targets["compatibility-000"].options == ("yes", "no")
        assert targets["context-000"].facts["polygon"][1] == [0.75, 0.2]
    by_id = {item.target.item_id: item for item in hub.items}
    for item in made.items:
        assert item.target == by_id[item.target.item_id].target
        assert item.prompt.parts[1] == by_id[item.target.item_id].prompt.parts[1]
        assert (
            item.prompt.pictures[0].read() == by_id[item.target.item_id].prompt.pictures[0].read()
        )


def test_a_model_gets_the_image_and_the_question_as_it_is(tmp_path):
    item = load(write_robospatial(tmp_path)).items[0]
    picture, question = item.prompt.parts
    assert question == QUESTIONS[0][1]
    assert picture.name == "images/img_context_0.png"
    assert picture.read() == png(5)


def test_questions_about_one_picture_are_a_cluster(tmp_path):
    clusters = [item.target.cluster for item in load(write_robospatial(tmp_path)).items]
    assert clusters[2] == clusters[3] != clusters[0]


def test_a_file_alone_is_enough(tmp_path):
    write_robospatial(tmp_path / "made")
    write_parquet(tmp_path / "hub")
    assert len(load(tmp_path / "made" / "annotations.json").items) == 4
    file = tmp_path / "hub" / "data" / "configuration-00000-of-00001.parquet"
    assert [item.target.item_id for item in load(file).items] == IDS[2:]


def test_other_numbers_of_items_than_published_are_told(tmp_path):
    notes = load(write_robospatial(tmp_path)).notes
    assert len(notes) == 1
    assert (
        "compatibility 1, configuration 2, context 1; published are compatibility 105" in notes[0]
    )


def test_entries_without_a_question_or_an_answer_are_left_out_and_told(tmp_path):
    loaded = load(broken(tmp_path, question=""))
    assert [item.target.item_id for item in loaded.items] == IDS[1:]
    assert any("left out: 1" in note for note in loaded.notes)


def test_a_question_that_is_asked_again_counts_and_is_told(tmp_path):
    loaded = load(write_robospatial(tmp_path, [*annotations(), annotations()[1]]))
    assert [item.target.item_id for item in loaded.items] == [*IDS, "compatibility-001"]
    assert any("asked again of the same picture: 1" in note for note in loaded.notes)


def test_an_outline_of_two_points_is_told_and_no_answer_is_right(tmp_path):
    loaded = load(broken(tmp_path, answer="[(0.1, 0.1), (0.9, 0.9)]", mask=None))
    assert any("less than 3 points: context-000" in note for note in loaded.notes)
    assert judged(loaded.items[0].target, "(0.5, 0.5)") == []


def test_a_release_without_masks_is_told(tmp_path):
    loaded = load(write_parquet(tmp_path, masks=False))
    assert any("1 of 1 outlines have no mask" in note for note in loaded.notes)
    target = next(item.target for item in loaded.items if item.target.kind == "point")
    assert "mask" not in target.facts
    assert judged(target, "(0.5, 0.4)") == ["official", "hull"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"category": None}, "entry 1: the field 'category' is missing"),
        ({"category": "contexts"}, "entry 1: unknown category 'contexts': did you mean 'context'?"),
        ({"img": None}, "entry 1: the field 'img' is missing"),
        ({"answer": "maybe"}, "'maybe' is neither yes nor no nor a list of points"),
        ({"answer": "[0.1, 0.2]"}, "'[0.1, 0.2]' is neither yes nor no nor a list of points"),
        ({"answer": "[(1e999, 0)]"}, "a point of the answer is not finite"),
        ({"answer": OUTLINE[:-1]}, "is neither yes nor no nor a list of points"),
        ({"answer": 7}, "entry 1: the field 'answer' is 7; it must hold text"),
        ({"mask": 7}, "entry 1: the field 'mask' is 7; it must hold text"),
        ({"mask": "annotations.json"}, "entry 1: the mask is not an image that can be read"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, changes, message):
    assert message in says(broken(tmp_path, **changes))


def test_a_missing_image_is_named_with_its_entry(tmp_path):
    folder = write_robospatial(tmp_path)
    (folder / "images" / "img_compatibility_1.png").unlink()
    pattern = r"entry 2: the image \S+img_compatibility_1\.png is missing, one of 1 of 5; keep the"
    assert re.search(pattern, says(folder))


def test_a_file_that_is_cut_or_something_else_is_named(tmp_path):
    folder = write_robospatial(tmp_path / "cut")
    text = (folder / "annotations.json").read_text()
    (folder / "annotations.json").write_text(text[:100])
    assert "annotations.json (" in says(folder)
    (folder / "annotations.json").write_text("[" * 9999)
    assert "annotations.json (" in says(folder)
    (folder / "annotations.json").write_text("{}")
    assert "a dict and not a list of questions" in says(folder)
    (folder / "annotations.json").write_text("[1]")
    assert "entry 1: a int and not an object" in says(folder)
    (folder / "annotations.json").write_text("[]")
    assert "no entry with a question" in says(folder)


def test_parquet_files_without_images_or_columns_are_named(tmp_path):
    folder = write_parquet(tmp_path)
    file = folder / "data" / "context-00000-of-00001.parquet"
    table = pq.read_table(file)
    pq.write_table(table.drop(["mask", "depth_image"]), file)
    assert len(load(folder).items) == 4
    pq.write_table(table.drop(["img"]), file)
    assert "no column img among category" in says(folder)
    empty = table["img"].to_pylist()
    empty[0]["bytes"] = None
    bare = pa.array(empty, table.schema.field("img").type)
    pq.write_table(table.drop(["img"]).append_column("img", bare), file)
    assert "entry 1: 'img' holds no image" in says(folder)
    file.write_bytes(b"PAR1")
    assert "context-00000-of-00001.parquet (" in says(folder)


def test_a_folder_without_the_benchmark_says_what_is_missing(tmp_path):
    assert "neither annotations.json nor parquet files are there" in says(tmp_path)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("[(0.5, 0.4)]", ["official", "hull", "mask-any"]),
        ("[(0.9, 0.1), (0.5, 0.4)]", ["mask-any"]),
        ('```json\n[{"point_2d": [500, 400]}]\n```', ["json1000"]),
        ("in the middle", []),
    ],
)
def test_scorers_differ_as_they_say(tmp_path, text, right):
    target = load(write_robospatial(tmp_path)).items[0].target
    assert judged(target, text) == right


def test_the_hull_takes_an_outline_whose_points_are_out_of_order(tmp_path):
    crossed = "[(0.25, 0.2), (0.75, 0.8), (0.75, 0.2), (0.25, 0.8)]"
    target = load(broken(tmp_path, answer=crossed)).items[0].target
    assert "official" not in judged(target, "(0.5, 0.25)")
    assert "hull" in judged(target, "(0.5, 0.25)")


def test_before_the_fix_a_vertical_edge_counted_from_everywhere(tmp_path):
    upright = "[(0.2, 0.3), (0.8, 0.3), (0.7, 0.9), (0.2, 0.9)]"
    target = load(broken(tmp_path, answer=upright, mask=None)).items[0].target
    assert judged(target, "(0.9, 0.6)") == ["official-pre-fix"]
    assert judged(target, "(0.5, 0.6)") == ["official", "hull"]


def test_what_was_read_is_told(tmp_path):
    point, fits, *_ = (item.target for item in load(write_robospatial(tmp_path)).items)
    official, mask = BENCHMARK.scorers["official"], BENCHMARK.scorers["mask-any"]
    assert official(point, "[(0.5, 0.4)]").parsed == "(0.5, 0.4)"
    assert official(point, "left").parsed is None
    assert mask(point, "[(0.9, 0.1), (0.5, 0.4)]").parsed == "(0.5, 0.4)"
    assert mask(point, "left").parsed is None
    assert official(fits, "No.").parsed == "no"
    assert official(fits, "**No**").parsed is None
    assert judged(fits, "Not sure") == list(BENCHMARK.scorers)


def test_targets_survive_json(tmp_path):
    target = load(write_robospatial(tmp_path)).items[0].target
    assert json.loads(json.dumps(target.facts)) == target.facts
