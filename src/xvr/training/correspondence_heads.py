"""Small heads that read correspondences off image tokens; they train along and are then left.

All tensors of tokens are (batch b, images k, tokens t, width), padded; what is padding or unknown
has no target and is left out of every mean. A loss without targets is zero.
"""

from typing import Any

from xvr.training.token_targets import MARK_CLASSES, RELATIONS

WIDTH = 64
"""Of the features that are compared."""
TEMPERATURE = 0.1
NO_MARK_WEIGHT = 0.1
"""Most tokens show no mark."""
MOST_IMAGES = 9
"""Earlier images that a relation may be with."""


def make_heads(width: int) -> Any:
    """A `torch.nn.Module` for a language model of this width."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Heads(nn.Module):
        """The heads, each with its loss."""

        def __init__(self) -> None:
            super().__init__()
            self.view = nn.Linear(width, WIDTH)
            self.later = nn.Linear(width, WIDTH)
            self.earlier = nn.Linear(width, WIDTH)
            self.mark = nn.Linear(width, MARK_CLASSES)
            self.place = nn.Linear(width, 1)
            self.verdict = nn.Linear(width, MARK_CLASSES)
            self.relation = nn.Linear(width, len(RELATIONS) * MOST_IMAGES)

        def seen(self, vision: Any, seen_at: Any, real: Any) -> Any:
            """Each token finds, in every other view, the token that sees its surface."""
            features = self.view(vision)
            return _contrast(features, features, seen_at, real)

        def matched(self, middle: Any, seen_at: Any, real: Any) -> Any:
            """The same from later to earlier images, as the language model may look."""
            count = seen_at.shape[1]
            backwards = torch.ones(count, count, device=seen_at.device).tril(-1).bool()
            wanted = torch.where(backwards[None, :, :, None], seen_at, -1)
            return _contrast(self.later(middle), self.earlier(middle), wanted, real)

        def marks(self, vision: Any, classes: Any, real: Any) -> Any:
            """Which mark a token shows."""
            weights = torch.ones(MARK_CLASSES, device=classes.device)
            weights[0] = NO_MARK_WEIGHT
            if not real.any():
                return vision.sum() * 0
            return functional.cross_entropy(self.mark(vision[real]), classes[real], weight=weights)

        def marked(self, late: Any, marked: Any, real: Any) -> Any:
            """Which token of an image sees what earlier images mark."""
            total = marked.sum(dim=-1)
            known = total > 0
            if not known.any():
                return late.sum() * 0
            scores = self.place(late)[..., 0].masked_fill(~real, -1e9)[known]
            shares = marked[known] / total[known][:, None]
            return functional.cross_entropy(scores, shares.to(scores.dtype))

        def verdicts(self, late: Any, verdicts: Any) -> Any:
            """Which mark is right, and its class, where one can be chosen."""
            known = verdicts >= 0
            if not known.any():
                return late.sum() * 0
            return functional.cross_entropy(self.verdict(late[known]), verdicts[known])

        def relations(self, tokens: Any, relations: Any) -> Any:
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
            return functional.binary_cross_entropy_with_logits(
                asked, relations[:, 2].to(asked.dtype)
            )

    def _contrast(ours: Any, theirs: Any, wanted: Any, real: Any) -> Any:
        known = wanted >= 0
        if not known.any():
            return ours.sum() * 0 + theirs.sum() * 0
        ours, theirs = functional.normalize(ours, dim=-1), functional.normalize(theirs, dim=-1)
        likeness = torch.einsum("bitd,bjud->bijtu", ours, theirs) / TEMPERATURE
        likeness = likeness.masked_fill(~real[:, None, :, None, :], -1e9)
        return functional.cross_entropy(likeness[known], wanted[known])

    return Heads()
