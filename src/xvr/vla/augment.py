"""Random shifts of pictures in training, so that a policy does not rest on exact pixels."""

import numpy as np
from jaxtyping import UInt8


def shifted(
    images: UInt8[np.ndarray, "b h w 3"], share: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "b h w 3"]:
    """Each picture moved by up to a share of its sides; its edge is repeated where it came from."""
    reach = [int(share * side) for side in images.shape[1:3]]
    if not any(reach):
        return images
    out = np.empty_like(images)
    for image, target in zip(images, out, strict=True):
        moves = [int(rng.integers(-most, most + 1)) for most in reach]
        rows, columns = (
            np.clip(np.arange(side) + move, 0, side - 1)
            for side, move in zip(image.shape[:2], moves, strict=True)
        )
        target[:] = image[rows[:, None], columns[None]]
    return out
