"""The house rules: imports point one way, and `import xvr` stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import xvr

PACKAGE = Path(xvr.__file__).parent
ROOMS = (
    "errors",
    "geometry",
    "sources",
    "tasks",
    "capture",
    "dataset",
    "audit",
    "engine",
    "exchange",
    "evaluation",
    "training",
    "sim",
    "vla",
    "viewer",
    "cli",
)
"""Data flows down this list; a room may import from those above it."""


def imported_rooms(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("xvr.")}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_from_later_rooms_to_earlier_ones(path):
    room = room_of(path)
    if room == "__init__":
        return
    place = ROOMS.index(room)
    wrong = {name for name in imported_rooms(path) if ROOMS.index(name) > place}
    assert not wrong, f"{room} must not import {sorted(wrong)}"


def test_the_auditor_shares_no_geometry_with_what_it_audits():
    for path in (PACKAGE / "audit").glob("*.py"):
        tree = ast.parse(path.read_text())
        modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
        shared = {m for m in modules if m.startswith(("xvr.geometry", "xvr.tasks", "xvr.engine"))}
        assert shared <= {"xvr.geometry.camera", "xvr.tasks.draft"}, path.name


def test_every_room_is_listed():
    found = {room_of(path) for path in PACKAGE.rglob("*.py")} - {"__init__"}
    assert found == set(ROOMS)


@pytest.mark.parametrize(
    "module",
    [
        "xvr",
        "xvr.cli",
        "xvr.cli.data",
        "xvr.cli.evaluation",
        "xvr.cli.evaluation_export",
        "xvr.cli.exchange",
        "xvr.cli.human",
        "xvr.cli.rollouts",
        "xvr.cli.policies",
        "xvr.cli.scores",
        "xvr.cli.training",
        "xvr.engine.build",
        "xvr.evaluation.models.hf",
        "xvr.evaluation.models.inspect_layer",
        "xvr.evaluation.models.openai",
        "xvr.evaluation.human.serve",
        "xvr.training.sft",
        "xvr.vla.compare",
        "xvr.vla.remote",
        "xvr.vla.rollout",
        "xvr.vla.serve",
    ],
)
def test_importing_loads_no_heavy_extra(module):
    heavy = "mujoco", "robosuite", "torch", "datasets", "pandas", "h5py", "ray", "pycolmap"
    heavy += "transformers", "httpx", "inspect_ai", "fastapi", "uvicorn", "websockets", "msgpack"
    code = f"import sys, {module}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
