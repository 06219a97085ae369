"""What a run was asked, found again in the data: texts and images in their order."""

from collections.abc import Iterator
from pathlib import Path

from xvr.dataset.reader import splits_of
from xvr.errors import UserError
from xvr.evaluation.benchmark import Loaded
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.item import Prompt
from xvr.evaluation.store import Manifest

ANY_DATASET = "xvr"
"""The benchmark that may be any split of any dataset of ours."""


def find_prompts(manifest: Manifest, data: Path) -> dict[str, Prompt]:
    """Prompts by item, images not yet read.

    Args:
        manifest: of the run.
        data: the benchmark's folder or file.

    Raises:
        UserError: it cannot be read, or is not the data of the run.
    """
    found = []
    for loaded in _loaded(manifest.benchmark, data):
        if loaded.revision == manifest.revision:
            return {item.prompt.item_id: item.prompt for item in loaded.items}
        found.append(loaded.revision)
    raise UserError(
        f"{data} is not what the run was asked: the revision of the run is "
        f"{manifest.revision}, that of the data {' or '.join(found)}"
    )


def _loaded(benchmark: str, data: Path) -> Iterator[Loaded]:
    # The held-out split is the smallest and the one most often asked.
    splits = reversed(splits_of(data)) if benchmark == ANY_DATASET else (None,)
    for split in splits:
        yield get_benchmark(benchmark, split=split).load(data)
