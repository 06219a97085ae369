"""A sample as the tensors that a model is trained on: the prompt as it is asked, then the answer.

The prompt is made by the very code that asks in evaluation, so that training and test see the same
tokens. The answer is tokenized on its own, as the model will write it, and followed by the token
that ends a turn. The loss is on these alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import UInt8
from numpy import ndarray

from xvr.errors import Unusable, UserError
from xvr.evaluation.item import Prompt
from xvr.evaluation.models.interleaving import check_text
from xvr.evaluation.models.prompt_tensors import image_mark, image_token_ids, prompt_tensors
from xvr.sources.pixels import decode_image
from xvr.training.samples import Example

IGNORED = -100
"""Label of a token that the loss leaves out (PyTorch's `ignore_index`)."""
_AFTER_PROMPT = {"attention_mask": 1, "token_type_ids": 1, "mm_token_type_ids": 0}
"""What the tokens of an answer have in the tensors that go with `input_ids`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageTokens:
    """Where an image is among the tokens of a sample."""

    begin: int
    """Its first token."""
    count: int
    """Tokens, which follow each other unless the model puts line breaks between them."""
    grid: tuple[int, int] | None
    """Rows and columns of tokens, of models that say so."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Encoded:
    """One sample as tensors."""

    example: Example
    inputs: dict[str, Any]
    """By name: (1, tokens) those that go with `input_ids`, the rest as the processor made them."""
    labels: Any
    """(1, tokens): the answer and the end token, everything else `IGNORED`."""
    answer_tokens: int
    """End token included."""
    images: tuple[ImageTokens, ...]

    @property
    def length(self) -> int:
        """Tokens."""
        return self.labels.shape[1]


class Encoder:
    """Makes tensors of samples, for one model."""

    def __init__(
        self,
        processor: Any,
        *,
        who: str,
        size: Mapping[str, int] | None,
        context: int,
        dtype: str = "float32",
        plain: bool = False,
    ) -> None:
        """Looks at what ends a turn.

        Args:
            processor: as `load_processor` gives it.
            who: the model, for messages.
            size: limits on the pixels of an image.
            context: most tokens of a sample.
            dtype: of pixels, that of the model.
            plain: whether a model without a chat template is asked in plain text.

        Raises:
            UserError: there is no chat template, or no end token.
        """
        self.processor = processor
        self.context = context
        self._who = who
        self.size = dict(size) if size else None
        """Limits on the pixels of an image."""
        self._dtype = dtype
        self._mark = image_mark(processor, who)
        self._image_ids = set(image_token_ids(processor))
        self.end = end_token(processor, who, plain=plain)
        """Token that follows the answer."""

    def encode(self, example: Example, images: list[UInt8[ndarray, "h w 3"]]) -> Encoded:
        """The tensors of a sample.

        Args:
            example: the sample.
            images: its pictures, decoded.

        Raises:
            Unusable: `strange_answer`, `image_mark_in_text` or `too_long`.
            UserError: the model cannot show images between texts.
        """
        import torch
        from PIL import Image

        self._check_texts(example)
        answer = [*self.answer_tokens(example), self.end]
        found = prompt_tensors(
            self.processor,
            [example.prompt],
            [[Image.fromarray(image) for image in images]],
            size=self.size,
            who=self._who,
        )
        inputs = dict(found.inputs)
        rows = inputs["input_ids"].shape
        length = rows[1] + len(answer)
        if length > self.context:
            raise Unusable(
                "too_long",
                f"{example.sample_id} of {example.source} has {length} tokens, "
                f"{sum(found.tokens_per_image[0])} of them of {len(images)} images, and "
                f"{self._who} takes {self.context}: lower --max-image-pixels",
            )
        for name, tensor in inputs.items():
            if name == "input_ids":
                tail = torch.tensor([answer], dtype=tensor.dtype)
            elif name in _AFTER_PROMPT and tensor.shape == rows:
                tail = torch.full((1, len(answer)), _AFTER_PROMPT[name], dtype=tensor.dtype)
            else:
                if tensor.is_floating_point():
                    inputs[name] = tensor.to(getattr(torch, self._dtype))
                continue
            inputs[name] = torch.cat([tensor, tail], dim=1)
        labels = torch.full((1, length), IGNORED, dtype=torch.long)
        labels[0, rows[1] :] = torch.tensor(answer)
        return Encoded(
            example=example,
            inputs=inputs,
            labels=labels,
            answer_tokens=len(answer),
            images=self._places(inputs, found.tokens_per_image[0]),
        )

    def answer_tokens(self, example: Example) -> list[int]:
        """Tokens of the answer, end token not included.

        Raises:
            Unusable: `strange_answer`: they are none, special ones, or another text.
        """
        tokenizer = self.processor.tokenizer
        ids = tokenizer(example.answer, add_special_tokens=False)["input_ids"]
        back = tokenizer.decode(ids, skip_special_tokens=True)
        if not back.strip() or back.strip() != example.answer.strip() or self.end in ids:
            raise Unusable(
                "strange_answer",
                f"{example.sample_id} of {example.source}: the tokenizer of {self._who} makes "
                f"{back!r} of the answer {example.answer!r}",
            )
        return ids

    def _check_texts(self, example: Example) -> None:
        for part in example.prompt.parts:
            if isinstance(part, str) and self._mark in part:
                raise Unusable(
                    "image_mark_in_text",
                    f"a text of {example.sample_id} has {self._mark}, the mark of an image",
                )

    def _places(self, inputs: Mapping[str, Any], counts: list[int]) -> tuple[ImageTokens, ...]:
        tokens = inputs["input_ids"][0].tolist()
        places = [i for i, token in enumerate(tokens) if token in self._image_ids]
        grids = _grids(inputs, self.processor)
        found, used = [], 0
        for number, count in enumerate(counts):
            grid = grids[number] if grids else None
            if grid is not None and grid[0] * grid[1] != count:
                raise UserError(
                    f"{self._who}: image {number + 1} has {grid[0]} x {grid[1]} tokens by its "
                    f"grid and {count} in the text; the processor and its files do not fit"
                )
            found.append(ImageTokens(begin=places[used], count=count, grid=grid))
            used += count
        return tuple(found)


def decode_images(example: Example) -> list[UInt8[ndarray, "h w 3"]]:
    """The pictures of a sample as RGB.

    Raises:
        Unusable: `missing_image`, `truncated_image` or `unreadable_image`; says which file.
    """
    return [
        decode_image(picture.read(), f"{example.source}: {picture.name}")
        for picture in example.prompt.pictures
    ]


def end_token(processor: Any, who: str, *, plain: bool = False) -> int:
    """The token after an answer: what the chat template writes there, or the end of a text.

    Args:
        processor: with its tokenizer.
        who: the model, for messages.
        plain: whether a model without a chat template is asked in plain text.

    Raises:
        UserError: no chat template, and `plain` was not asked for; or there is no such token.
    """
    tokenizer = processor.tokenizer
    if not processor.chat_template:
        if plain and tokenizer.eos_token_id is not None:
            return tokenizer.eos_token_id
        raise UserError(
            f"{who} has no chat template: nobody knows how its prompts look. Put the one it was "
            "trained with into chat_template.jinja beside config.json, or add --plain-prompts for "
            "a model that never had one, as PaliGemma"
        )
    question = {"role": "user", "content": [{"type": "text", "text": "question"}]}
    answer = {"role": "assistant", "content": [{"type": "text", "text": "answer"}]}
    asked = processor.apply_chat_template([question], tokenize=False, add_generation_prompt=True)
    whole = processor.apply_chat_template([question, answer], tokenize=False)
    check_text(
        asked, image_mark(processor, who), Prompt(item_id="a test", parts=("question",)), who
    )
    after = whole.removeprefix(asked + "answer") if whole.startswith(asked + "answer") else ""
    special = set(tokenizer.all_special_ids)
    ids = tokenizer(after, add_special_tokens=False)["input_ids"] if after else []
    ends = [token for token in ids if token in special]
    if ends:
        return ends[0]
    if tokenizer.eos_token_id is None:
        raise UserError(f"{who}: neither its chat template nor its tokenizer says what ends a turn")
    return tokenizer.eos_token_id


def _grids(inputs: Mapping[str, Any], processor: Any) -> list[tuple[int, int]]:
    """Rows and columns of tokens of each image, of processors of Qwen's kind."""
    merge = getattr(processor.image_processor, "merge_size", None)
    if merge is None or "image_grid_thw" not in inputs:
        return []
    return [
        (rows // merge, columns // merge) for _, rows, columns in inputs["image_grid_thw"].tolist()
    ]
