"""Reading an answer out of a text: the scorers `strict` and `lenient` of typed options.

`strict` takes the whole answer, case and surrounding punctuation aside: `**Yellow.**` is yellow,
but `Image 2` is not 2. `lenient` takes also, in this order:

1. a text that names one option and says nothing else, such as `Image 2` or `The red dot.`;
2. the last option named in the sentence after the last cue, such as `the answer is`, `"answer":`,
   `<answer>` or `I choose`, short of reasons (`because ...`) and of what is denied (`not red`);
3. a last or a first line of the first sort.

Nowhere else is an option looked for: a text that discusses the options answers with none of them.
Thinking within `<think>` is no part of an answer, nor is thinking that does not end.
"""

import re
from collections.abc import Callable, Iterator

from xvr.evaluation.item import AnswerKind, Target
from xvr.evaluation.score import Score

_THOUGHT_START = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_DECORATION = re.compile(r"[*_`~$]|(?<=\W)#(?=\d)|^#+ |</?(?:b|strong|em)>", re.MULTILINE)
_EDGES = " \t\r\n.,;:!?\"'`*_~#$()[]{}<>|\\“”‘’。"
_CUE = re.compile(
    r"<answer>|\\boxed\{"
    r"|\b(?:answer|choice|selection|conclusion)(?: to (?:the|this) question)?[\"')]*\s*"
    r"(?::|=|-+>?|→|\bis\b|\bwould be\b)"
    r"|\b(?:correct|right|best|chosen|selected) (?:image|camera|option|colou?r|dot|arrow|view|one)"
    r"(?: number)?[\"']?\s*(?::|\bis\b)"
    r"|\bI(?:'d| would|'ll| will)? (?:choose|pick|select|go with)\b",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?;](?=\s|$)|\n|</answer>|,\s*\"", re.IGNORECASE)
_REASON = re.compile(
    r"\b(?:because|since|as (?:it|its|the|this|they)|while|whereas|given|due to|which|where)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_DENIED = re.compile(
    r"\b(?:not|never|rather than|instead of|neither|nor|unlike|\w+n['’]t)\b.*?(?=\bbut\b|[,:]|$)",
    re.IGNORECASE | re.DOTALL,
)
_FILLERS = re.compile(
    r"(?:\W|\b(?:the|an?|it|is|its|s|that|this|image|view|picture|photo|camera|candidate|number|no"
    r"|option|choice|letter|colou?r|colou?red|dot|arrow|marker|point|one|answer|final)\b)*",
    re.IGNORECASE,
)
"""Words that a text may have around its one option and still say nothing else."""

_CARDINALS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6}
_IMAGE = re.compile(
    r"\b(?:images?|views?|pictures?|photos?)\s{0,3}(?:number|no\.?)?\s{0,3}[#:]?\s{0,3}"
    rf"(?P<after>\d{{1,3}}|{'|'.join(_CARDINALS)})(?![\w%°]|[.,]\d)"
    rf"|\b(?P<before>\d{{1,3}}(?=st|nd|rd|th)|{'|'.join(_ORDINALS)})(?:st|nd|rd|th)?"
    r" (?:image|view|picture|photo)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,/-])(?<!of )(?<!of the )(?P<after>\d{1,3})(?![\w%°/]|[.,-]\d)")
_LETTER = re.compile(r"(?<![\w'’])(?:A(?! [a-z])|[B-Z])(?![\w'’])")
_WORD = re.compile(r"\w+")


def strict(target: Target, text: str) -> Score:
    """Whether the whole answer is the right option."""
    return _score(target, _whole(target, _spoken(text)))


def lenient(target: Target, text: str) -> Score:
    """Whether the option that a text settles on is the right one."""
    return _score(target, _settled(target, _spoken(text)))


def _score(target: Target, parsed: str | None) -> Score:
    return Score(correct=parsed == target.answer, parsed=parsed)


def _spoken(text: str) -> str:
    """What follows the last thought; of one that does not end, what comes before it."""
    said = _THOUGHT_END.split(text)[-1]
    return _THOUGHT_START.split(said, maxsplit=1)[0].strip()


def _whole(target: Target, text: str) -> str | None:
    return _legal(target, text.strip(_EDGES))


def _settled(target: Target, text: str) -> str | None:
    """What a text answers, the surest reading first."""
    plain = _DECORATION.sub("", text)
    lines = [line for line in plain.splitlines() if line.strip()]
    return (
        _whole(target, text)
        or _alone(target, plain)
        or _after_cue(target, plain)
        or next(filter(None, (_alone(target, line) for line in (*lines[-1:], *lines[:1]))), None)
    )


def _alone(target: Target, text: str) -> str | None:
    """The option of a text that names one and says nothing else."""
    named = list(_MENTIONS[target.kind](target, text))
    options = {_legal(target, word) for _, word in named}
    rest = text
    for found, _ in reversed(named):
        rest = rest[: found.start()] + " " + rest[found.end() :]
    if len(options) != 1 or not _FILLERS.fullmatch(rest):
        return None
    return options.pop()


def _after_cue(target: Target, text: str) -> str | None:
    """The last option of the sentence after the last cue."""
    cues = list(_CUE.finditer(text))
    if not cues:
        return None
    after = text[cues[-1].end() :].lstrip(_EDGES)
    sentence = _SENTENCE_END.split(after, maxsplit=1)[0]
    if (whole := _whole(target, sentence)) is not None:
        return whole
    said = _DENIED.sub("", _REASON.sub("", sentence))
    named = (_legal(target, word) for _, word in _MENTIONS[target.kind](target, said))
    return next((option for option in reversed(list(named)) if option is not None), None)


def _legal(target: Target, word: str) -> str | None:
    return next((option for option in target.options if option.lower() == word.lower()), None)


_Mentions = Iterator[tuple[re.Match[str], str]]


def _numbers(target: Target, text: str) -> _Mentions:  # noqa: ARG001
    """Numbers of images; numbers alone only where no image is named, as `2 m left, image 3`."""
    named = list(_IMAGE.finditer(text)) or list(_NUMBER.finditer(text))
    for found in named:
        groups = found.groupdict()
        word = (groups["after"] or groups.get("before") or "").lower()
        number = _CARDINALS.get(word) or _ORDINALS.get(word) or int(word)
        yield found, str(number)
    if not named and (number := _CARDINALS.get(text.strip(_EDGES).lower())):
        yield from ((found, str(number)) for found in _WORD.finditer(text))


def _letters(target: Target, text: str) -> _Mentions:  # noqa: ARG001
    """Capitals that stand alone; `A` before a word is an article."""
    return ((found, found[0]) for found in _LETTER.finditer(text))


def _words(target: Target, text: str) -> _Mentions:
    """Words that are options."""
    return ((found, found[0]) for found in _WORD.finditer(text) if _legal(target, found[0]))


def _points(target: Target, text: str) -> _Mentions:  # noqa: ARG001
    """None: benchmarks that ask for points have scorers of their own."""
    return iter(())


_MENTIONS: dict[AnswerKind, Callable[[Target, str], _Mentions]] = {
    "image_number": _numbers,
    "color": _words,
    "letter": _letters,
    "yes_no": _words,
    "point": _points,
}
