"""`xvr vla check`, `train` and `doctor`: policies from demonstrations."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import tyro

from xvr.cli.progress import Bar, tell
from xvr.vla.backbones.config import BackboneConfig, Tuning
from xvr.vla.contract import PLAIN_PROMPT
from xvr.vla.data.demonstrations import DataOptions
from xvr.vla.normalizer import Mode
from xvr.vla.train_config import Optimisation, Running, TrainConfig

_SHARED = tyro.conf.arg(name="")


def vla_check(
    data: Annotated[tuple[Path, ...], tyro.conf.Positional],
    /,
    chunk: int = 16,
    decode: bool = False,
    choice: Annotated[DataOptions, _SHARED] = DataOptions(),  # noqa: B008
) -> int:
    """Tell what a LeRobot data set holds for a policy, and what is wrong with it.

    Args:
        data: LeRobot data sets, or folders of them.
        chunk: Actions that a policy will give at once.
        decode: Decode every frame, not only the first of each video.
        choice: What of the data is used.
    """
    from xvr.vla.data.check import check_data

    with Bar("videos", "episode") as bar:
        report = check_data(data, choice, chunk=chunk, decode=decode, progress=bar.show)
    sys.stdout.write("\n".join(report.lines) + "\n")
    return 0 if report.sound else 1


def vla_train(
    data: tuple[Path, ...],
    out: Path,
    backbone: str = "conv",
    head: str = "base",
    head_changes: tuple[str, ...] = (),
    chunk: int = 16,
    normalization: Mode = "min_max",
    prompt: str = PLAIN_PROMPT,
    cache_features: bool = True,
    choice: Annotated[DataOptions, _SHARED] = DataOptions(),  # noqa: B008
    tuning: Annotated[Tuning, _SHARED] = Tuning(),  # noqa: B008
    optimisation: Annotated[Optimisation, _SHARED] = Optimisation(),  # noqa: B008
    running: Annotated[Running, _SHARED] = Running(),  # noqa: B008
) -> int:
    """Train a policy on demonstrations; the same command goes on where it stopped.

    Args:
        data: LeRobot data sets, or folders of them.
        out: Folder of the run.
        backbone: What sees and reads: hf:ID or hf:FOLDER for a vision-language model, conv for a
            small encoder trained with the head, blind for one that sees no picture.
        head: Preset of the action head: n15, base or tiny.
        head_changes: Changes of the preset, such as mask_padding=false or dropout=0.1.
        chunk: Actions given at once.
        normalization: Of continuous states and actions.
        prompt: What the backbone reads, with {instruction}.
        cache_features: Keep the features of a frozen backbone on disk.
        choice: What of the data is used.
        tuning: What is taken from a vision-language model.
        optimisation: How weights are changed.
        running: What changes nothing about the result.
    """
    from xvr.vla.train import train

    config = TrainConfig(
        data=data,
        out=out,
        backbone=BackboneConfig(spec=backbone, **asdict(tuning)),
        head=head,
        head_changes=head_changes,
        chunk=chunk,
        normalization=normalization,
        prompt=prompt,
        cache_features=cache_features,
        choice=choice,
        optimisation=optimisation,
        running=running,
    )
    with (
        Bar("frames", "file") as frames,
        Bar("features", "episode") as features,
        Bar("training", "step") as steps,
    ):
        trained = train(
            config, progress=steps.show, decoding=frames.show, filling=features.show, tell=tell
        )
    loss = "" if trained.loss is None else f", loss {trained.loss:.4f}"
    tell(f"{trained.policy}: {trained.steps} steps, {trained.resumed_at} of them before{loss}")
    return 0


def vla_doctor(
    run: Annotated[Path, tyro.conf.Positional],
    /,
    data: tuple[Path, ...],
    moments: int = 64,
    seed: int = 0,
    cache: Path | None = None,
    device: str = "auto",
) -> int:
    """Examine a policy on demonstrations: contract, open-loop error, unused inputs, gradients.

    Args:
        run: Folder of a policy, or of the run that trained it.
        data: LeRobot data sets, those it was trained on or held-out ones.
        moments: Frames that are looked at, drawn at random.
        seed: Of the draw, and of the policy's noise.
        cache: Folder of decoded frames; when left out $XDG_CACHE_HOME/xvr.
        device: Such as cpu or cuda.
    """
    from xvr.evaluation.models.loading import best_device
    from xvr.vla.doctor import examine

    with Bar("frames", "file") as bar:
        health = examine(
            run,
            data,
            moments=moments,
            seed=seed,
            cache=cache,
            device=best_device(device),
            decoding=bar.show,
        )
    sys.stdout.write("\n".join(health.lines) + "\n")
    return 1 if health.faults else 0
