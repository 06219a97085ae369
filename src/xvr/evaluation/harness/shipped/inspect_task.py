"""The task for Inspect: `inspect eval task.py --model openai/gpt-4o`.

Texts and images stay in the order of the benchmark, which `multiple_choice()` would not keep.
"""

import base64
import mimetypes
from pathlib import Path
from typing import Any

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessage, ChatMessageUser, Content, ContentImage, ContentText
from inspect_ai.scorer import Score as Judgement
from inspect_ai.scorer import Scorer as Judge
from inspect_ai.scorer import Target as RightAnswer
from inspect_ai.scorer import accuracy, grouped, scorer, stderr
from inspect_ai.solver import TaskState, generate

from xvr.evaluation.harness.shipped.chosen import NAME, SCORERS
from xvr.evaluation.harness.shipped.rows import judge, read_row

FOLDER = Path(__file__).parent


@task
def cross_view() -> Task:
    """The benchmark, with every scorer; it is held in memory, images included."""
    lines = (FOLDER / "items.jsonl").read_text(encoding="utf-8").splitlines()
    return Task(
        name=NAME,
        dataset=MemoryDataset([sample_of(read_row(line)) for line in lines], name=NAME),
        solver=generate(),
        scorer=[scorer_of(name) for name in SCORERS],
    )


def sample_of(row: dict[str, Any]) -> Sample:
    """A line of `items.jsonl` as one message of a user."""
    content: list[Content] = [
        ContentImage(image=data_uri(part["image"]))
        if "image" in part
        else ContentText(text=part["text"])
        for part in row["parts"]
    ]
    message: ChatMessage = ChatMessageUser(content=content)
    return Sample(
        id=row["item_id"],
        input=[message],
        target=row["answer"],
        metadata={key: value for key, value in row.items() if key != "parts"}
        | {"cluster": row["cluster"] or row["item_id"]},
    )


def data_uri(image: str) -> str:
    """An image file as Inspect sends it on."""
    kind = mimetypes.guess_type(image)[0]
    data = base64.b64encode((FOLDER / image).read_bytes()).decode("ascii")
    return f"data:{kind};base64,{data}"


def scorer_of(name: str) -> Judge:
    """One scorer of the benchmark, over all items and by task; errors by scene or episode."""

    @scorer(
        name=name,
        metrics=[grouped(accuracy(), "task", all="samples"), stderr(cluster="cluster")],
    )
    def made() -> Judge:
        async def score(state: TaskState, target: RightAnswer) -> Judgement:  # noqa: ARG001
            judged = judge(state.metadata, state.output.completion)[name]
            return Judgement(
                value=float(judged.correct),
                answer=judged.parsed,
                metadata={"unparsed": judged.parsed is None},
            )

        return score

    return made()
