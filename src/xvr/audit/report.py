"""What an audit found: problems sample by sample, and what each cheater scored.

Problems come in four kinds that never mix: `answer` (the recomputed answer differs or cannot be
proved), `rule` (the answer is right but a rule of acceptance is broken), `integrity` (the files do
not fit together) and `pixels` (a written image is not the frame it claims to be).
"""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from xvr.dataset.atomic import write_bytes

Kind = Literal["answer", "rule", "integrity", "pixels"]
LEAK_POINTS = 0.05
"""A cheater leaks when it is surely more than this share above chance."""
LEAK_SAMPLES = 100
"""Fewer samples than this never call a task leaky: the bound would rest on a handful."""
SHOWN = 10
"""Problems of each kind that the text report spells out."""


class Problem(NamedTuple):
    """What is wrong, before it is known with which sample."""

    kind: Kind
    reason: str
    """Short snake_case word that is counted."""
    detail: str
    """Values found and expected."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem of one sample, or of the dataset when `sample_id` is empty."""

    kind: Kind
    reason: str
    detail: str
    split: str = ""
    task: str = ""
    sample_id: str = ""


@dataclass(frozen=True, kw_only=True)
class CheaterScore:
    """What one way of guessing without looking across views scores on one task."""

    task: str
    cheater: str
    samples: int
    accuracy: float
    chance: float
    """Mean over the samples of 1 / number of options."""
    lower_95: float
    """Exact one-sided 95 % lower bound of the accuracy (Clopper-Pearson)."""
    advisory: bool = False
    """Told for information: it looks across views, so it does not make a task leaky."""

    @property
    def leaky(self) -> bool:
        """Surely more than 5 points above chance."""
        surely_above = self.lower_95 > self.chance + LEAK_POINTS
        return surely_above and self.samples >= LEAK_SAMPLES and not self.advisory


@dataclass(frozen=True, kw_only=True)
class AuditReport:
    """Everything an audit measured."""

    samples: dict[str, dict[str, int]]
    """Split, then task, then number of samples."""
    answers_checked: int
    """Samples whose answer was recomputed from the source."""
    images_checked: int
    """Written images compared with the source's frames."""
    unproven: int = 0
    """Samples that never had a proof: nothing can be said about their answers."""
    images_decoded: int = 0
    """Images of these that were decoded, for want of a source to compare them with."""
    findings: tuple[Finding, ...]
    scores: tuple[CheaterScore, ...]

    @property
    def ok(self) -> bool:
        """Every provable answer agrees, and the files and pixels are what they claim to be."""
        return not any(finding.kind != "rule" for finding in self.findings)

    @property
    def leaky_tasks(self) -> tuple[str, ...]:
        """Tasks that at least one cheater solves too well."""
        return tuple(sorted({score.task for score in self.scores if score.leaky}))

    def of_kind(self, kind: Kind) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.kind == kind)

    def to_json(self) -> dict[str, Any]:
        """The report as plain data; the same dataset gives the same bytes."""
        return {
            "ok": self.ok,
            "leaky_tasks": list(self.leaky_tasks),
            "samples": self.samples,
            "answers_checked": self.answers_checked,
            "unproven": self.unproven,
            "images_decoded": self.images_decoded,
            "images_checked": self.images_checked,
            "counts": {
                kind: dict(sorted(Counter(f.reason for f in self.of_kind(kind)).items()))
                for kind in ("answer", "rule", "integrity", "pixels")
            },
            "findings": [asdict(finding) for finding in self.findings],
            "cheaters": [{**asdict(score), "leaky": score.leaky} for score in self.scores],
        }

    def write(self, path: Path) -> None:
        """Write the report as JSON; the file appears whole or not at all."""
        write_bytes(path, (json.dumps(self.to_json(), indent=1) + "\n").encode())

    def to_text(self) -> str:
        """The report for a terminal."""
        lines = [*self._sample_lines(), "", *self._finding_lines(), "", *self._cheater_lines(), ""]
        verdict = self._good() if self.ok else "the audit FAILED"
        leaks = f"; leaky: {', '.join(self.leaky_tasks)}" if self.leaky_tasks else ""
        return "\n".join([*lines, verdict + leaks])

    def _sample_lines(self) -> list[str]:
        splits = list(self.samples)
        tasks = sorted({task for counts in self.samples.values() for task in counts})
        head = f"{'task':<34}" + "".join(f"{split:>12}" for split in splits)
        rows = [
            f"{task:<34}" + "".join(f"{self.samples[split].get(task, 0):>12}" for split in splits)
            for task in tasks
        ]
        total = sum(sum(counts.values()) for counts in self.samples.values())
        checked = f"{self.answers_checked} of {total} answers recomputed"
        lines = [head, *rows, f"{checked}, {self.images_checked} images compared with the source"]
        if self.unproven:
            lines.append(
                f"{self.unproven} samples were imported without provenance: their records and ids "
                f"were checked and {self.images_decoded} images decoded; their answers and splits "
                "cannot be checked"
            )
        return lines

    def _good(self) -> str:
        if not self.unproven:
            return "every answer agrees with its source"
        if self.unproven == sum(sum(tasks.values()) for tasks in self.samples.values()):
            return "the files fit together; no answer could be checked"
        return f"every answer with a proof agrees with its source; {self.unproven} have none"

    def _finding_lines(self) -> list[str]:
        lines = []
        for kind in ("answer", "integrity", "pixels", "rule"):
            found = self.of_kind(kind)
            lines.append(f"{kind} problems: {len(found)}")
            counts = Counter(finding.reason for finding in found)
            lines += [f"  {count:>6}  {reason}" for reason, count in sorted(counts.items())]
            for finding in found[:SHOWN]:
                names = (finding.split, finding.sample_id or finding.task)
                where = " ".join(name for name in names if name) or "dataset"
                lines.append(f"    {where}: {finding.reason}: {finding.detail}")
            if len(found) > SHOWN:
                lines.append(f"    and {len(found) - SHOWN} more in the JSON report")
        return lines

    def _cheater_lines(self) -> list[str]:
        lines = [f"{'task':<34}{'cheater':<34}{'n':>7}{'score':>8}{'>=':>8}{'chance':>8}"]
        for score in self.scores:
            numbers = f"{score.accuracy:>8.1%}{score.lower_95:>8.1%}{score.chance:>8.1%}"
            mark = "  LEAKY" if score.leaky else "  (for information)" * score.advisory
            lines.append(f"{score.task:<34}{score.cheater:<34}{score.samples:>7}{numbers}{mark}")
        return lines
