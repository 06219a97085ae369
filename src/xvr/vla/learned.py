"""A trained policy: network, normaliser and contract, in a folder and in memory.

    <folder>/policy.json          contract, normaliser, backbone, head, who made it
    <folder>/weights.safetensors  the head, and what was trained of the backbone

What was not trained of a backbone is not copied; it is loaded from where it came from, and refused
when its fingerprint is another one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xvr import __version__
from xvr.dataset import atomic
from xvr.errors import UserError
from xvr.sources.json_object import read_json_object
from xvr.vla.backbones.config import BackboneConfig
from xvr.vla.contract import Contract
from xvr.vla.heads.config import HeadConfig
from xvr.vla.heads.flow import EULER_STEPS, draw_noise
from xvr.vla.net import PolicyNet, make_net
from xvr.vla.normalizer import Normalizer
from xvr.vla.observation import Observation, check_observation
from xvr.vla.policy import Chunks

FORMAT = 1
DESCRIPTION, WEIGHTS = "policy.json", "weights.safetensors"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All of a policy but its weights."""

    contract: Contract
    normalizer: Normalizer
    backbone: BackboneConfig
    head: HeadConfig
    fingerprint: str
    """Of the backbone's weights that are not the policy's own; empty where there are none."""
    euler_steps: int = EULER_STEPS

    def to_json(self) -> dict[str, Any]:
        """As `policy.json` has it."""
        return {
            "format": FORMAT,
            "xvr": __version__,
            "contract": self.contract.to_json(),
            "contract_hash": self.contract.hash,
            "normalizer": self.normalizer.to_json(),
            "backbone": asdict(self.backbone),
            "head": asdict(self.head),
            "fingerprint": self.fingerprint,
            "euler_steps": self.euler_steps,
        }


class LearnedPolicy:
    """Acts with a network."""

    def __init__(self, recipe: Recipe, net: PolicyNet, *, together: bool = False) -> None:
        """Takes what training or `load` made.

        Args:
            recipe: what the network was trained for.
            net: on its device.
            together: whether observations share one pass; faster on a GPU, but the last bits of
                an action then depend on how many there are.
        """
        self.recipe, self.net, self.together = recipe, net.eval(), together

    @property
    def contract(self) -> Contract:
        """What it expects to be shown, and what its actions mean."""
        return self.recipe.contract

    def act(
        self, observations: Sequence[Observation], rngs: Sequence[np.random.Generator]
    ) -> Chunks:
        """As `Policy.act`."""
        if len(observations) != len(rngs):
            raise ValueError(f"{len(observations)} observations and {len(rngs)} generators")
        for observation in observations:
            check_observation(self.contract, observation)
        self.net.eval()
        pairs = list(zip(observations, rngs, strict=True))
        groups = [pairs] if self.together and pairs else [[pair] for pair in pairs]
        shape = (0, self.contract.chunk or 0, self.contract.action_dims)
        return np.concatenate([np.zeros(shape, np.float32), *map(self._act, groups)])

    def _act(self, group: Sequence[tuple[Observation, np.random.Generator]]) -> np.ndarray:
        recipe, device = self.recipe, next(self.net.head.parameters()).device
        observations = [observation for observation, _ in group]
        images = {
            camera.name: np.stack([one.images[camera.name] for one in observations])
            for camera in self.contract.cameras
        }
        texts = [prompt(self.contract, one.instruction) for one in observations]
        states = recipe.normalizer.state.encode(np.stack([one.state for one in observations]))
        shape = (self.contract.chunk or 0, recipe.normalizer.action.width)
        noise = draw_noise([rng for _, rng in group], shape)
        inputs = self.net.backbone.prepare(images, texts)
        half = device.type == "cuda" and recipe.backbone.trained_in_float32
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            actions = self.net.head.act(
                self.net.features({name: one.to(device) for name, one in inputs.items()}),
                torch.from_numpy(states).to(device),
                torch.from_numpy(noise).to(device),
                recipe.euler_steps,
            )
        return recipe.normalizer.action.decode(actions.float().cpu().numpy())

    def save(self, folder: Path) -> None:
        """As `Policy.save`."""
        with atomic.new_folder(folder) as partial:
            write(partial, self.recipe, self.net.own_weights())


def prompt(contract: Contract, instruction: str) -> str:
    """What the backbone reads."""
    return (contract.prompt or "{instruction}").replace("{instruction}", instruction)


def write(folder: Path, recipe: Recipe, weights: Mapping[str, Tensor]) -> None:
    """The files of a policy into a folder that is there."""
    from safetensors.torch import save

    tensors = {name: weight.detach().cpu().contiguous() for name, weight in weights.items()}
    atomic.write_bytes(folder / WEIGHTS, save(tensors))
    text = json.dumps(recipe.to_json(), indent=1) + "\n"
    atomic.write_bytes(folder / DESCRIPTION, text.encode())


def read_recipe(folder: Path) -> Recipe:
    """What `policy.json` says.

    Raises:
        UserError: there is none, or one of another format.
    """
    path = folder / DESCRIPTION
    content = read_json_object(path, "the folder of a policy")
    if content.get("format") != FORMAT:
        raise UserError(f"{path}: format {content.get('format')!r}, this version reads {FORMAT}")
    try:
        recipe = Recipe(
            contract=Contract.from_json(content["contract"]),
            normalizer=Normalizer.from_json(content["normalizer"]),
            backbone=BackboneConfig(**content["backbone"]),
            head=HeadConfig(**content["head"]),
            fingerprint=str(content["fingerprint"]),
            euler_steps=int(content["euler_steps"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: damaged: {error!r}") from error
    if recipe.contract.normalizer != recipe.normalizer.hash:
        raise UserError(
            f"{path}: the statistics are not those of the contract; the file was changed by hand "
            "or put together from two policies"
        )
    return recipe


def load(folder: Path, *, device: str = "cpu", together: bool = False) -> LearnedPolicy:
    """The policy in a folder.

    Raises:
        UserError: it is damaged, or its backbone is not the one that it was trained on.
    """
    recipe = read_recipe(folder)
    net = make_net(recipe.backbone, recipe.head, recipe.contract, recipe.normalizer, device=device)
    if net.backbone.fingerprint != recipe.fingerprint:
        raise UserError(
            f"{recipe.backbone.spec} is not the backbone that the policy in {folder} was trained "
            f"on: its weights have fingerprint {net.backbone.fingerprint}, expected "
            f"{recipe.fingerprint}"
        )
    fill(net, folder / WEIGHTS)
    return LearnedPolicy(recipe, net, together=together)


def fill(net: PolicyNet, path: Path) -> None:
    """Put the weights of a file into a network.

    Raises:
        UserError: the file is damaged or of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: {error}; the policy is not complete") from error
    own = net.own_weights()
    wrong = sorted(set(own) ^ set(weights))
    wrong += sorted(n for n in own if n in weights and own[n].shape != weights[n].shape)
    if wrong:
        raise UserError(f"{path} does not fit the policy: {len(wrong)} weights, such as {wrong[0]}")
    with torch.no_grad():
        for name, weight in own.items():
            weight.copy_(weights[name])
