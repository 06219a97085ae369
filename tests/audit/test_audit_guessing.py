import math

import numpy as np
import pytest

from xvr.audit.guessing import (
    Case,
    best_rule,
    halves,
    learned,
    lower_bound_95,
    majority,
    prior,
    words,
)


def cases(answers, *, options=4, texts=None, groups=None):
    return [
        Case(
            sample_id=f"s{i}",
            group=groups[i] if groups else f"g{i % 20}",
            images=4,
            options=tuple("abcdef"[:options]),
            answer=int(answer),
            text=texts[i] if texts else "which one",
        )
        for i, answer in enumerate(answers)
    ]


def random_cases(count=400, options=4, seed=0):
    rng = np.random.default_rng(seed)
    answers = np.arange(count) % options
    rng.shuffle(answers)
    return cases(answers, options=options), answers, rng


@pytest.mark.parametrize(("hits", "samples"), [(1, 3), (7, 10), (60, 200), (300, 1000), (10, 10)])
def test_the_lower_bound_leaves_five_percent_above(hits, samples):
    share = lower_bound_95(hits, samples)
    tail = sum(
        math.comb(samples, k) * share**k * (1 - share) ** (samples - k)
        for k in range(hits, samples + 1)
    )
    assert tail == pytest.approx(0.05, abs=1e-9)


def test_the_lower_bound_of_nothing_is_zero():
    assert lower_bound_95(0, 10) == 0.0


def test_halves_keep_keys_together_and_are_even():
    keys = [f"g{i // 10}" for i in range(200)]
    first = halves(keys)
    assert first.sum() == 100
    assert all(len({*first[i : i + 10]}) == 1 for i in range(0, 200, 10))


def test_majority_finds_a_frequent_answer():
    assert majority(cases([0] * 60 + [1] * 40)).mean() == 0.6


def test_a_prior_is_learned_on_the_other_half():
    rng = np.random.default_rng(0)
    assert prior(cases(rng.choice(4, 400, p=[0.7, 0.1, 0.1, 0.1]))).mean() > 0.6
    assert prior(random_cases()[0]).mean() < 0.32


def test_a_rule_finds_the_second_largest_and_stays_at_chance_without_a_cue():
    questions, answers, rng = random_cases()
    cues = rng.normal(size=(400, 4, 3))
    assert best_rule(questions, list(cues)).mean() == pytest.approx(0.25, abs=0.06)
    for i, answer in enumerate(answers):
        order = np.argsort(cues[i, :, 1])
        cues[i, [order[2], answer], 1] = cues[i, [answer, order[2]], 1]
    assert best_rule(questions, list(cues)).mean() == 1.0


def test_a_cue_that_never_differs_is_no_rule():
    questions = cases([0] * 100)
    assert best_rule(questions, [np.zeros((4, 1))] * 100).mean() == 0.0


def test_a_learned_choice_combines_weak_cues():
    questions, answers, rng = random_cases()
    cues = rng.normal(size=(400, 4, 4))
    assert learned(questions, list(cues)).mean() == pytest.approx(0.25, abs=0.08)
    cues[np.arange(400), answers] += 1.0
    combined = learned(questions, list(cues)).mean()
    assert combined > 0.6
    assert combined > best_rule(questions, list(cues)).mean() + 0.1


def test_words_that_give_the_answer_away_are_found():
    questions, answers, rng = random_cases()
    fillers = ["please look", "now choose", "tell which", "find it"]
    plain = [fillers[rng.integers(4)] for _ in answers]
    assert words(cases(answers, texts=plain)).mean() == pytest.approx(0.25, abs=0.08)
    leaking = [f"{fillers[(a + (rng.random() < 0.3)) % 4]} {i}" for i, a in enumerate(answers)]
    assert words(cases(answers, texts=leaking)).mean() > 0.6
    assert len(questions) == 400


def test_a_learned_guesser_weighs_by_how_much_an_option_is_ahead():
    """The right one of two is ahead by little or behind by much: its rank tells nothing."""
    found, answers, rng = random_cases(options=2)
    ahead = np.where(np.arange(len(answers)) % 2, 1.0, -3.0) + rng.normal(0, 0.3, len(answers))
    cues = []
    for answer, lead in zip(answers, ahead, strict=True):
        cue = np.zeros((2, 1))
        cue[answer] = lead
        cues.append(cue)
    assert best_rule(found, cues).mean() < 0.56
    assert learned(found, cues).mean() > 0.9
