"""The model that comes out: files as the base checkpoint has them, so that other tools load it.

RUN/model/      config, weights in safetensors, processor, chat template, card
RUN/adapter/    LoRA's matrices alone, for PEFT
"""

import json
import shutil
from pathlib import Path
from typing import Any

from xvr.evaluation.models.loading import Checkpoint

VIDEO_SETTINGS = "video_preprocessor_config.json"
"""Stock processors of Qwen3-VL want it even for still images; without torchvision it is not
loaded, so it is copied."""


def set_pixels(processor: Any, size: dict[str, int] | None) -> None:
    """Let the processor, and what is saved of it, have the image sizes of the training."""
    if size is not None:
        kind = type(processor.image_processor.size)
        processor.image_processor.size = kind(**size) if kind is not dict else dict(size)


def let_stop(model: Any, end: int) -> None:
    """Let `generate` stop at the token that ends our answers, if it does not yet."""
    settings = model.generation_config
    ends = settings.eos_token_id
    ends = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
    if end not in ends:
        settings.eos_token_id = [*ends, end] if ends else end


def complete(folder: Path, base: Checkpoint, processor: Any) -> None:
    """Add to a saved model what its base has and `save_pretrained` does not write.

    Args:
        folder: of the saved model, its processor included.
        base: the checkpoint that training started from.
        processor: that was saved.
    """
    if (folder / VIDEO_SETTINGS).exists():
        return
    source = _file_of(base, VIDEO_SETTINGS)
    if source is not None:
        shutil.copyfile(source, folder / VIDEO_SETTINGS)
    path = folder / "processor_config.json"
    if path.exists():
        settings = json.loads(path.read_text())
        if settings.get("processor_class") is None:
            settings["processor_class"] = type(processor).__name__
            path.write_text(json.dumps(settings, indent=2) + "\n")


def _file_of(base: Checkpoint, name: str) -> Path | None:
    """A file of a checkpoint, which is in the cache by now; None where it has none."""
    folder = Path(base.source)
    if folder.is_dir():
        return folder / name if (folder / name).exists() else None
    from transformers.utils.hub import cached_file

    found = cached_file(
        base.source,
        name,
        revision=base.revision,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return Path(found) if found else None
