"""The audit from end to end."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from xvr.audit.answers import check_answers
from xvr.audit.cheaters import run_cheaters, wants_patches
from xvr.audit.integrity import check_integrity
from xvr.audit.origin import Origins
from xvr.audit.pixels import check_pixels, check_readable
from xvr.audit.report import AuditReport
from xvr.audit.thresholds import thresholds_of
from xvr.audit.written import Entry, Unproven, read_written

NOTHING_MOVED: Mapping[str, str] = {}


def audit(
    dataset: Path,
    *,
    pixels: int = 50,
    workers: int = 1,
    relocate: Mapping[str, str] = NOTHING_MOVED,
) -> AuditReport:
    """Recompute every answer of a dataset from its sources and measure what cheaters get.

    Samples that were imported without a proof have only their records and images checked.

    Args:
        dataset: folder with `<split>.jsonl`, `provenance/` and the images.
        pixels: number of written images that are compared with the source's.
        workers: processes that recompute answers; the report does not depend on it.
        relocate: start of a recorded source path, to where the data is now.

    Raises:
        UserError: the folder holds no dataset.
    """
    written = read_written(dataset)
    limits = thresholds_of(written.manifest)
    origins = Origins(relocate=dict(relocate))
    findings = check_integrity(written, origins)
    broken = {finding.sample_id for finding in findings if finding.sample_id}
    sound = [entry for entry in written.entries if entry.sample.sample_id not in broken]
    checked = check_answers(sound, wants_patches(sound), limits, relocate=relocate, workers=workers)
    for outcome in checked:
        findings += outcome.findings
    read = written.images.read if written.has_images else None
    compared, decoded = 0, 0
    if read is not None:
        compared, differences = check_pixels(sound, read, origins, limits, pixels)
        bare = [sample for sample in written.unproven if sample.sample.sample_id not in broken]
        decoded, unreadable = check_readable(bare, read, pixels)
        findings += [*differences, *unreadable]
    return AuditReport(
        samples=_counts((*written.entries, *written.unproven)),
        unproven=len(written.unproven),
        answers_checked=sum(outcome.recomputed for outcome in checked),
        images_checked=compared,
        images_decoded=decoded,
        findings=tuple(findings),
        scores=tuple(run_cheaters(sound, [o.patches for o in checked], read)),
    )


def _counts(entries: Sequence[Entry | Unproven]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in entries:
        counts[entry.split][entry.task] += 1
    return {split: dict(sorted(tasks.items())) for split, tasks in counts.items()}
