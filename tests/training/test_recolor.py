"""Other colours, and grey in place of images: what a training run shows its model."""

from pathlib import Path

import numpy as np
import pytest
from training_data import QUICK, config

from xvr.errors import UserError
from xvr.training.recolor import is_marked, recolored
from xvr.training.samples import DataSpec, open_source
from xvr.training.seen import first_batch


def test_what_has_one_color_in_two_views_still_has_one():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    changed = recolored([first, first[::-1, :5]], np.random.default_rng(1))
    assert np.array_equal(changed[0][::-1, :5], changed[1])
    assert not np.array_equal(changed[0], first)
    again = recolored([first, first[::-1, :5]], np.random.default_rng(1))
    assert all(np.array_equal(a, b) for a, b in zip(changed, again, strict=True))


def test_brighter_stays_brighter():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(20):
        (changed,) = recolored([ramp], np.random.default_rng(seed))
        assert (np.diff(changed[0].astype(int), axis=0) >= 0).all()
        assert (changed[0, 200].astype(int) > changed[0, 30]).all()


def test_questions_with_marks_keep_their_colors(dataset: Path):
    source = open_source(DataSpec(path=dataset))
    for line in range(len(source)):
        example = source.example(line)
        proof = source.proof(line)
        assert proof is not None
        assert is_marked(example, source) == bool(proof.marks)
        assert bool(proof.marks) == (proof.domain == "general")


def test_all_but_the_last_image_are_grey_for_the_control(dataset: Path, tiny: Path, tmp_path: Path):
    shown = first_batch(config(dataset, tiny, tmp_path / "run", blanked=True), print)
    for sample in shown.samples:
        *others, last = sample.images
        assert others
        assert all(np.ptp(image.pixels) == 0 for image in others)
        assert np.ptp(last.pixels) > 0


@pytest.mark.parametrize("options", [{1: 1}, {2: 0}])
def test_options_that_make_no_question_are_refused(options: dict[int, float]):
    with pytest.raises(UserError, match="options are"):
        type(QUICK)(**vars(QUICK) | {"options": options})
