"""What the runner asks of a model, and what it gets back: an answer or a failure, never a mix.

A local model answers a batch in one call. A remote one answers one prompt per call and is called
from several threads; it retries by itself what is worth retrying and returns a `Failure` when it
gives up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from xvr.evaluation.item import Prompt


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model said."""

    text: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    retries: int = 0
    cost_usd: float | None = None
    details: Mapping[str, Any] | None = None
    """What else is worth keeping, JSON values only, such as the stop reason."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why there is no answer. It is never scored as one and is asked again by the next run."""

    kind: str
    """Short snake_case word that is counted, such as `rate_limited` or `timeout`."""
    message: str
    retries: int = 0


class Respondent(Protocol):
    """Who is asked, and how: a model, or people."""

    @property
    def name(self) -> str:
        """The specification as the user wrote it, such as `hf:Qwen/Qwen3-VL-2B-Instruct`."""
        ...

    @property
    def revision(self) -> str:
        """What tells two sets of weights of one name apart: commit, hash of files; may be empty."""
        ...

    @property
    def decoding(self) -> Mapping[str, Any]:
        """All that changes an answer besides prompt and weights, such as temperature; JSON."""
        ...


class Model(Respondent, Protocol):
    """Something that answers prompts."""

    @property
    def batch_size(self) -> int:
        """Most prompts per call."""
        ...

    @property
    def concurrency(self) -> int:
        """Calls at the same time, each from a thread of its own; 1 for a local model."""
        ...

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """One answer or failure for each prompt, in order.

        Raises:
            UserError: nothing can be answered at all, such as a missing key or package.
        """
        ...

    def close(self) -> None:
        """Give back what was held: connections, memory."""
        ...
