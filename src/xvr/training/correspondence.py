"""Correspondence as a second loss: every step from images to an answer is taught where it is made.

    xvr train sft --data out/dataset --aux correspondence ...

Targets come from depth and poses of the scenes and episodes that a dataset names in its provenance,
which must still be there (see `xvr.training.target_maker`); without depth, calibration or a hand,
what follows from the rest is left. The hand is taken to be told in the world of the calibration.
Losses, all of them means, summed:

- `seen`: at the output of the vision tower, a token of one view finds the token of another view
  that sees its surface, among all of that view (InfoNCE; van den Oord et al. 2018, arXiv
  1807.03748);
- `matched`: one attention head of an early layer of the language model looks from each token of a
  later image at the token of an earlier one that sees its surface;
- `marks`: which mark a token shows, at the output of the vision tower;
- `marked`: which token of an image sees what earlier images mark, late in the language model;
- `gone`: which surfaces that a token sees were elsewhere when an earlier image was taken, as that
  image sees what is behind them, late;
- `relations`: whether two marks are on one point, whether two images share a moment, and so on;
- `verdicts`: which of the marks to choose from is right, and of what colour, late;
- `odd`: which image does not go together with the others, late, at the first token that can know;
- `number`, `role`: which image of the question it is, and which of a robot's cameras took it, late,
  at the token after an image;
- `named`: which camera, side or image the question names, late, at the token before the answer;
- `camera`: where an episode's camera stands and looks, from the mean of the vision tower's tokens
  and at the token after the image;
- `toward`: in which direction earlier cameras see this image's, late, at the token after it (one
  minus the cosine);
- `hands_at`, `hand`: which token of it shows the hand, and where that is;
- `moved`: how far that is from where the hand is in earlier images, late, at the token after it
  (smooth L1 of decimetres);
- `looked`: before the answer, half of the heads of the last layer look at what it follows from.

The last one and `matched` need a language model built like Llama's (`attention_probe`); for others
they are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from xvr.errors import Unusable, UserError
from xvr.training.attention_probe import AttentionProbe
from xvr.training.collate import BatchLayout
from xvr.training.correspondence_heads import Heads, matched
from xvr.training.encode import Encoded
from xvr.training.samples import Source
from xvr.training.target_maker import TargetMaker
from xvr.training.target_tensors import places_of, stacked, token_places
from xvr.training.token_targets import Grid, TokenTargets

MARKS_WEIGHT = 0.5
"""Marks are learnt soon."""
LOOKED_WEIGHT = 0.3
"""There is nothing to look for before marks are understood."""


class CorrespondenceLoss:
    """An `AuxiliaryLoss`."""

    name = "correspondence"

    def __init__(self, model: Any, sources: Sequence[Source], weight: float) -> None:
        """Makes the heads.

        Args:
            model: that is trained.
            sources: datasets of the run.
            weight: of the loss.

        Raises:
            UserError: no dataset has provenance.
        """
        self._sources = {source.path: source for source in sources}
        if not any(len(source) and _has_proofs(source) for source in sources):
            raise UserError(
                "--aux correspondence needs provenance, which none of the datasets has; build one "
                "with xvr data build, or leave out --aux"
            )
        text = model.config.get_text_config()
        self.weight = weight
        self.module = Heads(text.hidden_size)
        self._early = text.num_hidden_layers // 4
        self._late = -(-3 * text.num_hidden_layers // 4)
        self._last = text.num_hidden_layers - 1
        self._probe: AttentionProbe | None = AttentionProbe(model, (self._early, self._last))
        self._maker: TargetMaker | None = None

    def __getstate__(self) -> dict[str, Any]:
        """For processes that load samples: they have no use for the model."""
        return self.__dict__ | {"_probe": None}

    def targets(self, samples: Sequence[Encoded]) -> dict[str, Any]:
        """Tensors of a batch; see `stacked`."""
        if self._maker is None:  # not before: processes that load samples each have their own
            self._maker = TargetMaker()
        asked = [-1 - sample.answer_tokens for sample in samples]  # what predicts the answer
        found = stacked([self._of_sample(sample) for sample in samples])
        lengths = [sample.length for sample in samples]
        return found | {"asked": torch.tensor(asked), "lengths": torch.tensor(lengths)}

    def loss(self, outputs: Any, layout: BatchLayout, targets: Mapping[str, Any]) -> Any:
        """The sum of the losses that a batch has targets for."""
        layers, heads = outputs.hidden_states, self.module
        places, real = token_places(layout, targets["marks"].shape[1:])
        places, real = places.to(layers[0].device), real.to(layers[0].device)
        rows = torch.arange(len(places), device=places.device)
        related, odd, after = (targets[name] for name in ("relations", "odd", "after"))

        def images(layer: int) -> Any:
            return layers[layer][rows[:, None, None], places]  # (b, k, t, width)

        def at(layer: int, which: Any) -> Any:
            return layers[layer][which[:, 0], places_of(layout, which)]  # (m, width)

        vision, late, ends = images(0), images(self._late), at(self._late, after)
        asking = layers[self._late][rows, layers[0].shape[1] + targets["asked"]]
        means = (vision * real[..., None]).sum(dim=2) / real.sum(dim=2).clamp(min=1)[..., None]
        roles, cameras, hands, hands_at = (
            targets[name][after[:, 0], after[:, 1]]
            for name in ("roles", "cameras", "hands", "hands_at")
        )
        earlier = torch.arange(places.shape[1], device=places.device) < after[:, 1:2]
        directions = targets["toward"][after[:, 0], :, after[:, 1]]  # (m, k, 3)
        directions = directions.masked_fill(~earlier[..., None], torch.nan)
        shifts = (hands[:, None] - targets["hands"][after[:, 0]]).masked_fill(
            ~earlier[..., None], torch.nan
        )
        shown = hands_at >= 0
        at_hand = vision[after[shown, 0], after[shown, 1], hands_at[shown]]
        return (
            heads.seen(vision, targets["seen_at"], real)
            + self._matched(places, real, targets)
            + MARKS_WEIGHT * heads.marks(vision, targets["marks"], real)
            + heads.marked(late, targets["marked"], real)
            + heads.relations(at(self._late, related), related[:, 3:])
            + heads.verdicts(late, targets["verdicts"])
            + heads.gone(late, targets["seen_at"])
            + heads.told("odd", at(self._late, odd), odd[:, 3])
            + heads.told("number", ends, after[:, 1])
            + heads.told("role", ends, roles)
            + heads.named(asking, targets["named"])
            + heads.placed("camera", means[after[:, 0], after[:, 1]], cameras)
            + heads.placed("camera", at(1, after), cameras)
            + heads.toward(ends, directions)
            + heads.moved(ends, shifts)
            + heads.hands_at(vision, targets["hands_at"], real)
            + heads.placed("hand", at_hand, hands[shown])
            + heads.placed("hand", at(1, after), hands)
            + LOOKED_WEIGHT * self._looked(layout, targets)
        )

    def _matched(self, places: Any, real: Any, targets: Mapping[str, Any]) -> Any:
        """Of the first head of an early layer."""
        looks = self._probe.taken(self._early) if self._probe else None
        if looks is None:
            return 0.0
        rows = torch.arange(len(places), device=places.device)[:, None, None]
        queries, keys = looks.queries[:, 0][rows, places], looks.keys[:, 0][rows, places]
        scores = torch.einsum("bitd,bjud->bijtu", queries, keys) * looks.scale
        return matched(scores, targets["seen_at"], real)

    def _looked(self, layout: BatchLayout, targets: Mapping[str, Any]) -> Any:
        """Cross-entropy of attention and evidence at the token before the answer."""
        looks = self._probe.taken(self._last) if self._probe else None
        if looks is None:
            return 0.0
        heads, tokens = -(-looks.queries.shape[1] // 2), looks.keys.shape[2]
        device, evidence = looks.keys.device, targets["evidence"]
        asked = tokens + targets["asked"]
        rows = torch.arange(len(asked), device=device)
        queries = looks.queries[rows, :heads, asked]  # (b, heads, width)
        scores = torch.einsum("bhd,bhnd->bhn", queries, looks.keys[:, :heads]) * looks.scale
        at = torch.arange(tokens, device=device)
        may = (at >= tokens - targets["lengths"][:, None]) & (at <= asked[:, None])
        looks_at = scores.masked_fill(~may[:, None], -torch.inf).softmax(dim=-1)
        wanted = torch.zeros(len(asked), tokens, device=device)
        wanted[evidence[:, 0], places_of(layout, evidence)] = 1.0
        found = (looks_at * wanted[:, None]).sum(dim=-1)[wanted.any(dim=1)]
        return -torch.log(found + 1e-6).mean() if len(found) else scores.sum() * 0

    def _of_sample(self, sample: Encoded) -> TokenTargets | None:
        example = sample.example
        source = self._sources.get(example.source)
        proof = example.proof or (source.proof(example.line) if source is not None else None)
        grids: list[Grid] = [image.grid for image in sample.images if image.grid is not None]
        if proof is None or not grids or len(grids) < len(sample.images):
            return None
        assert self._maker is not None
        try:
            return self._maker.targets(proof, grids)
        except Unusable as error:
            raise UserError(
                f"--aux correspondence needs what {example.source} was built from, and "
                f"{error.detail or error.reason}: bring it back, or leave out --aux"
            ) from error


def _has_proofs(source: Source) -> bool:
    return source.proof(0) is not None
