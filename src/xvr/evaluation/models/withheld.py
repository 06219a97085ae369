"""Any model, but shown less: no image, or only one. What it still gets right needs no cross-view.

What is withheld is left out, or made grey; the other parts keep their order, and the text still
speaks of all images.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Answer, Failure, Model

GREY = 128
"""Level of a blanked image."""


class _Withheld(ABC):
    """A model behind a filter of its prompts."""

    def __init__(self, name: str, model: Model) -> None:
        self._name = name
        self._model = model

    @property
    def name(self) -> str:
        """The specification, that of the model within included."""
        return f"{self._name}:{self._model.name}"

    @property
    def revision(self) -> str:
        """That of the model."""
        return self._model.revision

    @property
    def decoding(self) -> Mapping[str, Any]:
        """That of the model."""
        return self._model.decoding

    @property
    def batch_size(self) -> int:
        """That of the model."""
        return self._model.batch_size

    @property
    def concurrency(self) -> int:
        """That of the model."""
        return self._model.concurrency

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """What the model says to what is left of the prompts."""
        return self._model.answer([self._left(prompt) for prompt in prompts])

    def close(self) -> None:
        """Close the model."""
        self._model.close()

    @abstractmethod
    def _left(self, prompt: Prompt) -> Prompt:
        """What is shown of a prompt."""


class TextOnly(_Withheld):
    """Shows no image."""

    def __init__(self, model: Model) -> None:
        super().__init__("text-only", model)

    def _left(self, prompt: Prompt) -> Prompt:
        texts = tuple(part for part in prompt.parts if not isinstance(part, Picture))
        return replace(prompt, parts=texts)


class SingleView(_Withheld):
    """Shows one image.

    Args:
        model: whom to show it.
        kept: number of the image, from 1; the last one where it is None or the item has fewer. The
            last image is the target of tasks that have one.
    """

    def __init__(self, model: Model, kept: int | None = None) -> None:
        super().__init__("single-view" if kept is None else f"single-view={kept}", model)
        self._kept = kept

    def _left(self, prompt: Prompt) -> Prompt:
        pictures = prompt.pictures
        number = min(self._kept or len(pictures), len(pictures))
        parts, seen = [], 0
        for part in prompt.parts:
            seen += isinstance(part, Picture)
            if not isinstance(part, Picture) or seen == number:
                parts.append(part)
        return replace(prompt, parts=tuple(parts))


class Blanked(_Withheld):
    """Shows the last image, and grey ones of the same sizes in place of all others.

    A small model that only ever saw questions with all their images is thrown by fewer of them more
    than by grey ones: so this is the fairer cheater for it.
    """

    def __init__(self, model: Model) -> None:
        super().__init__("blanked", model)

    def _left(self, prompt: Prompt) -> Prompt:
        last = prompt.pictures[-1] if prompt.pictures else None
        parts = tuple(
            replace(part, read=partial(_grey, part))
            if isinstance(part, Picture) and part is not last
            else part
            for part in prompt.parts
        )
        return replace(prompt, parts=parts)


def _grey(picture: Picture) -> bytes:
    # numpy and the codecs are for those who blank, not for every --help
    import numpy as np

    from xvr.dataset.encode import encode
    from xvr.sources.pixels import decode_image

    image = decode_image(picture.read(), picture.name)
    return encode(np.full_like(image, GREY), "png")
