"""Small heads that read correspondences off image tokens; they train along and are then left.

All tensors of tokens are (batch b, images k, tokens t, width), padded; what is padding or unknown
has no target and is left out of every mean. A loss without targets is zero.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from xvr.sources.roles import ROLES
from xvr.tasks.directional_view_localization import SIDES
from xvr.training.token_targets import GONE, MARK_CLASSES, RELATIONS

WIDTH = 64
"""Of the features that are compared."""
TEMPERATURE = 0.1
NO_MARK_WEIGHT = 0.1
"""Most tokens show no mark."""
MOST_IMAGES = 9
"""Images that are told apart: others are not asked about."""
STEPS = tuple(step / 10 for step in range(-20, 21))
"""Metres, or parts of a unit vector, at which coordinates are told."""
GONE_WEIGHT = 3.0
"""Few surfaces move."""
SHIFT_UNIT_M = 0.1
"""In which shifts of the hand are told."""
NAMED = ("named_role", "named_side", "named_image")
"""In the order of `TokenTargets.named`."""
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
        self.direction = nn.Linear(width, 3 * MOST_IMAGES)
        self.shift = nn.Linear(width, 3 * MOST_IMAGES)
        self.hand_at = nn.Linear(width, 1)
        self.absent = nn.Linear(width, MOST_IMAGES)
        counts = {"odd": MOST_IMAGES, "number": MOST_IMAGES, "role": len(ROLES)}
        counts |= {"named_role": len(ROLES), "named_side": len(SIDES), "named_image": MOST_IMAGES}
        self.classes = nn.ModuleDict({name: nn.Linear(width, n) for name, n in counts.items()})
        sizes = {"camera": 6, "hand": 3}
        self.places = nn.ModuleDict(
            {name: nn.Linear(width, n * len(STEPS)) for name, n in sizes.items()}
        )

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
        known = relations[:, 1] < MOST_IMAGES
        if not known.any():
            return tokens.sum() * 0
        tokens, relations = tokens[known], relations[known]
        scores = self.relation(tokens).view(len(tokens), len(RELATIONS), MOST_IMAGES)
        rows = torch.arange(len(tokens), device=tokens.device)
        asked = scores[rows, relations[:, 0], relations[:, 1]]
        return functional.binary_cross_entropy_with_logits(asked, relations[:, 2].to(asked.dtype))

    def gone(self, late: Tensor, seen_at: Tensor) -> Tensor:
        """Which surfaces that a token sees were elsewhere when an earlier image was taken.

        Args:
            late: (b, k, t, width).
            seen_at: (b, k, k, t).
        """
        earlier = _earlier(seen_at)[None, :, None, :MOST_IMAGES]
        seen_at = seen_at.transpose(2, 3)[..., :MOST_IMAGES]  # (b, k, t, k)
        known = earlier & ((seen_at >= 0) | (seen_at == GONE))
        is_gone = (seen_at == GONE)[known]
        if not is_gone.any():  # a batch in which nothing moved teaches only to say so
            return late.sum() * 0
        scores = self.absent(late)[..., : known.shape[-1]][known]
        return functional.binary_cross_entropy_with_logits(
            scores, is_gone.to(scores.dtype), pos_weight=scores.new_tensor(GONE_WEIGHT)
        )

    def told(self, name: str, tokens: Tensor, classes: Tensor) -> Tensor:
        """Which class it is: the number of the odd image or of this one, or a camera's role.

        Args:
            name: `odd`, `number` or `role`.
            tokens: (m, width), at which it is asked.
            classes: (m,), negative where unknown.
        """
        scores = self.classes[name](tokens)
        known = (classes >= 0) & (classes < scores.shape[-1])
        if not known.any():
            return tokens.sum() * 0
        return functional.cross_entropy(scores[known], classes[known])

    def named(self, tokens: Tensor, named: Tensor) -> Tensor:
        """What questions name: a role, a side, the number of an image.

        Args:
            tokens: (b, width), which predict the answers.
            named: (b, 3), negative where they name none.
        """
        asked = zip(NAMED, named.unbind(dim=-1), strict=True)
        return torch.stack([self.told(name, tokens, classes) for name, classes in asked]).sum()

    def toward(self, tokens: Tensor, directions: Tensor) -> Tensor:
        """In which direction earlier cameras see this one.

        Args:
            tokens: (m, width), after each image.
            directions: (m, k, 3) of the k images, unit vectors, NaN where unknown or not earlier.
        """
        directions = directions[:, :MOST_IMAGES]
        known = directions.isfinite().all(dim=-1)
        if not known.any():
            return tokens.sum() * 0
        found = self.direction(tokens).view(len(tokens), MOST_IMAGES, 3)[:, : known.shape[1]]
        return (1 - functional.cosine_similarity(found[known], directions[known], dim=-1)).mean()

    def moved(self, tokens: Tensor, shifts: Tensor) -> Tensor:
        """How far the hand is from where it is in earlier images.

        Args:
            tokens: (m, width), after each image.
            shifts: (m, k, 3) of the k images, metres, NaN where unknown or not earlier.
        """
        shifts = shifts[:, :MOST_IMAGES]
        known = shifts.isfinite().all(dim=-1)
        if not known.any():
            return tokens.sum() * 0
        found = self.shift(tokens).view(len(tokens), MOST_IMAGES, 3)[:, : known.shape[1]]
        return functional.smooth_l1_loss(found[known], shifts[known] / SHIFT_UNIT_M)

    def hands_at(self, vision: Tensor, hands_at: Tensor, real: Tensor) -> Tensor:
        """At which token of an image the hand is.

        Args:
            vision: (b, k, t, width).
            hands_at: (b, k), negative where it is not.
            real: (b, k, t).
        """
        known = hands_at >= 0
        if not known.any():
            return vision.sum() * 0
        scores = self.hand_at(vision)[..., 0].masked_fill(~real, _NEVER)
        return functional.cross_entropy(scores[known], hands_at[known])

    def placed(self, name: str, tokens: Tensor, values: Tensor) -> Tensor:
        """Where something is, told by the two of `STEPS` next to each coordinate.

        Args:
            name: `camera` or `hand`.
            tokens: (m, width).
            values: (m, d), metres or parts of a unit vector, NaN where unknown.
        """
        known = values.isfinite()
        if not known.any():
            return tokens.sum() * 0
        at = ((values[known] - STEPS[0]) / (STEPS[1] - STEPS[0])).clamp(0, len(STEPS) - 1)
        below = at.long().clamp(max=len(STEPS) - 2)
        above = at - below
        shares = torch.zeros(len(at), len(STEPS), device=at.device, dtype=at.dtype)
        shares.scatter_(1, below[:, None], (1 - above)[:, None])
        shares.scatter_(1, below[:, None] + 1, above[:, None])
        scores = self.places[name](tokens).view(*values.shape, len(STEPS))[known]
        return functional.cross_entropy(scores, shares.to(scores.dtype))


def matched(scores: Tensor, seen_at: Tensor, real: Tensor) -> Tensor:
    """Each token of a later image looks, of an earlier image, at what sees its surface.

    Args:
        scores: (b, k, k, t, t): of a token of the first image and one of the second.
        seen_at: (b, k, k, t).
        real: (b, k, t).
    """
    wanted = torch.where(_earlier(seen_at)[None, :, :, None], seen_at, -1)
    return _found(scores, wanted, real)


def _earlier(seen_at: Tensor) -> Tensor:
    """(k, k), where the second image comes before the first."""
    count = seen_at.shape[1]
    return torch.ones(count, count, device=seen_at.device).tril(-1).bool()


def _found(scores: Tensor, wanted: Tensor, real: Tensor) -> Tensor:
    """Cross-entropy of scores among the real tokens of each image."""
    known = wanted >= 0
    if not known.any():
        return scores.sum() * 0
    scores = scores.masked_fill(~real[:, None, :, None, :], _NEVER)
    return functional.cross_entropy(scores[known], wanted[known])
