"""What the page reads of `manifest.json` and `audit.json`; both may be absent or partial."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from xvr.dataset.manifest import MANIFEST
from xvr.errors import UserError

AUDIT = "audit.json"
ReportT = TypeVar("ReportT", "Manifest", "Audit")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Config(_Part):
    """The configuration of a build."""

    seed: int | None = None
    rules: dict[str, float] = Field(default_factory=dict)


class Manifest(_Part):
    """How the dataset was made."""

    xvr: str = ""
    """Version of the package."""
    config: Config = Config()
    refusals: dict[str, dict[str, int]] = Field(default_factory=dict)
    """{task: {reason: count}}."""
    skipped_by_reason: dict[str, int] = Field(default_factory=dict)


class Guesser(_Part):
    """What one way of guessing scores on one task."""

    task: str
    cheater: str
    samples: int
    accuracy: float
    chance: float
    leaky: bool


class Audit(_Part):
    """What an audit found."""

    ok: bool = False
    answers_checked: int | None = None
    images_checked: int = 0
    unproven: int = 0
    """Samples that never had a proof."""
    counts: dict[str, dict[str, int]] = Field(default_factory=dict)
    """{kind of problem: {reason: count}}."""
    cheaters: tuple[Guesser, ...] = ()


def read_manifest(dataset: Path) -> Manifest:
    """The manifest, empty where there is none.

    Raises:
        UserError: it cannot be read.
    """
    return _read(dataset / MANIFEST, Manifest, "build the dataset again")


def read_audit(dataset: Path) -> Audit:
    """The report of an audit that was written beside the dataset, empty where there is none.

    Raises:
        UserError: it cannot be read.
    """
    return _read(dataset / AUDIT, Audit, "audit the dataset again")


def _read(path: Path, kind: type[ReportT], remedy: str) -> ReportT:
    if not path.exists():
        return kind()
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {where}: {first['msg']}; {remedy}") from error
