import csv
import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import ModuleType

import cv2
import numpy as np
import pytest

from xvr.errors import UserError
from xvr.evaluation.answers import lenient, strict
from xvr.evaluation.benchmark import Benchmark, Loaded, Total
from xvr.evaluation.harness import FORMS, export
from xvr.evaluation.item import Item, Picture, Prompt, Target
from xvr.evaluation.score import Score

NUMBER, COLOR, LETTER = "image_number", "color", "letter"
WRONG = {"2": "3", "red": "blue", "B": "A"}


def picture(shade):
    encoded = cv2.imencode(".png", np.full((24, 32, 3), shade, np.uint8))[1].tobytes()
    return Picture(name=f"{shade}.png", read=lambda: encoded)


def question(number, kind, answer, options):
    shades = 10, 20 + number  # the first image is the same in all items
    parts = "Look.\n", "Image 1:\n", picture(shades[0]), "Image 2:\n", picture(shades[1]), "Which?"
    name = f"item_{number}"
    return Item(
        prompt=Prompt(item_id=name, parts=parts),
        target=Target(
            item_id=name,
            task=f"about_{kind}",
            kind=kind,
            answer=answer,
            options=options,
            cluster="scene" if number else "",
            facts={"proven": answer} if number else {},
        ),
    )


ITEMS = (
    question(0, NUMBER, "2", ("2", "3")),
    question(1, COLOR, "red", ("blue", "red")),
    question(2, NUMBER, "2", ("1", "2", "3")),
    question(3, LETTER, "B", ("A", "B")),
)
BENCHMARK = Benchmark(
    name="toy-tiny",
    load=lambda path: Loaded(items=ITEMS, revision=str(path)),
    scorers={"strict": strict, "lenient": lenient},
    totals=(Total(name="overall", mean="micro"),),
)
SAID = ("2", "red", "**B**", "The answer is image 2.", "I think it is blue.", "", "no idea", "A")


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    root = tmp_path_factory.mktemp("exported")
    for form in FORMS:
        export(BENCHMARK, ITEMS, root / form.name, form.name)
    return root


def load(path, monkeypatch):
    """Import a file as a harness does, where our package cannot be imported."""
    for name in [name for name in sys.modules if name.split(".")[0] == "xvr"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "xvr", None)
    spec = importlib.util.spec_from_file_location("exported_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def utils(exported, monkeypatch):
    return load(exported / "lmms-eval" / "utils.py", monkeypatch)


def docs(exported):
    lines = (exported / "lmms-eval" / "items.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_messages_of_lmms_eval_have_every_image_at_its_place(exported, utils):
    for item, doc in zip(ITEMS, docs(exported), strict=True):
        (message,) = utils.doc_to_messages(doc)
        assert message["role"] == "user"
        told = [part.get("text", part.get("url")) for part in message["content"]]
        for shown, part in zip(told, item.prompt.parts, strict=True):
            if isinstance(part, Picture):
                pixels = cv2.imdecode(np.frombuffer(part.read(), np.uint8), cv2.IMREAD_COLOR)
                np.testing.assert_array_equal(np.asarray(shown), pixels)
            else:
                assert shown == part
        assert utils.doc_to_text(doc).count("<image>") == 2
        assert utils.doc_to_target(doc) == item.target.answer


def test_lmms_eval_scores_as_we_do(exported, utils):
    for item, doc in zip(ITEMS, docs(exported), strict=True):
        for text in SAID:
            found = utils.process_results(doc, [text])
            for name, score in BENCHMARK.scorers.items():
                ours = score(item.target, text)
                assert found[name] == found[f"{name}_{item.target.task}"] == ours.correct
                assert found[f"{name}_unparsed"] == (ours.parsed is None)


def test_a_request_that_lmms_eval_gave_up_is_no_answer(exported, utils):
    text = "[LMMS_EVAL_REQUEST_FAILED after 5 retries] Error code: 2"
    assert utils.process_results(docs(exported)[0], [text]) == {"failed": 1.0}


def test_the_yaml_of_lmms_eval_names_every_metric_and_function(exported, utils):
    yaml = pytest.importorskip("yaml")

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: loader.construct_scalar(node))
    text = (exported / "lmms-eval" / "toy_tiny.yaml").read_text()
    task = yaml.load(text, Loader)
    assert task["task"] == "toy_tiny"
    functions = [value for value in task.values() if str(value).startswith("utils.")]
    functions += [metric["aggregation"] for metric in task["metric_list"]]
    assert all(callable(getattr(utils, name.removeprefix("utils."))) for name in functions)
    told = {metric["metric"] for metric in task["metric_list"]}
    given = set().union(*(utils.process_results(doc, ["x"]) for doc in docs(exported)))
    assert told == given


@pytest.fixture
def table_class(exported, monkeypatch):
    """The dataset class of VLMEvalKit over a stand-in of its base class."""
    pandas = pytest.importorskip("pandas")
    folder = exported / "vlmevalkit"

    class Base:
        def __init__(self, dataset):
            self.data = self.load_data(dataset)

    def read(path):
        return pandas.read_csv(path, sep="\t" if str(path).endswith("tsv") else ",")

    smp, base = ModuleType("vlmeval.smp"), ModuleType("vlmeval.dataset.image_base")
    smp.load, smp.LMUDataRoot, base.ImageBaseDataset = read, lambda: str(folder), Base
    for name in ("vlmeval", "vlmeval.dataset"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "vlmeval.smp", smp)
    monkeypatch.setitem(sys.modules, "vlmeval.dataset.image_base", base)
    return load(folder / "cross_view.py", monkeypatch).CrossViewDataset


def test_prompts_of_vlmevalkit_have_every_image_at_its_place(table_class):
    dataset = table_class("toy_tiny")
    for number, item in enumerate(ITEMS):
        for built in (
            dataset.build_prompt(number),
            dataset.build_prompt(dataset.data.iloc[number]),
        ):
            for shown, part in zip(built, item.prompt.parts, strict=True):
                if isinstance(part, Picture):
                    assert shown["type"] == "image"
                    with open(shown["value"], "rb") as file:  # noqa: PTH123
                        assert file.read() == part.read()
                else:
                    assert shown == {"type": "text", "value": part}


def evaluate(dataset, said, path):
    dataset.data.assign(prediction=said).to_csv(path, index=False)
    table = dataset.evaluate(str(path)).set_index("task")
    assert path.with_name(f"{path.stem}_acc.csv").exists()
    return table


def test_vlmevalkit_scores_numbers_and_colours_with_our_scorer(table_class, tmp_path):
    dataset = table_class("toy_tiny")
    right = [item.target.answer for item in ITEMS]
    found = evaluate(dataset, right, tmp_path / "right.csv").loc["overall"]
    assert (found["items"], found["failed"], found["strict"], found["lenient"]) == (4, 0, 100, 100)
    wrong = evaluate(dataset, [WRONG[answer] for answer in right], tmp_path / "wrong.csv")
    assert wrong.loc["overall", ["strict", "lenient"]].tolist() == [0, 0]
    assert wrong.loc["overall", "lenient_unparsed"] == 0


def test_failed_calls_and_answers_that_became_numbers_in_a_table(table_class, tmp_path):
    dataset = table_class("toy_tiny")
    dataset.data = dataset.data[dataset.data["category"] == f"about_{NUMBER}"]
    found = evaluate(dataset, [2.0, None], tmp_path / "floats.csv").loc["overall"]
    assert (found["strict"], found["strict_unparsed"], found["failed"]) == (50, 50, 0)
    failed = [2, "Failed to obtain answer via API. Code 2"]
    found = evaluate(dataset, failed, tmp_path / "failed.csv").loc["overall"]
    assert (found["strict"], found["failed"], found["items"]) == (100, 1, 2)


def test_the_table_is_one_line_per_item_for_any_reader_of_tsv(exported):
    csv.field_size_limit(10**9)
    with (exported / "vlmevalkit" / "toy_tiny.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [row["id"] for row in rows] == [item.target.item_id for item in ITEMS]
    assert [row["answer"] for row in rows] == [item.target.answer for item in ITEMS]
    assert [json.loads(row["row"])["parts"][0] for row in rows] == [{"text": "Look.\n"}] * 4


INSPECT = """
import json, sys
sys.modules["xvr"] = None
import inspect_ai
from inspect_ai.model import ModelOutput, ModelUsage, get_model

said, shown = json.loads(sys.argv[1]), []

def reply(messages, *_):
    shown.append([part.image[:22] if part.type == "image" else part.text
                  for part in messages[-1].content])
    output = ModelOutput.from_content("mockllm/model", said[len(shown) - 1])
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output

(log,) = inspect_ai.eval(
    "task.py", model=get_model("mockllm/model", custom_outputs=reply), display="none",
    log_dir=sys.argv[2], max_connections=1, max_samples=1)
print(json.dumps({
    "status": log.status,
    "scores": {s.id: {k: v.value for k, v in s.scores.items()} for s in log.samples},
    "totals": {s.name: s.metrics["all"].value for s in log.results.scores},
    "shown": shown[0],
}))
"""


@pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is None, reason="needs inspect_ai")
def test_inspect_runs_the_task_and_gives_our_scores(exported, tmp_path):
    said = "2", "The answer is red.", "nothing", "A"
    done = subprocess.run(
        [sys.executable, "-c", INSPECT, json.dumps(said), str(tmp_path / "logs")],
        cwd=exported / "inspect",
        env=os.environ | {"XDG_DATA_HOME": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["status"] == "success"
    assert found["scores"] == {
        item.target.item_id: {
            name: score(item.target, text).correct for name, score in BENCHMARK.scorers.items()
        }
        for item, text in zip(ITEMS, said, strict=True)
    }
    assert found["totals"] == {"strict": 0.25, "lenient": 0.5}
    image = "data:image/png;base64,"
    assert found["shown"] == ["Look.\n", "Image 1:\n", image, "Image 2:\n", image, "Which?"]


def test_an_image_of_several_items_is_written_once(exported):
    for form in FORMS:
        assert len(list((exported / form.name).rglob("*.png"))) == 5, form.name


def needs_numpy(target, text):
    return Score(correct=bool(np.ones(1)[0]) and text == target.answer, parsed=text)


@pytest.mark.parametrize(
    ("scorer", "reason"),
    [
        (partial(strict), "not a function of a module"),
        (lambda target, text: strict(target, text), "not a function of a module"),
        (needs_numpy, "needs"),
    ],
)
def test_scorers_that_cannot_be_carried_are_refused_before_images_are_copied(
    scorer, reason, tmp_path
):
    benchmark = replace(BENCHMARK, scorers={"own": scorer})
    for form in FORMS:
        with pytest.raises(UserError, match=f"toy-tiny cannot be exported: .*{reason}"):
            export(benchmark, ITEMS, tmp_path / "out", form.name)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_harness_and_a_folder_that_is_there_are_refused(exported, tmp_path):
    with pytest.raises(UserError, match="did you mean 'lmms-eval'"):
        export(BENCHMARK, ITEMS, tmp_path / "out", "lmms_eval")
    with pytest.raises(UserError, match="is not empty"):
        export(BENCHMARK, ITEMS, exported / "inspect", "inspect")


def test_progress_counts_items(tmp_path):
    told = []
    export(
        BENCHMARK, ITEMS, tmp_path / "out", "inspect", progress=lambda *told_: told.append(told_)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
