"""What each harness reads: the files of its task beside `images/`."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xvr.evaluation.benchmark import Benchmark
from xvr.evaluation.harness.rows import as_line
from xvr.evaluation.harness.standalone import identifier, standalone

Rows = Iterable[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Form:
    """One harness."""

    name: str
    images: str
    """Folder of the images, where `{name}` stands for the name of the benchmark."""
    write: Callable[[Path, Benchmark, Rows], str]
    """Writes the files into a folder, and returns how they are used, in Markdown."""


def _lmms_eval(folder: Path, benchmark: Benchmark, rows: Rows) -> str:
    name = identifier(benchmark)
    (folder / "utils.py").write_text(standalone("lmms_eval_utils", benchmark))
    tasks = set()
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            tasks.add(row["task"])
            doc = {"id": row["item_id"], "task": row["task"], "row": as_line(row)}
            file.write(as_line(doc) + "\n")
    metrics = ["failed"]
    for scorer in benchmark.scorers:
        metrics += [scorer, f"{scorer}_unparsed", *(f"{scorer}_{task}" for task in sorted(tasks))]
    (folder / f"{name}.yaml").write_text(
        f"""task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: items.jsonl
test_split: test
output_type: generate_until
doc_to_messages: !function utils.doc_to_messages
doc_to_visual: !function utils.doc_to_visual
doc_to_text: !function utils.doc_to_text
doc_to_target: !function utils.doc_to_target
process_results: !function utils.process_results
generation_kwargs:
  max_new_tokens: 1024
  do_sample: false
  temperature: 0.0
  top_p: 1.0
metric_list:
"""
        + "".join(
            f"  - metric: {metric}\n    aggregation: !function utils.mean\n"
            f"    higher_is_better: {str(not metric.endswith(('failed', 'unparsed'))).lower()}\n"
            for metric in metrics
        )
    )
    return f"""```bash
python -m lmms_eval --include_path . --tasks {name} --model MODEL --batch_size 1
```

`doc_to_messages` keeps every image at its place, for models that take messages (chat models).
Models of the simple kind get all images and one text with `<image>` at their places, and many of
them move the images to the front: their numbers are not comparable.
"""


def _vlmevalkit(folder: Path, benchmark: Benchmark, rows: Rows) -> str:
    name = identifier(benchmark)
    text = standalone("vlmevalkit_dataset", benchmark)
    (folder / "cross_view.py").write_text(text)
    with (folder / f"{name}.tsv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerow(("index", "id", "category", "question", "answer", "image_path", "row"))
        for index, row in enumerate(rows):
            images = [part["image"] for part in row["parts"] if "image" in part]
            texts = "\n".join(part["text"].strip() for part in row["parts"] if "text" in part)
            table.writerow(
                (index, row["item_id"], row["task"], texts, row["answer"], images, as_line(row))
            )
    return f"""Copy `{name}.tsv` and `images/` into the data folder of VLMEvalKit (`$LMUData`), and
`cross_view.py` into `vlmeval/dataset/`; in `vlmeval/dataset/__init__.py` import `CrossViewDataset`
from it and add it to `IMAGE_DATASET`. Then:

```bash
python run.py --data {name} --model MODEL
```

The class brings its own prompt and scorers. Do not score the table with the rule-based scorer for
multiple choice: it knows letters only and calls every number and colour right. A model whose class
builds its own prompts, or takes one image only, is not shown the question as it is.
"""


def _inspect(folder: Path, benchmark: Benchmark, rows: Rows) -> str:
    text = standalone("inspect_task", benchmark)
    (folder / "task.py").write_text(text)
    with (folder / "items.jsonl").open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(as_line(row) + "\n")
    return """```bash
inspect eval task.py --model MODEL --temperature 0 --no-log-images
```

A call that fails is an error there and is not scored; `inspect eval-retry` asks again.
"""


FORMS: tuple[Form, ...] = (
    Form(name="lmms-eval", images="images", write=_lmms_eval),
    Form(name="vlmevalkit", images="images/{name}", write=_vlmevalkit),
    Form(name="inspect", images="images", write=_inspect),
)
"""All of them."""
