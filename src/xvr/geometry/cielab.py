"""CIE Lab: a colour space in which distances are about as large as they look.

sRGB and its white point D65: IEC 61966-2-1; L, a, b: CIE 15:2004, as in OpenCV
(https://docs.opencv.org/4.x/de/d25/imgproc_color_conversions.html).
"""

import numba

_SMALL, _SLOPE = 216 / 24389, 24389 / 27 / 116
"""Below the first the cube root gives way to a line, of the second slope."""


@numba.njit(cache=True)
def lab_of_srgb(red, green, blue):  # pragma: no cover - compiled
    """L (0..100), a and b of an sRGB colour in levels of 100."""
    r, g, b = _linear(red / 100), _linear(green / 100), _linear(blue / 100)
    x = _root((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456)
    y = _root(0.212671 * r + 0.715160 * g + 0.072169 * b)
    z = _root((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@numba.njit(cache=True)
def _linear(level):  # pragma: no cover - compiled
    return ((level + 0.055) / 1.055) ** 2.4 if level > 0.04045 else level / 12.92


@numba.njit(cache=True)
def _root(share):  # pragma: no cover - compiled
    return share ** (1 / 3) if share > _SMALL else _SLOPE * share + 16 / 116
