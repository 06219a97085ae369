import json

from running import run

from xvr.dataset.stats import compute_stats


def test_stats_are_a_table_for_people(dataset, capsys):
    found = run(capsys, "data", "stats", dataset)
    assert (found.code, found.err) == (0, "")
    first, header, *rows = found.out.splitlines()
    assert first.startswith("64 samples, ")
    assert header.split() == ["task", "train", "valid", "images", "answers"]
    numbers = {row.split()[0]: row.split()[1:3] for row in rows}
    assert len(numbers) == 8
    assert set(map(tuple, numbers.values())) == {("6", "2")}


def test_stats_as_json_are_all_of_them(dataset, capsys):
    found = run(capsys, "data", "stats", dataset, "--json")
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out) == compute_stats(dataset)
    assert json.loads(found.out) == json.loads((dataset / "stats.json").read_text())


def test_a_damaged_line_is_named(tmp_path, capsys):
    (tmp_path / "train.jsonl").write_text('{"task": "task9"}\n')
    found = run(capsys, "data", "stats", tmp_path)
    assert (found.code, found.out) == (2, "")
    assert f"{tmp_path / 'train.jsonl'}:1: " in found.err
