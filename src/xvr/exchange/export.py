"""A dataset in the forms that trainers read; texts and images stay in the order of the prompt.

    export(Path("out/dataset"), Path("out/trl"), "trl")

Samples are streamed one by one, and images copied as they are. The folder appears when it is whole,
and the same dataset gives the same bytes.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from xvr import __version__
from xvr.dataset.atomic import new_folder
from xvr.dataset.reader import count_samples, read_split, splits_of
from xvr.dataset.shards import ShardReader
from xvr.errors import UserError, unknown_name
from xvr.exchange.form import Form
from xvr.exchange.messages import LLAMAFACTORY, SWIFT
from xvr.exchange.parents import open_parent
from xvr.exchange.parquet import PARQUET, TRL
from xvr.exchange.webdataset import WEBDATASET

FORMS: tuple[Form, ...] = (PARQUET, TRL, LLAMAFACTORY, SWIFT, WEBDATASET)
"""All forms."""
Progress = Callable[[int, int], None]
"""Called with (samples written, samples to write)."""


def export(
    dataset: Path,
    out: Path,
    form: str,
    *,
    splits: Sequence[str] = (),
    progress: Progress | None = None,
) -> int:
    """Write a dataset in another form and return the number of samples.

    Args:
        dataset: the dataset to read.
        out: the folder to write; it must not be there.
        form: name in `FORMS`.
        splits: the only splits to write; all when left out.
        progress: called after every sample.

    Raises:
        UserError: an unknown form or split, a dataset without images or with damaged ones, or
            `out` cannot be written.
    """
    forms = {found.name: found for found in FORMS}
    if form not in forms:
        raise unknown_name("form", form, forms)
    there = splits_of(dataset)
    for split in splits:
        if split not in there:
            raise unknown_name("split", split, there)
    wanted = [split for split in there if not splits or split in splits]
    parent = open_parent(dataset)
    if not parent.has_images:
        raise UserError(f"{dataset} was built with --images none: there are no images to export")
    total, done = sum(count_samples(dataset, split) for split in wanted), 0
    with new_folder(out) as folder, ShardReader(dataset) as images:
        for split in wanted:
            with closing(forms[form].open(folder, split, images)) as writer:
                for sample, _ in read_split(dataset, split):
                    writer.add(sample)
                    done += 1
                    if progress is not None:
                        progress(done, total)
        forms[form].finish(folder, wanted)
        name = str(parent.manifest.get("identity", parent.fingerprint))
        (folder / "README.md").write_text(_readme(forms[form], wanted, total, name))
    return total


def _readme(form: Form, splits: Sequence[str], samples: int, identity: str) -> str:
    return f"""{form.front_matter(splits)}# Cross-view relations, in the form `{form.name}`

{samples} samples ({", ".join(splits)}) of the dataset with identity
`{identity}`, exported by xvr {__version__}.
`FOLDER` is this folder.

{form.usage}"""
