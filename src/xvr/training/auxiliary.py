"""A second loss beside the one on the answers: what it must have, and which ones there are.

Its targets are made where samples are loaded, from the samples and from where each image lies among
the tokens. Its own parameters train along, are kept in checkpoints, and are no part of the model
that is saved.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from xvr.errors import unknown_name
from xvr.training.collate import BatchLayout
from xvr.training.encode import Encoded
from xvr.training.samples import Source


class AuxiliaryLoss(Protocol):
    """What the trainer asks of a second loss."""

    @property
    def name(self) -> str:
        """As on the command line and in the logs."""
        ...

    @property
    def weight(self) -> float:
        """Factor of this loss beside that on the answers."""
        ...

    @property
    def module(self) -> Any:
        """Its own parameters, a `torch.nn.Module`; it may have none."""
        ...

    def targets(self, samples: Sequence[Encoded]) -> dict[str, Any]:
        """Tensors that `loss` needs of a batch; called in the processes that load samples."""
        ...

    def loss(self, outputs: Any, layout: BatchLayout, targets: Mapping[str, Any]) -> Any:
        """The mean loss of a batch, a scalar that can be differentiated.

        Args:
            outputs: of the model's `forward`; `image_outputs.pooler_output` of a Qwen3-VL has the
                tokens of each image in order, `hidden_states` those of every layer.
            layout: of the batch.
            targets: what `targets` made, on the device of the model.
        """
        ...


Maker = Callable[[Any, Sequence[Source], float], AuxiliaryLoss]
"""(the model, the datasets, weight) -> the loss."""


def _correspondence(model: Any, sources: Sequence[Source], weight: float) -> AuxiliaryLoss:
    from xvr.training.correspondence import CorrespondenceLoss

    return CorrespondenceLoss(model, sources, weight)


AUXILIARY: dict[str, Maker] = {"correspondence": _correspondence}
"""By name."""


def make_auxiliary(
    name: str | None, model: Any, sources: Sequence[Source], weight: float
) -> AuxiliaryLoss | None:
    """The loss with a name; None for None.

    Raises:
        UserError: the name is unknown, or the data has nothing to make targets of.
    """
    if name is None:
        return None
    if name not in AUXILIARY:
        raise unknown_name("auxiliary loss", name, AUXILIARY)
    return AUXILIARY[name](model, sources, weight)
