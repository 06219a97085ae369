"""`xvr data ...`: building datasets and looking at them."""

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import tyro

from xvr.cli.progress import Bar, summary, tell
from xvr.errors import UserError

Out = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
Dataset = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="DATASET")]
Repeated = tyro.conf.UseAppendAction[tuple[str, ...]]


def data_build(
    out: Out,
    /,
    source: Repeated,
    samples: int = 0,
    tasks: tuple[str, ...] = (),
    mixture: Literal["xvr", "general", "robotic", "uniform", "extended"] = "xvr",
    evaluation: Annotated[bool, tyro.conf.arg(name="eval"), tyro.conf.FlagCreatePairsOff] = False,
    valid_share: float = 0.03,
    eval_share: float = 0.1,
    rules: Path | None = None,
    changes: Annotated[Repeated, tyro.conf.arg(name="set", metavar="NAME=VALUE")] = (),
    image_format: Literal["png", "jpeg"] = "png",
    jpeg_quality: int = 95,
    images: Literal["shards", "folder", "none"] = "shards",
    keep_clean: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
    mark_scale: float = 1.0,
    mark_labels: Annotated[bool, tyro.conf.FlagCreatePairsOff] = True,
    seed: int = 0,
    workers: int = 1,
    ray: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS")] = None,
    rank: int = 0,
    world: int = 1,
    overwrite: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False,
) -> int:
    """Build a dataset of cross-view questions; running again goes on with what is missing.

    Args:
        out: Folder to write.
        source: Where data comes from, as FORMAT:PATH; repeat for several. Formats: wildrgbd,
            lerobot, gr00t, agibot, droid, rlds, aloha, roboset, colmap, nerfstudio, co3d,
            scannet.
        samples: Samples of train and valid together.
        tasks: Tasks to make, extended for all beyond the published ones; all of the mixture when
            left out.
        mixture: Shares of the tasks: xvr (as published), general, robotic, uniform or extended.
        evaluation: Also make a held-out benchmark with the counts of XVR-Eval.
        valid_share: Share of the samples, scenes and episodes in valid.
        eval_share: Share of the scenes and episodes held out for the benchmark.
        rules: JSON file of acceptance rules to change.
        changes: One acceptance rule to change; repeat for several.
        image_format: Encoding of the written images.
        jpeg_quality: Quality of JPEG images, 1 to 100.
        images: Tar shards, an unpacked folder, or none (marks as data only).
        keep_clean: Keep the unmarked image beside each marked one.
        mark_scale: How much larger than usual marks are drawn, 0.5 to 4.
        mark_labels: Leave out the words beside marks.
        seed: Root of all randomness.
        workers: Processes on this machine.
        ray: Work on the Ray cluster at this address, or on one started here: local.
        rank: Number of this run among those that share the build, from 0; rank 0 writes the
            dataset.
        world: Number of runs that share the build, all with the same arguments and folders.
        overwrite: Delete what the folder holds first.
    """
    from xvr.engine.build import build
    from xvr.engine.config import BuildConfig
    from xvr.engine.executor import Crew
    from xvr.engine.folder import discard
    from xvr.tasks.rules import load_rules

    config = BuildConfig(
        sources=source,
        samples=samples,
        tasks=tasks,
        mixture=mixture,
        evaluation=evaluation,
        valid_share=valid_share,
        eval_share=eval_share,
        seed=seed,
        rules=load_rules(rules, changes),
        image_format=image_format,
        jpeg_quality=jpeg_quality,
        images=images,
        keep_clean=keep_clean,
        mark_scale=mark_scale,
        mark_labels=mark_labels,
    )
    crew = Crew(workers=workers, ray=ray, rank=rank, world=world)
    if overwrite and world > 1:
        raise UserError(
            "--overwrite with --world: one rank would delete what another makes; "
            "delete the folder before the first one starts"
        )
    if overwrite:
        discard(out)
    with Bar("samples", "sample") as bar:
        complete = build(out, config, crew, progress=bar.show)
    tell(summary(out) if complete else f"{out}: all units are done; rank 0 writes the dataset")
    return 0


def data_audit(
    dataset: Dataset,
    /,
    pixels: int = 50,
    workers: int = 1,
    relocate: tuple[str, ...] = (),
    report: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False,
) -> int:
    """Recompute every answer from the sources and measure what cheaters get; 1 if one is wrong.

    Args:
        dataset: Folder of a dataset.
        pixels: Written images to compare with their sources.
        workers: Processes.
        relocate: OLD=NEW paths of sources that moved.
        report: Print the report as JSON.
    """
    from xvr.audit import audit

    for word in relocate:
        if "=" not in word:
            raise UserError(f"--relocate {word!r}: write OLD=NEW")
    moved = dict(word.split("=", 1) for word in relocate)
    result = audit(dataset, pixels=pixels, workers=workers, relocate=moved)
    result.write(dataset / "audit.json")
    sys.stdout.write((json.dumps(result.to_json()) if report else result.to_text()) + "\n")
    return 0 if result.ok else 1


def data_stats(
    dataset: Dataset,
    /,
    as_json: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False,
) -> int:
    """Print what is in a dataset: counts, images per sample, answers.

    Args:
        dataset: Folder of a dataset.
        as_json: Print everything, histograms too, as JSON.
    """
    from xvr.dataset.stats import compute_stats, describe

    stats = compute_stats(dataset)
    sys.stdout.write((json.dumps(stats, indent=1) if as_json else describe(stats)) + "\n")
    return 0


def data_show(dataset: Dataset, /, out: Path | None = None, samples_per_task: int = 12) -> int:
    """Write a self-contained web page over a dataset and print its path.

    Args:
        dataset: Folder of a dataset.
        out: Page to write; DATASET/show.html when left out.
        samples_per_task: Samples shown of each task.
    """
    from xvr.viewer import show

    page = show(dataset, out=out, samples_per_task=samples_per_task)
    sys.stdout.write(f"{page}\n")
    return 0
