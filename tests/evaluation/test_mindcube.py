import json

import pytest
from write_mindcube import QUESTIONS, line_of, lines, write_lines, write_mindcube, write_prompts

from xvr.errors import UserError
from xvr.evaluation.benchmarks.mindcube import BENCHMARK, load, options_of, setting_of
from xvr.evaluation.item import Picture

AMONG = "among_group001_q1_2_1"


def broken(tmp_path, **changes):
    """The release with the first line changed; None takes the field away."""
    first = {key: value for key, value in (line_of(AMONG) | changes).items() if value is not None}
    return write_mindcube(tmp_path, [first, *lines()[1:]])


def says(data):
    with pytest.raises(UserError) as caught:
        load(data)
    return str(caught.value)


def test_questions_are_read_from_where_the_archive_was_unpacked(tmp_path):
    data = write_mindcube(tmp_path)
    loaded = load(data)
    targets = {item.target.item_id: item.target for item in loaded.items}
    assert list(targets) == list(QUESTIONS)
    assert {key: target.answer for key, target in targets.items()} == {
        key: answer for key, (_, answer, _) in QUESTIONS.items()
    }
    assert [target.task for target in targets.values()] == [
        "among",
        "around",
        "rotation",
        "translation",
    ]
    assert targets[AMONG].options == ("A", "B", "C", "D")
    assert targets[AMONG].cluster == "other_all_image/among/scene_7"
    assert {target.kind for target in targets.values()} == {"letter"}


@pytest.mark.parametrize("place", [".", "data", "data/raw/MindCube_tinybench.jsonl"])
def test_the_folder_above_the_folder_and_the_file_give_the_same(tmp_path, place):
    data = write_mindcube(tmp_path)
    found, loaded = load(tmp_path / place), load(data)
    assert found.revision == loaded.revision
    assert [item.target for item in found.items] == [item.target for item in loaded.items]


def test_images_stand_before_the_text_and_are_read_when_asked_for(tmp_path):
    data = write_mindcube(tmp_path)
    prompt = load(data).items[0].prompt
    assert [isinstance(part, Picture) for part in prompt.parts] == [True] * 4 + [False]
    names = line_of(AMONG)["images"]
    assert [picture.name for picture in prompt.pictures] == names
    assert prompt.pictures[1].read() == (data / names[1]).read_bytes()
    (data / names[1]).unlink()
    with pytest.raises(UserError, match=r"cannot read the image .*view_2\.png: No such file"):
        prompt.pictures[1].read()


def test_official_prompts_are_used_word_by_word(tmp_path):
    data = write_mindcube(tmp_path)
    assert any("own words" in note for note in load(data).notes)
    write_prompts(data, "Look.\n[Question]\n{question}")
    loaded = load(data)
    assert not any("own words" in note for note in loaded.notes)
    assert loaded.items[0].prompt.parts[-1] == f"Look.\n[Question]\n{QUESTIONS[AMONG][0]}"


def test_marks_keep_images_where_the_prompt_has_them(tmp_path):
    data = write_mindcube(tmp_path)
    marked = line_of(AMONG) | {"input_prompt": "One <image> two <image><image> and <image>"}
    write_lines(data / "raw" / "MindCube_tinybench.jsonl", [marked])
    parts = load(data).items[0].prompt.parts
    shown = ["#" if isinstance(part, Picture) else part for part in parts]
    assert shown == ["One ", "#", " two ", "#", "#", " and ", "#"]
    write_lines(
        data / "raw" / "MindCube_tinybench.jsonl", [marked | {"images": marked["images"][:3]}]
    )
    assert "MindCube_tinybench.jsonl:1: 4 marks <image> for 3 images" in says(data)


def test_lines_without_an_answer_are_skipped_and_told(tmp_path):
    loaded = load(broken(tmp_path, gt_answer=None))
    assert len(loaded.items) == 3
    assert any("without gt_answer are skipped, as officially: 1" in note for note in loaded.notes)


def test_other_numbers_of_items_than_published_are_told(tmp_path):
    notes = load(write_mindcube(tmp_path)).notes
    assert any(
        "among 1, around 1, rotation 1, translation 1; published are among 600" in n for n in notes
    )


def test_an_id_that_comes_again_is_kept_under_a_name_of_its_own(tmp_path):
    data = write_mindcube(tmp_path, [*lines(), line_of(AMONG)])
    loaded = load(data)
    ids = [item.prompt.item_id for item in loaded.items]
    assert ids == [*QUESTIONS, f"{AMONG}#2"]
    assert [item.target.item_id for item in loaded.items] == ids
    assert any("got a number" in note and note.endswith(": 1") for note in loaded.notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"question": None}, "jsonl:1: the field 'question' is missing; it must hold text"),
        ({"id": " "}, "jsonl:1: the field 'id' is ' '"),
        ({"id": "sideways_1"}, "'sideways_1' names no setting, one of around, rotation"),
        ({"gt_answer": "E"}, "the answer 'E' is none of the options of the question (A, B, C, D)"),
        ({"question": "What is left?"}, "none of the options of the question (none found)"),
        ({"images": []}, "'images' is []; it must be a list of paths"),
        ({"images": "a.png"}, "'images' is 'a.png'; it must be a list of paths"),
        ({"input_prompt": 3}, "'input_prompt' is 3; it must hold text"),
    ],
)
def test_a_wrong_line_is_named(tmp_path, changes, message):
    data = broken(tmp_path, **changes)
    if "images" in changes:  # the first line also tells where the images are
        file = data / "raw" / "MindCube_tinybench.jsonl"
        write_lines(file, [lines()[1], line_of(AMONG) | changes])
        message = message.replace("jsonl:1", "jsonl:2")
    assert message in says(data)


def test_a_missing_image_is_named_with_its_line(tmp_path):
    data = write_mindcube(tmp_path)
    gone = data / lines()[2]["images"][1]
    gone.unlink()
    message = says(data)
    assert f"MindCube_tinybench.jsonl:3: the image {gone} is missing, one of 1 of 11" in message
    assert "unpack all of data.zip" in message


def test_questions_without_their_images_are_told_apart_from_one_missing_image(tmp_path):
    data = write_mindcube(tmp_path)
    (data / "other_all_image").rename(tmp_path / "elsewhere")
    assert "of the first question is in no folder above; unpack all" in says(data)


@pytest.mark.parametrize("cut", [b'{"id": "among', b"[1, 2]", b"\xff", b"[" * 9999])
def test_a_line_that_is_no_object_is_named(tmp_path, cut):
    data = write_mindcube(tmp_path)
    with (data / "raw" / "MindCube_tinybench.jsonl").open("ab") as file:
        file.write(b"\n" + cut)
    assert "MindCube_tinybench.jsonl:6: " in says(data)


def test_a_folder_without_questions_says_where_to_get_them(tmp_path):
    assert "huggingface.co/datasets/MLL-Lab/MindCube" in says(tmp_path)
    (tmp_path / "empty.jsonl").write_text("\n")
    assert "no line has a gt_answer" in says(tmp_path / "empty.jsonl")


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Where? A. Above B. Under C. Front D. Behind", "ABCD"),
        ("Where?\nA. Above\nB. Under", "AB"),
        ("In image A. or B.: where? A.Cup B.Door C.Vitamin bottle", "ABC"),
        ("In the U.S. where? A. Here B. There", "AB"),
        ("Where? B. Under C. Front", ""),
    ],
)
def test_options_are_the_longest_run_of_letters(question, options):
    assert "".join(options_of(question)) == options


def test_settings_are_looked_for_in_the_official_order():
    assert setting_of("Among_around_1") == "around"
    assert setting_of("rotation_among") == "rotation"
    assert setting_of("x") is None


def test_scorers_differ_where_the_official_one_reads_the_reasoning(tmp_path):
    target = load(write_mindcube(tmp_path)).items[0].target
    text = "<think>A. is wrong</think><answer>C</answer>"
    official, corrected = (scorer(target, text) for scorer in BENCHMARK.scorers.values())
    assert (official.correct, official.parsed) == (False, "A")
    assert (corrected.correct, corrected.parsed) == (True, "C")
    assert BENCHMARK.scorers["official"](target, "C. Lamp").correct
    assert BENCHMARK.scorers["official"](target, "no idea").parsed is None


def test_totals_leave_the_translation_setting_out():
    assert {total.name: (total.mean, total.without) for total in BENCHMARK.totals} == {
        "overall": ("micro", ("translation",)),
        "macro": ("macro", ("translation",)),
    }


def test_targets_are_json(tmp_path):
    for item in load(write_mindcube(tmp_path)).items:
        assert json.loads(json.dumps(item.target.facts)) == item.target.facts
