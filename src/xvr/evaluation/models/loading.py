"""Processor and weights of a vision-language model, from a folder or the Hugging Face hub.

    checkpoint = Checkpoint.of("Qwen/Qwen3-VL-2B-Instruct@main")
    processor = load_processor(checkpoint)
    model = load_model(checkpoint, dtype="auto", device="auto")

Evaluation and training load through here, so that both see the same model. Code that comes with a
checkpoint is never run. Environment variables of the hub (`HF_HOME`, `HF_HUB_OFFLINE`, `HF_TOKEN`)
work as everywhere.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from xvr.errors import UserError

DTYPES = ("auto", "bfloat16", "float16", "float32")
WEIGHTS = (".json", ".jinja", ".safetensors", ".bin", ".txt", ".model")
"""Endings of the files that make a model: weights, configuration, templates, vocabulary."""


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where a model comes from."""

    source: str
    """A folder, or an id of the hub such as `Qwen/Qwen3-VL-2B-Instruct`."""
    revision: str | None = None
    """Branch, tag or commit of the hub; None for a folder and for the default branch."""

    @classmethod
    def of(cls, text: str) -> "Checkpoint":
        """`PATH`, `ID` or `ID@REVISION`; what exists as a folder is a folder.

        Raises:
            UserError: neither a folder nor an id.
        """
        folder = Path(text).expanduser()  # no shell does it behind `hf:`
        if folder.is_dir():
            return cls(source=str(folder))
        source, _, revision = text.partition("@")
        if source.count("/") > 1 or source.startswith((".", "/", "~")) or not source:
            raise UserError(
                f"no model folder at {text!r}: give a folder with config.json and weights, "
                "or an id of the Hugging Face hub such as Qwen/Qwen3-VL-2B-Instruct"
            )
        return cls(source=source, revision=revision or None)


def load_processor(checkpoint: Checkpoint) -> Any:
    """The processor: text and images to tensors.

    Where torchvision is missing and the processor wants it for videos only, as those of Qwen3-VL
    and InternVL do, it comes without its video part. It keeps its class name, so that
    `save_pretrained` writes what other tools expect.

    Raises:
        UserError: `transformers` is missing, or there is no processor for images in `checkpoint`.
    """
    transformers = _transformers()
    arguments = {"revision": checkpoint.revision}
    with _reading(checkpoint):
        kind = None if find_spec("torchvision") else _processor_class(checkpoint)
        if kind is not None and "video_processor" in kind.get_attributes():
            processor = _for_still_images(kind).from_pretrained(checkpoint.source, **arguments)
        else:
            processor = transformers.AutoProcessor.from_pretrained(checkpoint.source, **arguments)
    if not hasattr(processor, "image_processor"):
        raise UserError(
            f"the processor of {checkpoint.source} is a {type(processor).__name__} that takes no "
            "images: only vision-language models can be asked (processor_config.json and "
            "preprocessor_config.json say what it is)"
        )
    if not processor.chat_template and processor.tokenizer.chat_template:
        processor.chat_template = processor.tokenizer.chat_template
    return processor


def load_model(checkpoint: Checkpoint, *, dtype: str = "auto", device: str = "auto") -> Any:
    """The weights, ready to answer (in evaluation mode).

    Args:
        checkpoint: folder or hub id.
        dtype: one of `DTYPES`; `auto` is bfloat16 on a GPU and float32 on a CPU.
        device: such as `cpu` or `cuda:1`; `auto` is the first GPU if there is one.

    Raises:
        UserError: a package or the checkpoint is missing, it is no vision-language model, or some
            of its weights are missing, which `transformers` would fill with random numbers.
    """
    transformers = _transformers()
    device = best_device(device)
    with _reading(checkpoint):
        model, report = transformers.AutoModelForImageTextToText.from_pretrained(
            checkpoint.source,
            revision=checkpoint.revision,
            dtype=_dtype(dtype, device),
            output_loading_info=True,
        )
        model = model.to(device).eval()
    missing = [*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])]
    if missing:
        raise UserError(
            f"{checkpoint.source} lacks {len(missing)} weights of a {type(model).__name__}, "
            f"such as {sorted(missing)[0]}: the checkpoint is not complete"
        )
    return model


def best_device(device: str) -> str:
    """`device`, or for `auto` the first GPU, or the CPU where there is none.

    Raises:
        UserError: a GPU is asked for and PyTorch sees none.
    """
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"device {device!r}: PyTorch sees no GPU here; use --device cpu")
    return device


def fingerprint(checkpoint: Checkpoint, model: Any) -> str:
    """Tells two sets of weights apart: the hub's commit, or the SHA-256 over a folder's files.

    Every byte of the files counts (`WEIGHTS` says which); 4 GB take some seconds.
    """
    commit = getattr(model.config, "_commit_hash", None)
    if commit or not Path(checkpoint.source).is_dir():
        return str(commit or checkpoint.revision or "")
    digest = hashlib.sha256()
    for path in sorted(Path(checkpoint.source).iterdir()):
        if path.suffix in WEIGHTS and path.is_file():
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            digest.update(f"{path.name} {content}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _transformers() -> Any:
    for name, package in (("torch", "torch"), ("transformers", "transformers"), ("PIL", "pillow")):
        if find_spec(name) is None:
            raise UserError(f'hf: needs {package}; install it with: pip install "xvr[hf]"')
    import transformers

    return transformers


def _dtype(name: str, device: str) -> Any:
    import torch

    if name not in DTYPES:
        raise UserError(f"unknown dtype {name!r}: known are {', '.join(DTYPES)}")
    if name == "auto":
        name = "float32" if device == "cpu" else "bfloat16"
    return getattr(torch, name)


def _processor_class(checkpoint: Checkpoint) -> Any:
    transformers = _transformers()
    from transformers.models.auto.processing_auto import (
        PROCESSOR_MAPPING_NAMES,  # pyright: ignore[reportPrivateImportUsage]
    )

    config = transformers.AutoConfig.from_pretrained(
        checkpoint.source, revision=checkpoint.revision
    )
    name = PROCESSOR_MAPPING_NAMES.get(config.model_type)
    return getattr(transformers, name) if name else None


def _for_still_images(kind: Any) -> Any:
    """`kind` without its video part, which `transformers` asks for by `get_attributes`."""

    def get_attributes(cls: Any) -> list[str]:  # noqa: ARG001
        return [name for name in kind.get_attributes() if name != "video_processor"]

    return type(kind.__name__, (kind,), {"get_attributes": classmethod(get_attributes)})


@contextmanager
def _reading(checkpoint: Checkpoint) -> Iterator[None]:
    """Errors of `from_pretrained` as what a user can fix."""
    from safetensors import SafetensorError

    try:
        yield
    # RuntimeError: weights of another shape, or more than the memory of a GPU
    except (OSError, ValueError, ImportError, KeyError, RuntimeError, SafetensorError) as error:
        first = str(error).strip().split("\n")[0]
        revision = f" at revision {checkpoint.revision}" if checkpoint.revision else ""
        raise UserError(
            f"cannot load {checkpoint.source}{revision} as a vision-language model: {first}"
        ) from error
