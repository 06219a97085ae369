"""JSON lines with `messages` and `images`, as LLaMA-Factory and ms-swift train on them.

Images are files in `images/`, and `<image>` stands in the text where each belongs. LLaMA-Factory
finds its data by `dataset_info.json` and images below its `media_dir`, which is the folder of that
file by default (repo hiyouga/LLaMA-Factory, data/README.md and src/llamafactory/data/converter.py).
ms-swift takes paths below the working directory or `ROOT_IMAGE_DIR` (repo modelscope/ms-swift,
docs/source_en/Customization/Custom-dataset.md).
"""

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from xvr.dataset.record import Sample
from xvr.dataset.shards import ShardReader
from xvr.errors import UserError
from xvr.exchange.form import Form, no_front_matter, nothing
from xvr.exchange.prompts import tagged_text


class _MessageWriter:
    """Writes `<split>.jsonl` and the images."""

    def __init__(self, folder: Path, split: str, images: ShardReader) -> None:
        self._folder = folder
        self._images = images
        (folder / "images").mkdir(exist_ok=True)
        self._lines = (folder / f"{split}.jsonl").open("w")

    def add(self, sample: Sample) -> None:
        """Write one sample with its images."""
        record = {
            "messages": [
                {"role": "user", "content": tagged_text(sample)},
                {"role": "assistant", "content": sample.ground_truth_answer},
            ],
            "images": sample.image_urls,
        }
        for url in sample.image_urls:
            if PurePosixPath(url).parent != PurePosixPath("images"):
                raise UserError(f"{sample.sample_id}: image {url!r} is not in images/")
            if not (self._folder / url).exists():
                (self._folder / url).write_bytes(self._images.read(url))
        self._lines.write(json.dumps(record) + "\n")

    def close(self) -> None:
        """Complete the split."""
        self._lines.close()


def _write_dataset_info(folder: Path, splits: Sequence[str]) -> None:
    """What LLaMA-Factory knows the files by."""
    info = {
        f"xvr_{split.removeprefix('xvr_')}": {
            "file_name": f"{split}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "images": "images"},
            "tags": {
                "role_tag": "role",
                "content_tag": "content",
                "user_tag": "user",
                "assistant_tag": "assistant",
            },
        }
        for split in splits
    }
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=1) + "\n")


LLAMAFACTORY = Form(
    name="llamafactory",
    open=_MessageWriter,
    finish=_write_dataset_info,
    front_matter=no_front_matter,
    usage="""```yaml
dataset_dir: FOLDER
dataset: xvr_train
eval_dataset: xvr_valid
```
""",
)
SWIFT = Form(
    name="swift",
    open=_MessageWriter,
    finish=nothing,
    front_matter=no_front_matter,
    usage="""```bash
ROOT_IMAGE_DIR=FOLDER swift sft --dataset FOLDER/train.jsonl --val_dataset FOLDER/valid.jsonl ...
```
""",
)
