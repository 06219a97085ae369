"""The dataset card: `README.md` as the Hugging Face hub reads it."""

from pathlib import Path
from typing import Any

from xvr import __version__
from xvr.dataset import atomic
from xvr.tasks import ALL_TASK_NAMES, get_task

HUB_SPLITS = {"train": "train", "valid": "validation", "xvr_eval": "test"}
"""Names of the splits on the hub."""


def write_card(
    dataset: Path, stats: dict[str, Any], config: dict[str, Any], *, origin: str | None = None
) -> None:
    """Write `README.md`: the hub's front matter, what is inside, how to read and check it.

    Args:
        dataset: the folder.
        stats: as from `compute_stats`.
        config: of the build.
        origin: how it was made and what proves it; that of a build when left out.
    """
    if origin is None:
        origin = f"""made by xvr {__version__} with seed
{config["seed"]}. Every answer follows from the geometry of its source; `provenance/<split>.jsonl`
holds the proof of each sample, line by line."""
    atomic.write_bytes(dataset / "README.md", _card(stats, origin).encode())


def _card(stats: dict[str, Any], origin: str) -> str:
    files = "\n".join(
        f"  - split: {HUB_SPLITS[split]}\n    path: {split}.jsonl" for split in stats["splits"]
    )
    rows = "\n".join(
        f"| {_named(name)} | "
        + " | ".join(str(stats["splits"][split].get(name, 0)) for split in stats["splits"])
        + f" | {stats['tasks'][name]['images_per_sample']:.2f} |"
        for name in sorted(stats["tasks"], key=_place)
    )
    sources = "\n".join(
        f"- `{source}`: {sum(tasks.values())} samples" for source, tasks in stats["sources"].items()
    )
    sources = sources or "Not known here."
    columns = " | ".join(stats["splits"])
    dashes = "|---" * (len(stats["splits"]) + 4) + "|"
    return f"""---
pretty_name: Cross-view relations
task_categories:
- visual-question-answering
- image-text-to-text
language:
- en
tags:
- multi-view
- spatial-reasoning
- robotics
size_categories:
- {_size_category(stats["samples"])}
configs:
- config_name: default
  data_files:
{files}
---
# Cross-view relations

{stats["samples"]} questions over {stats["images"]} images
({stats["images_per_sample"]:.2f} images a question), {origin}

| task | id | question | {columns} | images per sample |
{dashes}
{rows}

## Sources

{sources}

The licences of the sources apply to the images.

## Use

```python
from datasets import load_dataset

samples = load_dataset("json", data_files="train.jsonl", split="train")
samples[0]["prompt_blocks"], samples[0]["ground_truth_answer"]
```

Image urls are members of the tars in `image_shards/`: extract them here
(`for t in image_shards/*.tar; do tar xf "$t"; done`) or read them in place by the index beside each
tar. `manifest.json` holds the configuration, versions and refusals, `stats.json` the numbers.
"""


def _named(task: str) -> str:
    """Name, released id and question."""
    if task not in ALL_TASK_NAMES:
        return f"{task} | {task} | "
    return f"{task} | {get_task(task).released_id} | {get_task(task).question}"


def _place(task: str) -> tuple[int, str]:
    """Tasks in the order of the published table, unknown ones last."""
    return (ALL_TASK_NAMES.index(task) if task in ALL_TASK_NAMES else len(ALL_TASK_NAMES), task)


def _size_category(samples: int) -> str:
    for limit, name in (
        (1_000, "n<1K"),
        (10_000, "1K<n<10K"),
        (100_000, "10K<n<100K"),
        (1_000_000, "100K<n<1M"),
    ):
        if samples < limit:
            return name
    return "n>1M"
