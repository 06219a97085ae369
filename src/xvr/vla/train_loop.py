"""The loop of training, from top to bottom: network, optimiser, resume, steps, checkpoints."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from xvr.dataset import atomic
from xvr.errors import UserError
from xvr.vla import checkpoint, learned, run_folder
from xvr.vla.augment import shifted
from xvr.vla.data.chunks import Batch, Chunks, Order
from xvr.vla.data.feature_store import FeatureStore
from xvr.vla.data.frames import cache_folder
from xvr.vla.ema import RunningMean
from xvr.vla.features import Features
from xvr.vla.heads.config import get_head
from xvr.vla.heads.flow import flow_times
from xvr.vla.learned import Recipe, prompt
from xvr.vla.memory import estimate
from xvr.vla.net import PolicyNet, make_net
from xvr.vla.prefetch import Prefetcher
from xvr.vla.prepare import Prepared
from xvr.vla.train_config import Optimisation, TrainConfig
from xvr.vla.training_log import TrainingLog

BETAS = (0.95, 0.999)
"""Of AdamW, as GR00T N1.5 has them."""
NOISE, DROPOUT, SHIFT = 1, 2, 3
"""Streams of random numbers within a step."""

Tell = Callable[[str], None]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Setup:
    """What a step works with."""

    config: TrainConfig
    prepared: Prepared
    recipe: Recipe
    net: PolicyNet
    chunks: Chunks
    store: FeatureStore | None
    """Features of a frozen backbone; None where pictures are seen in every step."""


def set_up(
    config: TrainConfig, prepared: Prepared, device: str, filling: Progress, tell: Tell
) -> Setup:
    """Make the network, and the features of a frozen backbone.

    Raises:
        UserError: the backbone or head cannot be had as asked.
    """
    head = get_head(config.head, config.head_changes)
    contract, normalizer = prepared.contract, prepared.normalizer
    seed = config.optimisation.seed
    net = make_net(config.backbone, head, contract, normalizer, device=device, seed=seed)
    recipe = Recipe(
        contract=contract,
        normalizer=normalizer,
        backbone=config.backbone,
        head=head,
        fingerprint=net.backbone.fingerprint,
    )
    store = None
    if config.backbone.frozen and config.cache_features:
        if config.optimisation.shift:
            raise UserError(
                "features that are kept cannot be of shifted pictures: leave out --shift, or add "
                "--no-cache-features"
            )
        folder = (config.running.cache or cache_folder()) / "features"
        store = FeatureStore(
            folder,
            net.backbone,
            prepared.frames,
            prepared.demonstrations,
            lambda instruction: prompt(contract, instruction),
            device,
        )
        store.fill(filling)
    frames = None if store else prepared.frames
    chunks = Chunks(prepared.demonstrations, frames, normalizer, config.chunk)
    setup = Setup(
        config=config, prepared=prepared, recipe=recipe, net=net, chunks=chunks, store=store
    )
    _tell_size(setup, tell)
    return setup


def run_loop(setup: Setup, accelerator: Any, progress: Progress, tell: Tell) -> tuple[int, float]:
    """Train to the last step and write the policy.

    Returns:
        Steps that an earlier process had done, and the mean loss of the last logged steps.

    Raises:
        UserError: the loss is no number any more, or a checkpoint is damaged.
    """
    config, plan, run = setup.config, setup.config.optimisation, setup.config.out
    lead, device = accelerator.is_main_process, str(accelerator.device)
    weights = setup.net.own_weights()
    optimizer = make_optimizer(setup.net, config)
    mean = RunningMean(weights, plan.ema)
    first = resume(setup, weights, optimizer, mean, tell)
    model, wrapped = accelerator.prepare(setup.net, optimizer)
    model.train()
    order = Order(len(setup.chunks), plan.batch, plan.seed)
    mine = slice(accelerator.process_index, None, accelerator.num_processes)
    loader = Prefetcher(lambda step: load(setup, order, step, mine), first, plan.steps)
    shown = math.nan
    with TrainingLog(run, first, plan.batch, config.running.log_every, active=lead) as log:
        for done, (observed, numbers) in enumerate(loader, start=first + 1):
            rate = set_rates(optimizer, plan, done - 1)
            seed_dropout(plan.seed, done - 1, accelerator.process_index)
            inputs = [torch.from_numpy(array).to(device) for array in numbers]
            with accelerator.autocast():
                loss = model(placed(observed, device), *inputs)
            accelerator.backward(loss)
            norm = accelerator.clip_grad_norm_(weights.values(), plan.clip)
            value = _finite(float(loss.detach()), done, run)
            wrapped.step()
            wrapped.zero_grad(set_to_none=True)
            mean.update(weights, done)
            last = done == plan.steps
            shown = log.add(done, value, rate, float(norm), loader.waited_s, last) or shown
            if lead and (last or done % config.running.checkpoint_every == 0):
                checkpoint.save(
                    run, done, setup.recipe, weights, optimizer, mean, config.running.keep
                )
            progress(done, plan.steps)
    if lead:
        with atomic.new_folder(run / run_folder.POLICY) as folder:
            learned.write(folder, setup.recipe, checkpoint.acting(weights, mean))
    accelerator.wait_for_everyone()
    return first, shown


def load(
    setup: Setup, order: Order, step: int, mine: slice
) -> tuple[Features | dict[str, Tensor], list[np.ndarray]]:
    """What the network is given in a step: what is observed, then the arguments of its loss."""
    config, plan = setup.config, setup.config.optimisation
    batch = setup.chunks.batch(order.step(step)[mine])
    width = setup.prepared.normalizer.action.width
    rng = stream(plan.seed, step, NOISE)
    noise = rng.standard_normal((plan.batch, plan.draws, config.chunk, width), dtype=np.float32)
    times = flow_times(rng, (plan.batch, plan.draws), setup.recipe.head)
    observed = setup.store.read(batch.places) if setup.store else _seen(setup, batch, step)
    return observed, [batch.state, batch.actions, batch.real, noise[mine], times[mine]]


def _seen(setup: Setup, batch: Batch, step: int) -> dict[str, Tensor]:
    plan = setup.config.optimisation
    rng = stream(plan.seed, step, SHIFT)
    images = {name: shifted(images, plan.shift, rng) for name, images in batch.images.items()}
    texts = [prompt(setup.prepared.contract, one) for one in batch.instructions]
    return setup.net.backbone.prepare(images, texts)


def placed(observed: Features | dict[str, Tensor], device: str) -> Features | dict[str, Tensor]:
    """On a device."""
    if isinstance(observed, Features):
        return observed.to(device)
    return {name: tensor.to(device) for name, tensor in observed.items()}


def make_optimizer(net: PolicyNet, config: TrainConfig) -> torch.optim.AdamW:
    """AdamW with a rate of its own for pretrained weights."""
    plan = config.optimisation
    pretrained = config.backbone.spec.startswith("hf:")
    groups: dict[float, list[Tensor]] = {}
    for name, weight in net.own_weights().items():
        slow = pretrained and name.startswith("backbone.")
        rate = plan.backbone_learning_rate if slow else plan.learning_rate
        groups.setdefault(rate, []).append(weight)
    parameters = [{"params": held, "lr": rate, "top": rate} for rate, held in groups.items()]
    return torch.optim.AdamW(parameters, betas=BETAS, eps=1e-8, weight_decay=plan.weight_decay)


def set_rates(optimizer: torch.optim.Optimizer, plan: Optimisation, step: int) -> float:
    """Learning rates of a step: a linear rise, then a cosine; the highest is returned."""
    rise = max(1, round(plan.warmup * plan.steps))
    share = min(1.0, (step + 1) / rise)
    if step >= rise:
        share = 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, plan.steps - rise)))
    for group in optimizer.param_groups:
        group["lr"] = group["top"] * share
    return max(group["lr"] for group in optimizer.param_groups)


def resume(
    setup: Setup,
    weights: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    mean: RunningMean,
    tell: Tell,
) -> int:
    """Put the latest checkpoint back, and say how many steps it had done; 0 without one."""
    found = run_folder.checkpoints(setup.config.out)[-1:]
    for folder in found:
        checkpoint.restore(folder, weights, optimizer, mean)
        tell(f"goes on after step {run_folder.step_of(folder)}")
    return run_folder.step_of(found[0]) if found else 0


def stream(seed: int, step: int, kind: int) -> np.random.Generator:
    """Random numbers of one kind for one step."""
    return np.random.default_rng([seed, step, kind])


def seed_dropout(seed: int, step: int, process: int) -> None:
    """Dropout has only the library's own generator."""
    torch.manual_seed(int(stream(seed, step, DROPOUT).integers(2**62)) + process)


def _finite(loss: float, step: int, run: Any) -> float:
    if math.isfinite(loss):
        return loss
    raise UserError(
        f"the loss of step {step} is {loss}: look at the data with xvr vla check, or lower "
        f"--learning-rate; the checkpoints in {run} are from before"
    )


def _tell_size(setup: Setup, tell: Tell) -> None:
    config, plan = setup.config, setup.config.optimisation
    with torch.no_grad():
        place = [setup.chunks.place(0)]
        batch = setup.chunks.batch([0])
        observed = setup.store.read(place) if setup.store else _seen(setup, batch, 0)
        device = str(next(setup.net.head.parameters()).device)
        tokens = setup.net.features(placed(observed, device)).tokens.shape[1]
    memory = estimate(
        setup.net,
        setup.recipe.head,
        batch=plan.batch,
        draws=plan.draws,
        chunk=config.chunk,
        tokens=tokens,
    )
    parameters = sum(weight.numel() for weight in setup.net.parameters())
    own = sum(weight.numel() for weight in setup.net.own_weights().values())
    tell(f"{parameters / 1e6:.2f} M weights, {own / 1e6:.2f} M trained, {tokens} tokens per moment")
    tell(f"memory: {memory.text}")
