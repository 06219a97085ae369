import re

import pytest

from xvr.dataset.card import write_card
from xvr.dataset.stats import compute_stats


def stats(samples):
    return {
        "samples": samples,
        "images": 3 * samples,
        "images_per_sample": 3.0,
        "splits": {"train": {"temporal_verification": samples}, "xvr_eval": {}},
        "tasks": {"temporal_verification": {"count": samples, "images_per_sample": 3.0}},
        "sources": {"lerobot:/data": {"temporal_verification": samples}},
    }


def card(tmp_path, numbers):
    write_card(tmp_path, numbers, {"seed": 7})
    return (tmp_path / "README.md").read_text()


def test_the_front_matter_names_each_split_as_the_hub_does(tmp_path):
    text = card(tmp_path, stats(5))
    front = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert front
    assert "  - split: train\n    path: train.jsonl" in front[1]
    assert "  - split: test\n    path: xvr_eval.jsonl" in front[1]
    assert "validation" not in front[1]


@pytest.mark.parametrize(
    ("samples", "category"),
    [
        (1, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (100_000, "100K<n<1M"),
        (2_000_000, "n>1M"),
    ],
)
def test_the_size_is_one_of_the_hubs_categories(tmp_path, samples, category):
    assert f"size_categories:\n- {category}\n" in card(tmp_path, stats(samples))


def test_the_front_matter_is_read_by_the_hubs_own_library(dataset):
    hub = pytest.importorskip("huggingface_hub")
    loaded = hub.DatasetCard.load(dataset / "README.md")
    assert loaded.data.pretty_name == "Cross-view relations"
    files = loaded.data.to_dict()["configs"][0]["data_files"]
    assert files == [
        {"split": "train", "path": "train.jsonl"},
        {"split": "validation", "path": "valid.jsonl"},
    ]


def test_the_table_has_a_row_of_the_same_width_for_every_task(dataset):
    text = (dataset / "README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + 8
    assert len({row.count("|") for row in rows}) == 1
    assert "64 questions over" in text
    for source in compute_stats(dataset)["sources"]:
        assert f"- `{source}`: 32 samples" in text
