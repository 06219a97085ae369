"""Correspondence as a second loss: image tokens learn which of them see the same surface.

    xvr train sft --data out/dataset --aux correspondence ...

Targets come from depth and poses of the scenes that a dataset names in its provenance, which must
still be there (see `xvr.training.token_targets`); of episodes, and of scenes without depth, what
follows from marks and records alone is left. Losses, all of them means of cross-entropies, summed:

- `seen`: at the output of the vision tower, a token of one view finds the token of another view
  that sees its surface, among all of that view (InfoNCE; van den Oord et al. 2018, arXiv
  1807.03748);
- `matched`: one attention head of an early layer of the language model looks from each token of a
  later image at the token of an earlier one that sees its surface;
- `marks`: which mark a token shows, at the output of the vision tower;
- `marked`: which token of an image sees what earlier images mark, late in the language model;
- `relations`: whether two marks are on one point, whether two images share a moment, and so on;
- `verdicts`: which of the marks to choose from is right, and of what colour, late;
- `looked`: before the answer, half of the heads of the last layer look at what it follows from.

The last one and `matched` need a language model built like Llama's (`attention_probe`); for others
they are left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from xvr.errors import Unusable, UserError
from xvr.training.attention_probe import AttentionProbe
from xvr.training.collate import BatchLayout
from xvr.training.correspondence_heads import MOST_IMAGES, Heads, matched
from xvr.training.encode import Encoded
from xvr.training.samples import Source
from xvr.training.token_targets import AFTER, UNKNOWN, Geometry, Grid, TokenTargets

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
        self._geometry: Geometry | None = None

    def __getstate__(self) -> dict[str, Any]:
        """For processes that load samples: they have no use for the model."""
        return self.__dict__ | {"_probe": None}

    def targets(self, samples: Sequence[Encoded]) -> dict[str, Any]:
        """Tensors of a batch; see `stacked`."""
        if self._geometry is None:  # not before: processes that load samples each have their own
            self._geometry = Geometry()
        import torch

        asked = [-1 - sample.answer_tokens for sample in samples]  # what predicts the answer
        found = stacked([self._of_sample(sample) for sample in samples])
        lengths = [sample.length for sample in samples]
        return found | {"asked": torch.tensor(asked), "lengths": torch.tensor(lengths)}

    def loss(self, outputs: Any, layout: BatchLayout, targets: Mapping[str, Any]) -> Any:
        """The sum of the losses that a batch has targets for."""
        import torch

        layers = outputs.hidden_states
        places, real = token_places(layout, targets["marks"].shape[1:])
        places, real = places.to(layers[0].device), real.to(layers[0].device)
        rows = torch.arange(len(places), device=places.device)

        def images(layer: int) -> Any:
            return layers[layer][rows[:, None, None], places]  # (b, k, t, width)

        vision, late, related = images(0), images(self._late), targets["relations"]
        asked = layers[self._late][related[:, 0], places_of(layout, related)]
        return (
            self.module.seen(vision, targets["seen_at"], real)
            + self._matched(places, real, targets)
            + MARKS_WEIGHT * self.module.marks(vision, targets["marks"], real)
            + self.module.marked(late, targets["marked"], real)
            + self.module.relations(asked, related[:, 3:])
            + self.module.verdicts(late, targets["verdicts"])
            + LOOKED_WEIGHT * self._looked(places, real, targets)
        )

    def _matched(self, places: Any, real: Any, targets: Mapping[str, Any]) -> Any:
        """Of the first head of an early layer."""
        import torch

        looks = self._probe.taken(self._early) if self._probe else None
        if looks is None:
            return 0.0
        rows = torch.arange(len(places), device=places.device)[:, None, None]
        queries, keys = looks.queries[:, 0][rows, places], looks.keys[:, 0][rows, places]
        scores = torch.einsum("bitd,bjud->bijtu", queries, keys) * looks.scale
        return matched(scores, targets["seen_at"], real)

    def _looked(self, places: Any, real: Any, targets: Mapping[str, Any]) -> Any:
        """Cross-entropy of attention and evidence at the token before the answer."""
        import torch

        looks = self._probe.taken(self._last) if self._probe else None
        if looks is None:
            return 0.0
        heads, tokens = -(-looks.queries.shape[1] // 2), looks.keys.shape[2]
        rows, asked = torch.arange(len(places), device=places.device), tokens + targets["asked"]
        queries = looks.queries[rows, :heads, asked]  # (b, heads, width)
        scores = torch.einsum("bhd,bhnd->bhn", queries, looks.keys[:, :heads]) * looks.scale
        at = torch.arange(tokens, device=places.device)
        may = (at >= tokens - targets["lengths"][:, None]) & (at <= asked[:, None])
        looks_at = scores.masked_fill(~may[:, None], -torch.inf).softmax(dim=-1)
        wanted = torch.zeros(len(places), tokens, device=places.device)
        evidence = (targets["evidence"] & real).flatten(1).float()
        wanted.scatter_reduce_(1, places.flatten(1), evidence, reduce="amax")
        found = (looks_at * wanted[:, None]).sum(dim=-1)[wanted.any(dim=1)]
        return -torch.log(found + 1e-6).mean() if len(found) else scores.sum() * 0

    def _of_sample(self, sample: Encoded) -> TokenTargets | None:
        example = sample.example
        source = self._sources.get(example.source)
        proof = example.proof or (source.proof(example.line) if source is not None else None)
        grids: list[Grid] = [image.grid for image in sample.images if image.grid is not None]
        if proof is None or not grids or len(grids) < len(sample.images):
            return None
        assert self._geometry is not None
        try:
            return self._geometry.targets(proof, grids)
        except Unusable as error:
            raise UserError(
                f"--aux correspondence needs what {example.source} was built from, and "
                f"{error.detail or error.reason}: bring it back, or leave out --aux"
            ) from error


def _has_proofs(source: Source) -> bool:
    return source.proof(0) is not None


def token_places(layout: BatchLayout, shape: Sequence[int]) -> tuple[Any, Any]:
    """Where image tokens are in the rows of a batch, and which of the padded table are some.

    Args:
        layout: of the batch.
        shape: (k, t), most images of a sample and most tokens of an image.
    """
    import torch

    places = torch.zeros(len(layout.images), *shape, dtype=torch.long)
    real = torch.zeros(places.shape, dtype=torch.bool)
    for row, images in enumerate(layout.images):
        for number, image in enumerate(images[: shape[0]]):
            count = min(image.count, shape[1])
            places[row, number, :count] = torch.arange(image.begin, image.begin + count)
            real[row, number, :count] = True
    return places, real


def places_of(layout: BatchLayout, related: Any) -> Any:
    """Where in the rows relations are asked.

    Args:
        layout: of the batch.
        related: (m, 6), of which the first three are sample, image and token.
    """
    found = []
    for row, number, token in related[:, :3].tolist():
        image = layout.images[row][number]
        found.append(image.begin + (image.count if token == AFTER else token))
    return related.new_tensor(found)


def stacked(targets: Sequence[TokenTargets | None]) -> dict[str, Any]:
    """Targets of samples, padded to one shape; a sample without any has none that count.

    Returns:
        `seen_at` (b, k, k, t), `marks`, `marked`, `verdicts` and `evidence` (b, k, t), and
        `relations` (m, 6) with sample, image, token, kind, earlier image and whether it holds.
    """
    import numpy as np
    import torch

    shapes = [one.marks.shape for one in targets if one is not None] or [(1, 1)]
    count, most = (max(sizes) for sizes in zip(*shapes, strict=True))
    seen_at = np.full((len(targets), count, count, most), UNKNOWN, np.int64)
    marks = np.zeros((len(targets), count, most), np.int64)
    marked = np.zeros((len(targets), count, most), np.float32)
    verdicts = np.full((len(targets), count, most), UNKNOWN, np.int64)
    evidence = np.zeros((len(targets), count, most), bool)
    relations = []
    for row, one in enumerate(targets):
        if one is None:
            continue
        k, t = one.marks.shape
        seen_at[row, :k, :k, :t], marks[row, :k, :t] = one.seen_at, one.marks
        verdicts[row, :k, :t] = one.verdicts
        marked[row, :k, :t], evidence[row, :k, :t] = one.marked, one.evidence
        relations += [
            (row, r.image, r.token, r.kind, r.earlier, int(r.holds))
            for r in one.relations
            if r.earlier < MOST_IMAGES
        ]
    return {
        "seen_at": torch.from_numpy(seen_at),
        "marks": torch.from_numpy(marks),
        "marked": torch.from_numpy(marked),
        "verdicts": torch.from_numpy(verdicts),
        "evidence": torch.from_numpy(evidence),
        "relations": torch.tensor(relations, dtype=torch.long).reshape(-1, 6),
    }
