"""One Python file out of modules of ours, so that an export needs nothing of this package."""

import ast
import importlib.util
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xvr import __version__
from xvr.errors import UserError
from xvr.evaluation.benchmark import Benchmark

_CHOSEN = "xvr.evaluation.harness.shipped.chosen"


@dataclass(frozen=True, kw_only=True)
class _Module:
    text: str
    """The source without its docstring and its imports."""
    names: frozenset[str]
    """What it defines."""
    ours: tuple[str, ...]
    """Modules of ours that it imports from."""
    foreign: Mapping[str, frozenset[str]]
    """Names imported from other modules; none for a plain import."""
    summary: str


def identifier(benchmark: Benchmark) -> str:
    """The name of a benchmark as a harness takes it: letters, digits and underscores."""
    return re.sub(r"\W", "_", benchmark.name)


def standalone(entry: str, benchmark: Benchmark) -> str:
    """The source of a module, with all of ours that it needs and the scorers of a benchmark.

    Args:
        entry: name of the module, in `xvr.evaluation.harness.shipped`.
        benchmark: whose scorers the module uses.

    Raises:
        UserError: a scorer is no plain function, or needs more than the standard library.
    """
    name, scorers = benchmark.name, benchmark.scorers
    modules: dict[str, _Module] = {}
    for scorer_name, scorer in scorers.items():
        if not hasattr(scorer, "__qualname__") or not scorer.__qualname__.isidentifier():
            raise _cannot(name, f"its scorer {scorer_name} is not a function of a module")
        _collect(scorer.__module__, modules)
    for module, found in modules.items():
        for used in found.foreign:
            if used.split(".")[0] not in sys.stdlib_module_names:
                raise _cannot(name, f"{module} needs {used}")
    chosen = ", ".join(f"{key!r}: {scorer.__qualname__}" for key, scorer in scorers.items())
    parts = [_part(module, found) for module, found in modules.items()]
    parts.append(f"NAME = {identifier(benchmark)!r}\nSCORERS = {{{chosen}}}")
    rest: dict[str, _Module] = dict(modules)
    _collect(f"xvr.evaluation.harness.shipped.{entry}", rest)
    added = {module: found for module, found in rest.items() if module not in modules}
    parts += [_part(module, found) for module, found in added.items()]
    _require_distinct(name, rest)
    summary = next(reversed(added.values())).summary
    head = f'"""{summary}\n\nWritten by xvr {__version__}; it needs nothing of that package.\n"""'
    return "\n\n\n".join([head + "\n\n" + _imports(rest), *parts]) + "\n"


def _collect(name: str, modules: dict[str, _Module]) -> None:
    """Add a module behind those that it imports from."""
    if name in modules or name == _CHOSEN:
        return
    module = _parse(name)
    for other in module.ours:
        _collect(other, modules)
    modules[name] = module


def _parse(name: str) -> _Module:
    spec = importlib.util.find_spec(name)
    assert spec is not None, name
    assert spec.origin is not None, name
    source = Path(spec.origin).read_text(encoding="utf-8")
    tree = ast.parse(source)
    summary = (ast.get_docstring(tree) or name).splitlines()[0]
    cut = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    ours: list[str] = []
    foreign: dict[str, set[str]] = defaultdict(set)
    for node in cut:
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "xvr":
            assert all(alias.asname is None for alias in node.names), f"{name}: an import with as"
            ours.append(node.module or "")
        elif isinstance(node, ast.ImportFrom):
            foreign[node.module or ""] |= {ast.unparse(alias) for alias in node.names}
        else:
            for alias in node.names:
                foreign.setdefault(ast.unparse(alias), set())
    gone = {line for node in [tree.body[0], *cut] for line in _lines(node)}
    kept = [line for n, line in enumerate(source.splitlines(), start=1) if n not in gone]
    return _Module(
        text="\n".join(kept).strip("\n"),
        names=frozenset(_defined(tree)),
        ours=tuple(ours),
        foreign={module: frozenset(names) for module, names in foreign.items()},
        summary=summary,
    )


def _lines(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _defined(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        targets = [node.target] if isinstance(node, ast.AnnAssign) else []
        targets += node.targets if isinstance(node, ast.Assign) else []
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _part(name: str, module: _Module) -> str:
    return f"# {name}: {module.summary}\n\n{module.text}"


def _imports(modules: Mapping[str, _Module]) -> str:
    together: dict[str, set[str]] = defaultdict(set)
    for module in modules.values():
        for used, names in module.foreign.items():
            together[used] |= names
    return "\n".join(
        f"from {used} import {', '.join(sorted(names))}" if names else f"import {used}"
        for used, names in sorted(together.items())
    )


def _require_distinct(name: str, modules: Mapping[str, _Module]) -> None:
    owner: dict[str, str] = {}
    for module in modules.values():
        for used, names in module.foreign.items():
            owner |= {alias.split(" as ")[-1]: used for alias in names or {used}}
    for module, found in modules.items():
        for defined in found.names:
            if defined in owner:
                raise _cannot(name, f"{owner[defined]} and {module} both define {defined}")
            owner[defined] = module


def _cannot(name: str, reason: str) -> UserError:
    return UserError(
        f"{name} cannot be exported: {reason}, and an export carries its scorers as one file of "
        "plain Python; run it with xvr eval run"
    )
