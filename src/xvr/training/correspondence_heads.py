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
        self.later = nn.Linear(width, WIDTH)
        self.earlier = nn.Linear(width, WIDTH)
        self.mark = nn.Linear(width, MARK_CLASSES)
        self.place = nn.Linear(width, 1)
        self.verdict = nn.Linear(width, MARK_CLASSES)
        self.relation = nn.Linear(width, len(RELATIONS) * MOST_IMAGES)

    def seen(self, vision: Tensor, seen_at: Tensor, real: Tensor) -> Tensor:
        """Each token finds, in every other view, the token that sees its surface."""
        features = self.view(vision)
        return _contrast(features, features, seen_at, real)

    def matched(self, middle: Tensor, seen_at: Tensor, real: Tensor) -> Tensor:
        """The same from later to earlier images, as the language model may look."""
        count = seen_at.shape[1]
        backwards = torch.ones(count, count, device=seen_at.device).tril(-1).bool()
        wanted = torch.where(backwards[None, :, :, None], seen_at, -1)
        return _contrast(self.later(middle), self.earlier(middle), wanted, real)

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


def _contrast(ours: Tensor, theirs: Tensor, wanted: Tensor, real: Tensor) -> Tensor:
    """InfoNCE of the tokens of each image against those of every other one."""
    known = wanted >= 0
    if not known.any():
        return ours.sum() * 0 + theirs.sum() * 0
    ours, theirs = functional.normalize(ours, dim=-1), functional.normalize(theirs, dim=-1)
    likeness = torch.einsum("bitd,bjud->bijtu", ours, theirs) / TEMPERATURE
    likeness = likeness.masked_fill(~real[:, None, :, None, :], _NEVER)
    return functional.cross_entropy(likeness[known], wanted[known])
