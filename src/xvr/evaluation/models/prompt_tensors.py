"""Questions as the tensors that a local model reads, for evaluation and training alike.

Every image stands where the question has it, or `UserError` says which model or prompt does not
keep the order (see `xvr.evaluation.models.interleaving`).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from xvr.errors import UserError
from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.models.interleaving import check_text, check_tokens


class PromptTensors(NamedTuple):
    """A batch of questions as a model reads them."""

    inputs: Any
    """What `forward` takes, by name; `input_ids` is padded on the left."""
    tokens_per_image: list[list[int]]
    """How many tokens each image of each question was made into."""


def image_mark(processor: Any, who: str) -> str:
    """What stands for an image in a text, such as `<|image_pad|>`.

    Raises:
        UserError: the processor has no such mark.
    """
    mark = str(getattr(processor, "image_token", None) or "")
    if not mark or not hasattr(processor, "tokenizer"):
        raise UserError(f"{who}: its processor has no mark for an image in a text")
    return mark


def prompt_tensors(
    processor: Any,
    prompts: Sequence[Prompt],
    images: Sequence[Sequence[Any]],
    *,
    size: Mapping[str, int] | None,
    who: str,
) -> PromptTensors:
    """A batch of questions as tensors, padded on the left, ready to be answered.

    Args:
        processor: as `load_processor` gives it.
        prompts: the questions; all with images, or none.
        images: of each question in order, as PIL images.
        size: limits on the pixels of an image, as `xvr.evaluation.models.hf.image_size` gives them.
        who: the model, for messages.

    Raises:
        UserError: the processor refuses a prompt, or would show the model another order.
    """
    texts = [_render(processor, prompt, who) for prompt in prompts]
    bos = processor.tokenizer.bos_token
    arguments: dict[str, Any] = {"size": dict(size)} if size else {}
    if bos and texts[0].startswith(bos):
        arguments["add_special_tokens"] = False  # the template wrote it already
    try:
        inputs = processor(
            text=texts,
            images=[list(shown) for shown in images] if any(images) else None,
            padding=True,
            padding_side="left",
            truncation=False,
            return_tensors="pt",
            return_text_replacement_offsets=True,
            **arguments,
        )
    except ValueError as error:
        whom = " or ".join(prompt.item_id for prompt in prompts)
        raise UserError(f"the processor of {who} refuses {whom}: {error}") from error
    inputs.pop("labels", None)  # PaliGemma's processor always prepares for training
    replaced = inputs.pop("text_replacement_offsets", None)
    counts: list[list[int]] = [[] for _ in prompts]
    if any(images):
        counts = check_images(processor, inputs["input_ids"].tolist(), replaced, prompts, who)
    return PromptTensors(inputs, counts)


def _render(processor: Any, prompt: Prompt, who: str) -> str:
    mark = image_mark(processor, who)
    if not processor.chat_template:
        return "".join(mark if isinstance(part, Picture) else part for part in prompt.parts)
    blocks = [
        {"type": "image"} if isinstance(part, Picture) else {"type": "text", "text": part}
        for part in prompt.parts
    ]
    rendered = processor.apply_chat_template(
        [{"role": "user", "content": blocks}], tokenize=False, add_generation_prompt=True
    )
    check_text(rendered, mark, prompt, who)
    return rendered


def check_images(
    processor: Any, rows: list[list[int]], replaced: Any, prompts: Sequence[Prompt], who: str
) -> list[list[int]]:
    """Holds the images of each row of tokens against its question; returns tokens per image.

    Args:
        processor: that made the tokens.
        rows: tokens of each question.
        replaced: what the processor put in place of each mark, by question.
        prompts: the questions.
        who: the model, for messages.

    Raises:
        UserError: the processor does not tell, or images are cut or in another order.
    """
    if not replaced:
        raise UserError(
            f"the processor of {who} does not tell where it puts images, so nobody knows "
            "whether the model sees them in order; serve the model and use vllm:ID instead"
        )
    tokenizer = processor.tokenizer
    kinds = image_token_ids(processor)
    names = tokenizer.convert_ids_to_tokens(kinds)
    found: list[list[int]] = []
    for row, images, prompt in zip(rows, replaced, prompts, strict=True):
        counts = [sum(image["replacement"].count(name) for name in names) for image in images]
        check_tokens(row, set(kinds), counts, tokenizer.decode, prompt, who)
        found.append(counts)
    return found


def image_token_ids(processor: Any) -> list[int]:
    """Tokens that stand for parts of images."""
    return [token for token in processor.image_token_ids if token is not None]
