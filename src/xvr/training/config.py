"""What a training run is asked for: the recipe, and what depends on the machine."""

from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from xvr.errors import UserError
from xvr.training.recipes import Recipe, get_recipe


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """Values that take the place of the recipe's; the text under each is its help."""

    lr: float | None = None
    """Learning rate of the language model, or of LoRA's matrices; 0 freezes it."""
    merger_lr: float | None = None
    """Learning rate of what maps image features to tokens; 0 freezes it."""
    vision_lr: float | None = None
    """Learning rate of the vision tower; 0 freezes it."""
    lora_rank: int | None = None
    """Train LoRA matrices of this rank in the language model, and nothing else; 0 trains all."""
    epochs: float | None = None
    """Passes over the data."""
    batch_size: int | None = None
    """Samples per step, over all GPUs."""
    warmup_share: float | None = None
    """Share of the steps in which the learning rate rises."""
    weight_decay: float | None = None
    """AdamW's, of matrices."""
    min_image_pixels: int | None = None
    """Smaller images are enlarged to so many pixels."""
    max_image_pixels: int | None = None
    """Larger images are reduced to so many pixels."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice to keep fewer."""
    aux: str | None = None
    """A loss beside that on the answers, such as correspondence."""
    aux_weight: float | None = None
    """Factor of that loss."""
    blanked: bool | None = None
    """Show the last image of each question and grey in place of the others, for a control that
    never sees two views."""

    def applied(self, recipe: Recipe) -> Recipe:
        """The recipe with these values.

        Raises:
            UserError: a value cannot be meant.
        """
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(
            recipe, **{name: value for name, value in given.items() if value is not None}
        )


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What changes speed and safety, not the outcome; the text under each is its help."""

    device_batch_size: int = 4
    """Samples on a GPU at a time; a step gathers as many of these as its batch needs."""
    workers: int = 4
    """Processes that load samples, for each GPU."""
    log_every: int = 10
    """Steps between two lines of the log."""
    save_every: int = 200
    """Steps between two checkpoints; the last step has one too."""
    keep: int = 2
    """Checkpoints to keep."""
    max_skipped: float = 0.01
    """Largest share of samples that may be unusable."""
    device: str = "auto"
    """Where to train, cpu or cuda; GPUs if there are any, for auto."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("device_batch_size", "log_every", "save_every", "keep"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.workers < 0:
            raise UserError(f"workers is {self.workers}; it must be 0 or more")
        if not 0 <= self.max_skipped < 1:
            raise UserError(f"max_skipped is {self.max_skipped}; it must be in 0..1")
        if self.device not in ("auto", "cpu", "cuda"):
            raise UserError(f"device is {self.device!r}; it is auto, cpu or cuda")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A training run."""

    data: tuple[str, ...]
    """`PATH` or `PATH:WEIGHT` words."""
    out: Path
    """Folder of the run."""
    recipe: Recipe
    """With all overrides in place."""
    model: str | None = None
    """Folder or hub id; that of the recipe when None."""
    task_weights: tuple[str, ...] = ()
    """`TASK=WEIGHT` words, over those of the recipe."""
    steps: int | None = None
    """In place of the recipe's epochs."""
    eval_data: Path | None = None
    """Dataset asked during training; when None, the first of `data` that has `eval_split`."""
    eval_split: str = "valid"
    """Split that is asked."""
    eval_limit: int | None = 200
    """Most questions asked at a time; None for all."""
    eval_every: int = 200
    """Steps between two evaluations; 0 for none at all."""
    seed: int = 0
    """Root of all randomness."""
    plain_prompts: bool = False
    """Whether a model without a chat template is asked in plain text."""
    machine: Machine = Machine()
    """What does not change the outcome."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("steps", "eval_limit"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.eval_every < 0:
            raise UserError(f"eval_every is {self.eval_every}; it must be 0 or more")

    @property
    def checkpoint(self) -> str:
        """The model to start from."""
        return self.model or self.recipe.model

    def weights_of_tasks(self) -> dict[str, float]:
        """Those of the words.

        Raises:
            UserError: a word is no `TASK=WEIGHT`.
        """
        found: dict[str, float] = {}
        for word in self.task_weights:
            task, equals, weight = word.partition("=")
            try:
                found[task] = float(weight)
            except ValueError as error:
                raise UserError(f"--task-weights {word}: write TASK=2.0") from error
            if not equals or not task:
                raise UserError(f"--task-weights {word}: write TASK=2.0")
        return found

    def decides(self) -> dict[str, Any]:
        """What decides the outcome, beside data and model; JSON values."""
        return {
            "recipe": asdict(self.recipe),
            "task_weights": self.weights_of_tasks(),
            "steps": self.steps,
            "seed": self.seed,
            "plain_prompts": self.plain_prompts,
        }


def recipe_of(name: str, overrides: Overrides) -> Recipe:
    """A recipe by name with values of the user.

    Raises:
        UserError: the name is unknown, or a value cannot be meant.
    """
    return overrides.applied(get_recipe(name))
