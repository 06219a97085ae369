"""Questions about noise, for models that cannot see anyway."""

import numpy as np

from xvr.dataset.encode import encode
from xvr.evaluation.item import Picture, Prompt


def picture(seed: int, height: int = 40, width: int = 60, format: str = "png") -> Picture:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    data = encode(noise, format)
    return Picture(name=f"images/{seed}.{format}", read=lambda: data)


def prompt(seed: int, item_id: str = "") -> Prompt:
    """Texts and three images of different sizes, the last two side by side."""
    return Prompt(
        item_id=item_id or f"item_{seed}",
        parts=(
            "Three views of one room.\n",
            "Image 1 (Reference): ",
            picture(seed),
            "Image 2:\n",
            picture(seed + 100, 70, 90, "jpeg"),
            picture(seed + 200, 30, 100),
            f"Which one is odd?{' Look well.' * (seed % 4)}",
        ),
    )
