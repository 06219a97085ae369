"""Other colours for the images of a question, so that few kitchens look like many.

All images of a question change alike: what has one colour in two views still has one.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from xvr.training.remark import Images
from xvr.training.samples import Example, Source

GAIN = (0.8, 1.2)
"""Range of the factor of each channel."""
GAMMA = (0.7, 1.4)
"""Range of the exponent of all."""


def is_marked(example: Example, source: Source) -> bool:
    """Whether a question may name a colour: it has marks, or nothing is known about it."""
    proof = source.proof(example.line)
    return proof is None or bool(proof.marks)


def recolored(images: Sequence[UInt8[np.ndarray, "h w 3"]], rng: np.random.Generator) -> Images:
    """The images with their channels exchanged, scaled and bent.

    Args:
        images: of one question.
        rng: decides how.
    """
    order = rng.permutation(3)
    gains, gamma = rng.uniform(*GAIN, 3), rng.uniform(*GAMMA)
    levels = np.linspace(0, 1, 256)[:, None] ** gamma * gains
    table = np.clip(np.rint(levels * 255), 0, 255).astype(np.uint8)  # (256, channels)
    return [table[image[..., order], np.arange(3)] for image in images]
