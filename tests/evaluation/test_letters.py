import json
from pathlib import Path

import pytest

from xvr.evaluation.benchmarks.letters import corrected_letter, official_letter

GOLDEN = json.loads((Path(__file__).parent / "golden" / "mindcube_letters.json").read_text())
FOUR = ("A", "B", "C", "D")


@pytest.mark.parametrize(("text", "letter"), GOLDEN, ids=lambda value: ascii(value)[:30])
def test_the_official_evaluator_reads_the_same(text, letter):
    assert official_letter(text) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("<think>Option A. is wrong, C. is wrong</think><answer>B</answer>", "B"),
        ("A. or B.?</think>So it is <answer>d. Behind</answer>", "D"),
        ("<THINK>A. is right", None),
        ("A cup is left of the door, so the answer is C", "C"),
        ("answer: b", "B"),
        ("The answer is a cup", None),
        ("The answer is a.", "A"),
        ("**Answer:** (C)", "C"),
        ("The correct option is option B because A is nearer", "B"),
        ("first the answer is A, no, the answer is D", "D"),
        ("<answer>A</answer> no, <Answer>B. Under</Answer>", "B"),
        ("<answer>C", "C"),
        ("<answer></answer>", None),
        ("<answer>A cup</answer>", None),
        ("b", "B"),
        ("(b)", "B"),
        ("**C**", "C"),
        ("C. The red chair", "C"),
        ("a) left", "A"),
        ("D\nBecause it is far.", "D"),
        ("I would say B, as it is near", "B"),
        ("\\boxed{D}", "D"),
        ("A. is wrong\nB. is right", None),
        ("Between A, B and C", None),
        ("e.g. the lamp", None),
        ("E", None),
        ("the answer is E", None),
        ("Error during inference: CUDA. x", None),
        ("", None),
        ("no idea", None),
    ],
)
def test_the_corrected_reading_believes_the_answer_before_the_reasoning(text, letter):
    assert corrected_letter(text, FOUR) == letter


def test_a_letter_is_read_only_where_it_is_an_option():
    assert corrected_letter("C", ("A", "B")) is None
    assert corrected_letter("E", ("A", "B", "C", "D", "E")) == "E"
