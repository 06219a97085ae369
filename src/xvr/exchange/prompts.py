"""A sample as one turn of a conversation, with its images where the prompt has them.

Text blocks of a build end without a line break, those of the release with one; a break is put
between two blocks where there is none, so that "Image 1:" never runs into what follows.
"""

from collections.abc import Iterator

from xvr.dataset.record import ImageBlock, Sample
from xvr.errors import UserError

TAG = "<image>"
"""Stands for an image in a text."""


def parts_of(sample: Sample) -> Iterator[str | None]:
    """The prompt in order: texts, and None where an image is."""
    last = len(sample.prompt_blocks) - 1
    for place, block in enumerate(sample.prompt_blocks):
        if isinstance(block, ImageBlock):
            yield None
        elif place == last or block.text.endswith("\n"):
            yield block.text
        else:
            yield f"{block.text}\n"


def typed_content(sample: Sample) -> list[dict[str, str | None]]:
    """Content of a message as a list of typed parts; the n-th image is the n-th of the sample."""
    return [
        {"type": "image", "text": None} if part is None else {"type": "text", "text": part}
        for part in parts_of(sample)
    ]


def tagged_text(sample: Sample) -> str:
    """The prompt as one text with `<image>` where an image is.

    Raises:
        UserError: a text of the sample has the tag itself.
    """
    if any(part is not None and TAG in part for part in parts_of(sample)):
        raise UserError(
            f"{sample.sample_id}: its text has {TAG!r}, which trainers take for an image; "
            "export to parquet, trl or webdataset"
        )
    parts = list(parts_of(sample))
    text = "".join(f"{TAG}\n" if part is None else part for part in parts)
    return text if parts and parts[-1] is not None else text.removesuffix("\n")
