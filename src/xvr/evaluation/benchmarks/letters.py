"""Reading the letter of an option from an answer, as MindCube does and as it should be done.

`official_letter` follows the released evaluator, faults included, so that numbers compare: repo
mll-lab-nu/MindCube, src/evaluation/core/extractors.py `extract_answer` at commit 8650074. There the
first rule that matches wins, and within a rule the last match. A letter with a dot anywhere goes
before everything else, also in the reasoning ("A. is wrong ... <answer>B</answer>" reads A). The
tag is searched as `<Answer>`, which the prompts do not ask for. Rules that an earlier one always
forestalls are left out here.

`corrected_letter` believes the answer before the reasoning.
"""

import re

_DOTTED = re.compile(r"([A-E])\.")
_TAGGED = re.compile(r"<Answer>([^<]*)")
_IN_TAG = (
    re.compile(r"[Mm]y answer is ([A-E])"),
    re.compile(r"[Tt]he answer is ([A-E])"),
    re.compile(r"\b([A-E])\b"),
)
_ANYWHERE = (
    re.compile(r"([A-E])(?=\s|\Z)"),
    re.compile(r'[*"]([A-E])[*"]'),
    re.compile(r"\bAnswer:?\s*([A-E])\b"),
    re.compile(r"[Mm]y answer is ([A-E])"),
    re.compile(r"answer is ([A-E])"),
)
_LONE = re.compile(r"\b([A-E])\b")

_THOUGHT = re.compile(r"\A.*</think>|<think>.*\Z", re.DOTALL | re.IGNORECASE)
_ANSWER_TAG = re.compile(r"<answer>(.*?)(?=</?answer>|\Z)", re.DOTALL | re.IGNORECASE)
_WHOLE = re.compile(r"\W*(?:option\s+)?([A-Z])(?:\W*|\s*[.:)](?:\s.*)?)", re.DOTALL | re.IGNORECASE)
_CUE = re.compile(
    r"\b(?i:answer|option|choice)\b[\s*_\"']*(?i:is|:|=)[\s*_:\"'(\[{]*(?i:option\s+)?"
    r"([A-Z]\b|[a-z](?=[^\w\s]|\s*(?:\n|\Z)))"
)
"""A small letter counts only where nothing but punctuation follows: "the answer is a cup"."""
_STANDING = re.compile(r"\b([B-Z]|A(?!\s+[a-z]))\b(?!')")
"""A capital letter that is a word, the article left out."""


def official_letter(text: str) -> str | None:
    """The letter from A to E that the official evaluator reads; None where it finds none."""
    if dotted := _DOTTED.findall(text):
        return dotted[-1]
    if tagged := _TAGGED.search(text):
        for rule in _IN_TAG:
            if found := rule.findall(tagged[1]):
                return found[-1]
    for rule in _ANYWHERE:
        if found := rule.findall(text):
            return found[-1]
    lines = (_LONE.search(line) for line in reversed(text.split("\n")))
    return next((match[1] for match in lines if match), None)


def corrected_letter(text: str, options: tuple[str, ...]) -> str | None:
    """The letter that an answer settles on; None where it does not.

    What is thought is not the answer: everything up to the last `</think>` is dropped, and all from
    a `<think>` that never ends. Then the last `<answer>` tag in any case, or else the whole text,
    is read by the first rule that finds a letter of the options: it is one letter, alone or in
    front of its text; the last cue such as "answer is"; the only capital letter standing alone.

    Args:
        text: the answer.
        options: legal letters.
    """
    text = _THOUGHT.sub("", text)
    if tags := _ANSWER_TAG.findall(text):
        text = tags[-1]
    if (whole := _WHOLE.fullmatch(text)) and whole[1].upper() in options:
        standing = {letter for letter in _STANDING.findall(text) if letter in options}
        if standing <= {whole[1].upper()}:
            return whole[1].upper()
    cued = [letter.upper() for letter in _CUE.findall(text) if letter.upper() in options]
    if cued:
        return cued[-1]
    standing = {letter for letter in _STANDING.findall(text) if letter in options}
    return standing.pop() if len(standing) == 1 else None
