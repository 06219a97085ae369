"""MindCube-Tiny: where things are, asked over a few views of a scene with lettered options.

    loaded = load(Path("data"))  # the folder that data.zip unpacks to

The data is `data.zip` of MLL-Lab/MindCube on the Hugging Face hub: `raw/MindCube_tinybench.jsonl`
with `id`, `question` (options within, "A. Above B. Under"), `images` (relative to the folder),
`gt_answer` (a letter), `category`, `type`, `meta_info`; images in `other_all_image/`. The official
prompts are made by the official repository (mll-lab-nu/MindCube, scripts/generate_prompts.py) as
`prompts/general/MindCube_tinybench_raw_qa.jsonl`, the same lines with `input_prompt`. They are used
as they stand; without them the question is asked in our own words, and a note says so.

Rules are those of the official evaluation (src/evaluation): settings are read from the id, lines
without `gt_answer` are skipped, the overall accuracy is over all questions but those of the
translation setting. Images stand before the text, or where the prompt has `<image>`.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.benchmark import Benchmark, Loaded, Total
from xvr.evaluation.benchmarks.foreign import (
    check_files,
    count_notes,
    picture_of,
    revision_of,
    text_field,
)
from xvr.evaluation.benchmarks.letters import corrected_letter, official_letter
from xvr.evaluation.item import Item, Picture, Prompt, Target
from xvr.evaluation.score import Score

COUNTS = {"among": 600, "around": 250, "rotation": 200}
"""Items by setting (sgl-project/sgl-eval pull request 44; no translation in the release)."""
SETTINGS = ("around", "rotation", "translation", "among")
"""In the order in which the official evaluation looks for them in an id."""
_PROMPTS = PurePosixPath("prompts/general/MindCube_tinybench_raw_qa.jsonl")
_QUESTIONS = PurePosixPath("raw/MindCube_tinybench.jsonl")
_MARK = "<image>"
_ASKED = """\
The images show one scene from different viewpoints.

{question}

Give the one right option with its letter inside answer tags and write nothing else, in this form: \
<answer>A. Above</answer>
"""
_OWN_WORDS = (
    "asked in our own words, so numbers do not compare with published ones: the official prompts "
    f"({_PROMPTS}) are not there; make them with scripts/generate_prompts.py --task raw_qa of "
    "mll-lab-nu/MindCube"
)
_HINT = "unpack all of data.zip of MLL-Lab/MindCube and keep its folders"
_OPTION = re.compile(r"(?<![A-Za-z0-9])([A-Z])\.")


def load(path: Path) -> Loaded:
    """Read the questions of a folder that `data.zip` was unpacked to, or of one jsonl file.

    Raises:
        UserError: what is missing or wrong, in which line.
    """
    file = _find(path)
    lines = list(_read(file))
    answered = [(where, line) for where, line in lines if line.get("gt_answer")]
    if not answered:
        raise UserError(f"{file}: no line has a gt_answer; give MindCube_tinybench.jsonl")
    root = _image_root(file, answered[0][1])
    items = [_item(line, root, where) for where, line in answered]
    check_files(
        {root / name: where for where, line in answered for name in line["images"]}, hint=_HINT
    )
    unique = _with_unique_ids(items)
    told = {
        "lines without gt_answer are skipped, as officially": len(lines) - len(answered),
        "ids that come again got a number, as every line counts officially": sum(
            old is not new for old, new in zip(items, unique, strict=True)
        ),
    }
    notes = [*count_notes(items, COUNTS), *(f"{what}: {n}" for what, n in told.items() if n)]
    if not all("input_prompt" in line for _, line in answered):
        notes.append(_OWN_WORDS)
    return Loaded(items=tuple(unique), revision=revision_of([file]), notes=tuple(notes))


def setting_of(item_id: str) -> str | None:
    """The setting that an id names, such as `among` of `among_group693_q1_5_2`."""
    return next((setting for setting in SETTINGS if setting in item_id.lower()), None)


def options_of(question: str) -> tuple[str, ...]:
    """Letters of the options in a question: the longest run from A on, such as A, B, C."""
    best: list[str] = []
    run: list[str] = []
    for letter in _OPTION.findall(question):
        if letter == "A":
            run = []
        if ord(letter) - ord("A") == len(run):
            run.append(letter)
        best = max(best, list(run), key=len)
    return tuple(best)


def _find(path: Path) -> Path:
    if path.is_file():
        return path
    places = [folder / name for name in (_PROMPTS, _QUESTIONS) for folder in (path, path / "data")]
    for place in places:
        if place.is_file():
            return place
    raise UserError(
        f"{path} holds no MindCube-Tiny: neither {_PROMPTS} nor {_QUESTIONS} is there; download "
        "data.zip of https://huggingface.co/datasets/MLL-Lab/MindCube, unpack it, give its folder"
    )


def _read(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Objects of a jsonl file with where they stand; empty lines are passed over."""
    for number, text in enumerate(file.read_bytes().splitlines(), start=1):
        if not text.strip():
            continue
        where = f"{file}:{number}"
        try:
            line = json.loads(text.decode())
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: not a line of JSON ({error}); download it again") from error
        if not isinstance(line, dict):
            raise UserError(f"{where}: a {type(line).__name__} and not an object with a question")
        yield where, line


def _image_root(file: Path, line: Mapping[str, Any]) -> Path:
    """The nearest folder above a file from where its images are found."""
    names = line.get("images")
    first = names[0] if isinstance(names, list) and names else None
    if isinstance(first, str):
        for folder in file.absolute().parents[:4]:
            if (folder / first).is_file():
                return folder
    raise UserError(
        f"{file}: the image {first!r} of the first question is in no folder above; {_HINT}"
    )


def _item(line: Mapping[str, Any], root: Path, where: str) -> Item:
    item_id, question = text_field(line, "id", where), text_field(line, "question", where)
    setting = setting_of(item_id)
    if setting is None:
        raise UserError(
            f"{where}: the id {item_id!r} names no setting, one of {', '.join(SETTINGS)}"
        )
    images = line.get("images")
    if not isinstance(images, list) or not images or not all(isinstance(n, str) for n in images):
        raise UserError(f"{where}: 'images' is {images!r}; it must be a list of paths")
    options, answer = options_of(question), line["gt_answer"]
    if answer not in options:
        raise UserError(
            f"{where}: the answer {answer!r} is none of the options of the question "
            f"({', '.join(options) or 'none found'})"
        )
    text = line["input_prompt"] if "input_prompt" in line else _ASKED.format(question=question)
    if not isinstance(text, str):
        raise UserError(f"{where}: 'input_prompt' is {text!r}; it must hold text")
    parts = _parts(text, [picture_of(root / name, name) for name in images], where)
    target = Target(
        item_id=item_id,
        task=setting,
        kind="letter",
        answer=answer,
        options=options,
        cluster=str(PurePosixPath(images[0]).parent),
    )
    return Item(prompt=Prompt(item_id=item_id, parts=parts), target=target)


def _parts(text: str, pictures: list[Picture], where: str) -> tuple[str | Picture, ...]:
    """Images where the text has marks, else before it."""
    if _MARK not in text:
        return (*pictures, text)
    texts = text.split(_MARK)
    if len(texts) != len(pictures) + 1:
        raise UserError(f"{where}: {len(texts) - 1} marks {_MARK} for {len(pictures)} images")
    woven = [texts[0]]
    for picture, following in zip(pictures, texts[1:], strict=True):
        woven += [picture, following]
    return tuple(part for part in woven if part != "")


def _with_unique_ids(items: list[Item]) -> list[Item]:
    """An id that comes again gets a number: `among_1`, `among_1#2`."""
    seen: Counter[str] = Counter()
    unique = []
    for item in items:
        item_id = item.target.item_id
        seen[item_id] += 1
        unique.append(item if seen[item_id] == 1 else _renamed(item, f"{item_id}#{seen[item_id]}"))
    return unique


def _renamed(item: Item, item_id: str) -> Item:
    return Item(
        prompt=replace(item.prompt, item_id=item_id), target=replace(item.target, item_id=item_id)
    )


def _official(target: Target, text: str) -> Score:
    letter = official_letter(text)
    return Score(correct=letter == target.answer, parsed=letter)


def _corrected(target: Target, text: str) -> Score:
    letter = corrected_letter(text, target.options)
    return Score(correct=letter == target.answer, parsed=letter)


BENCHMARK = Benchmark(
    name="mindcube-tiny",
    load=load,
    scorers={"official": _official, "corrected": _corrected},
    totals=(
        Total(name="overall", mean="micro", without=("translation",)),
        Total(name="macro", mean="macro", without=("translation",)),
    ),
    counts=COUNTS,
)
