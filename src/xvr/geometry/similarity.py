"""How alike two images look."""

import cv2
import numba
import numpy as np
from jaxtyping import Float, UInt8

WINDOW = 7
"""Edge of the squares that are compared, pixels."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


def gray_thumbnail(
    image: UInt8[np.ndarray, "h w 3"], width_px: int
) -> Float[np.ndarray, "k width"]:
    """Whole grey levels 0..255 as float32, area-averaged to a width, keeping the aspect ratio."""
    height = max(7, round(image.shape[0] * width_px / image.shape[1]))
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    # rows first, then columns as rows: both are sums of whole rows, which is fast
    narrow = _average_rows(cv2.transpose(_average_rows(gray, height)), width_px)
    return cv2.transpose(np.rint(narrow))


def ssim(a: Float[np.ndarray, "h w"], b: Float[np.ndarray, "h w"]) -> float:
    """Structural similarity of two grey images of levels 0..255.

    Wang et al., "Image quality assessment: from error visibility to structural similarity", IEEE
    TIP 2004, equation 13, with the 7x7 uniform window and sample covariance that scikit-image's
    `structural_similarity` has as defaults; the mean is taken where the window fits.
    """
    return float(_ssim(a, b))


def correlations(thumbnails: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n n"]:
    """Pearson correlation of every pair of flattened images; a flat image correlates with none."""
    centered = thumbnails - thumbnails.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(centered, axis=1, keepdims=True)
    scaled = centered / np.where(norm > 0, norm, 1.0)
    return scaled @ scaled.T


@numba.njit(cache=True)
def _average_rows(image, rows):  # pragma: no cover - compiled
    """Fewer (or more) rows of the same width; each is the mean of what it covers."""
    height, width = image.shape
    out, scale = np.zeros((rows, width), np.float32), height / rows
    for row in range(rows):
        start, end = row * scale, (row + 1) * scale
        for y in range(int(start), min(int(np.ceil(end)), height)):
            weight = np.float32((min(end, y + 1.0) - max(start, float(y))) / scale)
            for x in range(width):
                out[row, x] += weight * image[y, x]
    return out


@numba.njit(cache=True)
def _ssim(a, b):  # pragma: no cover - compiled
    """One pass with running sums, which are exact for whole grey levels."""
    height, width = a.shape
    columns, total = np.zeros((5, width)), 0.0
    for y in range(height):
        _add(columns, a[y], b[y], 1.0)
        if y >= WINDOW:
            _add(columns, a[y - WINDOW], b[y - WINDOW], -1.0)
        if y >= WINDOW - 1:
            total += _row(columns)
    return total / ((height - WINDOW + 1) * (width - WINDOW + 1))


@numba.njit(cache=True)
def _add(columns, a, b, sign):  # pragma: no cover - compiled
    """Add a row to the sums of a, b, a^2, b^2 and ab in each column."""
    for x in range(len(a)):
        p, q = np.float64(a[x]), np.float64(b[x])
        columns[0, x] += sign * p
        columns[1, x] += sign * q
        columns[2, x] += sign * p * p
        columns[3, x] += sign * q * q
        columns[4, x] += sign * p * q


@numba.njit(cache=True)
def _row(columns):  # pragma: no cover - compiled
    """Sum of the similarities of all windows in a band of rows."""
    n, total = np.float64(WINDOW * WINDOW), 0.0
    a, b, aa, bb, ab = 0.0, 0.0, 0.0, 0.0, 0.0
    for x in range(columns.shape[1]):
        a += columns[0, x]
        b += columns[1, x]
        aa += columns[2, x]
        bb += columns[3, x]
        ab += columns[4, x]
        if x < WINDOW - 1:
            continue
        mean_a, mean_b = a / n, b / n
        cov = (ab - mean_a * b) / (n - 1)
        var = (aa - mean_a * a + bb - mean_b * b) / (n - 1)
        means = mean_a * mean_a + mean_b * mean_b + _C1
        total += (2 * mean_a * mean_b + _C1) * (2 * cov + _C2) / (means * (var + _C2))
        first = x - WINDOW + 1
        a -= columns[0, first]
        b -= columns[1, first]
        aa -= columns[2, first]
        bb -= columns[3, first]
        ab -= columns[4, first]
    return total
