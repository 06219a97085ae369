"""Models by specification: `KIND` or `KIND:REST`, such as `random` or `hf:org/name`.

A kind is a line in `KINDS` and a function `make(rest, options) -> Model`, imported when it is asked
for. Baselines, which look at the answers, are made here; wrappers take another specification.
"""

from collections.abc import Callable
from importlib import import_module

from xvr.errors import UserError, unknown_name
from xvr.evaluation.benchmark import Loaded
from xvr.evaluation.model import Model
from xvr.evaluation.models.baselines import BASELINES
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.withheld import Blanked, SingleView, TextOnly

__all__ = ["KINDS", "SPECIFICATIONS", "ModelOptions", "make_model"]

KINDS: dict[str, str] = {
    "replay": "xvr.evaluation.models.replay:make",
    "hf": "xvr.evaluation.models.hf:make",
    "vllm": "xvr.evaluation.models.openai:make_vllm",
    "openai": "xvr.evaluation.models.openai:make",
    "anthropic": "xvr.evaluation.models.inspect_layer:make_anthropic",
    "google": "xvr.evaluation.models.inspect_layer:make_google",
    "inspect": "xvr.evaluation.models.inspect_layer:make",
}
"""Module and function of every kind of model: `make(rest: str, options: ModelOptions) -> Model`,
where `rest` is what follows the colon."""

SPECIFICATIONS = (
    *BASELINES,
    *(f"{kind}:..." for kind in KINDS),
    "text-only:SPEC",
    "single-view[=N]:SPEC",
    "blanked:SPEC",
)
"""All that can be asked for, for people."""


def make_model(spec: str, loaded: Loaded, options: ModelOptions) -> Model:
    """The model that a specification names.

    Args:
        spec: such as `random`, `hf:Qwen/Qwen3-VL-2B-Instruct` or `text-only:hf:...`.
        loaded: the benchmark, all of it; baselines read its options and answers.
        options: how the model is run.

    Raises:
        UserError: no such kind, or it cannot be had; the message says what to install or set.
    """
    kind, colon, rest = spec.partition(":")
    if spec in BASELINES:
        return BASELINES[spec](loaded, options)
    if kind == "text-only" and rest:
        return TextOnly(make_model(rest, loaded, options))
    if kind == "blanked" and rest:
        return Blanked(make_model(rest, loaded, options))
    if (kind == "single-view" or kind.startswith("single-view=")) and rest:
        return SingleView(make_model(rest, loaded, options), kept=_kept(kind))
    if kind in KINDS:
        if not rest:
            raise UserError(f"model {spec!r}: write {kind}:NAME")
        return _maker(kind)(rest, options)
    if kind == "human":
        raise UserError(f"model {spec!r}: people answer with xvr eval human, on a page of theirs")
    if colon and kind in BASELINES:
        raise UserError(f"model {spec!r}: {kind} takes nothing after it; write {kind}")
    raise unknown_name("model", spec, SPECIFICATIONS)


def _maker(kind: str) -> Callable[[str, ModelOptions], Model]:
    module, _, function = KINDS[kind].partition(":")
    return getattr(import_module(module), function)


def _kept(kind: str) -> int | None:
    """Number of the image that `single-view=N` keeps, from 1; None for the last one."""
    _, equals, number = kind.partition("=")
    if not equals:
        return None
    if not number.isdecimal() or number == "0":
        raise UserError(f"model {kind!r}: write single-view=N:SPEC, N an image from 1")
    return int(number)
