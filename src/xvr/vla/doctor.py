r"""Is a policy healthy? What it predicts on data, whether it uses what it is shown, what differs.

    report = examine(Path("run"), [Path("demos")])
    print("\n".join(report.lines))

Four looks at one policy, none of which needs a robot or simulator:

- *contract*: where the data differ from what the policy was trained with;
- *open loop*: how far its actions are from the recorded ones, entry by entry, beside what the mean
  action of the data misses (a low error does not promise success, a high one excludes it);
- *ablations*: how much its actions move when one input is exchanged for that of another moment. An
  input that moves nothing is not used: the policy is blind to it, whatever the loss says;
- *gradients*: whether pictures, words and state get one in training, and every weight.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from xvr.vla.contract import Contract
from xvr.vla.data.demonstrations import DataOptions, Demonstrations, read_demonstrations
from xvr.vla.data.frames import FrameStore, cache_folder
from xvr.vla.features import Features
from xvr.vla.heads.flow import flow_times
from xvr.vla.learned import LearnedPolicy, load, prompt
from xvr.vla.observation import Observation
from xvr.vla.run_folder import policy_folder

UNUSED = 0.01
"""Actions that move by less than this share of their deviation when an input is exchanged."""


@dataclass(frozen=True, kw_only=True)
class OpenLoop:
    """One entry of the action."""

    name: str
    error: float
    """Mean absolute difference to the recorded action, in the robot's units."""
    mean_error: float
    """The same for the mean action of the moments looked at."""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What was found."""

    differences: tuple[str, ...]
    """Of the contracts of policy and data."""
    own_data: bool
    """Whether the statistics were measured on these data."""
    open_loop: tuple[OpenLoop, ...]
    moved: dict[str, float]
    """Input to how far actions move when it is exchanged, in deviations of the action."""
    gradients: dict[str, float]
    """Input to the norm of the loss's gradient."""
    dead_weights: tuple[str, ...]
    """Weights of the policy that get no gradient."""

    @property
    def faults(self) -> list[str]:
        """What is wrong, in words."""
        found = [f"differs from the data: {line}" for line in self.differences]
        found += [
            f"does not use {name}: exchanging it moves actions by {moved:.4f} deviations"
            for name, moved in self.moved.items()
            if moved < UNUSED
        ]
        found += [f"no gradient reaches {name}" for name, g in self.gradients.items() if g == 0]
        return found + [f"no gradient for the weight {name}" for name in self.dead_weights]

    @property
    def lines(self) -> list[str]:
        """For people."""
        data = "these data" if self.own_data else "other data"
        told = [f"statistics: measured on {data}", "open loop (error, error of the mean action):"]
        told += [f"  {one.name}: {one.error:.4g}, {one.mean_error:.4g}" for one in self.open_loop]
        told.append("exchanged input -> actions move by, in deviations:")
        told += [f"  {name}: {moved:.3f}" for name, moved in self.moved.items()]
        told.append("gradient of the loss, norm by input:")
        told += [f"  {name}: {norm:.3g}" for name, norm in self.gradients.items()]
        return [*told, *(f"FAULT: {fault}" for fault in self.faults or ())]


def examine(
    run: Path,
    data: Sequence[Path],
    *,
    moments: int = 64,
    seed: int = 0,
    cache: Path | None = None,
    device: str = "cpu",
    decoding: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005
) -> Health:
    """Look at a policy on data, those it was trained on or held-out ones.

    Args:
        run: folder of a policy or run.
        data: LeRobot data sets.
        moments: frames that are looked at, drawn at random.
        seed: of the draw, and of the policy's noise.
        cache: folder of decoded frames.
        device: such as `cpu`.
        decoding: called with the files of frames that are there and their number.

    Raises:
        UserError: no policy, or data without its cameras or fields.
    """
    policy = load(policy_folder(run), device=device, together=True)
    found = read_demonstrations(data, _options(policy.contract))
    own_data = found.hash == policy.recipe.normalizer.data
    differences = found.contract(policy.contract.chunk or 1).differences(
        replace(policy.contract, prompt=None, normalizer=None)
    )
    frames = FrameStore((cache or cache_folder()) / "frames")
    found = frames.fill(found, progress=decoding)
    rng = np.random.default_rng([seed, 0])
    places = [_draw(found, rng) for _ in range(moments)]
    shown = [_observation(found, frames, *place) for place in places]
    told = np.stack([_recorded(found, policy.contract.chunk or 1, *place) for place in places])
    acted = _act(policy, shown, seed)
    spread = np.maximum(np.nanstd(told, axis=(0, 1)), 1e-6)
    gradients, dead = _gradients(policy, shown, told, seed)
    return Health(
        differences=tuple(differences),
        own_data=own_data,
        open_loop=_open_loop(policy.contract, acted, told),
        moved=_moved(policy, shown, acted, spread, seed),
        gradients=gradients,
        dead_weights=dead,
    )


def _options(contract: Contract) -> DataOptions:
    side = contract.cameras[0].height if contract.cameras else DataOptions().image_size
    return DataOptions(
        cameras=tuple(camera.name for camera in contract.cameras) or ("none",),
        state=tuple(field.name for field in contract.state) or ("none",),
        action=tuple(field.name for field in contract.action),
        image_size=side,
    )


def _draw(found: Demonstrations, rng: np.random.Generator) -> tuple[int, int]:
    episode = int(rng.integers(len(found.episodes)))
    return episode, int(rng.integers(len(found.episodes[episode])))


def _observation(found: Demonstrations, frames: FrameStore, number: int, frame: int) -> Observation:
    episode = found.episodes[number]
    return Observation(
        images={
            camera.name: np.asarray(frames.read(episode, frame, camera)) for camera in found.cameras
        },
        state=episode.state[frame],
        instruction=episode.instruction,
    )


def _recorded(
    found: Demonstrations, chunk: int, number: int, frame: int
) -> Float32[np.ndarray, "chunk m"]:
    """Actions of a chunk; NaN after the end of the episode."""
    actions = found.episodes[number].action[frame : frame + chunk]
    missing = np.full((chunk - len(actions), actions.shape[1]), np.nan, np.float32)
    return np.concatenate([actions, missing])


def _act(policy: LearnedPolicy, shown: Sequence[Observation], seed: int) -> np.ndarray:
    """Chunks with the same noise in every call."""
    return policy.act(shown, [np.random.default_rng([seed, 1, i]) for i in range(len(shown))])


def _open_loop(contract: Contract, acted: np.ndarray, told: np.ndarray) -> tuple[OpenLoop, ...]:
    names = [
        name
        for field in contract.action
        for name in field.names or [f"{field.name}_{n}" for n in range(field.dims)]
    ]
    mean = np.nanmean(told, axis=(0, 1))
    errors = np.nanmean(np.abs(acted - told), axis=(0, 1))
    of_mean = np.nanmean(np.abs(mean - told), axis=(0, 1))
    return tuple(
        OpenLoop(name=name, error=float(error), mean_error=float(other))
        for name, error, other in zip(names, errors, of_mean, strict=True)
    )


def _moved(
    policy: LearnedPolicy,
    shown: Sequence[Observation],
    acted: np.ndarray,
    spread: np.ndarray,
    seed: int,
) -> dict[str, float]:
    others = [shown[(i + len(shown) // 2) % len(shown)] for i in range(len(shown))]
    changed: dict[str, list[Observation]] = {}
    for camera in policy.contract.cameras:
        name = camera.name
        changed[f"camera {name}"] = [
            replace(one, images={**one.images, name: other.images[name]})
            for one, other in zip(shown, others, strict=True)
        ]
    if policy.contract.state:
        changed["state"] = [
            replace(one, state=other.state) for one, other in zip(shown, others, strict=True)
        ]
    words = sorted({one.instruction for one in shown})
    if len(words) > 1:
        changed["instruction"] = [
            replace(one, instruction=words[(words.index(one.instruction) + 1) % len(words)])
            for one in shown
        ]
    return {
        name: float((np.abs(_act(policy, ones, seed) - acted) / spread).mean())
        for name, ones in changed.items()
    }


def _gradients(
    policy: LearnedPolicy, shown: Sequence[Observation], told: np.ndarray, seed: int
) -> tuple[dict[str, float], tuple[str, ...]]:
    """`gradients` and `dead_weights` of `Health`, of one training step on the moments."""
    recipe, net = policy.recipe, policy.net
    device = next(net.head.parameters()).device
    rng = np.random.default_rng([seed, 2])
    real = ~np.isnan(told).any(axis=2)
    actions = recipe.normalizer.action.encode(np.where(real[..., None], told, 0))
    arrays = (
        recipe.normalizer.state.encode(np.stack([one.state for one in shown])),
        actions,
        real,
        rng.standard_normal((len(shown), 1, *actions.shape[1:]), dtype=np.float32),
        flow_times(rng, (len(shown), 1), recipe.head),
    )
    state, *rest = (torch.from_numpy(array).to(device) for array in arrays)
    state.requires_grad_(True)
    tokens = _features(policy, shown, device)
    seen = tokens.tokens if tokens.tokens.requires_grad else tokens.tokens.requires_grad_(True)
    seen.retain_grad()
    net.zero_grad()
    net.head.loss(tokens, state, *rest).backward()
    assert seen.grad is not None
    found = {
        "pictures": seen.grad[tokens.is_image & tokens.mask],
        "words": seen.grad[~tokens.is_image & tokens.mask],
        "state": state.grad,
    }
    dead = [
        name
        for name, weight in net.own_weights().items()
        if weight.grad is None or not bool(weight.grad.any())
    ]
    net.zero_grad()
    norms = {
        name: float(gradient.norm())
        for name, gradient in found.items()
        if gradient is not None and gradient.numel()
    }
    return norms, tuple(dead)


def _features(
    policy: LearnedPolicy, shown: Sequence[Observation], device: torch.device
) -> Features:
    images = {
        camera.name: np.stack([one.images[camera.name] for one in shown])
        for camera in policy.contract.cameras
    }
    texts = [prompt(policy.contract, one.instruction) for one in shown]
    inputs = policy.net.backbone.prepare(images, texts)
    return policy.net.features({name: one.to(device) for name, one in inputs.items()})
