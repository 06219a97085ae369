"""Models by name: baselines, wrappers that show less, and answers given elsewhere."""

import json
from collections import Counter
from math import sqrt

import numpy as np
import pytest
from asking import Scripted, ask, item, loaded, says

from xvr.dataset.encode import encode
from xvr.errors import UserError
from xvr.evaluation.answers import strict
from xvr.evaluation.benchmarks.xvr import load
from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models import KINDS, ModelOptions, make_model
from xvr.evaluation.models.withheld import Blanked, SingleView, TextOnly
from xvr.evaluation.store import read_run
from xvr.sources.pixels import decode_image

OPTIONS = ModelOptions()
POINT = item(
    "pt",
    kind="point",
    options=(),
    answer="",
    facts={"polygon": [[0.2, 0.4], [0.3, 0.4], [0.3, 0.6], [0.2, 0.6]]},
)


def replies(spec, benchmark, **options):
    model = make_model(spec, benchmark, ModelOptions(**options))
    return model.answer([one.prompt for one in benchmark.items])


def texts(spec, benchmark, **options):
    return [reply.text for reply in replies(spec, benchmark, **options)]


def hits(found, benchmark):
    return Counter(
        one.target.task
        for one, text in zip(benchmark.items, found, strict=True)
        if strict(one.target, text).correct
    )


def test_guesses_of_many_seeds_are_within_the_binomial_band_of_chance(dataset):
    benchmark = load(dataset, "train")
    seeds = 200
    found = Counter()
    for seed in range(seeds):
        found += hits(texts("random", benchmark, seed=seed), benchmark)
    for task in {one.target.task for one in benchmark.items}:
        chances = [1 / len(o.target.options) for o in benchmark.items if o.target.task == task]
        mean = seeds * sum(chances)
        spread = sqrt(seeds * sum(p * (1 - p) for p in chances))
        assert abs(found[task] - mean) < 4 * spread, task


def test_a_guess_depends_on_the_seed_and_the_item_alone():
    items = [item(f"i{number}") for number in range(40)]
    forward, backward = loaded(*items), loaded(*items[::-1])
    assert texts("random", forward) == texts("random", backward)[::-1]
    assert texts("random", forward) != texts("random", forward, seed=1)
    assert make_model("random", forward, ModelOptions(seed=3)).decoding == {"seed": 3}


def test_guessed_points_fill_the_unit_square():
    items = [item(f"i{number}", kind="point", options=(), answer="") for number in range(400)]
    points = [
        json.loads(text.replace("(", "[").replace(")", "]"))[0]
        for text in texts("random", loaded(*items))
    ]
    for axis in (0, 1):
        values = sorted(point[axis] for point in points)
        assert 0 <= values[0] < 0.05
        assert 0.95 < values[-1] <= 1
        assert abs(sum(values) / 400 - 0.5) < 0.06


def test_the_majority_is_that_of_the_task_and_an_option_of_the_item():
    items = (
        item("1", answer="blue"),
        item("2", answer="blue"),
        item("3", answer="green"),
        item("4", answer="red", options=("red", "green")),
        item("5", task="b", answer="yellow"),
        POINT,
    )
    assert texts("majority", loaded(*items)) == [
        "blue",
        "blue",
        "blue",
        "green",
        "yellow",
        "[(0.5000, 0.5000)]",
    ]


def test_the_oracle_is_always_right(dataset, tmp_path):
    benchmark = load(dataset, "train")
    model = make_model("oracle", benchmark, OPTIONS)
    outcome = ask(tmp_path / "run", model, *benchmark.items)
    assert outcome.complete
    run = read_run(tmp_path / "run")
    assert all(strict(target, run.answers[target.item_id]).correct for target in run.targets)


def test_the_oracle_fails_where_record_and_proof_disagree():
    items = (item("1", facts={"proven": "blue"}), item("2", facts={"proven": "red"}), POINT)
    wrong, right, point = replies("oracle", loaded(*items))
    assert wrong == Failure(kind="answers_disagree", message="1: record 'red', proof 'blue'")
    assert right == Answer(text="red")
    assert point == Answer(text="[(0.2500, 0.5000)]")


@pytest.mark.parametrize(
    ("polygon", "point"),
    [
        ([[0, 0], [1, 0], [0, 1]], "[(0.2500, 0.5000)]"),
        ([[0, 0], [1, 0], [1, 1], [0.8, 1], [0.8, 0.2], [0.1, 0.2], [0.1, 1], [0, 1]], None),
        ([[0.1, 0.1], [0.2, 0.2], [0.3, 0.3]], "nowhere"),
        ([[0.1, 0.1], [0.2, 0.1]], "nowhere"),
        ([[0.1, 0.1]], "nowhere"),
        ([], "nowhere"),
    ],
)
def test_the_oracle_points_into_the_region_where_there_is_one(polygon, point):
    target = item("pt", kind="point", options=(), answer="", facts={"polygon": polygon})
    (reply,) = replies("oracle", loaded(target))
    if point == "nowhere":
        assert reply.kind == "no_right_point"
    elif point is not None:
        assert reply.text == point
    else:  # an upside-down U: its middle is outside
        x, y = (float(word) for word in reply.text.strip("[()]").split(", "))
        assert y < 0.2 or x < 0.1 or x > 0.8


def shown(wrapper):
    seen = []

    def reply(prompt):
        seen.append([p.name if isinstance(p, Picture) else p for p in prompt.parts])
        return Answer(text="")

    wrapper(Scripted(reply)).answer([item("i", "p1", "p2", "p3").prompt, item("j").prompt])
    return seen


@pytest.mark.parametrize(
    ("wrapper", "left"),
    [
        (TextOnly, []),
        (SingleView, ["p3"]),
        (lambda model: SingleView(model, 1), ["p1"]),
        (lambda model: SingleView(model, 2), ["p2"]),
        (lambda model: SingleView(model, 9), ["p3"]),
    ],
)
def test_what_is_withheld_leaves_the_order_of_the_rest(wrapper, left):
    assert shown(wrapper) == [["i?\n", *left, "Which?"], ["j?\n", "Which?"]]


def test_blanked_images_are_grey_but_the_last_and_keep_their_sizes():
    sent = []

    def reply(prompt):
        sent.extend(decode_image(picture.read(), picture.name) for picture in prompt.pictures)
        return Answer(text="")

    noise = np.random.default_rng(0).integers(0, 255, (2, 6, 8, 3), np.uint8)
    pictures = [
        Picture(name=str(n), read=lambda n=n: encode(noise[n], "png")) for n in range(len(noise))
    ]
    Blanked(Scripted(reply)).answer([Prompt(item_id="i", parts=("a", *pictures))])
    assert sent[0].shape == (6, 8, 3)
    assert (sent[0] == 128).all()
    assert (sent[1] == noise[1]).all()


def test_a_wrapped_model_has_a_name_of_its_own_and_else_is_the_model():
    inner = Scripted(says(), revision="7", decoding={"t": 1}, batch_size=3, concurrency=5)
    for model, name in (
        (TextOnly(inner), "text-only:scripted"),
        (SingleView(inner), "single-view:scripted"),
        (Blanked(inner), "blanked:scripted"),
        (SingleView(inner, 2), "single-view=2:scripted"),
    ):
        assert model.name == name
        assert (model.revision, model.decoding) == ("7", {"t": 1})
        assert (model.batch_size, model.concurrency) == (3, 5)


@pytest.mark.parametrize("spec", ["text-only:random", "single-view=2:random", "blanked:random"])
def test_wrappers_are_made_by_name(spec):
    assert make_model(spec, loaded(item("i")), OPTIONS).name == spec


def replay(path, *names):
    model = make_model(f"replay:{path}", loaded(), OPTIONS)
    return model.answer([item(name).prompt for name in names])


@pytest.mark.parametrize("name", ["item_id", "sample_id"])
@pytest.mark.parametrize("said", ["text", "prediction", "answer"])
def test_predictions_made_elsewhere_are_said_again(tmp_path, name, said):
    path = tmp_path / "p.jsonl"
    path.write_text(f'{{"{name}": "a", "{said}": "Red.", "more": 1}}\n\n')
    found = replay(path, "a", "b")
    assert found[0] == Answer(text="Red.")
    assert found[1] == Failure(kind="not_in_file", message=f"replay:{path} has no answer to b")


def test_another_run_is_said_again_by_its_last_answers(tmp_path):
    out = tmp_path / "run"
    busy = Failure(kind="busy", message="")
    ask(out, Scripted(lambda prompt: busy), item("a"), item("b"))  # noqa: ARG005
    ask(
        out,
        Scripted(lambda p: busy if p.item_id == "b" else Answer(text="1")),
        item("a"),
        item("b"),
    )
    for path in (out, out / "attempts.jsonl"):
        found = replay(path, "a", "b")
        assert found[0] == Answer(text="1")
        assert found[1].kind == "not_in_file"


def test_the_revision_of_predictions_is_that_of_the_file(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"item_id": "a", "text": "1"}\n')
    first = make_model(f"replay:{path}", loaded(), OPTIONS).revision
    path.write_text('{"item_id": "a", "text": "2"}\n')
    assert make_model(f"replay:{path}", loaded(), OPTIONS).revision != first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense\n", "p.jsonl:1: no JSON"),
        ("\n[1]\n", "p.jsonl:2: a list where an object must be"),
        (
            '{"id": "a", "text": "1"}',
            "p.jsonl:1: no text under item_id or sample_id, only id, text",
        ),
        ('{"item_id": "a", "text": 1}', "no text under text or prediction or answer"),
        (
            '{"item_id": "a", "text": "1"}\n{"item_id": "a", "text": "2"}',
            "p.jsonl:2: a has an answer in line 1 already; keep one of them",
        ),
    ],
)
def test_predictions_that_cannot_be_read_are_told(tmp_path, text, message):
    (tmp_path / "p.jsonl").write_text(text)
    with pytest.raises(UserError, match=message):
        replay(tmp_path / "p.jsonl")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("randon", "unknown model 'randon': did you mean 'random'"),
        ("random:7", "random takes nothing after it; write random"),
        ("hf", "model 'hf': write hf:NAME"),
        ("hf:", "model 'hf:': write hf:NAME"),
        ("text-only", "unknown model 'text-only'"),
        ("single-view=0:random", "write single-view=N:SPEC, N an image from 1"),
        ("text-only:orcale", "did you mean 'oracle'"),
        ("replay:/no/such.jsonl", "/no/such.jsonl cannot be read .*; check replay:FILE"),
    ],
)
def test_a_model_that_cannot_be_made_is_told(spec, message):
    with pytest.raises(UserError, match=message):
        make_model(spec, loaded(item("i")), OPTIONS)


def test_every_kind_names_a_module_and_a_function():
    assert all(place.count(":") == 1 for place in KINDS.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be at least 1"),
        ({"concurrency": 0}, "concurrency is 0"),
        ({"max_new_tokens": 0}, "max_new_tokens is 0"),
        ({"temperature": -1.0}, "temperature is -1.0; it must be 0 or more"),
        ({"max_retries": -1}, "max_retries is -1"),
        ({"timeout_s": 0.0}, "timeout_s is 0.0; it must be more than 0"),
        ({"requests_per_minute": 0.0}, "requests_per_minute is 0.0"),
        ({"min_image_pixels": 9, "max_image_pixels": 4}, "min_image_pixels 9 is more than"),
        ({"input_price_usd": 1.0}, "give both input_price_usd and output_price_usd"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        ModelOptions(**options)


def test_the_price_of_a_call_follows_from_its_tokens():
    priced = ModelOptions(input_price_usd=2.0, output_price_usd=10.0)
    assert priced.cost_usd(1_000_000, 100_000) == 3.0
    assert priced.cost_usd(None, 5) is None
    assert OPTIONS.cost_usd(5, 5) is None
