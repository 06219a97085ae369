"""Are the written images the frames they claim to be: some are decoded again and compared.

Written and source image must agree away from the marks, up to lossy compression. For the odd image
of temporal questions, and the candidates of questions of order and sync, the source's frames at the
other times must fit worse.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from xvr.audit.origin import Origins
from xvr.audit.report import Finding, Problem
from xvr.audit.thresholds import Thresholds
from xvr.audit.written import Entry, Unproven, located
from xvr.dataset.record import ImageRecord, Provenance
from xvr.errors import Unusable
from xvr.sources.pixels import decode_image
from xvr.sources.records import Episode, Scene

Image = UInt8[np.ndarray, "h w 3"]

LARGEST_MEAN_DIFFERENCE = 6.0
"""Of 255, per channel, away from marks: quality 90 JPEG stays below 4 even on fine texture."""
MARK_SHARE = 0.10
"""Pixels this close to a mark are left out, relative to the image's shorter side."""
ODD_TASK = "temporal_verification"
TIMED_TASKS = ("temporal_order", "temporal_sync")
"""Tasks whose candidates are frames of one camera at several moments."""
SSIM_SIZE = 160
"""Width in pixels of the grey images that are compared for change."""


def check_pixels(
    entries: Sequence[Entry],
    read: Callable[[str], bytes],
    origins: Origins,
    limits: Thresholds,
    count: int,
) -> tuple[int, list[Finding]]:
    """Compare some written images with their sources.

    Args:
        entries: samples to choose from; tasks take turns, ids are taken in the order of a hash.
        read: gives the encoded image of a url.
        origins: opens the sources.
        limits: rules, for the similarity of the odd camera's two frames.
        count: images to compare at most.

    Returns:
        How many were compared, and what was wrong.
    """
    findings = []
    compared = 0
    for entry, chosen in _choose(entries, count):
        try:
            opened = origins.open(entry.proof.source)
            for image in chosen:
                compared += 1
                for problem in _check_image(entry, image, opened, read, limits):
                    findings.append(located(entry, problem))
        except (Unusable, KeyError) as error:
            findings.append(located(entry, Problem("pixels", "unreadable", str(error))))
    return compared, findings


def check_readable(
    samples: Sequence[Unproven], read: Callable[[str], bytes], count: int
) -> tuple[int, list[Finding]]:
    """Decode some images of imported samples, about which nothing else can be known.

    Args:
        samples: to choose from; one image of each is taken, in the order of a hash of the ids.
        read: gives the encoded image of a url.
        count: images to decode at most.

    Returns:
        How many were decoded, and what was wrong.
    """
    chosen = sorted(samples, key=_hashed)[:count]
    findings = []
    for sample in chosen:
        urls = sample.sample.image_urls
        url = urls[_hashed(sample)[0] % len(urls)]
        try:
            decode_image(read(url), url)
        except (Unusable, KeyError) as error:
            findings.append(located(sample, Problem("pixels", "unreadable", str(error))))
    return len(chosen), findings


def structural_similarity(first: Image, second: Image) -> float:
    """Mean SSIM (Wang et al. 2004, 7x7 windows) of two images, grey and 160 px wide."""
    x, y = (_small_grey(image) for image in (first, second))

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (7, 7))

    mean_x, mean_y = mean(x), mean(y)
    unbiased = 49 / 48
    variances = unbiased * (mean(x * x) - mean_x**2 + mean(y * y) - mean_y**2)
    covariance = unbiased * (mean(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    below = (mean_x**2 + mean_y**2 + c1) * (variances + c2)
    return float((above / below)[3:-3, 3:-3].mean())


def _choose(entries: Sequence[Entry], count: int) -> Iterator[tuple[Entry, list[ImageRecord]]]:
    """Samples with the images to compare: tasks in turn, one image each, the odd one if any."""
    turns: Counter[str] = Counter()
    queue = []
    for entry in sorted(entries, key=_hashed):
        queue.append((turns[entry.proof.task], entry.proof.task, entry))
        turns[entry.proof.task] += 1
    for _, _, entry in sorted(queue, key=lambda item: item[:2])[:count]:
        records = entry.proof.images
        odd = _odd_image(entry.proof)
        yield entry, [odd or records[_hashed(entry)[0] % len(records)]]


def _hashed(entry: Entry | Unproven) -> bytes:
    return hashlib.sha256(entry.sample.sample_id.encode()).digest()


def _odd_image(proof: Provenance) -> ImageRecord | None:
    if proof.task != ODD_TASK:
        return None
    frames = Counter(image.frame_index for image in proof.images)
    odd = [image for image in proof.images if frames[image.frame_index] == 1]
    return odd[0] if len(odd) == 1 and len(proof.images) > 2 else None


def _other_frames(proof: Provenance, record: ImageRecord) -> list[int]:
    """Frames of the same camera at the other moments of a question of time."""
    if record is _odd_image(proof):
        return [next(i.frame_index for i in proof.images if i is not record)]
    if proof.task in TIMED_TASKS and record.part == "candidate":
        others = [i for i in proof.images if i.part == "candidate" and i is not record]
        return [image.frame_index for image in others]
    return []


def _check_image(
    entry: Entry,
    record: ImageRecord,
    opened: Sequence[Scene | Episode],
    read: Callable[[str], bytes],
    limits: Thresholds,
) -> Iterator[Problem]:
    written = decode_image(read(record.url), record.url)
    if written.shape[:2] != (record.height, record.width):
        detail = f"image {record.image}: {written.shape[1]}x{written.shape[0]}"
        yield Problem("pixels", "wrong_size", f"{detail}, not {record.width}x{record.height}")
        return
    frames = [record.frame_index]
    frames += _other_frames(entry.proof, record)
    sources = _source_frames(record, opened, frames)
    if sources[0].shape != written.shape:
        yield Problem("pixels", "wrong_size", f"image {record.image}: source is another size")
        return
    away = _away_from_marks(entry.proof, record)
    gap = _difference(written, sources[0], away)
    if gap > LARGEST_MEAN_DIFFERENCE:
        detail = f"image {record.image} differs by {gap:.1f} of 255 from its source"
        yield Problem("pixels", "other_frame", detail)
    largest = limits.max_ssim if entry.proof.task == ODD_TASK else limits.max_moment_ssim
    for frame, source in zip(frames[1:], sources[1:], strict=True):
        if _difference(written, source, away) <= gap:
            detail = f"image {record.image}: frame {frame} fits as well as frame {frames[0]}"
            yield Problem("pixels", "other_time", detail)
        similarity = structural_similarity(sources[0], source)
        if similarity > largest + 0.01:
            detail = f"SSIM {similarity:.3f} between two frames of {record.camera}"
            yield Problem("rule", "frame_unchanged", detail)


def _source_frames(
    record: ImageRecord, opened: Sequence[Scene | Episode], frames: list[int]
) -> list[Image]:
    source = opened[record.episode or 0]
    if isinstance(source, Scene):
        view = next((view for view in source.views if view.name == record.view), None)
        if view is None:
            raise Unusable("unknown_view", str(record.view))
        return [view.read_image()]
    camera = next((camera for camera in source.cameras if camera.key == record.camera), None)
    if camera is None:
        raise Unusable("unknown_camera", str(record.camera))
    order = sorted(set(frames))
    found = dict(zip(order, camera.read_frames(order), strict=True))
    return [found[frame] for frame in frames]


def _away_from_marks(proof: Provenance, record: ImageRecord) -> Bool[np.ndarray, "h w"]:
    away = np.ones((record.height, record.width), dtype=np.uint8)
    radius = round(MARK_SHARE * min(record.width, record.height))
    for mark in proof.marks:
        if mark.image == record.image:
            tail = (round(mark.uv_px[0]), round(mark.uv_px[1]))
            end = mark.uv_end_px or mark.uv_px
            cv2.line(away, tail, (round(end[0]), round(end[1])), (0,), 2 * radius)
            cv2.circle(away, tail, radius, (0,), -1)
    return away.astype(bool) if away.any() else np.ones_like(away, dtype=bool)


def _difference(first: Image, second: Image, where: Bool[np.ndarray, "h w"]) -> float:
    return float(cv2.absdiff(first, second)[where].mean())


def _small_grey(image: Image) -> Float[np.ndarray, "_ _"]:
    height = max(round(image.shape[0] * SSIM_SIZE / image.shape[1]), 8)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SSIM_SIZE, height), interpolation=cv2.INTER_AREA).astype(float)
