"""Small heads that read correspondences off image tokens; they train along and are then left.

All tensors of tokens are (batch b, images k, tokens t, width), padded; what is padding or unknown
has no target and is left out of every mean. A loss without targets is zero.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from xvr.training.token_targets import MARK_CLASSES, RELATIONS

WIDTH = 64
"""Of the features that are compared."""
TEMPERATURE = 0.1
NO_MARK_WEIGHT = 0.1
"""Most tokens show no mark."""
MOST_IMAGES = 9
"""Earlier images that a relation may be with."""
_NEVER = -1e9


class Heads(nn.Module):
    """The heads, each with its loss, for a language model of some width."""

    def __init__(self, width: int) -> None:
        """Random weights."""
        super().__init__()
        self.view = nn.Linear(width, WIDTH)
        self.mark = nn.Linear(width, MARK_CLASSES)
        self.place = nn.Linear(width, 1)
        self.verdict = nn.Linear(width, MARK_CLASSES)
        self.relation = nn.Linear(width, len(RELATIONS) * MOST_IMAGES)

    def seen(self, vision: Tensor, seen_at: Tensor, real: Tensor) -> Tensor:
        """Each token finds, in every other view, the token that sees its surface."""
        features = functional.normalize(self.view(vision), dim=-1)
        likeness = torch.einsum("bitd,bjud->bijtu", features, features) / TEMPERATURE
        return _found(likeness, seen_at, real)

    def marks(self, vision: Tensor, classes: Tensor, real: Tensor) -> Tensor:
        """Which mark a token shows."""
        if not real.any():
            return vision.sum() * 0
        weights = torch.ones(MARK_CLASSES, device=classes.device)
        weights[0] = NO_MARK_WEIGHT
        return functional.cross_entropy(self.mark(vision[real]), classes[real], weight=weights)

    def marked(self, late: Tensor, marked: Tensor, real: Tensor) -> Tensor:
        """Which token of an image sees what earlier images mark."""
        total = marked.sum(dim=-1)
        known = total > 0
        if not known.any():
            return late.sum() * 0
        scores = self.place(late)[..., 0].masked_fill(~real, _NEVER)[known]
        shares = marked[known] / total[known][:, None]
        return functional.cross_entropy(scores, shares.to(scores.dtype))

    def verdicts(self, late: Tensor, verdicts: Tensor) -> Tensor:
        """Which mark is right, and its class, where one can be chosen."""
        known = verdicts >= 0
        if not known.any():
            return late.sum() * 0
        return functional.cross_entropy(self.verdict(late[known]), verdicts[known])

    def relations(self, tokens: Tensor, relations: Tensor) -> Tensor:
        """Whether what a token shows goes together with an earlier image.

        Args:
            tokens: (m, width), at which each relation is asked.
            relations: (m, 3): kind, number of the earlier image, whether it holds.
        """
        if not len(relations):
            return tokens.sum() * 0
        scores = self.relation(tokens).view(len(tokens), len(RELATIONS), MOST_IMAGES)
        rows = torch.arange(len(tokens), device=tokens.device)
        asked = scores[rows, relations[:, 0], relations[:, 1]]
        return functional.binary_cross_entropy_with_logits(asked, relations[:, 2].to(asked.dtype))


def matched(scores: Tensor, seen_at: Tensor, real: Tensor) -> Tensor:
    """Each token of a later image looks, of an earlier image, at what sees its surface.

    Args:
        scores: (b, k, k, t, t): of a token of the first image and one of the second.
        seen_at: (b, k, k, t).
        real: (b, k, t).
    """
    count = seen_at.shape[1]
    backwards = torch.ones(count, count, device=seen_at.device).tril(-1).bool()
    wanted = torch.where(backwards[None, :, :, None], seen_at, -1)
    return _found(scores, wanted, real)


def _found(scores: Tensor, wanted: Tensor, real: Tensor) -> Tensor:
    """Cross-entropy of scores among the real tokens of each image."""
    known = wanted >= 0
    if not known.any():
        return scores.sum() * 0
    scores = scores.masked_fill(~real[:, None, :, None, :], _NEVER)
    return functional.cross_entropy(scores[known], wanted[known])
