"""The one way in which pictures come to the size of a contract, in training and in rollouts."""

import numpy as np
from jaxtyping import UInt8


def to_size(
    image: UInt8[np.ndarray, "h w 3"], height: int, width: int
) -> UInt8[np.ndarray, "height width 3"]:
    """A picture at another size, its sides stretched apart where the shapes differ.

    Pixels are averaged where it shrinks and interpolated where it grows, so that a policy meets
    the same picture whether it comes from a video, a simulator or a camera.
    """
    import cv2

    if image.shape[:2] == (height, width):
        return image
    shrinks = height <= image.shape[0] and width <= image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)
