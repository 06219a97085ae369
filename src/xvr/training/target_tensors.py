"""Targets of several questions as tensors, and where their tokens lie in the rows of a batch."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from xvr.training.collate import BatchLayout
from xvr.training.token_targets import AFTER, HIDDEN, RELATIONS, UNKNOWN, TokenTargets


def token_places(layout: BatchLayout, shape: Sequence[int]) -> tuple[Any, Any]:
    """Where image tokens are in the rows of a batch, and which of the padded table are some.

    Args:
        layout: of the batch.
        shape: (k, t), most images of a sample and most tokens of an image.
    """
    places = torch.zeros(len(layout.images), *shape, dtype=torch.long)
    real = torch.zeros(places.shape, dtype=torch.bool)
    for row, images in enumerate(layout.images):
        for number, image in enumerate(images[: shape[0]]):
            count = min(image.count, shape[1])
            places[row, number, :count] = torch.arange(image.begin, image.begin + count)
            real[row, number, :count] = True
    return places, real


def places_of(layout: BatchLayout, tokens: Any) -> Any:
    """Where in the rows some tokens are.

    Args:
        layout: of the batch.
        tokens: (m, at least 3), of which the first three are sample, image and token.
    """
    found = []
    for row, number, token in tokens[:, :3].tolist():
        image = layout.images[row][number]
        found.append(image.begin + (image.count if token == AFTER else token))
    return tokens.new_tensor(found)


def stacked(targets: Sequence[TokenTargets | None]) -> dict[str, Any]:
    """Targets of b samples, padded to one shape; a sample without any has none that count.

    Returns:
        By sample: `seen_at` (b, k, k, t); `toward` (b, k, k, 3); `marks`, `marked`, `verdicts`
        (b, k, t); `roles` and `hands_at` (b, k); `cameras` (b, k, 6); `hands` (b, k, 3); `named`
        (b, 3). As lists, with sample, image and token first: `relations` (m, 6) with place in
        `RELATIONS`, earlier image and whether it holds; `odd` (m, 4) with the number of an image;
        `evidence` and `after` (m, 3), the latter the token after each image.
    """
    shapes = [one.marks.shape for one in targets if one is not None] or [(1, 1)]
    count, most = (max(sizes) for sizes in zip(*shapes, strict=True))
    b = len(targets)
    padded = {
        "seen_at": np.full((b, count, count, most), UNKNOWN),
        "marks": np.zeros((b, count, most), np.int64),
        "marked": np.zeros((b, count, most), np.float32),
        "verdicts": np.full((b, count, most), UNKNOWN),
        "roles": np.full((b, count), UNKNOWN),
        "cameras": np.full((b, count, 6), np.nan, np.float32),
        "toward": np.full((b, count, count, 3), np.nan, np.float32),
        "hands": np.full((b, count, 3), np.nan, np.float32),
        "hands_at": np.full((b, count), HIDDEN),
        "named": np.full((b, 3), UNKNOWN),
    }
    relations, odd, evidence, after = [], [], [], []
    for row, one in enumerate(targets):
        if one is None:
            continue
        for name, whole in padded.items():
            own = getattr(one, name)
            whole[(row, *map(slice, own.shape))] = own
        relations += [
            (row, r.image, r.token, RELATIONS.index(r.kind), r.earlier, int(r.holds))
            for r in one.relations
        ]
        odd += [] if one.odd is None else [(row, *one.odd[0], one.odd[1])]
        evidence += [(row, *place) for place in one.evidence]
        after += [(row, image, AFTER) for image in range(len(one.roles))]
    lists = {"relations": (relations, 6), "odd": (odd, 4), "evidence": (evidence, 3)}
    return {name: torch.from_numpy(whole) for name, whole in padded.items()} | {
        name: torch.tensor(rows, dtype=torch.long).reshape(-1, width)
        for name, (rows, width) in (lists | {"after": (after, 3)}).items()
    }
