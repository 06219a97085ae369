"""The two errors of the package: what a user must fix, and what a run skips and counts."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """What a user must fix: the command line prints the message without a traceback and exits 2."""


class Unusable(Exception):
    """A scene, episode or image that cannot be used; a run skips it, counts the reason and goes on.

    Attributes:
        reason: short snake_case word that is counted, such as `truncated_image`.
        detail: where and what exactly, such as the file and the value found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["Unusable"], tuple[str, str]]:
        return type(self), (self.reason, self.detail)


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UserError:
    """A `UserError` for an unknown name that offers the closest known one."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return UserError(f"unknown {kind} {name!r}: {hint}known are {', '.join(names)}")
