"""A batch as the model gets it: which tokens are trained on, and images after their resizing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, UInt8

from xvr.evaluation.models.loading import Checkpoint, load_processor
from xvr.training.collate import Collator, Loaded, pad_token_of
from xvr.training.config import TrainConfig
from xvr.training.data import load_data
from xvr.training.encode import IGNORED, Encoded, Encoder
from xvr.training.sft import make_encoder, require_packages
from xvr.training.skips import Tell
from xvr.training.stream import Stream

Kind = Literal["prompt", "image", "answer"]


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Tokens of one kind that follow each other."""

    kind: Kind
    text: str
    """What they say; of an image, nothing."""
    tokens: int


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenImage:
    """An image as the model gets it."""

    name: str
    pixels: UInt8[np.ndarray, "h w 3"]
    """After resizing, turned back from what the model computes with."""
    tokens: int
    original: tuple[int, int]
    """Width and height of the file, pixels."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenSample:
    """One row of the batch."""

    sample_id: str
    task: str
    padding: int
    """Tokens in front of it."""
    pieces: tuple[Piece, ...]
    images: tuple[SeenImage, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class SeenBatch:
    """The first batch of a run."""

    model: str
    recipe: str
    samples: tuple[SeenSample, ...]
    tokens: int
    """In a row."""
    notes: tuple[str, ...]
    """What was told while the data was looked through."""


def first_batch(config: TrainConfig, tell: Tell) -> SeenBatch:
    """The first batch of a run, without its weights: only the processor is loaded.

    Args:
        config: of the run; a batch has `device_batch_size` samples.
        tell: given lines for people.

    Raises:
        UserError: what would stop the run.
    """
    import transformers

    require_packages()
    notes: list[str] = []

    def note(line: str) -> None:
        notes.append(line)
        tell(line)

    data = load_data(config, note)
    base = Checkpoint.of(config.checkpoint)
    processor = load_processor(base)
    settings = transformers.AutoConfig.from_pretrained(base.source, revision=base.revision)
    encoder = make_encoder(config, processor, settings, "float32")
    number = config.machine.device_batch_size
    stream = Stream(
        data.sources,
        data.order,
        encoder,
        length=number,
        seed=config.seed,
        recipe=config.recipe,
    )
    loaded = [stream[position] for position in range(number)]
    for skip in (skip for one in loaded for skip in one.skipped):
        note(f"not used: {skip.reason}: {skip.detail}")
    batch = Collator(pad_token=pad_token_of(processor, config.checkpoint))(loaded)
    width = batch["input_ids"].shape[1]
    return SeenBatch(
        model=config.checkpoint,
        recipe=config.recipe.name,
        samples=tuple(_seen(one, encoder, width) for one in loaded),
        tokens=width,
        notes=tuple(notes),
    )


def pixels_of(inputs: Mapping[str, Any], image_processor: Any) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The images in the tensors of a sample, as people see them.

    Qwen's processors cut images into patches, ordered by blocks of merged patches (transformers,
    `Qwen2VLImageProcessor`); others keep whole images or tiles of (3, height, width).
    """
    if "pixel_values" not in inputs:
        return []
    values = inputs["pixel_values"].float().numpy()
    if "image_grid_thw" in inputs:
        return list(_from_patches(values, inputs["image_grid_thw"].tolist(), image_processor))
    tiles = values.reshape(-1, *values.shape[-3:])
    return [_widened(tile, image_processor) for tile in tiles]


def _from_patches(
    values: Float[np.ndarray, "n patch"], grids: Sequence[Sequence[int]], settings: Any
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    side, merge, times = settings.patch_size, settings.merge_size, settings.temporal_patch_size
    begin = 0
    for _, rows, columns in grids:
        patches = values[begin : begin + rows * columns]
        begin += rows * columns
        blocks = patches.reshape(
            rows // merge, columns // merge, merge, merge, 3, times, side, side
        )
        # (times, 3, block row, row in it, pixel row, block column, column in it, pixel column)
        image = blocks.transpose(5, 4, 0, 2, 6, 1, 3, 7)
        yield _widened(image.reshape(times, 3, rows * side, columns * side)[0], settings)


def _widened(image: Float[np.ndarray, "3 h w"], settings: Any) -> UInt8[np.ndarray, "h w 3"]:
    mean = np.asarray(settings.image_mean)[:, None, None]
    deviation = np.asarray(settings.image_std)[:, None, None]
    shown = np.clip(np.rint((image * deviation + mean) * 255), 0, 255)
    return np.ascontiguousarray(shown.transpose(1, 2, 0)).astype(np.uint8)


def _seen(loaded: Loaded, encoder: Encoder, width: int) -> SeenSample:
    from xvr.training.encode import decode_images

    sample = loaded.encoded
    shown = pixels_of(sample.inputs, encoder.processor.image_processor)
    files = decode_images(sample.example)
    names = [picture.name for picture in sample.example.prompt.pictures]
    if len(shown) != len(names):  # tiles: which belong together is the processor's secret
        names = [f"tile {number + 1}" for number in range(len(shown))]
        files = [*shown]
        counts = [0] * len(shown)
    else:
        counts = [image.count for image in sample.images]
    return SeenSample(
        sample_id=sample.example.sample_id,
        task=sample.example.task,
        padding=width - sample.length,
        pieces=tuple(_pieces(sample, encoder)),
        images=tuple(
            SeenImage(
                name=name, pixels=pixels, tokens=count, original=(file.shape[1], file.shape[0])
            )
            for name, pixels, count, file in zip(names, shown, counts, files, strict=True)
        ),
    )


def _pieces(sample: Encoded, encoder: Encoder) -> Iterator[Piece]:
    tokens = sample.inputs["input_ids"][0].tolist()
    kinds: list[Kind] = [
        "prompt" if label == IGNORED else "answer" for label in sample.labels[0].tolist()
    ]
    number_of = [-1] * len(tokens)
    for number, image in enumerate(sample.images):
        for place in range(image.begin, image.begin + image.count):
            kinds[place], number_of[place] = "image", number
    begin = 0
    for place in range(1, len(tokens) + 1):
        ends = place == len(tokens)
        if not ends and (kinds[place], number_of[place]) == (kinds[begin], number_of[begin]):
            continue
        text = (
            ""
            if kinds[begin] == "image"
            else encoder.processor.tokenizer.decode(tokens[begin:place])
        )
        yield Piece(kind=kinds[begin], text=text, tokens=place - begin)
        begin = place
