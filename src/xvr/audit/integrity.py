"""Do the files fit together: records, images, options, balance, duplicates and splits."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from xvr.audit.origin import Origins
from xvr.audit.report import Finding, Problem
from xvr.audit.wording import choices_of, question_of
from xvr.audit.written import Entry, Unproven, Written, located
from xvr.dataset.record import Provenance, Sample, TextBlock
from xvr.errors import Unusable
from xvr.tasks.draft import COLORS, LETTERS

VOCABULARY = (*COLORS, "1", "2", "3", "4", "5", "6")
"""The eleven answers of the published release."""
SPELLED_TASKS = ("relative_pose", "temporal_order")
"""Tasks whose options are letters that the question explains."""
BALANCE_SPREAD = 1
"""Answers of a task and number of options may differ in count by this much within a split."""
COLOR_TASKS = ("point_correspondence", "directional_correspondence")
DOTTED = ("spatial_verification", "depth_order")


def check_integrity(written: Written, origins: Origins) -> list[Finding]:
    """Everything that can be checked without pixels or geometry."""
    findings = list(written.findings)
    for entry in written.entries:
        findings += [located(entry, problem) for problem in _check_entry(entry)]
    for bare in written.unproven:
        findings += [
            located(bare, problem) for problem in _check_record(bare.sample, bare.sample.task)
        ]
    if written.has_images:
        findings += _check_images(written)
    findings += _check_ids((*written.entries, *written.unproven))
    findings += _check_balance(written)
    findings += _check_duplicates(written.entries)
    findings += _check_splits(written.entries, origins)
    return findings


def _check_entry(entry: Entry) -> Iterator[Problem]:
    sample, proof = entry.sample, entry.proof
    yield from _check_record(sample, proof.task)
    numbers = [image.image for image in proof.images]
    if numbers != list(range(1, len(numbers) + 1)):
        yield Problem("integrity", "image_numbers", f"{numbers} do not count from 1")
    if sample.image_urls != [image.url for image in proof.images]:
        yield Problem("integrity", "image_order", "prompt and provenance show different images")
    if len(set(sample.image_urls)) != len(sample.image_urls):
        yield Problem("integrity", "image_twice", "an image is shown twice in one question")
    yield from _check_options(entry)
    yield from _check_marks(proof, set(numbers))


def _check_record(sample: Sample, task: str) -> Iterator[Problem]:
    vocabulary = LETTERS if task in SPELLED_TASKS else VOCABULARY
    if sample.ground_truth_answer not in vocabulary:
        yield Problem("integrity", "unknown_answer", repr(sample.ground_truth_answer))
    for number, block in enumerate(sample.prompt_blocks):
        if "type" not in block.model_fields_set:
            yield Problem("integrity", "bad_block", f"block {number} has no type")
        if isinstance(block, TextBlock) and not block.text.strip():
            yield Problem("integrity", "bad_block", f"block {number} is empty")


def _check_options(entry: Entry) -> Iterator[Problem]:
    answer, proof = entry.answer, entry.proof
    values = [option.value for option in proof.options]
    right = [option.value for option in proof.options if option.correct]
    if right != [proof.answer] or proof.answer != answer:
        detail = f"record {answer!r}, proof {proof.answer!r}, marked right {right}"
        yield Problem("integrity", "answers_disagree", detail)
    if len(values) < 2 or len(set(values)) != len(values):
        yield Problem("integrity", "bad_options", f"options are {values}")
    if proof.task in COLOR_TASKS:
        parts = {image.image: image.part for image in proof.images}
        shown = [mark.color for mark in proof.marks if parts.get(mark.image) == "target"]
        missing = set(values) - set(shown)
    elif proof.task in DOTTED:
        missing = set(values) - {str(mark.image) for mark in proof.marks}
    elif proof.task in SPELLED_TASKS:
        missing = set(values) ^ set(choices_of(question_of(entry)))
    else:
        missing = set(values) - {str(image.image) for image in proof.images}
    if missing:
        yield Problem("integrity", "option_not_shown", f"{sorted(missing)}")


def _check_marks(proof: Provenance, numbers: set[int]) -> Iterator[Problem]:
    for mark in proof.marks:
        name = f"{mark.color} {mark.kind} of image {mark.image}"
        if mark.image not in numbers or mark.color not in COLORS:
            yield Problem("integrity", "bad_mark", name)
            continue
        image = proof.images[min(mark.image, len(proof.images)) - 1]
        ends = [mark.uv_px] if mark.uv_end_px is None else [mark.uv_px, mark.uv_end_px]
        if (mark.kind == "arrow") != (len(ends) == 2):
            yield Problem("integrity", "bad_mark", f"{name} has {len(ends)} ends")
        for u, v in ends:
            if not (0 <= u <= image.width and 0 <= v <= image.height):
                yield Problem("integrity", "mark_outside_image", f"{name} at {u:.1f}, {v:.1f}")


def _check_images(written: Written) -> list[Finding]:
    """Every url is one file, shown by one sample; a release may show it in several."""
    findings = []
    owner: dict[str, Entry] = {}
    for entry in (*written.entries, *written.unproven):
        for url in entry.sample.image_urls:
            copies = written.images.copies(url)
            if copies != 1:
                reason = "missing_image" if copies == 0 else "image_stored_twice"
                problem = Problem("integrity", reason, f"{url}: {copies} files")
                findings.append(located(entry, problem))
            if isinstance(entry, Unproven):
                continue
            other = owner.setdefault(url, entry)
            if other is not entry:
                detail = f"{url} is also in {other.sample.sample_id}"
                findings.append(located(entry, Problem("integrity", "image_shared", detail)))
    unused = written.images.urls - set(owner)
    if unused and not written.unproven:
        detail = f"{len(unused)} images that no sample shows, such as {min(unused)}"
        findings.append(Finding(kind="integrity", reason="unused_images", detail=detail))
    return findings


def _check_ids(entries: Sequence[Entry | Unproven]) -> list[Finding]:
    counts = Counter(entry.sample.sample_id for entry in entries)
    return [
        Finding(kind="integrity", reason="id_twice", detail=f"{count} samples", sample_id=name)
        for name, count in counts.items()
        if count > 1
    ]


def _check_balance(written: Written) -> list[Finding]:
    """Within a split, each task's answers are equally frequent for each set of options.

    A build has chosen its answers so; what is mixed or split from builds breaks but a rule.
    """
    kind = "integrity" if written.is_build else "rule"
    counts: dict[tuple[str, str, tuple[str, ...]], Counter[str]] = defaultdict(Counter)
    for entry in written.entries:
        values = tuple(sorted(option.value for option in entry.proof.options))
        if entry.proof.task in COLOR_TASKS:
            values = COLORS  # directions show four of the five colours
        counts[entry.split, entry.proof.task, values][entry.answer] += 1
    findings = []
    for (split, task, values), count in counts.items():
        numbers = [count[value] for value in values]
        if max(numbers) - min(numbers) > BALANCE_SPREAD:
            detail = ", ".join(f"{value} {count[value]}" for value in values)
            findings.append(
                Finding(kind=kind, reason="unbalanced", detail=detail, split=split, task=task)
            )
    return findings


def _check_duplicates(entries: Sequence[Entry]) -> list[Finding]:
    """No two samples ask the same of the same frames with the same marks."""
    first: dict[tuple, str] = {}
    findings = []
    for entry in entries:
        key = _question_key(entry.proof)
        other = first.setdefault(key, entry.sample.sample_id)
        if other != entry.sample.sample_id:
            problem = Problem("integrity", "duplicate_question", f"same as {other}")
            findings.append(located(entry, problem))
    return findings


def _question_key(proof: Provenance) -> tuple:
    source = proof.source
    names = tuple(source.episodes or (source.scene or source.episode,))
    frames = sorted(
        (image.part, image.episode or 0, image.view or image.camera or "", image.frame_index)
        for image in proof.images
    )
    marks = sorted(
        (proof.images[mark.image - 1].view or "", mark.uv_px, mark.uv_end_px or ())
        for mark in proof.marks
        if 0 < mark.image <= len(proof.images)
    )
    world: Mapping[str, object] = proof.world
    asked = tuple(str(world.get(key)) for key in ("side", "asked_role", "described_role"))
    return (proof.task, source.format, source.path, names, tuple(frames), tuple(marks), asked)


def _check_splits(entries: Sequence[Entry], origins: Origins) -> list[Finding]:
    """No scene, episode, or group of them (object, place) is in two splits."""
    splits: dict[tuple[str, str, str], dict[str, str]] = defaultdict(dict)
    for entry in entries:
        for kind, name in _origin_names(entry, origins):
            found = splits[entry.proof.source.format, kind, name]
            found.setdefault(entry.split, entry.sample.sample_id)
    return [
        Finding(
            kind="integrity",
            reason="splits_overlap",
            detail=f"{kind} {name!r}: " + ", ".join(f"{s} ({i})" for s, i in found.items()),
        )
        for (_, kind, name), found in sorted(splits.items())
        if len(found) > 1
    ]


def _origin_names(entry: Entry, origins: Origins) -> Iterator[tuple[str, str]]:
    source = entry.proof.source
    for name in source.episodes or [source.scene or source.episode or ""]:
        yield "episode" if source.scene is None else "scene", f"{source.path}: {name}"
    try:
        for ref in origins.refs(source):
            yield "group", f"{source.path}: {ref.group}"
    except Unusable:
        return  # reported with the answers, which cannot be recomputed either
