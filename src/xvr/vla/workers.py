"""Episodes in worker processes: each owns one environment and takes the next plan when it is free.

What an episode gives must not depend on who runs it, so a job gets all it needs from its plan and
from `ask`, which puts a question to the parent (that holds the policy) and waits for the answer.
With one worker everything happens in this process.

    for plan, result in run_jobs(job, plans, workers=4, answer=policy_answers):
        ...
"""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from typing import Any, Protocol

from xvr.errors import UserError
from xvr.sim.processes import one_thread_each
from xvr.vla.environment import Environment, EpisodePlan

Ask = Callable[[Any], Any]
"""Puts a question to the parent."""

Answer = Callable[[Sequence[Any]], Sequence[Any]]
"""Answers the questions that wait, in their order."""


class Job(Protocol):
    """What to do with each plan; it travels to other processes."""

    def open(self, task: str) -> Environment:
        """The environment of a task."""
        ...

    def run(self, environment: Environment, plan: EpisodePlan, ask: Ask) -> Any:
        """One episode."""
        ...


def run_jobs(
    job: Job, plans: Sequence[EpisodePlan], workers: int, answer: Answer
) -> Iterator[tuple[EpisodePlan, Any]]:
    """Run all plans and yield each with its result, as they are finished.

    Args:
        job: what to do.
        plans: of the episodes, begun in this order.
        workers: processes.
        answer: called in this process.

    Raises:
        UserError: a job raised it, or a worker died; what was yielded before stays valid.
    """
    if workers < 1:
        raise UserError(f"--workers {workers}: write at least 1")
    if workers == 1 or len(plans) < 2:
        return _run_here(job, plans, answer)
    return _run_apart(job, plans, min(workers, len(plans)), answer)


def _run_here(
    job: Job, plans: Sequence[EpisodePlan], answer: Answer
) -> Iterator[tuple[EpisodePlan, Any]]:
    with closing(_Bench(job)) as bench:
        for plan in plans:
            yield plan, bench.run(plan, lambda question: answer([question])[0])


class _Bench:
    """The environment of the present task."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._task: str | None = None
        self._environment: Environment | None = None

    def run(self, plan: EpisodePlan, ask: Ask) -> Any:
        if self._environment is None or self._task != plan.task:
            self.close()
            self._environment, self._task = self._job.open(plan.task), plan.task
        return self._job.run(self._environment, plan, ask)

    def close(self) -> None:
        if self._environment is not None:
            self._environment.close()
            self._environment = None


def _run_apart(
    job: Job, plans: Sequence[EpisodePlan], workers: int, answer: Answer
) -> Iterator[tuple[EpisodePlan, Any]]:
    waiting = list(reversed(plans))
    with ExitStack() as stack:
        links: dict[Connection, EpisodePlan] = {}
        with one_thread_each():
            for _ in range(workers):
                plan = waiting.pop()
                links[_start(stack, job, plan)] = plan
        while links:
            questions: dict[Connection, Any] = {}
            for link in connection.wait(list(links)):
                assert isinstance(link, Connection)
                kind, content = _received(link, links[link])
                if kind == "ask":
                    questions[link] = content
                    continue
                if kind == "error":
                    raise content
                done = links.pop(link)
                if waiting:
                    links[link] = waiting.pop()
                    link.send(("plan", links[link]))
                else:
                    link.send(("end", None))
                yield done, content
            if questions:
                for link, reply in zip(questions, answer(list(questions.values())), strict=True):
                    link.send(("answer", reply))


def _start(stack: ExitStack, job: Job, plan: EpisodePlan) -> Connection:
    """A worker that begins with `plan`; it ends with the stack."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, job), daemon=True)
    process.start()
    theirs.close()

    def end() -> None:
        ours.close()
        process.join(timeout=5)  # a worker ends when its link does
        if process.is_alive():
            process.terminate()
            process.join()

    stack.callback(end)
    ours.send(("plan", plan))
    return ours


def _received(link: Connection, plan: EpisodePlan) -> tuple[str, Any]:
    try:
        return link.recv()
    except (EOFError, ConnectionResetError) as error:
        raise UserError(
            f"the worker of {plan.task} episode {plan.index} died; its error is above, or it was "
            "killed for memory. Finished episodes are kept: run the same command again, perhaps "
            "with fewer --workers"
        ) from error


def _work(link: Connection, job: Job) -> None:
    """The life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us

    def ask(question: Any) -> Any:
        link.send(("ask", question))
        _, reply = link.recv()
        return reply

    with closing(_Bench(job)) as bench:
        try:
            while (message := link.recv())[0] == "plan":
                link.send(("done", bench.run(message[1], ask)))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return  # the parent is gone
        except UserError as error:
            link.send(("error", error))
