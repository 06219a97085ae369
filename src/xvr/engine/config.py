"""What a build is asked for: one frozen record, hashed, kept in the manifest."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

from xvr.errors import UserError, unknown_name
from xvr.tasks import ALL_TASK_NAMES, EXTENDED_TASKS, TASKS, get_task
from xvr.tasks.rules import Rules

MIXTURES: dict[str, dict[str, float]] = {
    "xvr": {task.name: task.eval_count for task in TASKS},
    "general": {task.name: task.eval_count for task in TASKS if task.domain == "general"},
    "robotic": {task.name: task.eval_count for task in TASKS if task.domain == "robotic"},
    "uniform": {task.name: 1.0 for task in TASKS},
    "extended": {task.name: task.eval_count for task in EXTENDED_TASKS},
}
"""Task shares by name. The release publishes shares only through its benchmark's counts, which
`xvr` (all), `general` and `robotic` follow. `extended` has the tasks beyond the published ones."""

EXTENDED = "extended"
"""Stands for all extended tasks among the names of tasks."""


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """Everything that decides the bytes of a dataset."""

    sources: tuple[str, ...]
    """`FORMAT:PATH` words, as given."""
    samples: int
    """Samples of train and valid together."""
    tasks: tuple[str, ...] = ()
    """Tasks to make, `extended` for all extended ones; empty: those of the mixture."""
    mixture: str = "xvr"
    """Name in `MIXTURES`."""
    evaluation: bool = False
    """Also make the held-out `xvr_eval` split with the counts of XVR-Eval."""
    valid_share: float = 0.03
    """Share of the samples, and of the scenes and episodes, in valid (3 % as released)."""
    eval_share: float = 0.1
    """Share of the scenes and episodes held out for `xvr_eval`."""
    seed: int = 0
    """Root of all randomness."""
    rules: Rules = field(default_factory=Rules)
    """Acceptance rules."""
    image_format: Literal["png", "jpeg"] = "png"
    """Encoding of the written images."""
    jpeg_quality: int = 95
    """Quality of JPEG images."""
    images: Literal["shards", "folder", "none"] = "shards"
    """Tar shards as released, an unpacked folder, or marks as data only."""
    keep_clean: bool = False
    """Keep the unmarked image beside each marked one."""
    mark_scale: float = 1.0
    """How much larger than usual marks are drawn, for models that see small images."""
    mark_labels: bool = True
    """Draw the words beside marks."""
    images_per_shard: int = 10_000
    """Images in one tar."""

    def __post_init__(self) -> None:
        for name in self.tasks:
            if name != EXTENDED:
                get_task(name)
        if self.mixture not in MIXTURES:
            raise unknown_name("mixture", self.mixture, MIXTURES)
        if not self.sources:
            raise UserError("no source: give at least one --source FORMAT:PATH")
        if self.samples < 0 or (self.samples == 0 and not self.evaluation):
            raise UserError(f"--samples is {self.samples}; ask for at least 1, or for --eval")
        for name in ("valid_share", "eval_share"):
            if not 0 <= getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be in 0..1")
        if not 1 <= self.jpeg_quality <= 100 or self.images_per_shard < 1:
            raise UserError("jpeg quality must be 1..100 and images per shard at least 1")
        if not 0.5 <= self.mark_scale <= 4:
            raise UserError(f"--mark-scale is {self.mark_scale}; it must be in 0.5..4")
        if self.keep_clean and self.images == "none":
            raise UserError("--keep-clean needs images: drop --images none")

    def shares(self) -> dict[str, float]:
        """Share of each task that is made, in the order of `ALL_TASKS`; they sum to 1."""
        mixture = MIXTURES[self.mixture]
        wanted = set(self.tasks or mixture)
        if EXTENDED in wanted:
            wanted.update(MIXTURES[EXTENDED])
        names = [name for name in ALL_TASK_NAMES if name in wanted]
        even = self.mixture == "uniform"
        weights = {name: 1.0 if even else get_task(name).eval_count for name in names}
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()}

    def as_json(self) -> dict[str, object]:
        """Plain values, for the manifest."""
        return json.loads(json.dumps(asdict(self)))

    def fingerprint(self, sources: str, version: str) -> str:
        """Hash of the config, the sources' fingerprints and the version of the package."""
        text = json.dumps([self.as_json(), sources, version], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def apportion(total: int, shares: dict[str, float]) -> dict[str, int]:
    """Whole counts that sum to `total`, by largest remainder; ties go to the earlier name."""
    exact = {name: total * share for name, share in shares.items()}
    counts = {name: int(value + 1e-9) for name, value in exact.items()}
    left = total - sum(counts.values())
    by_remainder = sorted(shares, key=lambda name: counts[name] - exact[name])
    return counts | {name: counts[name] + 1 for name in by_remainder[:left]}
