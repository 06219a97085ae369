"""What a backbone gives to a head."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Features:
    """Tokens of a batch of observations; all tensors on one device."""

    tokens: "Tensor"
    """(b, s, width), floating point."""
    mask: "Tensor"
    """(b, s), bool; False for padding."""
    is_image: "Tensor"
    """(b, s), bool; True where a token stands for a part of a picture."""

    def to(self, device: Any) -> "Features":
        """On another device."""
        return Features(
            tokens=self.tokens.to(device),
            mask=self.mask.to(device),
            is_image=self.is_image.to(device),
        )
