"""Sizes and switches of the flow-matching head, and its presets.

`n15` has the sizes of GR00T N1.5 (NVIDIA/Isaac-GR00T, gr00t/model/action_head; described, not
copied) for one embodiment. Three defects of that model, and of others made after it, are mended by
default; each has a switch here, so that what it costs can be measured:

- keys that are padding were attended to, so an action depended on what else was in the batch
  (`mask_padding`);
- steps after the end of an episode were learned as if they had happened (`mask_time`);
- in copies whose loop gives the backbone's tokens to every block, self-attention silently became
  cross-attention and the state got no gradient (`self_attention`).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from xvr.errors import UserError, unknown_name


@dataclass(frozen=True, kw_only=True)
class HeadConfig:
    """Of one head. Widths are numbers of features."""

    name: str
    blocks: int
    """Transformer blocks; even ones look at the backbone's tokens, odd ones at each other."""
    heads: int
    width: int
    output_width: int
    """Of what the action decoder reads."""
    decoder_width: int
    """Hidden width of the state encoder and the action decoder."""
    vision_layers: int
    """Layers of self-attention over the backbone's tokens before the blocks."""
    vision_heads: int
    future_tokens: int
    """Learned tokens beside state and actions."""
    max_positions: int
    """Longest chunk."""
    dropout: float
    state_entries: int | None = None
    """Entries that states are padded to; None for no padding."""
    action_entries: int | None = None
    """Entries that actions are padded to; None for no padding."""
    state_dropout: float = 0.0
    """How often the state is withheld in training."""
    mask_padding: bool = True
    """Whether keys that are padding are left out."""
    mask_time: bool = True
    """Whether steps after the end of an episode are left out of the loss."""
    self_attention: bool = True
    """Whether odd blocks look at state, future and action tokens, and not at the backbone's."""
    alternate: bool = False
    """Whether cross-attention takes turns between text tokens and image tokens (as N1.7 does)."""
    time_alpha: float = 1.5
    """Of the Beta distribution of flow times in training."""
    time_beta: float = 1.0
    """Of the Beta distribution of flow times in training."""
    time_limit: float = 0.999
    """Draws above are cut, so that no flow time is below 0."""
    time_buckets: int = 1000
    """Flow times are rounded down to so many steps before they are encoded."""

    def __post_init__(self) -> None:
        """Checks that widths divide by their numbers of heads."""
        if self.width % self.heads:
            raise UserError(f"head {self.name}: width {self.width} does not divide by {self.heads}")
        if not 0 <= self.dropout < 1 or not 0 <= self.state_dropout < 1:
            raise UserError(f"head {self.name}: dropout must be at least 0 and below 1")


N15 = HeadConfig(
    name="n15",
    blocks=16,
    heads=32,
    width=1536,
    output_width=1024,
    decoder_width=1024,
    vision_layers=4,
    vision_heads=32,
    future_tokens=32,
    max_positions=1024,
    dropout=0.2,
    state_entries=64,
    action_entries=32,
)
BASE = replace(
    N15,
    name="base",
    heads=12,
    width=768,
    vision_layers=0,
    state_entries=None,
    action_entries=None,
)
TINY = HeadConfig(
    name="tiny",
    blocks=4,
    heads=4,
    width=96,
    output_width=96,
    decoder_width=96,
    vision_layers=0,
    vision_heads=4,
    future_tokens=4,
    max_positions=64,
    dropout=0.0,
)
PRESETS = (N15, BASE, TINY)
"""Of `base` the width and depth are those of starVLA's DiT-B."""


def get_head(name: str, changes: Sequence[str] = ()) -> HeadConfig:
    """The preset with this name, with changes such as `mask_padding=false`.

    Raises:
        UserError: there is no such preset or field, or its value is of another kind; the closest
            name is offered.
    """
    known = {preset.name: preset for preset in PRESETS}
    if name not in known:
        raise unknown_name("head", name, known)
    head = known[name]
    for change in changes:
        field, _, text = change.partition("=")
        if field not in asdict(head) or field == "name":
            raise unknown_name("field of a head", field, asdict(head))
        try:
            value = json.loads(text)
        except ValueError as error:
            raise UserError(f"{change!r}: write FIELD=VALUE, such as dropout=0.1") from error
        before = getattr(N15, field)
        if type(value) is not type(before) and not (isinstance(before, float) and value == 0):
            raise UserError(f"{change!r}: {field} is a {type(before).__name__}, such as {before}")
        head = replace(head, **{field: value})
    return head
