"""`xvr train ...`: fine-tuning a vision-language model, and looking at what it is trained on."""

import sys
from pathlib import Path
from typing import Annotated

import tyro

from xvr.cli.progress import Bar, tell
from xvr.training.config import Machine, Overrides, TrainConfig, recipe_of

Repeated = tyro.conf.UseAppendAction[tuple[str, ...]]
Data = Annotated[Repeated, tyro.conf.arg(metavar="PATH[:WEIGHT]")]
Weights = Annotated[tuple[str, ...], tyro.conf.arg(metavar="TASK=WEIGHT")]
Flag = tyro.conf.FlagCreatePairsOff
TINY_MACHINE = Machine(device_batch_size=8, workers=1, device="cpu", save_every=250, log_every=25)


def train_sft(
    data: Data,
    out: Path,
    model: str | None = None,
    recipe: str = "xvr",
    task_weights: Weights = (),
    steps: int | None = None,
    eval_data: Path | None = None,
    eval_split: str = "valid",
    eval_limit: int = 200,
    eval_every: int = 200,
    seed: int = 0,
    plain_prompts: Annotated[bool, Flag] = False,
    overrides: Annotated[Overrides, tyro.conf.arg(name="")] = Overrides(),  # noqa: B008
    machine: Annotated[Machine, tyro.conf.arg(name="")] = Machine(),  # noqa: B008
) -> int:
    """Fine-tune a vision-language model; running again goes on from the last checkpoint.

    Args:
        data: Dataset, or .jsonl file of other questions, to train on; repeat for several, each with
            a weight or none.
        out: Folder of the run.
        model: Folder or hub id of the model to start from; that of the recipe when left out.
        recipe: Values of the training by name, xvr or xvr-plus; options below change single ones.
        task_weights: Factors of the numbers of samples of tasks; 0 leaves a task out.
        steps: Steps in all, in place of epochs.
        eval_data: Dataset asked during training; when left out, the first of --data that has the
            split.
        eval_split: Split that is asked.
        eval_limit: Most questions asked at a time, a share of every task.
        eval_every: Steps between two evaluations, with one more at the end; 0 for none.
        seed: Root of all randomness.
        plain_prompts: Ask a model that never had a chat template in plain text.
        overrides: Values in place of the recipe's.
        machine: What does not change the outcome.
    """
    from xvr.training.sft import train

    config = TrainConfig(
        data=data,
        out=out,
        model=model,
        recipe=recipe_of(recipe, overrides),
        task_weights=task_weights,
        steps=steps,
        eval_data=eval_data,
        eval_split=eval_split,
        eval_limit=eval_limit,
        eval_every=eval_every,
        seed=seed,
        plain_prompts=plain_prompts,
        machine=machine,
    )
    with Bar("looking through the data", "line") as bar:
        trained = train(config, tell=tell, progress=bar.show)
    if trained.skipped:
        tell("not used: " + ", ".join(f"{name} {n}" for name, n in trained.skipped.items()))
    tell(f"{trained.model}: {trained.steps} steps; ask it with --model hf:{trained.model}")
    return 0


def train_check(
    data: Data,
    model: str | None = None,
    out: Path = Path("check.html"),
    recipe: str = "xvr",
    task_weights: Weights = (),
    samples: int = 8,
    min_image_pixels: int | None = None,
    max_image_pixels: int | None = None,
    seed: int = 0,
    plain_prompts: Annotated[bool, Flag] = False,
) -> int:
    """Write a page over the first batch: what is trained on, and images as the model sees them.

    Args:
        data: Dataset, or .jsonl file of other questions; repeat for several.
        model: Folder or hub id of the model; that of the recipe when left out. Its weights are not
            read.
        out: Page to write.
        recipe: Values of the training by name, xvr or xvr-plus.
        task_weights: Factors of the numbers of samples of tasks.
        samples: Samples of the batch.
        min_image_pixels: Smaller images are enlarged to so many pixels.
        max_image_pixels: Larger images are reduced to so many pixels.
        seed: Root of all randomness; a run with the same data and seed begins with these samples.
        plain_prompts: Ask a model that never had a chat template in plain text.
    """
    from xvr.training.seen import first_batch
    from xvr.viewer.training import write_batch

    pixels = Overrides(min_image_pixels=min_image_pixels, max_image_pixels=max_image_pixels)
    config = TrainConfig(
        data=data,
        out=out,
        model=model,
        recipe=recipe_of(recipe, pixels),
        task_weights=task_weights,
        seed=seed,
        plain_prompts=plain_prompts,
        machine=Machine(device_batch_size=samples),
    )
    sys.stdout.write(f"{write_batch(first_batch(config, tell), out)}\n")
    return 0


def train_tiny(
    data: Data,
    out: Path,
    start: Path | None = None,
    task_weights: Weights = (),
    steps: int | None = None,
    eval_limit: int = 160,
    eval_every: int = 500,
    seed: int = 0,
    overrides: Annotated[Overrides, tyro.conf.arg(name="")] = Overrides(),  # noqa: B008
    machine: Annotated[Machine, tyro.conf.arg(name="")] = TINY_MACHINE,
) -> int:
    """Train a small model from nothing, on a CPU; running again goes on from the last checkpoint.

    Args:
        data: Dataset to train on; repeat for several, each with a weight or none.
        out: Folder of the run.
        start: Folder of the model with random weights, written when it is not there; OUT_start when
            left out.
        task_weights: Factors of the numbers of samples of tasks; 0 leaves a task out.
        steps: Steps in all, in place of the recipe's epochs.
        eval_limit: Most questions asked at a time, a share of every task.
        eval_every: Steps between two evaluations, with one more at the end; 0 for none.
        seed: Root of all randomness.
        overrides: Values in place of the recipe's.
        machine: What does not change the outcome.
    """
    from xvr.training.sft import require_packages, train
    from xvr.training.tiny import make_start

    require_packages()
    begin = make_start(data, start or out.with_name(f"{out.name}_start"), seed)
    config = TrainConfig(
        data=data,
        out=out,
        model=str(begin),
        recipe=recipe_of("tiny", overrides),
        task_weights=task_weights,
        steps=steps,
        eval_limit=eval_limit,
        eval_every=eval_every,
        seed=seed,
        machine=machine,
    )
    with Bar("looking through the data", "line") as bar:
        trained = train(config, tell=tell, progress=bar.show)
    tell(f"{trained.model}: {trained.steps} steps; ask it with --model hf:{trained.model}")
    return 0
