"""`xvr train tiny`: the small model from nothing, trained as any other.

    start = make_start(("out/learn/general", "out/learn/robotic"), Path("out/learn/run_start"))

Only what it starts from is special: random weights, and a tokenizer made of the questions that it
will be trained on. From there on it is `xvr.training.sft` with the recipe `tiny`.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from xvr.dataset import atomic
from xvr.errors import Unusable
from xvr.evaluation.item import Picture
from xvr.training.run_folder import rank
from xvr.training.samples import open_sources, parse_data
from xvr.training.tiny_model import TinyModel, write_tiny_model

LEARNER = TinyModel(
    hidden_size=128,
    layers=4,
    heads=4,
    vision_hidden_size=128,
    vision_layers=4,
    patch_size=12,
    merge_size=1,
    widening=2,
    rope_theta=1e6,
    vocabulary=1200,
    phrases=True,
    min_image_pixels=48 * 48,
    max_image_pixels=7000,
)
"""1.4 million parameters. An image of 4:3 becomes 96x72 pixels and 48 tokens, a square one 72x72
pixels and 36 tokens."""
POLL_S = 0.5
"""Between two looks whether the first process has written the model."""
ANSWER_WEIGHT = 200
"""How often answers are shown to the tokenizer beside the questions, so that each is one token."""


def make_start(data: Sequence[str], folder: Path, seed: int = 0) -> Path:
    """Write the model to start from, unless it is there; the same data and seed give the same one.

    Of several processes that a launcher started, the first one writes and the others wait.

    Args:
        data: `PATH` or `PATH:WEIGHT` words.
        folder: to write.
        seed: of the weights.

    Raises:
        UserError: no data, or the folder holds something else.
    """
    while rank() and not (folder / "config.json").exists():
        time.sleep(POLL_S)  # the launcher ends this process when the first one fails
    if (folder / "config.json").exists():
        return folder
    with atomic.new_folder(folder) as partial:
        write_tiny_model(partial, _texts(data), LEARNER, seed)
    return folder


def _texts(data: Sequence[str]) -> Iterator[str]:
    """All that is asked and answered, of samples that can be used."""
    answers: set[str] = set()
    for source in open_sources([parse_data(word) for word in data]):
        for line in range(len(source)):
            try:
                example = source.example(line)
            except Unusable:
                continue  # training counts it
            answers.add(example.answer)
            yield from (part for part in example.prompt.parts if not isinstance(part, Picture))
    for answer in sorted(answers):
        yield from [answer] * ANSWER_WEIGHT
