"""`xvr data import`, `export`, `mix` and `split`: datasets from elsewhere and for elsewhere."""

import json
from pathlib import Path
from typing import Annotated, Literal

import tyro

from xvr.cli.progress import Bar, summary, tell
from xvr.errors import UserError

Dataset = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATASET")]
Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
Release = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RELEASE")]
Paths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="DATASET... OUT")]
SHOWN = 5
"""Lines left out by an import that are told at once."""


def data_import(release: Release, out: Out, /) -> int:
    """Make a dataset of the published release: lines checked, shards linked and indexed.

    Args:
        release: Folder with train.jsonl, valid.jsonl or xvr_eval.jsonl, and image_shards/ or
            images/.
        out: Folder to write.
    """
    from xvr.exchange.release import REPORT, import_release

    with Bar("lines", "line") as bar:
        report = import_release(release, out, progress=bar.show)
    tell(summary(out))
    tell("a release has no proofs: its answers cannot be checked")
    for note, count in sorted(report.notes.items()):
        tell(f"kept, though unusual: {note} {count}")
    if report.rejected:
        reasons = ", ".join(f"{reason} {count}" for reason, count in report.reasons.items())
        tell(f"left out: {reasons}; all are listed in {out / REPORT}, such as")
        for rejected in report.rejected[:SHOWN]:
            tell(f"  {rejected}")
    return 0


def data_export(
    dataset: Dataset,
    out: Out,
    /,
    form: Annotated[
        Literal["parquet", "trl", "llamafactory", "swift", "webdataset"], tyro.conf.arg(name="to")
    ],
    splits: tuple[str, ...] = (),
) -> int:
    """Write a dataset in a form that trainers read; images stay where the prompt has them.

    Args:
        dataset: Folder of a dataset.
        out: Folder to write.
        form: Form to write.
        splits: Splits to write; all when left out.
    """
    from xvr.exchange.export import export

    with Bar("samples", "sample") as bar:
        samples = export(dataset, out, form, splits=splits, progress=bar.show)
    tell(f"{out}: {samples} samples for {form}; {out / 'README.md'} says how to read them")
    return 0


def data_mix(paths: Paths, /, weights: tuple[float, ...] = (), seed: int = 0) -> int:
    """Make one dataset of several: `xvr data mix A B OUT`; what one holds out none trains on.

    Args:
        paths: Datasets to mix, then the folder to write.
        weights: Share of each dataset, in any unit; all samples of all when left out.
        seed: Root of the choice and the order.
    """
    from xvr.exchange.mix import mix

    if not paths:
        raise UserError("name the datasets to mix, then the folder to write")
    *datasets, out = paths
    with Bar("samples", "sample") as bar:
        mix(datasets, out, weights=weights, seed=seed, progress=bar.show)
    tell(summary(out))
    manifest = json.loads((out / "manifest.json").read_text())
    if count := manifest["held_out_elsewhere"]:
        tell(f"left out: {count} samples whose scene or episode another dataset holds out")
    return 0


def data_split(
    dataset: Dataset,
    out: Out,
    /,
    shares: tuple[float, ...],
    by_id: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    seed: int = 0,
) -> int:
    """Divide a dataset anew into splits; a scene or episode is whole in one of them.

    Args:
        dataset: Folder of a dataset.
        out: Folder to write.
        shares: Shares of train, valid and, if wanted, xvr_eval; they sum to 1.
        by_id: Group samples without provenance by the episode in their id and by shared images.
        seed: Root of the choice.
    """
    from xvr.exchange.split import split

    with Bar("samples", "sample") as bar:
        split(dataset, out, shares=shares, by_id=by_id, seed=seed, progress=bar.show)
    tell(summary(out))
    manifest = json.loads((out / "manifest.json").read_text())
    if count := manifest["across_splits"]:
        tell(f"left out: {count} samples of two episodes that are now in different splits")
    return 0
