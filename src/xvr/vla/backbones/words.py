"""An instruction as numbers without a tokenizer: words fall into buckets by a fixed hash."""

import re
import zlib

BUCKETS = 512


def word_buckets(text: str) -> list[int]:
    """A bucket for each word, the same in every process; an empty text is one bucket of its own."""
    words = re.findall(r"\w+", text.lower())
    return [1 + zlib.crc32(word.encode()) % (BUCKETS - 1) for word in words] or [0]
