"""Putting a prompt together: an opening sentence, labelled images, the question."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from xvr.tasks.draft import ImageRef
from xvr.tasks.pool import PointPool


def prompt(
    opening: str, labels: Sequence[str], question: str, headers: dict[int, str] | None = None
) -> tuple[str | int, ...]:
    """Blocks of a prompt: image k has the label `labels[k - 1]`, after its header if it has one."""
    blocks: list[str | int] = [opening]
    for number, label in enumerate(labels, start=1):
        if headers and number in headers:
            blocks.append(headers[number])
        blocks += [label, number]
    return (*blocks, question)


def pick(wordings: Sequence[str], rng: np.random.Generator) -> str:
    """One wording at random."""
    return wordings[int(rng.integers(len(wordings)))]


def view_ref(pool: PointPool, view: int, part: str) -> ImageRef:
    """The reference to one view of a pool."""
    pixels = pool.views[view]
    return ImageRef(
        part=part,  # pyright: ignore[reportArgumentType]
        view=pixels.name,
        frame_index=pixels.frame_index,
        time_s=pixels.time_s,
    )


def pair(values: Float[np.ndarray, "2"]) -> tuple[float, float]:
    """A pixel position as plain numbers, to 1/1000 px."""
    u, v = values.tolist()
    return round(u, 3), round(v, 3)


def triple(values: Float[np.ndarray, "3"]) -> tuple[float, float, float]:
    """A point as plain numbers, to 1/1000 mm."""
    x, y, z = values.tolist()
    return round(x, 6), round(y, 6), round(z, 6)
