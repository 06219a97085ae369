"""The samples of a run by position: drawn, decoded and encoded, in the processes that load data.

A sample that cannot be used is counted, and another, drawn by the same seed, takes its place.
"""

from collections.abc import Sequence

import numpy as np

from xvr.engine.seeds import child_rng
from xvr.errors import Unusable, UserError
from xvr.evaluation.models.withheld import GREY
from xvr.training.collate import Loaded, Skipped
from xvr.training.encode import Encoder, decode_images
from xvr.training.mixture import Order
from xvr.training.recipes import Recipe
from xvr.training.recolor import is_marked, recolored
from xvr.training.remark import Images, Remarker
from xvr.training.samples import Example, Source

_MOST_TRIES = 20
"""After so many unusable samples in a row nothing good can come."""


class Stream:
    """A dataset as PyTorch's `DataLoader` takes it: a length, and an item for every position."""

    def __init__(
        self,
        sources: Sequence[Source],
        order: Order,
        encoder: Encoder,
        *,
        length: int,
        seed: int,
        recipe: Recipe,
    ) -> None:
        """`length` is in samples, all epochs together; `recipe` says how images are changed."""
        self._sources = tuple(sources)
        self._order = order
        self._encoder = encoder
        self._length = length
        self._seed = seed
        self._recipe = recipe
        self._remarker = Remarker(sources, recipe.options) if recipe.options else None

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, position: int) -> Loaded:
        """The sample at a position, or the one that stands in for it.

        Raises:
            UserError: there is no usable one.
        """
        skipped: list[Skipped] = []
        place = position
        for attempt in range(_MOST_TRIES):
            source, line = self._order.draw(place)
            try:
                example, images = self._shown(self._sources[source], line, position)
                encoded = self._encoder.encode(example, images)
                return Loaded(encoded=encoded, skipped=tuple(skipped))
            except Unusable as error:
                skipped.append(Skipped(reason=error.reason, detail=error.detail))
            rng = child_rng(self._seed, "instead of", position, attempt)
            place = int(rng.integers(self._order.epoch))
        raise UserError(
            f"{_MOST_TRIES} samples in a row cannot be used, the last one because of "
            f"{skipped[-1].reason}: {skipped[-1].detail}"
        )

    def _shown(self, source: Source, line: int, position: int) -> tuple[Example, Images]:
        """A sample with its images, decoded."""
        example = source.example(line)
        if self._remarker is None:
            images = decode_images(example)
        else:
            rng = child_rng(self._seed, "marks", position)
            example, images = self._remarker(example, source, rng)
        if self._recipe.recolored and not is_marked(example, source):
            images = recolored(images, child_rng(self._seed, "colors", position))
        if self._recipe.blanked:
            images = [*(np.full_like(image, GREY) for image in images[:-1]), *images[-1:]]
        return example, images
