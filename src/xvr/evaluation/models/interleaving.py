"""Do the images reach a local model where the question has them, between the same texts?

Chat templates and processors differ: some put all images in front, some drop a second one, some cut
a long prompt. So every prompt is checked twice, as text after the chat template and as tokens after
the processor. White space and Unicode forms may change on the way, nothing else.
"""

import unicodedata
from collections.abc import Callable, Collection, Sequence

from xvr.errors import UserError
from xvr.evaluation.item import Picture, Prompt


def texts_around_images(prompt: Prompt) -> list[str]:
    """What stands before, between and after the images: one text more than there are images."""
    texts = [""]
    for part in prompt.parts:
        if isinstance(part, Picture):
            texts.append("")
        else:
            texts[-1] += part
    return texts


def check_text(rendered: str, mark: str, prompt: Prompt, who: str) -> None:
    """Holds the rendered prompt against the question.

    Args:
        rendered: what the chat template made of the question, `mark` in place of each image.
        mark: the model's word for an image, such as `<image>`.
        prompt: the question.
        who: the model, for the message.

    Raises:
        UserError: an image is missing, or stands between other texts.
    """
    _compare(rendered.split(mark), prompt, f"the chat template of {who}")


def check_tokens(
    tokens: Sequence[int],
    image_tokens: Collection[int],
    tokens_per_image: Sequence[int],
    decode: Callable[[Sequence[int]], str],
    prompt: Prompt,
    who: str,
) -> None:
    """Holds the tokens that the model reads against the question.

    Args:
        tokens: of the whole prompt, padding included.
        image_tokens: the tokens that stand for images.
        tokens_per_image: how many of them each image was made into.
        decode: tokens to text.
        prompt: the question.
        who: the model, for the message.

    Raises:
        UserError: image tokens were cut, or an image stands between other texts.
    """
    places = [i for i, token in enumerate(tokens) if token in image_tokens]
    if len(places) != sum(tokens_per_image):
        raise UserError(
            f"{who} would see {len(places)} of the {sum(tokens_per_image)} image tokens of item "
            f"{prompt.item_id}: its processor cuts long prompts; lower --max-image-pixels"
        )
    texts, begin, used = [], 0, 0
    for count in tokens_per_image:
        texts.append(decode(tokens[begin : places[used]]))
        used += count
        begin = places[used - 1] + 1
    texts.append(decode(tokens[begin:]))
    _compare(texts, prompt, f"the processor of {who}")


def _compare(found: Sequence[str], prompt: Prompt, culprit: str) -> None:
    expected = texts_around_images(prompt)
    if len(found) != len(expected):
        raise UserError(
            f"{culprit} shows {len(found) - 1} of the {len(expected) - 1} images of item "
            f"{prompt.item_id}: it cannot be asked about several images"
        )
    for number, (text, seen) in enumerate(zip(expected, found, strict=True)):
        if _letters(text) not in _letters(seen):
            place = f"before image {number + 1}" if number < len(found) - 1 else "at the end"
            raise UserError(
                f"{culprit} changes the order of texts and images: in item {prompt.item_id} "
                f"{_short(text)} should stand {place}, and {_short(seen)} stands there. That is "
                "another question; use a checkpoint whose template keeps the order"
            )


def _letters(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 60 else f"{text[:28]} ... {text[-28:]}")
