"""Samples to a batch: padded on the left, so that all answers end at the same place.

Then the logits of the last tokens are enough for the loss, which at a vocabulary of 150,000 saves
most of the memory of a step.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from xvr.errors import UserError
from xvr.training.encode import IGNORED, Encoded, ImageTokens

Targets = Callable[[Sequence[Encoded]], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A sample that could not be used, and another took its place."""

    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """What stands at one position of the order."""

    encoded: Encoded
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchLayout:
    """What lies where in a batch."""

    sample_ids: tuple[str, ...]
    tasks: tuple[str, ...]
    images: tuple[tuple[ImageTokens, ...], ...]
    """Of each sample; `begin` counts from the left end of the padded row."""
    skipped: tuple[Skipped, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class Collator:
    """Makes batches; what `transformers.Trainer` calls `data_collator`.

    A batch has the tensors of the model, `labels` (batch, tokens), `keep` (how many last tokens
    the loss needs), `layout`, and `targets` where an auxiliary loss wants some.
    """

    pad_token: int
    targets: Targets | None = None
    """Of an auxiliary loss."""

    def __call__(self, loaded: Sequence[Loaded]) -> dict[str, Any]:
        """The batch of some samples."""
        import torch

        samples = [one.encoded for one in loaded]
        longest = max(sample.length for sample in samples)
        batch: dict[str, Any] = {}
        for name in dict.fromkeys(name for sample in samples for name in sample.inputs):
            parts = [sample.inputs[name] for sample in samples if name in sample.inputs]
            along = [part.shape == s.labels.shape for part, s in _having(samples, name, parts)]
            if not all(along):
                batch[name] = torch.cat(parts)  # all images of the batch, one after the other
                continue
            if len(parts) < len(samples):
                parts = [_or_zeros(sample, name) for sample in samples]
            filling = self.pad_token if name == "input_ids" else 0
            batch[name] = torch.cat([_pad(part, longest, filling) for part in parts])
        batch["labels"] = torch.cat([_pad(s.labels, longest, IGNORED) for s in samples])
        # one more than the answer: what comes before its first token predicts it
        batch["keep"] = 1 + max(sample.answer_tokens for sample in samples)
        batch["layout"] = BatchLayout(
            sample_ids=tuple(sample.example.sample_id for sample in samples),
            tasks=tuple(sample.example.task for sample in samples),
            images=tuple(_moved(sample, longest - sample.length) for sample in samples),
            skipped=tuple(skip for one in loaded for skip in one.skipped),
        )
        if self.targets is not None:
            batch["targets"] = self.targets(samples)
        return batch


def pad_token_of(processor: Any, who: str) -> int:
    """What fills short rows; it is masked, so that any token would do.

    Raises:
        UserError: the tokenizer has neither a padding nor an end token.
    """
    tokenizer = processor.tokenizer
    for token in (tokenizer.pad_token_id, tokenizer.eos_token_id):
        if token is not None:
            return token
    raise UserError(f"the tokenizer of {who} has neither a padding nor an end token")


def _having(
    samples: Sequence[Encoded], name: str, parts: Sequence[Any]
) -> list[tuple[Any, Encoded]]:
    return list(zip(parts, (s for s in samples if name in s.inputs), strict=True))


def _or_zeros(sample: Encoded, name: str) -> Any:
    """A sample of text alone has no types of tokens where one with images has."""
    import torch

    return sample.inputs.get(name, torch.zeros_like(sample.labels))


def _pad(tensor: Any, length: int, filling: int) -> Any:
    import torch

    return torch.nn.functional.pad(tensor, (length - tensor.shape[1], 0), value=filling)


def _moved(sample: Encoded, by: int) -> tuple[ImageTokens, ...]:
    return tuple(
        ImageTokens(begin=image.begin + by, count=image.count, grid=image.grid)
        for image in sample.images
    )
