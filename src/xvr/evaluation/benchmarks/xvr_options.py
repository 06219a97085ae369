"""What can be the answer of a sample without a proof, as its prompt and its task tell it.

The release has no column of options. Its published chance levels and figures tell the rules, one
for each task (docs/tasks.md). Early files of its authors give the labels in any order, describe the
centre image and number the second scenario from 1 again (repo SChaeck/eagle2-2b-finetuning,
multitask_test_dataset.jsonl).
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from xvr.dataset.record import ImageBlock, Sample, TextBlock
from xvr.tasks.draft import COLORS, LETTERS

_LABEL = re.compile(r"(?:^|\n)\s*Image (\d+)\b([^\n]*)\s*$")
_SCENARIO = re.compile(r"^\s*Scenario 2\b", re.MULTILINE)
_LISTED = re.compile(r"\bImages ((?:\d+, )*\d+,? (?:and|or|to) \d+|(?:\d+, )+\d+)\b")
_SPELLED = re.compile(r"\b([A-F]): [^;.]+")
_DIRECTION_OPTIONS, _SIDES = 4, 2


class _Label(NamedTuple):
    """What stands before an image."""

    number: str
    rest: str
    """What follows `Image 1`, such as ` (Candidate):`."""
    second_scenario: bool


def options_of(sample: Sample, task: str) -> tuple[tuple[str, ...], bool]:
    """The options, and whether they are told.

    Where they are not, or the answer is none of them, they are assumed to be all images of the
    sample, or all colours.
    """
    find, widest = _RULES.get(task, (_listed, _all_images))
    options = find(sample)
    if len(options) > 1 and sample.ground_truth_answer in options:
        return options, True
    return widest(sample), False


def _all_colors(sample: Sample) -> tuple[str, ...]:  # noqa: ARG001
    return COLORS


def _asked_colors(sample: Sample) -> tuple[str, ...]:
    """The four colours that the last text names; a release may not name them."""
    named = re.findall(r"[a-z]+", _question(sample).lower())
    colors = tuple(color for color in COLORS if color in named)
    return colors if len(colors) == _DIRECTION_OPTIONS else ()


def _all_images(sample: Sample) -> tuple[str, ...]:
    return _numbers(sample, lambda label: True)  # noqa: ARG005


def _candidates(sample: Sample) -> tuple[str, ...]:
    """Viewpoints: images labelled so, or those beside the ones labelled as references."""
    named = _numbers(sample, lambda label: "candidate" in label.rest.lower())
    others = _numbers(sample, lambda label: "reference" not in label.rest.lower())
    return named or (others if others != _all_images(sample) else ())


def _sides(sample: Sample) -> tuple[str, ...]:
    """Directional views: all but the centre image, which may come anywhere."""
    undescribed = _undescribed(sample)
    return undescribed if len(undescribed) == _SIDES else _all_images(sample)[1:]


def _second_scenario(sample: Sample) -> tuple[str, ...]:
    return _numbers(sample, lambda label: label.second_scenario)


def _undescribed(sample: Sample) -> tuple[str, ...]:
    """Images whose label has no description of the camera."""
    return _numbers(sample, lambda label: not label.rest.strip(" :"))


def _listed(sample: Sample) -> tuple[str, ...]:
    """The images that the question lists, such as `Images 2, 3, 4` or `Images 2 and 3`."""
    found = _LISTED.search(_question(sample))
    if found is None:
        return ()
    numbers = re.findall(r"\d+", found[1])
    if " to " in found[1]:
        return tuple(str(number) for number in range(int(numbers[0]), int(numbers[-1]) + 1))
    return tuple(numbers)


def _all_letters(sample: Sample) -> tuple[str, ...]:  # noqa: ARG001
    return LETTERS


def _letters(sample: Sample) -> tuple[str, ...]:
    return tuple(_SPELLED.findall(_question(sample)))


_Find = Callable[[Sample], tuple[str, ...]]
_RULES: dict[str, tuple[_Find, _Find]] = {
    "point_correspondence": (_all_colors, _all_colors),
    "directional_correspondence": (_asked_colors, _all_colors),
    "spatial_verification": (_all_images, _all_images),
    "temporal_verification": (_all_images, _all_images),
    "viewpoint_localization": (_candidates, _all_images),
    "directional_view_localization": (_sides, _all_images),
    "cross_scenario_localization": (_second_scenario, _all_images),
    "language_conditioned_localization": (_undescribed, _all_images),
    "relative_pose": (_letters, _all_letters),
    "temporal_order": (_letters, _all_letters),
}
"""Of each task, how its options are told, and what they are where they are not; other tasks list
the images in the question."""


def _numbers(sample: Sample, is_option: Callable[[_Label], bool]) -> tuple[str, ...]:
    numbers = [label.number for label in _labels(sample) if is_option(label)]
    return tuple(dict.fromkeys(numbers))


def _labels(sample: Sample) -> Sequence[_Label]:
    """The label of every image; an image without one is known by its place."""
    labels: list[_Label] = []
    second = False
    for block, following in pairwise([TextBlock(text=""), *sample.prompt_blocks]):
        if isinstance(block, TextBlock) and _SCENARIO.search(block.text):
            second = True
        if not isinstance(following, ImageBlock):
            continue
        found = _LABEL.search(block.text) if isinstance(block, TextBlock) else None
        number, rest = (found[1], found[2]) if found else (str(len(labels) + 1), "")
        labels.append(_Label(number, rest, second))
    return labels


def _question(sample: Sample) -> str:
    """The last text of the prompt."""
    return next((b.text for b in reversed(sample.prompt_blocks) if isinstance(b, TextBlock)), "")
