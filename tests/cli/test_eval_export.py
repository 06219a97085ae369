import json

from running import run


def test_a_dataset_is_exported_and_an_existing_folder_is_refused(small, tmp_path, capsys):
    words = "eval", "export", "xvr", "--data", small, "--to", "inspect", "--out", tmp_path / "out"
    found = run(capsys, *words, "--limit", 3)
    assert (found.code, found.out) == (0, "")
    assert "3 items for inspect" in found.err
    rows = (tmp_path / "out" / "items.jsonl").read_text().splitlines()
    assert len(rows) == 3
    images = [part["image"] for part in json.loads(rows[0])["parts"] if "image" in part]
    assert images
    assert all((tmp_path / "out" / image).is_file() for image in images)
    again = run(capsys, *words)
    assert again.code == 2
    assert "is not empty" in again.err


def test_an_unknown_task_is_refused_with_the_closest_one(small, tmp_path, capsys):
    words = "--data", small, "--to", "vlmevalkit", "--out", tmp_path / "out"
    found = run(capsys, "eval", "export", "xvr", *words, "--tasks", "viewpoint_localisation")
    assert found.code == 2
    assert "did you mean 'viewpoint_localization'" in found.err
