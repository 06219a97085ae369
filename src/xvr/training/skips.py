"""Samples that cannot be used: written down, counted, and too many of them an error."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from xvr.errors import UserError
from xvr.training.collate import Skipped

SKIPPED = "skipped.jsonl"
Tell = Callable[[str], None]


class SkipLog:
    """Counts samples that could not be used, and ends the run when they are too many."""

    def __init__(self, run: Path, *, most: int, share: float) -> None:
        """`most` samples may be skipped, which is `share` of the run."""
        self._path = run / SKIPPED
        self._most = most
        self._share = share
        self.reasons: Counter[str] = Counter()

    def add(self, skipped: tuple[Skipped, ...]) -> None:
        """Write them down.

        Raises:
            UserError: they are too many; names the last file.
        """
        with self._path.open("a") as file:
            for skip in skipped:
                self.reasons[skip.reason] += 1
                file.write(json.dumps({"reason": skip.reason, "detail": skip.detail}) + "\n")
        if self.reasons.total() > self._most:
            raise too_many(self.reasons, self._share, skipped[-1].detail)


def too_many(reasons: Counter[str], share: float, detail: str) -> UserError:
    """The error for more unusable samples than allowed."""
    told = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return UserError(
        f"more than {share:.1%} of the samples cannot be used ({told}), such as {detail}. Mend the "
        "data, or raise --max-skipped"
    )
