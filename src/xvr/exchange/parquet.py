"""Parquet files that `datasets` opens by itself, images inside: neutral, or as TRL trains on them.

Files are `data/<split>-00000-of-00002.parquet` with the hub's split names. The schema carries the
features as `datasets` writes them, so that `images` is a list of images of any length:
https://huggingface.co/docs/datasets/image_load (repo huggingface/datasets,
src/datasets/features/image.py). For TRL a row has `prompt` and `completion` in the conversational
form with typed content, and `images`; placeholders `{"type": "image"}` are filled in order
(repo huggingface/trl, docs/source/dataset_formats.md and trl/data_utils.py). Prompt and completion
are apart because TRL then trains on the completion only.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from xvr.dataset.card import HUB_SPLITS
from xvr.dataset.record import ImageBlock, Sample
from xvr.dataset.shards import ShardReader
from xvr.exchange.form import SHARD_BYTES, Form, nothing
from xvr.exchange.prompts import typed_content

_GROUP_BYTES, _GROUP_ROWS = 32 << 20, 256
"""Image bytes and rows of a row group, which is what is held in memory."""
_TEXT = pa.string()
_IMAGES = pa.list_(pa.struct({"bytes": pa.binary(), "path": _TEXT}))
_CONTENT = pa.list_(pa.struct({"type": _TEXT, "text": _TEXT}))
_MESSAGES = pa.list_(pa.struct({"role": _TEXT, "content": _CONTENT}))


class _ParquetWriter:
    """Writes the rows of one split into files of about `SHARD_BYTES`."""

    def __init__(
        self,
        folder: Path,
        split: str,
        images: ShardReader,
        fields: dict[str, pa.DataType],
        row: Callable[[Sample], dict[str, Any]],
    ) -> None:
        self._folder = folder / "data"
        self._folder.mkdir(exist_ok=True)
        self._split = HUB_SPLITS[split]
        self._images = images
        features = {name: _feature(kind) for name, kind in fields.items()}
        info = json.dumps({"info": {"features": features}})
        self._schema = pa.schema(fields, metadata={"huggingface": info})
        self._row = row
        self._rows: list[dict[str, Any]] = []
        self._group_bytes = self._file_bytes = 0
        self._files: list[Path] = []
        self._file: pq.ParquetWriter | None = None

    def add(self, sample: Sample) -> None:
        """Write one sample with its images."""
        images = [
            {"bytes": self._images.read(url), "path": PurePosixPath(url).name}
            for url in sample.image_urls
        ]
        self._rows.append(self._row(sample) | {"images": images})
        size = sum(len(image["bytes"]) for image in images)
        self._group_bytes += size
        self._file_bytes += size
        if self._group_bytes >= _GROUP_BYTES or len(self._rows) >= _GROUP_ROWS:
            self._write_group()
        if self._file_bytes >= SHARD_BYTES:
            self._close_file()

    def close(self) -> None:
        """Complete the last file and tell every file how many there are."""
        if self._rows or not self._files:
            self._write_group()
        self._close_file()
        for number, path in enumerate(self._files):
            name = f"{self._split}-{number:05d}-of-{len(self._files):05d}.parquet"
            path.rename(self._folder / name)

    def _write_group(self) -> None:
        if self._file is None:
            self._files.append(self._folder / f"{self._split}-{len(self._files):05d}")
            # Images are compressed already, and dictionaries or statistics of them only cost space.
            self._file = pq.ParquetWriter(
                self._files[-1], self._schema, use_dictionary=False, write_statistics=False
            )
        self._file.write_table(pa.Table.from_pylist(self._rows, self._schema))
        self._rows, self._group_bytes = [], 0

    def _close_file(self) -> None:
        if self._rows:
            self._write_group()
        if self._file is not None:
            self._file.close()
        self._file, self._file_bytes = None, 0


def _feature(kind: pa.DataType) -> Any:
    """A column's type as `datasets` names it; a list in brackets is read by all its versions."""
    if kind == _IMAGES:
        return [{"_type": "Image"}]
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": str(kind), "_type": "Value"}


def _neutral_row(sample: Sample) -> dict[str, Any]:
    blocks = [
        {"type": "image", "text": None}
        if isinstance(block, ImageBlock)
        else {"type": "text", "text": block.text}
        for block in sample.prompt_blocks
    ]
    return {
        "sample_id": sample.sample_id,
        "task": sample.task,
        "prompt_blocks": blocks,
        "ground_truth_answer": sample.ground_truth_answer,
    }


def _trl_row(sample: Sample) -> dict[str, Any]:
    answer = [{"type": "text", "text": sample.ground_truth_answer}]
    return {
        "sample_id": sample.sample_id,
        "task": sample.task,
        "prompt": [{"role": "user", "content": typed_content(sample)}],
        "completion": [{"role": "assistant", "content": answer}],
    }


_NEUTRAL: dict[str, pa.DataType] = {
    "sample_id": _TEXT,
    "task": _TEXT,
    "images": _IMAGES,
    "prompt_blocks": _CONTENT,
    "ground_truth_answer": _TEXT,
}
_TRL: dict[str, pa.DataType] = {
    "sample_id": _TEXT,
    "task": _TEXT,
    "images": _IMAGES,
    "prompt": _MESSAGES,
    "completion": _MESSAGES,
}


def _front_matter(splits: Sequence[str]) -> str:
    files = "\n".join(
        f"  - split: {HUB_SPLITS[split]}\n    path: data/{HUB_SPLITS[split]}-*.parquet"
        for split in splits
    )
    return f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n"


PARQUET = Form(
    name="parquet",
    open=lambda folder, split, images: _ParquetWriter(
        folder, split, images, _NEUTRAL, _neutral_row
    ),
    finish=nothing,
    front_matter=_front_matter,
    usage="""```python
from datasets import load_dataset

sample = load_dataset("FOLDER", split="train")[0]
sample["prompt_blocks"], sample["images"], sample["ground_truth_answer"]
```

`prompt_blocks` are the texts and the places of images, in order; the n-th place is that of the n-th
image.
""",
)
TRL = Form(
    name="trl",
    open=lambda folder, split, images: _ParquetWriter(folder, split, images, _TRL, _trl_row),
    finish=nothing,
    front_matter=_front_matter,
    usage="""```python
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

trainer = SFTTrainer(
    model="Qwen/Qwen3-VL-2B-Instruct",
    args=SFTConfig(max_length=None),
    train_dataset=load_dataset("FOLDER", split="train"),
)
```

`max_length=None` matters: a shortened prompt would lose images.
""",
)
