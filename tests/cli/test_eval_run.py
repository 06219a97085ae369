"""`xvr eval run`: exit codes, messages, and options that reach the run."""

import json
import shutil
import subprocess
import sys

import pytest
from running import run


@pytest.fixture
def ask(dataset, tmp_path, capsys):
    def ask(*words, data=dataset, out=tmp_path / "run"):
        return run(capsys, "eval", "run", "xvr", "--data", data, "--out", out, *words)

    return ask


def test_a_complete_run_ends_well_and_says_so_on_stderr_only(ask, tmp_path):
    found = ask("--model", "random", "--split", "valid")
    assert (found.code, found.out) == (0, "")
    note, told = found.err.splitlines()
    assert note == "xvr: split valid"
    items = json.loads((tmp_path / "run" / "run.json").read_text())["items"]
    assert told == f"{tmp_path / 'run'}: {items} of {items} items answered, {items} now"
    assert ask("--model", "random", "--split", "valid").err.endswith("answered, 0 now\n")


def test_every_option_reaches_the_run(ask, dataset, tmp_path):
    words = ("--split", "train", "--tasks", "point_correspondence", "--limit", 3, "--seed", 5)
    assert ask("--model", "random", *words).code == 0
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    assert manifest["data"] == str(dataset)
    assert manifest["tasks"] == ["point_correspondence"]
    assert (manifest["limit"], manifest["items"]) == (3, 3)
    assert manifest["decoding"] == {"seed": 5}


def test_items_without_an_answer_are_told_and_end_with_1(ask, dataset, tmp_path):
    data = tmp_path / "copy"
    shutil.copytree(dataset, data)
    shutil.rmtree(data / "image_shards")
    found = ask("--model", "random", "--limit", 2, data=data)
    assert found.code == 1
    told, failed, advice = found.err.splitlines()[-3:]
    assert told == f"{tmp_path / 'run'}: 0 of 2 items answered, 2 now"
    assert failed.startswith(f"  failed: missing_image 2, such as: {data}: no image 'images/")
    assert advice == "run the same command again to ask them again"
    shutil.copytree(dataset / "image_shards", data / "image_shards")
    assert ask("--model", "random", "--limit", 2, data=data).code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--model", "randon"), "unknown model 'randon'"),
        (("--model", "human"), "people answer with xvr eval human"),
        (("--model", "random", "--tasks", "point"), "unknown task of this benchmark 'point'"),
        (("--model", "random", "--limit", 0), "the limit is 0"),
        (("--model", "random", "--split", "test"), "unknown split of"),
        (("--model", "random", "--batch-size", 0), "batch_size is 0"),
        (("--model", "random", "--max-cost", 1), "what random costs is unknown"),
        (("--model", "openai:a@http://127.0.0.1:9", "--max-cost", 1), "costs is unknown"),
    ],
)
def test_what_the_user_must_fix_ends_with_2(ask, words, message):
    found = ask(*words)
    assert found.code == 2
    assert message in found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize("command", ["run", "score"])
def test_a_file_that_cannot_be_read_is_told_without_a_traceback(ask, capsys, tmp_path, command):
    attempts = tmp_path / "run" / "attempts.jsonl"
    ask("--model", "random")
    attempts.unlink()
    attempts.mkdir()
    found = (
        ask("--model", "random")
        if command == "run"
        else run(capsys, "eval", "score", tmp_path / "run")
    )
    assert found.code == 2
    assert found.err.splitlines()[-1] == f"error: {attempts}: Is a directory"


def test_another_model_in_the_folder_is_refused(ask):
    assert ask("--model", "random", "--limit", 2).code == 0
    found = ask("--model", "majority", "--limit", 2)
    assert found.code == 2
    assert "model is 'random' there and 'majority' now" in found.err


def test_another_revision_of_the_benchmark_is_refused_with_both_hashes(ask, dataset, tmp_path):
    assert ask("--model", "random", "--split", "train").code == 0
    first = json.loads((tmp_path / "run" / "run.json").read_text())["revision"]
    data = tmp_path / "copy"
    shutil.copytree(dataset, data)
    lines = (data / "train.jsonl").read_text()
    (data / "train.jsonl").write_text(lines.replace("Image 1", "Picture 1", 1))
    found = ask("--model", "random", "--split", "train", data=data)
    assert found.code == 2
    assert f"revision is '{first}' there and '" in found.err


def test_help_loads_neither_numpy_nor_a_model_library():
    heavy = "numpy", "torch", "transformers", "httpx", "inspect_ai"
    code = f"import sys, xvr.cli.evaluation; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
