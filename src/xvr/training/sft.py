"""Supervised fine-tuning: data, model, optimizer, loop, checkpoint, in this order.

    train(TrainConfig(data=("out/dataset",), out=Path("runs/xvr"), recipe=get_recipe("xvr")))

The same call in the same folder goes on where it stopped. With several GPUs, `accelerate launch`
starts this once for each of them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from xvr.errors import UserError
from xvr.evaluation.models.loading import Checkpoint, fingerprint, load_model, load_processor
from xvr.training import budget, checkpoints
from xvr.training.arguments import total_steps, training_arguments
from xvr.training.collate import Collator, pad_token_of
from xvr.training.config import TrainConfig
from xvr.training.data import Data, held_out_of, load_data
from xvr.training.encode import Encoder
from xvr.training.parameters import counts, prepare
from xvr.training.run_folder import MODEL, identity_of, rank, run_folder
from xvr.training.samples import Progress
from xvr.training.skips import SkipLog, Tell
from xvr.training.stream import Stream

if TYPE_CHECKING:
    from xvr.training.trainer import AnswerTrainer

PACKAGES = ("torch", "transformers", "accelerate", "safetensors", "tensorboard", "PIL")


def _silent(line: str) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Trained:
    """How a run ended."""

    model: Path
    """Folder of the model."""
    steps: int
    scores: dict[str, float]
    """Of the last evaluation, by `eval/overall` and `eval/<task>`; may be empty."""
    skipped: dict[str, int]
    """Unusable samples by reason, of this attempt."""


def train(
    config: TrainConfig, *, tell: Tell = _silent, progress: Progress | None = None
) -> Trained:
    """Fine-tune a model; a run that stopped goes on from its last checkpoint.

    Args:
        config: of the run.
        tell: given lines for people.
        progress: called while the data is looked through.

    Raises:
        UserError: what must be mended, and where.
        KeyboardInterrupt: after Ctrl-C, once a checkpoint is written.
    """
    require_packages()
    if rank():  # the first process tells for all
        tell, progress = _silent, None
    data = load_data(config, tell, progress)
    steps = total_steps(config, data.order)
    base = Checkpoint.of(config.checkpoint)
    decides = {
        **config.decides(),
        "total_steps": steps,
        "data": data.as_json(),
        "model": {"source": base.source, "revision": base.revision, "weights": _weights_of(base)},
    }
    with _folder(config.out, decides) as identity:
        return _Run(config, data, base, identity, steps, tell).train()


def require_packages() -> None:
    """Name what is missing.

    Raises:
        UserError: something is.
    """
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UserError(
            f'training needs {", ".join(missing)}; install with: pip install "xvr[train]"'
        )


def make_encoder(config: TrainConfig, processor: Any, model_config: Any, dtype: str) -> Encoder:
    """What turns samples into tensors for a model; the processor gets the recipe's image sizes.

    Args:
        config: of the run.
        processor: of the model.
        model_config: of the model.
        dtype: of pixels.

    Raises:
        UserError: the model has no chat template, or no image sizes to choose.
    """
    from xvr.evaluation.models.hf import image_size
    from xvr.evaluation.models.options import ModelOptions
    from xvr.training.saved_model import set_pixels

    recipe = config.recipe
    asked = ModelOptions(
        min_image_pixels=recipe.min_image_pixels, max_image_pixels=recipe.max_image_pixels
    )
    size = image_size(processor, asked, config.checkpoint)
    set_pixels(processor, size)
    return Encoder(
        processor,
        who=config.checkpoint,
        size=size,
        context=model_config.get_text_config().max_position_embeddings,
        dtype=dtype,
        plain=config.plain_prompts,
    )


class _Run:
    """One go at a run, from its last checkpoint or from the start."""

    def __init__(
        self,
        config: TrainConfig,
        data: Data,
        base: Checkpoint,
        identity: str,
        steps: int,
        tell: Tell,
    ) -> None:
        self.config, self.data, self.base = config, data, base
        self.identity, self.steps, self.tell = identity, steps, tell

    def train(self) -> Trained:
        from xvr.training.interrupt import Interrupt
        from xvr.training.outcome import last_scores, write_model

        out = self.config.out
        last = checkpoints.last_checkpoint(out)
        done = checkpoints.step_of(last) if last else 0
        trainer, skips = self._trainer(done)
        if last is not None:
            self.tell(f"going on after step {done} of {self.steps}")
        with Interrupt(processes=trainer.args.world_size) as interrupt:
            trainer.add_callback(interrupt)
            if not (out / MODEL).exists():
                trainer.train(resume_from_checkpoint=str(last) if last else None)
            if interrupt.asked and trainer.state.global_step < self.steps:
                raise KeyboardInterrupt
        skipped: Counter[str] = skips.reasons + self.data.unusable
        write_model(trainer, out, self.base, skipped.total())
        return Trained(
            model=out / MODEL, steps=self.steps, scores=last_scores(out), skipped=dict(skipped)
        )

    def _trainer(self, done: int) -> tuple["AnswerTrainer", SkipLog]:
        from transformers import set_seed

        from xvr.training.auxiliary import make_auxiliary
        from xvr.training.logs import JsonLog
        from xvr.training.saved_model import complete, let_stop
        from xvr.training.trainer import AnswerTrainer

        config, data, recipe, machine = (
            self.config,
            self.data,
            self.config.recipe,
            self.config.machine,
        )
        text_only = any((survey.images == 0).any() for survey in data.surveys)
        # Before the model: with DeepSpeed's ZeRO-3 it says how the model is loaded.
        arguments = training_arguments(config, self.steps, text_only=text_only)
        set_seed(config.seed)
        on_gpu = arguments.device.type == "cuda"
        half = on_gpu and bool(recipe.lora_rank)  # what is trained stays in float32
        processor = load_processor(self.base)
        model = load_model(self.base, dtype="bfloat16" if half else "float32", device="cpu")
        encoder = make_encoder(config, processor, model.config, "bfloat16" if on_gpu else "float32")
        let_stop(model, encoder.end)
        model = prepare(model, recipe)
        self._check_budget(model, encoder)

        auxiliary = make_auxiliary(recipe.aux, model, data.sources, recipe.aux_weight)
        samples = self.steps * recipe.batch_size
        skips = SkipLog(
            config.out,
            most=int(machine.max_skipped * samples / arguments.world_size),
            share=machine.max_skipped,
        )
        trainer = AnswerTrainer(
            run=config.out,
            recipe=recipe,
            auxiliary=auxiliary,
            keep=machine.keep,
            on_skipped=skips.add,
            dress=lambda folder: complete(folder, self.base, processor),
            model=model,
            args=arguments,
            train_dataset=Stream(
                data.sources,
                data.order,
                encoder,
                length=samples,
                seed=config.seed,
                recipe=recipe,
            ),
            data_collator=Collator(
                pad_token=pad_token_of(processor, config.checkpoint),
                targets=auxiliary.targets if auxiliary else None,
            ),
            processing_class=processor,
        )
        if auxiliary is not None:
            _require_whole_weights(trainer, "an auxiliary loss", "leave out --aux")
        self._add_examination(trainer, processor, encoder)
        if trainer.is_world_process_zero():
            trainer.add_callback(JsonLog(config.out, self.tell, from_step=done))
        return trainer, skips

    def _check_budget(self, model: Any, encoder: Encoder) -> None:
        """What the run will need, told, and refused where it cannot be had."""
        import torch

        data, machine = self.data, self.config.machine
        lengths = budget.measure_lengths(
            data.sources, data.surveys, data.strata, encoder, self.config.seed
        )
        batch, twice = machine.device_batch_size, self.config.recipe.gradient_checkpointing
        memory = budget.estimate(model, lengths, batch=batch, checkpointing=twice)
        found = counts(model)
        self.tell(f"{found['trained'] / 1e6:.2f} of {found['all'] / 1e6:.2f} M parameters train")
        for line in budget.told(lengths, memory, batch):
            self.tell(line)
        if torch.cuda.is_available() and machine.device != "cpu":
            has = torch.cuda.get_device_properties(0).total_memory
            if memory.total > has:
                self.tell(
                    f"this GPU has {has / 1e9:.1f} GB: lower --device-batch-size, use --lora-rank, "
                    "or shard the model over several (docs/training.md)"
                )
        checkpoints.require_space(self.config.out, memory.weights + memory.optimizer)

    def _add_examination(self, trainer: "AnswerTrainer", processor: Any, encoder: Encoder) -> None:
        from xvr.training.examination import Examination
        from xvr.training.held_out import Examiner

        held_out = held_out_of(self.config, self.data.sources)
        if held_out is None:
            self.tell("no evaluation during training")
            return
        _require_whole_weights(trainer, "evaluation during training", "add --eval-every 0")
        examiner = Examiner(
            held_out, self.config.out, processor, identity=self.identity, size=encoder.size
        )
        trainer.add_callback(Examination(examiner, trainer, every=held_out.every))


@contextmanager
def _folder(out: Path, decides: Mapping[str, Any]) -> Iterator[str]:
    """The folder of the run; of several processes the first one looks after it."""
    if rank():
        yield identity_of(decides)
        return
    with run_folder(out, decides) as identity:
        yield identity


def _weights_of(base: Checkpoint) -> str:
    """Tells two sets of weights of one name apart, without loading them."""
    import transformers

    if Path(base.source).is_dir():
        return fingerprint(base, SimpleNamespace(config=None))
    config = transformers.AutoConfig.from_pretrained(base.source, revision=base.revision)
    return fingerprint(base, SimpleNamespace(config=config))


def _require_whole_weights(trainer: "AnswerTrainer", what: str, instead: str) -> None:
    """Under FSDP and DeepSpeed no process has the whole model.

    Raises:
        UserError: under these.
    """
    if trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled:
        raise UserError(
            f"{what} needs the whole model on every GPU, and FSDP and DeepSpeed share it out; "
            f"{instead}, or use one GPU or ddp.yaml"
        )
