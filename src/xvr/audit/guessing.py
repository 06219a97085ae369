"""Learners that guess from little, scored without fooling themselves, and an exact bound.

Whatever a cheater learns or chooses, it learns on one half of the samples and is scored on the
other, both ways round; halves follow a hash of the sample id, or of the scene for text.
"""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

Half = Bool[np.ndarray, " _"]
Hits = Bool[np.ndarray, " _"]
Cues = Float[np.ndarray, "_ _"]
"""One row per option, one column per cue; questions differ in their number of options."""

LOGIT_STEPS = 150
LOGIT_RATE = 0.5
LOGIT_DECAY = 0.01
SIZE_LIMIT = 3.0
"""What is further off than so many times the usual counts no more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """One question as a guesser sees it."""

    sample_id: str
    group: str
    """Scene or episode."""
    images: int
    options: tuple[str, ...]
    answer: int
    """Index of the right option."""
    text: str


def halves(keys: Sequence[str]) -> Half:
    """A split in two that keeps equal keys together; by position when there is only one key."""
    sizes = Counter(keys)
    if len(sizes) == 1:
        return np.arange(len(keys)) % 2 == 0
    ordered = sorted(sizes, key=lambda key: hashlib.sha256(key.encode()).digest())
    first: set[str] = set()
    lead = 0
    for key in ordered:
        if lead <= 0:
            first.add(key)
        lead += sizes[key] if key in first else -sizes[key]
    return np.array([key in first for key in keys])


def majority(cases: Sequence[Case]) -> Hits:
    """Always the most frequent answer among questions with as many options."""
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for case in cases:
        counts[len(case.options)][case.answer] += 1
    guess = {size: count.most_common(1)[0][0] for size, count in counts.items()}
    return np.array([guess[len(case.options)] == case.answer for case in cases])


def prior(cases: Sequence[Case]) -> Hits:
    """The most frequent answer of the other half, for as many images and options."""

    def train_and_test(train: np.ndarray, test: np.ndarray) -> Hits:
        counts: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
        for number in train:
            case = cases[number]
            counts[case.images, len(case.options)][case.answer] += 1
        guesses = {key: count.most_common(1)[0][0] for key, count in counts.items()}
        return np.array(
            [
                guesses.get((cases[i].images, len(cases[i].options)), 0) == cases[i].answer
                for i in test
            ],
            dtype=bool,
        )

    return cross_validated(halves([case.sample_id for case in cases]), train_and_test)


def best_rule(cases: Sequence[Case], cues: Sequence[Cues]) -> Hits:
    """The option with the smallest, second, second largest or largest value of one cue.

    Which cue and which of the four ranks is chosen on the other half.
    """
    hits = np.stack(
        [_rank_hits(case, cue) for case, cue in zip(cases, cues, strict=True)]
    )  # (n, f * 4)

    def train_and_test(train: np.ndarray, test: np.ndarray) -> Hits:
        return hits[test, hits[train].mean(axis=0).argmax()]

    return cross_validated(halves([case.sample_id for case in cases]), train_and_test)


def learned(cases: Sequence[Case], cues: Sequence[Cues]) -> Hits:
    """A logistic choice between options from their cues, their ranks, their squares and their size.

    Conditional logit (McFadden 1974): the score of an option is linear in its features, the
    softmax over the options of a question is its probability.
    """
    most = max(len(case.options) for case in cases)
    spread = [
        np.concatenate([_spread(cue), size], axis=1)
        for cue, size in zip(cues, _sizes(cues), strict=True)
    ]
    features = np.stack([_padded(rows, most) for rows in spread])  # (n, k, f)
    present = np.array([np.arange(most) < len(case.options) for case in cases])
    answers = np.array([case.answer for case in cases])

    def train_and_test(train: np.ndarray, test: np.ndarray) -> Hits:
        weights = _fit_choice(features[train], present[train], answers[train])
        scores = np.where(present[test], features[test] @ weights, -np.inf)
        return scores.argmax(axis=1) == answers[test]

    return cross_validated(halves([case.sample_id for case in cases]), train_and_test)


def words(cases: Sequence[Case]) -> Hits:
    """Naive Bayes on the presence of words and pairs of words, halves by scene."""
    bags = [_bag(case.text) for case in cases]

    def train_and_test(train: np.ndarray, test: np.ndarray) -> Hits:
        number = {word: i for i, word in enumerate(sorted({w for i in train for w in bags[i]}))}
        values = sorted({option for i in train for option in cases[i].options})
        column = {value: i for i, value in enumerate(values)}
        present = np.ones((len(values), len(number)))  # one of each seen: Laplace's smoothing
        totals = np.full(len(values), 2.0)
        for i in train:
            row = column[cases[i].options[cases[i].answer]]
            present[row, [number[word] for word in bags[i]]] += 1
            totals[row] += 1
        log_odds = np.log(present / totals[:, None]) - np.log1p(-present / totals[:, None])
        base = np.log1p(-present / totals[:, None]).sum(axis=1) + np.log(totals)
        hits = []
        for i in test:
            seen = [number[word] for word in bags[i] if word in number]
            score = base + log_odds[:, seen].sum(axis=1)
            options = [score[column[x]] if x in column else -np.inf for x in cases[i].options]
            hits.append(int(np.argmax(options)) == cases[i].answer)
        return np.array(hits, dtype=bool)

    return cross_validated(halves([case.group for case in cases]), train_and_test)


def cross_validated(first: Half, train_and_test: Callable[[np.ndarray, np.ndarray], Hits]) -> Hits:
    """Hits of every sample, each tested with what was learned on the other half."""
    hits = np.zeros(len(first), dtype=bool)
    for test in (first, ~first):
        if test.any() and not test.all():
            hits[test] = train_and_test(np.flatnonzero(~test), np.flatnonzero(test))
    return hits


def lower_bound_95(hits: int, samples: int) -> float:
    """Exact one-sided 95 % lower bound of a share (Clopper and Pearson 1934), by bisection."""
    if hits == 0:
        return 0.0
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, samples + 1)))])
    counts = np.arange(hits, samples + 1)
    log_ways = log_factorials[samples] - log_factorials[counts] - log_factorials[samples - counts]
    low, high = 0.0, hits / samples
    for _ in range(60):
        share = (low + high) / 2
        terms = log_ways + counts * np.log(share) + (samples - counts) * np.log1p(-share)
        if np.exp(terms).sum() > 0.05:
            high = share
        else:
            low = share
    return low


def _rank_hits(case: Case, cue: Float[np.ndarray, "k f"]) -> Bool[np.ndarray, " r"]:
    order = np.argsort(cue, axis=0, kind="stable")  # (k, f), NaN last
    last = len(cue) - 1
    picked = order[[0, 1, last - 1, last]]  # (4, f)
    tied = np.ptp(np.nan_to_num(cue), axis=0) == 0  # a cue that is the same for all tells nothing
    return ((picked == case.answer) & ~tied).ravel()


def _spread(cue: Float[np.ndarray, "k f"]) -> Float[np.ndarray, "k g"]:
    """Values scaled within the question, their ranks, and squares of both."""
    filled = _filled(cue)
    scaled = (filled - filled.mean(axis=0)) / (filled.std(axis=0) + 1e-9)
    below = (filled[None] < filled[:, None]).sum(axis=1)
    equal = (filled[None] == filled[:, None]).sum(axis=1)
    ranks = (below + (equal - 1) / 2) / max(len(cue) - 1, 1) - 0.5
    return np.concatenate([scaled, ranks, scaled**2, ranks**2], axis=1)


def _sizes(cues: Sequence[Cues]) -> list[Float[np.ndarray, "k f"]]:
    """By how much each option is above the mean of its question, in what is usual."""
    above = [_filled(cue) - _filled(cue).mean(axis=0) for cue in cues]
    usual = np.sqrt(np.mean([(rows**2).mean(axis=0) for rows in above], axis=0)) + 1e-9
    return [np.clip(rows / usual, -SIZE_LIMIT, SIZE_LIMIT) for rows in above]


def _filled(cue: Float[np.ndarray, "k f"]) -> Float[np.ndarray, "k f"]:
    """Cues with the mean of the others where one is missing."""
    return np.where(np.isfinite(cue), cue, np.nanmean(np.where(np.isfinite(cue), cue, 0), axis=0))


def _padded(values: np.ndarray, rows: int) -> np.ndarray:
    return np.pad(values, ((0, rows - len(values)), (0, 0)))


def _fit_choice(features: np.ndarray, present: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Weights of the conditional logit by gradient ascent with weight decay."""
    weights = np.zeros(features.shape[2])
    right = np.zeros(present.shape)
    right[np.arange(len(answers)), answers] = 1.0
    for _ in range(LOGIT_STEPS):
        scores = np.where(present, features @ weights, -np.inf)
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        gradient = np.einsum("nk,nkf->f", right - chances, features) / len(answers)
        weights += LOGIT_RATE * (gradient - LOGIT_DECAY * weights)
    return weights


def _bag(text: str) -> set[str]:
    found = re.findall(r"[a-z_]+|\d+", text.lower())
    return {*found, *(" ".join(pair) for pair in pairwise(found))}
