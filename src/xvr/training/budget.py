"""What a run will need, told before its first step: tokens of a sample, memory of a GPU.

The longest samples are made into tensors, so that bad images, foreign orders and too long prompts
show before anything is trained. Memory is counted from the sizes of the model:

- weights, gradients and AdamW's two moments, 4 bytes each of every trained weight;
- activations as in Korthikanti et al. 2022 (arXiv 2205.05198, eq. 2 without its attention scores,
  which fused kernels do not keep): 34 bytes x tokens x width for every layer, or with gradient
  checkpointing 4 bytes x tokens x width for every layer and one layer in full;
- logits of the answers alone.

It is an estimate: fragmentation and the buffers of libraries come on top.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xvr.engine.seeds import child_rng
from xvr.errors import Unusable, UserError
from xvr.training.encode import Encoded, Encoder, decode_images
from xvr.training.mixture import Stratum
from xvr.training.parameters import counts, part_of
from xvr.training.samples import Source, Survey

_LONGEST, _OTHERS = 6, 6
"""Samples made into tensors: the longest, and some at random."""


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """Tokens of samples."""

    longest: int
    image_tokens: int
    """Of images in that sample."""
    images: int
    """Of that sample."""
    mean: float
    """Of samples drawn at random."""
    longest_answer: int
    """End token included."""
    sample_id: str
    """Of the longest sample."""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Bytes on one GPU."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.logits


def measure_lengths(
    sources: Sequence[Source],
    surveys: Sequence[Survey],
    strata: Sequence[Stratum],
    encoder: Encoder,
    seed: int,
) -> Lengths:
    """Encode the longest samples, and some at random.

    Raises:
        UserError: the longest one does not fit the model; says which, and what to do.
    """
    samples: list[Encoded] = []
    others: list[Encoded] = []
    for number, (source, line) in enumerate(_chosen(surveys, strata, seed)):
        example = sources[source].example(line)
        try:
            encoded = encoder.encode(example, decode_images(example))
        except Unusable as error:
            if error.reason == "too_long":
                raise UserError(str(error.detail)) from error
            continue  # the run counts it when it comes to it
        samples.append(encoded)
        if number >= _LONGEST:
            others.append(encoded)
    if not samples:
        raise UserError("none of the samples looked at can be used; run xvr train check")
    longest = max(samples, key=lambda sample: sample.length)
    return Lengths(
        longest=longest.length,
        image_tokens=sum(image.count for image in longest.images),
        images=len(longest.images),
        mean=float(np.mean([sample.length for sample in others or samples])),
        longest_answer=max(sample.answer_tokens for sample in samples),
        sample_id=longest.example.sample_id,
    )


def estimate(model: Any, lengths: Lengths, *, batch: int, checkpointing: bool) -> Memory:
    """Memory of a step with a batch of the longest samples.

    Args:
        model: prepared, so that it is known what is trained.
        lengths: of the samples.
        batch: samples on a GPU at a time.
        checkpointing: whether activations are computed twice.
    """
    text = model.config.get_text_config()
    vision = getattr(model.config, "vision_config", None)
    trained = counts(model)
    tokens = batch * lengths.longest
    activations = _activations(tokens, text.hidden_size, text.num_hidden_layers, checkpointing)
    if vision is not None and _trains_vision(model):
        merge = getattr(vision, "spatial_merge_size", 1) ** 2
        depth = getattr(vision, "depth", None) or vision.num_hidden_layers
        patches = batch * lengths.image_tokens * merge
        activations += _activations(patches, vision.hidden_size, depth, checkpointing)
    return Memory(
        weights=sum(p.numel() * p.element_size() for p in model.parameters()),
        gradients=4 * trained["trained"],
        optimizer=8 * trained["trained"],
        activations=activations,
        logits=3 * 4 * batch * (lengths.longest_answer + 1) * text.vocab_size,
    )


def told(lengths: Lengths, memory: Memory, batch: int) -> list[str]:
    """Lines for people."""
    parts = ", ".join(
        f"{name} {getattr(memory, name) / 1e9:.2f}"
        for name in ("weights", "gradients", "optimizer", "activations", "logits")
    )
    return [
        f"longest sample seen: {lengths.longest} tokens, {lengths.image_tokens} of them of "
        f"{lengths.images} images ({lengths.sample_id}); mean {lengths.mean:.0f}",
        f"memory of one GPU, estimated: {memory.total / 1e9:.2f} GB with {batch} such samples at a "
        f"time ({parts})",
    ]


def _activations(tokens: int, width: int, layers: int, checkpointing: bool) -> int:
    full = 34 * tokens * width
    return 4 * tokens * width * layers + full if checkpointing else full * layers


def _trains_vision(model: Any) -> bool:
    return any(p.requires_grad and part_of(n) == "vision" for n, p in model.named_parameters())


def _chosen(
    surveys: Sequence[Survey], strata: Sequence[Stratum], seed: int
) -> list[tuple[int, int]]:
    """The longest samples by images and then by letters, and some at random."""
    places = [(stratum.source, int(line)) for stratum in strata for line in stratum.lines]
    rng = child_rng(seed, "lengths")
    some = [places[i] for i in rng.permutation(len(places))[:_OTHERS]]

    def size(place: tuple[int, int]) -> tuple[int, int]:
        survey = surveys[place[0]]
        return int(survey.images[place[1]]), int(survey.letters[place[1]])

    longest = sorted(places, key=size, reverse=True)[:_LONGEST]
    return [*longest, *some]
