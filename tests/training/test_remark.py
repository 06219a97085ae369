"""Questions drawn anew: still true, and drawn as their marks say."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from training_data import config

from toy import datasets
from xvr.engine.build import build
from xvr.errors import UserError
from xvr.tasks.draft import COLORS
from xvr.training.remark import OPTION_TASKS, Remarker, remarked
from xvr.training.samples import DataSpec, Source, open_source
from xvr.training.sft import train


@pytest.fixture(scope="module")
def clean(sources: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Source:
    """A dataset with unmarked images."""
    out = tmp_path_factory.mktemp("clean") / "dataset"
    built = datasets.config(*sources, tasks=OPTION_TASKS, keep_clean=True, valid_share=0.0)
    build(out, built)
    return open_source(DataSpec(path=out))


@pytest.mark.parametrize("options", [2, 3, 5])
def test_the_right_mark_stays_and_wrong_ones_are_left_out(clean: Source, options: int):
    rng = np.random.default_rng(0)
    for line in range(len(clean)):
        proof = clean.proof(line)
        assert proof is not None
        changed, named = remarked(proof, options, rng)
        target = len(proof.images)
        had = sum(m.image == target for m in proof.marks)
        shown = [m for m in changed.marks if m.image == target]
        assert len(shown) == len(named) == min(options, had)
        assert sorted(m.color for m in shown) == sorted(named)
        assert [color for color in COLORS if color in named] == named
        found = next(m for m in shown if m.color == changed.answer)
        was = next(m for m in proof.marks if m.image == target and m.color == proof.answer)
        assert (found.uv_px, found.uv_end_px) == (was.uv_px, was.uv_end_px)
        assert [option.value for option in changed.options if option.correct] == [changed.answer]


def test_all_colors_become_answers(clean: Source):
    proof = clean.proof(0)
    assert proof is not None
    rng = np.random.default_rng(0)
    answers = Counter(remarked(proof, 5, rng)[0].answer for _ in range(500))
    assert set(answers) == set(COLORS)
    assert min(answers.values()) > 60


def test_question_images_and_proof_say_the_same(clean: Source):
    remarker = Remarker([clean], {2: 1})
    example = clean.example(0)
    changed, images = remarker(example, clean, np.random.default_rng(3))
    proof, question = changed.proof, changed.prompt.parts[-1]
    assert proof is not None
    assert isinstance(question, str)
    named = [option.value for option in proof.options]
    assert all(color in question for color in named)
    assert not [color for color in COLORS if color not in named and color in question]
    for mark in proof.marks:
        u, v = mark.uv_end_px or mark.uv_px
        if mark.kind == "dot":
            strongest = int(images[mark.image - 1][int(v), int(u)].argmax())
            assert strongest in {"red": (0,), "green": (1,), "blue": (2,)}.get(
                mark.color, (0, 1, 2)
            )
    again = remarker(example, clean, np.random.default_rng(3))
    assert all(np.array_equal(a, b) for a, b in zip(images, again[1], strict=True))


def test_a_run_draws_marks_anew(clean: Source, tiny: Path, tmp_path: Path):
    train(config(clean.path, tiny, tmp_path / "run", options={2: 1, 5: 1}, steps=2))
    assert (tmp_path / "run/model/model.safetensors").exists()


def test_without_unmarked_images_it_is_refused(dataset: Path, tiny: Path, tmp_path: Path):
    only = {"task_weights": {"point_correspondence": 1000.0}}
    with pytest.raises(UserError, match="--keep-clean"):
        train(config(dataset, tiny, tmp_path / "run", options={2: 1}, steps=8, **only))
