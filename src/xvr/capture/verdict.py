"""Is a calibration right, and if not, what does the mistake look like?

Views are compared as they are given, then with each known mistake undone. A calibration is refused
when too little agrees, or when undoing a mistake makes clearly more agree. Noise makes every
reading worse alike, so a noisy capture with right conventions passes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from xvr.capture.agreement import Agreement, DepthViews, TrackViews
from xvr.capture.mistakes import (
    Mistake,
    depth_mistakes,
    focal_mistakes,
    pose_mistakes,
    shift_mistakes,
    size_mistakes,
)
from xvr.geometry.camera import Camera
from xvr.tasks.rules import Rules

CLEAR_SHARE = 0.95
"""Where this much agrees of what is not hidden, no mistake is looked for ..."""
MAX_HIDDEN_SHARE = 0.7
"""... unless more is hidden: too large depths hide everything."""
BELIEVED_SHARE = 0.5
"""With a mistake undone, at least this much agrees of what is not hidden."""
MIN_COMPARED = 100
"""Pixels that are not hidden, or sightings."""
MIN_COVERAGE = 0.05
"""Views that share less cannot be compared."""
UNKNOWN = (
    "no known mistake explains it: wrong poses, or poses and frames that do not belong together"
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What comparing the views said."""

    kind: Literal["consistent", "inconsistent", "unchecked"]
    given: Agreement
    """As the calibration was given."""
    mistake: str = ""
    """Name of the mistake it looks like."""
    looks_like: str = ""
    """The same for people; why it was not checked, for unchecked ones."""
    repaired: Agreement | None = None
    """With that mistake undone."""

    @property
    def detail(self) -> str:
        """One line with the figures."""
        if not self.given.compared and not self.repaired:
            return self.looks_like
        error = self.given.median_error
        text = (
            f"{self.given.share_unhidden:.0%} of {self.given.compared} compared agree, "
            f"median error {f'{error:.2%}' if error <= 1 else 'over 100%'}"
        )
        if self.repaired:
            text += f" ({self.repaired.share_unhidden:.0%} with that undone)"
        return f"{self.looks_like}; {text}" if self.looks_like else text


def judge(
    views: DepthViews | TrackViews,
    cameras: Sequence[Camera],
    rules: Rules,
    special: Iterable[Mistake] = (),
) -> Verdict:
    """Compare views, and look for a mistake where they do not clearly agree.

    Args:
        views: what is compared.
        cameras: of these views.
        rules: thresholds.
        special: mistakes that only captures of this kind have, such as poses in another order.
    """
    given = views.agreement(cameras)
    if is_clear(given):
        return Verdict(kind="consistent", given=given)
    mistakes = [*pose_mistakes(), *focal_mistakes(), *size_mistakes(), *special]
    if isinstance(views, DepthViews):
        mistakes += depth_mistakes()
    gain, mistake, repaired = max(_tried(views, cameras, given, mistakes), key=_gain)
    if repaired.share_unhidden < CLEAR_SHARE or not _comparable(repaired):
        shifts = [shift for f in {1.0, mistake.focal_factor} for shift in shift_mistakes(f)]
        shifted = max(_tried(views, cameras, given, shifts), key=_gain)
        gain, mistake, repaired = max((gain, mistake, repaired), shifted, key=_gain)
    believed = _comparable(repaired) and repaired.share_unhidden >= BELIEVED_SHARE
    if believed and gain >= rules.max_repair_gain:
        return Verdict(
            kind="inconsistent",
            given=given,
            mistake=mistake.name,
            looks_like=mistake.tells,
            repaired=repaired,
        )
    if not _comparable(given):
        return Verdict(kind="unchecked", given=given, looks_like="views share too little")
    if given.share_unhidden < rules.min_consistent_share:
        return Verdict(kind="inconsistent", given=given, mistake="unknown", looks_like=UNKNOWN)
    return Verdict(kind="consistent", given=given)


def is_clear(given: Agreement) -> bool:
    """Whether so much agrees that no mistake is looked for."""
    clear = given.share_unhidden >= CLEAR_SHARE and given.share >= 1 - MAX_HIDDEN_SHARE
    return clear and _comparable(given)


def _tried(
    views: DepthViews | TrackViews,
    cameras: Sequence[Camera],
    given: Agreement,
    mistakes: Iterable[Mistake],
) -> Iterator[tuple[float, Mistake, Agreement]]:
    """Each mistake undone, with how much more agrees.

    The share is that of all pixels that the given calibration compares: to turn a camera away so
    that less is compared explains nothing.
    """
    for mistake in mistakes:
        found = views.agreement(mistake.undo(cameras), mistake.read_depth)
        share = found.agreeing / max(found.compared, given.compared, 1)
        yield share - given.share, mistake, found


def _gain(tried: tuple[float, Mistake, Agreement]) -> float:
    return tried[0]


def _comparable(agreement: Agreement) -> bool:
    telling = agreement.agreeing + agreement.in_front
    return telling >= MIN_COMPARED and agreement.coverage >= MIN_COVERAGE
