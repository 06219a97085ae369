"""The command line: `xvr <room> <verb> ...`, each command a thin shell around a public function.

Machine output goes to stdout, people's text to stderr. Exit codes: 0 done, 1 the audit found a
wrong answer, the check an inconsistent scene, or a run has items without an answer, 2 something the
user must fix, 130 interrupted.
"""

import sys
from collections.abc import Callable
from importlib import import_module

from xvr.errors import UserError, unknown_name

COMMANDS: dict[str, tuple[str, str]] = {
    "sim captures": ("xvr.cli.sim", "Record simulated RGB-D captures in the WildRGB-D layout."),
    "sim episodes": ("xvr.cli.sim", "Record simulated robot episodes as a LeRobot dataset."),
    "scene check": ("xvr.cli.scene", "Check that the views of captures agree with each other."),
    "scene reconstruct": ("xvr.cli.scene", "Make a calibrated scene of photographs or a video."),
    "data build": ("xvr.cli.data", "Build a dataset from captures and robot episodes."),
    "data import": ("xvr.cli.exchange", "Make a dataset of the published release."),
    "data export": ("xvr.cli.exchange", "Write a dataset in a form that trainers read."),
    "data mix": ("xvr.cli.exchange", "Make one dataset of several, by weight."),
    "data split": ("xvr.cli.exchange", "Divide a dataset anew, scenes and episodes whole."),
    "data audit": ("xvr.cli.data", "Recompute every answer and measure what cheaters get."),
    "data stats": ("xvr.cli.data", "Print what is in a dataset."),
    "data show": ("xvr.cli.data", "Write a web page over a dataset."),
    "eval run": ("xvr.cli.evaluation", "Ask a model the questions of a benchmark."),
    "eval human": ("xvr.cli.human", "Let people answer a benchmark on a local page."),
    "eval score": ("xvr.cli.scores", "Judge the answers of a run: numbers with intervals."),
    "eval compare": ("xvr.cli.scores", "Hold runs against each other, item by item."),
    "eval report": ("xvr.cli.scores", "Write a web page over one or more runs."),
    "eval export": ("xvr.cli.evaluation_export", "Write a benchmark for another harness."),
    "train sft": ("xvr.cli.training", "Fine-tune a vision-language model on datasets."),
    "train tiny": ("xvr.cli.training", "Train a small model from nothing, on a CPU."),
    "train check": ("xvr.cli.training", "Show a batch as a model would be trained on it."),
    "vla record": ("xvr.cli.rollouts", "Record demonstrations of an environment's expert."),
    "vla check": ("xvr.cli.policies", "Check that demonstrations can be learned from."),
    "vla train": ("xvr.cli.policies", "Train a policy on demonstrations."),
    "vla doctor": ("xvr.cli.policies", "Examine a policy: errors, unused inputs, gradients."),
    "vla rollout": ("xvr.cli.rollouts", "Let a policy act in an environment."),
    "vla serve": ("xvr.cli.rollouts", "Answer for a policy on a websocket."),
    "vla compare": ("xvr.cli.rollouts", "Hold rollouts against each other, episode by episode."),
}
"""Module and summary of every command; the function is named as the command with an underscore."""


def main(argv: list[str]) -> int:
    """Run one command and return the exit code."""
    name = " ".join(argv[:2])
    if name not in COMMANDS:
        return _usage(argv)
    try:
        return _function(name)(argv[2:])
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:
        if error.filename is None:
            raise
        sys.stderr.write(f"error: {error.filename}: {error.strerror}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("interrupted; run the same command again to go on\n")
        return 130


def entry() -> None:
    """The `xvr` program."""
    sys.exit(main(sys.argv[1:]))


def _function(name: str) -> Callable[[list[str]], int]:
    import tyro

    command = getattr(import_module(COMMANDS[name][0]), name.replace(" ", "_"))

    def run(arguments: list[str]) -> int:
        return tyro.cli(command, prog=f"xvr {name}", args=arguments) or 0

    return run


def _usage(argv: list[str]) -> int:
    from xvr import __version__

    if argv == ["--version"]:
        sys.stdout.write(f"xvr {__version__}\n")
        return 0
    room = argv[0] if argv else ""
    shown = [name for name in COMMANDS if name.startswith(f"{room} ")] or list(COMMANDS)
    width = max(len(name) for name in shown)
    lines = [f"  xvr {name:<{width}}  {COMMANDS[name][1]}" for name in shown]
    text = "\n".join(
        ["usage: xvr ROOM VERB ... (--help after a command lists its options)", *lines]
    )
    asked = not argv or argv[-1] in ("-h", "--help") or (argv == [room] and shown != [*COMMANDS])
    if asked:
        sys.stdout.write(f"{text}\n")
        return 0
    sys.stderr.write(f"error: {unknown_name('command', ' '.join(argv[:2]), COMMANDS)}\n{text}\n")
    return 2
