"""Whether the sources are still what they were when a build began.

A disk that is unmounted midway makes every scene look unusable. Such verdicts would make another
dataset of the one that was asked for, so they stop the build and are forgotten.
"""

import os
from dataclasses import dataclass

from xvr.errors import UserError
from xvr.sources import Source, fingerprint, index, parse_source
from xvr.sources.records import Ref


class SourceChanged(UserError):
    """A source is gone, or is not what it was when the build began."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A source as it was when the build began."""

    source: Source
    refs: list[Ref]
    sha256: str
    """Its fingerprint."""

    def require_unchanged(self) -> None:
        """Look at the metadata files of all scenes or episodes again.

        Raises:
            SourceChanged: some are missing or have another size.
        """
        if fingerprint(self.refs, self.source) != self.sha256:
            raise SourceChanged(
                f"{self.source.path} changed while the dataset was built; bring back what was "
                "there and run the same command again: finished work is kept"
            )


def watch(text: str) -> Watched:
    """The source that `FORMAT:PATH` names, indexed."""
    source = parse_source(text)
    refs = index(source)
    return Watched(source=source, refs=refs, sha256=fingerprint(refs, source))


def require_there(ref: Ref) -> None:
    """Look for the source of a scene or episode that could not be used.

    Raises:
        SourceChanged: the whole source is gone.
    """
    if not os.path.exists(ref.root):  # noqa: PTH110  (Path.exists raises on a stale mount)
        raise SourceChanged(
            f"{ref.root} is gone; bring it back and run the same command again: "
            "finished work is kept"
        )
