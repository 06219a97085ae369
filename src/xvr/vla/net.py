"""Backbone and head as one network: the loss of a training step, and actions from observations."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor, nn

from xvr.vla.backbones.config import BackboneConfig, make_backbone
from xvr.vla.contract import Contract
from xvr.vla.features import Features
from xvr.vla.heads.config import HeadConfig
from xvr.vla.heads.flow import FlowHead
from xvr.vla.normalizer import Normalizer


class PolicyNet(nn.Module):
    """From pictures, instructions and a normalised state to normalised actions."""

    def __init__(self, backbone: Any, head: FlowHead) -> None:
        super().__init__()
        self.backbone, self.head = backbone, head

    def forward(self, observed: Features | Mapping[str, Tensor], *numbers: Tensor) -> Tensor:
        """The loss: features or what `backbone.prepare` made, then as `FlowHead.loss`."""
        return self.head.loss(self.features(observed), *numbers)

    def features(self, observed: Features | Mapping[str, Tensor]) -> Features:
        """Features as they are, or those of what `backbone.prepare` made."""
        found = observed if isinstance(observed, Features) else self.backbone(observed)
        return Features(tokens=found.tokens.float(), mask=found.mask, is_image=found.is_image)

    def own_weights(self) -> dict[str, Tensor]:
        """Weights that belong to the policy: the head's, and what is trained of the backbone."""
        trained = {name for name, weight in self.named_parameters() if weight.requires_grad}
        own = {name for name, _ in self.named_parameters() if name.startswith("head.")} | trained
        return {name: weight for name, weight in self.named_parameters() if name in own}


def make_net(
    backbone: BackboneConfig,
    head: HeadConfig,
    contract: Contract,
    normalizer: Normalizer,
    *,
    device: str,
    seed: int = 0,
) -> PolicyNet:
    """A network for a contract; its own weights are random, the same for a seed and head.

    The head's are drawn by themselves, so that two backbones of one width get the same head.

    Raises:
        UserError: the backbone cannot be had, or the head is too small for the data.
    """
    cameras = tuple(camera.name for camera in contract.cameras)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        eyes = make_backbone(backbone, cameras, device)
        torch.manual_seed(seed + 1)
        hands = FlowHead(
            head,
            feature_width=eyes.width,
            state_width=normalizer.state.width,
            action_width=normalizer.action.width,
        )
    return PolicyNet(eyes, hands.to(device))


def describe(backbone: BackboneConfig, head: HeadConfig) -> dict[str, Any]:
    """Both as JSON keeps them."""
    return {"backbone": asdict(backbone), "head": asdict(head)}
