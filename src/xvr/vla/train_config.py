"""Arguments of a training run, beside those of its data and backbone."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from xvr.errors import UserError
from xvr.vla.backbones.config import BackboneConfig
from xvr.vla.contract import PLAIN_PROMPT
from xvr.vla.data.demonstrations import DataOptions
from xvr.vla.normalizer import Mode

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How weights are changed."""

    steps: int = 20000
    """Optimiser steps."""
    batch: int = 32
    """Moments of a step, over all processes."""
    draws: int = 4
    """Noise draws for each moment; features are computed once for all of them."""
    learning_rate: float = 1e-4
    """Highest rate of the head."""
    backbone_learning_rate: float = 1e-5
    """Highest rate of pretrained weights; those of `conv` have the head's."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises; it then falls to 0 as a cosine."""
    weight_decay: float = 1e-5
    """Of AdamW."""
    clip: float = 1.0
    """Greatest norm of the gradient."""
    ema: float = 0.999
    """Decay of the running mean of the weights, which is what acts; 0 for the last weights."""
    shift: float = 0.0
    """Largest random shift of a picture, as a share of its side; not with cached features."""
    seed: int = 0
    """Of the head's first weights, the order of the data, noise and dropout."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name in ("steps", "batch", "draws"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} {getattr(self, name)}: write at least 1")
        for name in ("learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name} {getattr(self, name)}: write more than 0")
        for name, limit in (("warmup", 1.0), ("ema", 1.0), ("shift", 0.5)):
            if not 0 <= getattr(self, name) < limit:
                raise UserError(f"{name} {getattr(self, name)}: write 0 or more, below {limit:g}")


@dataclass(frozen=True, kw_only=True)
class Running:
    """What changes nothing about the result."""

    checkpoint_every: int = 1000
    """Steps between checkpoints."""
    keep: int = 2
    """Latest checkpoints that are kept."""
    log_every: int = 20
    """Steps between lines of the log."""
    workers: int = 1
    """Processes that decode videos."""
    cache: Path | None = None
    """Folder of decoded frames and features; when left out `$XDG_CACHE_HOME/xvr`."""
    device: str = "auto"
    """Such as cpu or cuda."""
    precision: Precision = "auto"
    """Of the computation: bf16 on a GPU and fp32 elsewhere unless told."""

    def __post_init__(self) -> None:
        """Checks the ranges."""
        for name in ("checkpoint_every", "keep", "log_every", "workers"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} {getattr(self, name)}: write at least 1")


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """A whole run."""

    data: tuple[Path, ...]
    """LeRobot data sets, or folders of them."""
    out: Path
    """Folder of the run."""
    head: str = "base"
    """Preset of the head: n15, base or tiny."""
    head_changes: tuple[str, ...] = ()
    """Changes of the preset, such as mask_padding=false or dropout=0.1."""
    chunk: int = 16
    """Actions given at once."""
    normalization: Mode = "min_max"
    """Of continuous states and actions: min_max, quantile, mean_std or identity."""
    prompt: str = PLAIN_PROMPT
    """What the backbone reads, with {instruction}."""
    cache_features: bool = True
    """Whether the features of a frozen backbone are computed once and kept on disk."""
    choice: DataOptions = field(default_factory=DataOptions)
    backbone: BackboneConfig = field(default_factory=BackboneConfig)
    optimisation: Optimisation = field(default_factory=Optimisation)
    running: Running = field(default_factory=Running)

    def __post_init__(self) -> None:
        """Checks the ranges."""
        if self.chunk < 1:
            raise UserError(f"chunk {self.chunk}: write at least 1")
        if not self.data:
            raise UserError("no data: name a LeRobot data set with --data")
