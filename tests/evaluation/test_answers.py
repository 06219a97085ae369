"""What is read out of an answer, pair by pair."""

import pytest
from asking import item

from xvr.evaluation.answers import lenient, strict

COLOR = item("c", options=("red", "green", "blue", "yellow", "purple"), answer="red").target
NUMBER = item("n", kind="image_number", options=("2", "3", "4"), answer="2").target
LETTER = item("l", kind="letter", options=("A", "B", "C", "D"), answer="A").target
YES_NO = item("y", kind="yes_no", options=("yes", "no"), answer="yes").target


@pytest.mark.parametrize(
    ("target", "text", "parsed"),
    [
        (COLOR, "red", "red"),
        (COLOR, " Red.\n", "red"),
        (COLOR, "**RED**", "red"),
        (COLOR, '"red"', "red"),
        (COLOR, "`red`", "red"),
        (COLOR, "<think>blue or green? green</think>\n\nred", "red"),
        (COLOR, "blue or green? green</think>red", "red"),
        (COLOR, "<think>red", None),
        (COLOR, "red dot", None),
        (COLOR, "redd", None),
        (COLOR, "orange", None),
        (COLOR, "", None),
        (COLOR, "...", None),
        (NUMBER, "2", "2"),
        (NUMBER, "(2)", "2"),
        (NUMBER, "2.", "2"),
        (NUMBER, "12", None),
        (NUMBER, "2.5", None),
        (NUMBER, "1", None),
        (NUMBER, "Image 2", None),
        (NUMBER, "two", None),
        (LETTER, "a", "A"),
        (LETTER, "(B)", "B"),
        (LETTER, "E", None),
        (YES_NO, "Yes.", "yes"),
        (YES_NO, "**no**", "no"),
        (YES_NO, "Nothing", None),
        (YES_NO, "yes, it fits", None),
    ],
)
def test_strict_takes_the_whole_answer_only(target, text, parsed):
    assert strict(target, text).parsed == parsed
    assert strict(target, text).correct == (parsed == target.answer)
    if parsed is not None:
        assert lenient(target, text).parsed == parsed


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("The red dot.", "red"),
        ("It's the red one", "red"),
        ("Answer: red", "red"),
        ("**Answer:** **red**", "red"),
        ("**Answer**: Red.", "red"),
        ("The answer is red.", "red"),
        ("The answer is: blue? No wait. The answer is red.", "red"),
        ("The answer is not red but blue", "blue"),
        ("The answer is not red or green but blue", "blue"),
        ("The answer is blue, not red.", "blue"),
        ("The answer is blue rather than red.", "blue"),
        ("The answer isn't red.", None),
        ("The answer is not red.", None),
        ("not red but blue", None),
        ("The answer is blue because the red dot is on the cup.", "blue"),
        ("The answer is blue. The red dot is on the cup.", "blue"),
        ("The answer is unclear. The red dot is on the cup.", None),
        ("The red dot is on the cup, the blue one is not.", None),
        ("The answer is orange.", None),
        ("The answer is Redmond blue-ish", "blue"),
        ("Inferred: the hatred answer", None),
        ('{"answer": "red"}', "red"),
        ('```json\n{"answer": "red", "reason": "the blue one is lower"}\n```', "red"),
        ("<answer>red</answer>", "red"),
        ("<answer>\n red \n</answer> because blue", "red"),
        ("<ANSWER>Red</ANSWER>", "red"),
        ("<think>The answer is blue.</think> The answer is red.", "red"),
        ("<think>The answer is blue.", None),
        ("$\\boxed{red}$", "red"),
        ("\\boxed{\\text{red}}", "red"),
        ("Final answer = red", "red"),
        ("I would choose red, as it is on the cup", "red"),
        ("The correct colour is red", "red"),
        ("The dots differ.\nIn the target, blue is left of green.\n\n**red**", "red"),
        ("red\n\nThe blue dot is elsewhere.", "red"),
        ("Answer with one colour: red, green, blue", None),
        ("1. red\n2. green\n3. blue", None),
        ("Error code: 429 - too many requests", None),
        ("", None),
    ],
)
def test_lenient_reads_the_colour_that_a_text_settles_on(text, parsed):
    assert lenient(COLOR, text).parsed == parsed


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Image 2", "2"),
        ("image 2.", "2"),
        ("**Image 2**", "2"),
        ("Image #2", "2"),
        ("Image number 2", "2"),
        ("image two", "2"),
        ("the second image", "2"),
        ("The 3rd image.", "3"),
        ("Two", "2"),
        ("Image 2 (Candidate)", "2"),
        ("Image 12", None),
        ("Image 1", None),
        ("Image 2.5", None),
        ("2 m", None),
        ("The answer is 12", None),
        ("The answer is Image 2.", "2"),
        ("The answer is image 2 of 4.", "2"),
        ("The answer is 2 out of 4.", "2"),
        ("Answer: 2 m to the left, so Image 3", "3"),
        ("Answer: 2", "2"),
        ("Answer: two", "2"),
        ("Answer: one of the others", None),
        ("Answer: 25%", None),
        ("Answer: 2/3", None),
        ("Answer: image 2, since image 3 shows the other side.", "2"),
        ("Answer: Image 2 shows it. Image 3 does not.", "2"),
        ("Image 3 looks right, Image 4 does not.", None),
        ('{"answer": 2}', "2"),
        ('{"answer": 2, "confidence": 3}', "2"),
        ("[LMMS_EVAL_REQUEST_FAILED after 4 retries] Error code: 429", None),
        ("Images 2, 3 and 4", None),
        ("<answer>Image 4</answer>", "4"),
        ("The image that matches is 2.\nFinal answer:\n\n3", "3"),
    ],
)
def test_lenient_reads_the_image_that_a_text_settles_on(text, parsed):
    assert lenient(NUMBER, text).parsed == parsed


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("Option B", "B"),
        ("Answer: b", "B"),
        ("Answer: (B) to the left by about 30 degrees", "B"),
        ("Answer: B: to the left", "B"),
        ("The answer is A.", "A"),
        ("The answer is A", "A"),
        ("The answer is A small turn to the left", None),
        ("A small turn", None),
        ("The answer is D, not C.", "D"),
        ("Don't know", None),
    ],
)
def test_lenient_reads_letters_and_not_articles(text, parsed):
    assert lenient(LETTER, text).parsed == parsed


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("The answer is yes, nothing is in the way", "yes"),
        ("Answer: no", "no"),
        ("Nothing is in the way", None),
        ("The answer is: it is not known", None),
        ("Not sure", None),
    ],
)
def test_lenient_reads_yes_and_no_as_words(text, parsed):
    assert lenient(YES_NO, text).parsed == parsed


@pytest.mark.parametrize("piece", ["a", "\n", "<think>", "answer is ", "image ", "not ", "1", " "])
def test_a_text_of_any_length_is_read_in_passing(piece):
    text = "Answer: image" + piece * 50_000
    assert lenient(NUMBER, text).parsed is None
    assert strict(NUMBER, text).parsed is None


def test_what_is_no_option_of_the_item_is_not_parsed():
    target = item("d", options=("red", "green"), answer="red").target
    assert lenient(target, "The answer is blue.").parsed is None
    assert strict(target, "blue").parsed is None


def test_a_point_is_left_to_scorers_of_its_own():
    target = item("p", kind="point", options=(), answer="").target
    assert lenient(target, "[(0.5, 0.5)]").parsed is None
    assert not strict(target, "").correct
