"""Benchmarks of a few items and models that do as they are told."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xvr.errors import UserError
from xvr.evaluation.answers import lenient, strict
from xvr.evaluation.benchmark import Benchmark, Loaded, Total
from xvr.evaluation.item import Item, Picture, Prompt, Target
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.run import Outcome, RunOptions, run

COLORS = ("red", "green", "blue", "yellow")


def picture(name: str, data: bytes | None = None) -> Picture:
    """An image whose bytes are its name; one that is missing when its name begins with `no`."""

    def read() -> bytes:
        if name.startswith("no"):
            raise UserError(f"no image {name}")
        return name.encode() if data is None else data

    return Picture(name=name, read=read)


def item(name: str, *images: str, task: str = "a", answer: str = "red", **more: Any) -> Item:
    """An item whose text is its name, between its images."""
    options = more.pop("options", COLORS)
    kind = more.pop("kind", "color")
    parts = (f"{name}?\n", *(picture(image) for image in images), "Which?")
    target = Target(item_id=name, task=task, kind=kind, answer=answer, options=options, **more)
    return Item(prompt=Prompt(item_id=name, parts=parts), target=target)


def loaded(*items: Item, revision: str = "r1") -> Loaded:
    """A benchmark of these items."""
    return Loaded(items=items, revision=revision)


BENCHMARK = Benchmark(
    name="toy",
    load=lambda path: loaded(),  # noqa: ARG005
    scorers={"strict": strict, "lenient": lenient},
    totals=(Total(name="overall", mean="micro"),),
)


@dataclass
class Scripted:
    """Answers by a function of the prompt, and remembers what it was asked."""

    reply: Callable[[Prompt], Answer | Failure]
    name: str = "scripted"
    revision: str = "1"
    decoding: dict[str, Any] = field(default_factory=dict)
    batch_size: int = 1
    concurrency: int = 1
    asked: list[list[str]] = field(default_factory=list)
    most_at_once: int = 0
    wait_s: float = 0.0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        with self._lock:
            self.asked.append([prompt.item_id for prompt in prompts])
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(self.wait_s)
        try:
            return [self.reply(prompt) for prompt in prompts]
        finally:
            with self._lock:
                self._now -= 1

    def close(self) -> None:
        pass

    @property
    def names(self) -> list[str]:
        return [name for batch in self.asked for name in batch]


def says(text: str = "red", **more: Any) -> Callable[[Prompt], Answer]:
    """A reply that is always the same."""
    return lambda prompt: Answer(text=text, **more)  # noqa: ARG005


def ask(out: Path, model: Any, *items: Item, revision: str = "r1", **options: Any) -> Outcome:
    """Run a model over items."""
    progress = options.pop("progress", None)
    chosen = RunOptions(data=Path("data"), **options)
    return run(BENCHMARK, loaded(*items, revision=revision), model, out, chosen, progress=progress)
