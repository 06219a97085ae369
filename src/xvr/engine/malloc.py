"""Keeps freed image memory inside the process, which saves over a millisecond per image."""

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
# Releases of glibc before 2.35 refuse an mmap threshold above 32 MiB.
_MMAP_THRESHOLD_BYTES = 1 << 25
_TRIM_THRESHOLD_BYTES = 1 << 30


def tune_malloc() -> bool:
    """Tell glibc to reuse freed megabytes rather than give them back to the system each time.

    By default every image-sized array is mapped, zeroed page by page by the kernel, and unmapped.
    A worker calls this once, before it reads images. Elsewhere than under glibc it does nothing.
    Options: https://man7.org/linux/man-pages/man3/mallopt.3.html

    Returns:
        Whether both thresholds were set.
    """
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    mapped = libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
    trimmed = libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD_BYTES)
    return bool(mapped and trimmed)
