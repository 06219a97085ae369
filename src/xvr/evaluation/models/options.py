"""How a model is run, whatever it is; each kind of model takes what concerns it."""

from dataclasses import dataclass
from typing import Literal

from xvr.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Options of a model; the text under each one is its help on the command line."""

    max_new_tokens: int = 1024
    """Most tokens of an answer, reasoning included."""
    temperature: float | None = 0.0
    """Randomness of the answer; 0 takes the likeliest word, None leaves it to the provider."""
    seed: int = 0
    """Of random answers, where the model takes one."""
    min_image_pixels: int | None = None
    """Smaller images are enlarged to so many pixels; the model's own rule when left out."""
    max_image_pixels: int | None = None
    """Larger images are reduced to so many pixels; the model's own rule when left out."""
    batch_size: int = 1
    """Items that a local model answers at the same time."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Numbers that a local model computes with."""
    device: str = "auto"
    """Where a local model runs, such as cpu or cuda:1; the first accelerator, if any, for auto."""
    base_url: str | None = None
    """Address of a server other than the provider's own, such as http://localhost:8000/v1."""
    concurrency: int = 8
    """Calls of a remote model at the same time."""
    requests_per_minute: float | None = None
    """Most calls of a remote model within a minute; no limit when left out."""
    timeout_s: float = 120.0
    """Seconds after which a call of a remote model is given up and tried again."""
    max_retries: int = 6
    """How often a call that failed for a passing reason is tried again."""
    input_price_usd: float | None = None
    """US dollars per million tokens read; with the next one, the run knows what it costs."""
    output_price_usd: float | None = None
    """US dollars per million tokens written."""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for name in ("max_new_tokens", "batch_size", "concurrency"):
            if getattr(self, name) < 1:
                raise UserError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if self.temperature is not None and self.temperature < 0:
            raise UserError(f"temperature is {self.temperature}; it must be 0 or more")
        if self.max_retries < 0:
            raise UserError(f"max_retries is {self.max_retries}; it must be 0 or more")
        for name in ("timeout_s", "requests_per_minute", "min_image_pixels", "max_image_pixels"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise UserError(f"{name} is {value}; it must be more than 0")
        if (self.min_image_pixels or 0) > (self.max_image_pixels or float("inf")):
            raise UserError(
                f"min_image_pixels {self.min_image_pixels} is more than "
                f"max_image_pixels {self.max_image_pixels}; lower the first one"
            )
        if (self.input_price_usd is None) != (self.output_price_usd is None):
            raise UserError("give both input_price_usd and output_price_usd, or neither")

    def cost_usd(self, input_tokens: int | None, output_tokens: int | None) -> float | None:
        """What a call cost; None where prices or tokens are unknown."""
        if self.input_price_usd is None or self.output_price_usd is None:
            return None
        if input_tokens is None or output_tokens is None:
            return None
        spent = input_tokens * self.input_price_usd + output_tokens * self.output_price_usd
        return spent / 1e6
