"""The key of an attempt: equal keys mean the same question, to the byte, to the same model."""

import hashlib
import json
from dataclasses import replace
from typing import NamedTuple

from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Respondent


class Question(NamedTuple):
    """A prompt whose images are in memory: what is hashed is what is shown."""

    prompt: Prompt
    key: str


def question_of(prompt: Prompt, whom: Respondent) -> Question:
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
    asked = {
        "parts": hashed,
        "model": whom.name,
        "revision": whom.revision,
        "decoding": dict(whom.decoding),
    }
    key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    return Question(replace(prompt, parts=tuple(parts)), key)
