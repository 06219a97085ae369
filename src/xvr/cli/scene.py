"""`xvr scene ...`: captures before they are used."""

import json
import sys
from pathlib import Path
from typing import Annotated

import tyro

from xvr.cli.progress import Bar, tell
from xvr.errors import UserError

Repeated = tyro.conf.UseAppendAction[tuple[str, ...]]


def scene_check(
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="PATH|FORMAT:PATH")],
    /,
    rules: Path | None = None,
    changes: Annotated[Repeated, tyro.conf.arg(name="set", metavar="NAME=VALUE")] = (),
    as_json: Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff] = False,
) -> int:
    """Check that calibrated views agree with each other; 1 if some do not, and what it looks like.

    Args:
        source: Captures or episodes; the format may be left out where the path tells it.
        rules: JSON file of acceptance rules to change.
        changes: One acceptance rule to change; repeat for several.
        as_json: Print one JSON object per scene or episode.
    """
    from xvr.capture.check import check
    from xvr.sources import find_source
    from xvr.tasks.rules import load_rules

    counts = dict.fromkeys(("consistent", "inconsistent", "unchecked"), 0)
    reasons = set()
    for finding in check(find_source(source), load_rules(rules, changes)):
        verdict = finding.verdict
        counts[verdict.kind] += 1
        if verdict.kind == "unchecked":
            reasons.add(verdict.looks_like)
        text = f"{verdict.kind:<12}  {finding.id}: {verdict.detail}"
        sys.stdout.write((json.dumps(finding.to_json()) if as_json else text) + "\n")
    tell(", ".join(f"{count} {kind}" for kind, count in counts.items() if count))
    if counts["unchecked"] == sum(counts.values()):
        raise UserError(f"{source}: nothing could be checked: {'; '.join(sorted(reasons))}")
    return 1 if counts["inconsistent"] else 0


def scene_reconstruct(
    photos: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PHOTOS")],
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")],
    /,
    frames: int = 60,
    scale: float | None = None,
    seed: int = 0,
    workers: int = 1,
) -> int:
    """Make a calibrated scene of photographs or a video, for `--source colmap:OUT`.

    Args:
        photos: Folder of JPEG or PNG photographs of one place, or a video.
        out: Folder to write.
        frames: Frames taken of a video, the sharpest of each stretch.
        scale: Metres per unit of the model; without it the unit is arbitrary.
        seed: Root of all randomness.
        workers: Threads; with one, the same photographs give the same model.
    """
    from xvr.capture.reconstruct import Request, reconstruct

    request = Request(photos=str(photos), frames=frames, scale=scale, seed=seed)
    with Bar("registered", "photo") as bar:
        result = reconstruct(request, out, workers=workers, progress=bar.show, tell=tell)
    tell(
        f"{out}: {result.registered} of {result.photographs} photographs registered, "
        f"{result.points} points, reprojection error {result.error_px:.2f} px"
    )
    return 0
