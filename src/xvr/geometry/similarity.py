"""How alike two images look."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def gray_thumbnail(
    image: UInt8[np.ndarray, "h w 3"], width_px: int
) -> Float[np.ndarray, "k width"]:
    """Grey levels 0..255 as float32, area-averaged to a width, keeping the aspect ratio."""
    height = max(7, round(image.shape[0] * width_px / image.shape[1]))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return cv2.resize(gray, (width_px, height), interpolation=cv2.INTER_AREA).astype(np.float32)


def ssim(a: Float[np.ndarray, "h w"], b: Float[np.ndarray, "h w"]) -> float:
    """Structural similarity of two grey images of levels 0..255.

    Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
    TIP 2004, equation 13, with the 7x7 uniform window and sample covariance that scikit-image's
    `structural_similarity` has as defaults; the mean is taken where the window fits.
    """
    a, b = a.astype(np.float64), b.astype(np.float64)
    mean_a, mean_b = _box(a), _box(b)
    sample = 49 / 48
    var_a = sample * (_box(a * a) - mean_a * mean_a)
    var_b = sample * (_box(b * b) - mean_b * mean_b)
    cov = sample * (_box(a * b) - mean_a * mean_b)
    top = (2 * mean_a * mean_b + _C1) * (2 * cov + _C2)
    bottom = (mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2)
    return float((top / bottom)[3:-3, 3:-3].mean())


def correlations(thumbnails: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n n"]:
    """Pearson correlation of every pair of flattened images; a flat image correlates with none."""
    centered = thumbnails - thumbnails.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centered, axis=1, keepdims=True)
    scaled = centered / np.where(norm > 0, norm, 1.0)
    return scaled @ scaled.T


def _box(values: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    return cv2.blur(values, (7, 7), borderType=cv2.BORDER_REFLECT)
