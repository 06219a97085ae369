"""Training of a policy on demonstrations: behaviour cloning by flow matching.

    outcome = train(TrainConfig(data=(Path("demos"),), out=Path("run")))

Everything random follows from (seed, step), and a checkpoint holds weights, their running mean and
the optimiser's state. So the same command goes on after a stop or a kill, and on a CPU it ends with
the bytes of a run that never stopped.
"""

import json
import platform
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xvr import __version__
from xvr.dataset import atomic
from xvr.errors import UserError
from xvr.evaluation.models.loading import best_device
from xvr.vla import run_folder
from xvr.vla.prepare import Prepared, prepare
from xvr.vla.train_config import TrainConfig

NEEDED = ("torch", "accelerate", "safetensors", "tensorboard", "transformers")


@dataclass(frozen=True, kw_only=True)
class Trained:
    """How a run ended."""

    policy: Path
    """Folder of the policy."""
    steps: int
    resumed_at: int
    """Steps that an earlier process had done."""
    loss: float | None
    """Mean over the last logged steps; None where nothing was left to do."""


def train(
    config: TrainConfig,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
    decoding: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
    filling: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
    tell: Callable[[str], None] = lambda text: None,  # noqa: ARG005
) -> Trained:
    """Train a policy, or go on with a run that stopped.

    Args:
        config: the run.
        progress: called with the steps that are done and their number.
        decoding: called with the files of frames that are there and their number.
        filling: called with the episodes whose features are there and their number.
        tell: called with lines for people.

    Raises:
        UserError: an extra, the data or the backbone is missing or unusable, the folder holds
            another run, or the loss is no number any more.
    """
    for name in NEEDED:
        if find_spec(name) is None:
            raise UserError(f'training needs {name}; install it with: pip install "xvr[vla]"')
    from accelerate import Accelerator

    device = best_device(config.running.device)
    precision = config.running.precision
    bf16 = precision == "bf16" or (precision == "auto" and device.startswith("cuda"))
    accelerator = Accelerator(mixed_precision="bf16" if bf16 else "no", cpu=device == "cpu")
    lead = accelerator.is_main_process
    with run_folder.claimed(config.out, identity(config)) if lead else nullcontext():
        done = config.out / run_folder.POLICY
        if done.exists():
            steps = config.optimisation.steps
            return Trained(policy=done, steps=steps, resumed_at=steps, loss=None)
        with accelerator.main_process_first():
            prepared = prepare(config, decoding)
        from xvr.vla.train_loop import run_loop, set_up

        check_manifest(config.out, prepared)
        setup = set_up(config, prepared, str(accelerator.device), filling, tell)
        if lead:
            write_manifest(config.out, prepared, {"fingerprint": setup.recipe.fingerprint})
        first, loss = run_loop(setup, accelerator, progress, tell)
        return Trained(policy=done, steps=config.optimisation.steps, resumed_at=first, loss=loss)


def identity(config: TrainConfig) -> dict[str, Any]:
    """What decides the result of a run, as `config.json` has it."""
    content = asdict(config)
    for name in ("running", "out", "cache_features"):
        content.pop(name)
    return json.loads(json.dumps(content, default=str))


def write_manifest(run: Path, prepared: Prepared, notes: dict[str, Any]) -> None:
    """Write down what a run is made of."""
    demonstrations = prepared.demonstrations
    libraries = ("torch", "transformers", "accelerate", "numpy", "av")
    content = {
        "xvr": __version__,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in libraries},
        "episodes": len(demonstrations.episodes),
        "frames": demonstrations.frames,
        "data": demonstrations.hash,
        "contract": prepared.contract.to_json(),
        "skipped": [skip._asdict() for skip in demonstrations.skipped],
        **notes,
    }
    path = run / run_folder.MANIFEST
    atomic.write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())


def check_manifest(run: Path, prepared: Prepared) -> None:
    """Raise when a run that goes on was begun on other data."""
    path = run / run_folder.MANIFEST
    if path.exists():
        begun = str(json.loads(path.read_text())["data"])
        replace(prepared.normalizer, data=begun).require(
            prepared.demonstrations.hash, "what the data are now"
        )
