"""Randomness that depends on names, never on the order of processing."""

import hashlib

import numpy as np


def digest(*parts: object) -> bytes:
    """SHA-256 of parts joined so that no two different lists of strings and numbers collide."""
    text = "\x1f".join(str(part) for part in parts)
    return hashlib.sha256(text.encode()).digest()


def child_rng(seed: int, *names: object) -> np.random.Generator:
    """The generator that belongs to (seed, names)."""
    return np.random.default_rng(int.from_bytes(digest(seed, *names)[:16], "little"))
