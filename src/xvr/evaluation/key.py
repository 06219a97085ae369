"""The key of an attempt: equal keys mean the same question, to the byte, to the same model."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Model


class Question(NamedTuple):
    """A prompt whose images are in memory: what is hashed is what is shown."""

    prompt: Prompt
    key: str


def question_of(prompt: Prompt, model: Model) -> Question:
    """Read the images of a prompt and hash all that an answer depends on.

    Raises:
        UserError: an image is missing or cannot be read.
    """
    parts, hashed = [], []
    for part in prompt.parts:
        if isinstance(part, Picture):
            data = part.read()
            parts.append(replace(part, read=lambda data=data: data))
            hashed.append(["image", hashlib.sha256(data).hexdigest()])
        else:
            parts.append(part)
            hashed.append(["text", part])
    key = key_of(hashed, model.name, model.revision, model.decoding)
    return Question(replace(prompt, parts=tuple(parts)), key)


def key_of(parts: list[list[str]], model: str, revision: str, decoding: Mapping[str, Any]) -> str:
    """SHA-256 over the parts in order, who is asked and how.

    A part is `text` with the text, or `image` with the SHA-256 of its bytes.
    """
    asked = {"parts": parts, "model": model, "revision": revision, "decoding": dict(decoding)}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
