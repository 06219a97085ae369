"""Training: resumed to the bit, killed at any time, refused for what it cannot be."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from toy_demos import CAMERAS, draw, episode, state, write_demos

from xvr.errors import UserError
from xvr.training.tiny_model import TinyModel, write_tiny_model
from xvr.vla.backbones.config import BackboneConfig
from xvr.vla.data.demonstrations import DataOptions
from xvr.vla.observation import Observation
from xvr.vla.policy import load_policy
from xvr.vla.train import train
from xvr.vla.train_config import Optimisation, Running, TrainConfig

SMALL = ("blocks=2", "width=16", "decoder_width=16", "output_width=16", "dropout=0.2")
PLAN = Optimisation(steps=6, batch=4, draws=2, learning_rate=1e-3, ema=0.9, shift=0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Demonstrations and a cache of their frames; not to be changed."""
    folder = tmp_path_factory.mktemp("training")
    write_demos(folder / "demos")
    return folder


def config(place, out, **changes):
    running = Running(cache=place / "cache", log_every=2, checkpoint_every=2)
    made = TrainConfig(
        data=(place / "demos",),
        out=out,
        head="tiny",
        head_changes=SMALL,
        chunk=4,
        choice=DataOptions(image_size=32),
        optimisation=PLAN,
        running=running,
    )
    return replace(made, **changes)


def weights(run):
    return (run / "policy" / "weights.safetensors").read_bytes()


class Stopped(Exception):
    """A run that ends in the middle."""


def stop_at(step):
    def progress(done, total):  # noqa: ARG001
        if done == step:
            raise Stopped

    return progress


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """A run that never stopped; not to be changed."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    train(config(place, run))
    return run


@pytest.mark.parametrize("step", [1, 3, 5])
def test_a_run_that_stopped_ends_with_the_bytes_of_one_that_did_not(place, whole, tmp_path, step):
    run = tmp_path / "run"
    with pytest.raises(Stopped):
        train(config(place, run), progress=stop_at(step))
    trained = train(config(place, run))
    assert trained.resumed_at == step // 2 * 2
    assert weights(run) == weights(whole)
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert steps == [2, 4, 6]


def test_a_finished_run_is_left_alone(place, whole):
    before = weights(whole)
    assert train(config(place, whole)).loss is None
    assert weights(whole) == before


def test_a_run_says_what_it_was_made_of(whole):
    manifest = json.loads((whole / "manifest.json").read_text())
    assert manifest["episodes"] == 3
    assert manifest["frames"] == 26
    assert manifest["contract"]["cameras"][0]["name"] == "left_view"
    line = json.loads((whole / "log.jsonl").read_text().splitlines()[0])
    assert line["samples_per_s"] > 0
    assert 0 <= line["wait_share"] <= 1
    assert list((whole / "tensorboard").iterdir())
    assert [path.name for path in sorted((whole / "checkpoints").iterdir())] == [
        "step_000004",
        "step_000006",
    ]


def test_a_checkpoint_is_a_policy(whole):
    observation = Observation(
        images=draw(np.array([0.2, 0.3]), np.array([0.8, 0.5])),
        state=state(np.array([0.2, 0.3])),
        instruction="reach the square",
    )
    ends = [
        load_policy(path).act([observation], [np.random.default_rng(0)])
        for path in (whole, whole / "checkpoints" / "step_000006")
    ]
    assert np.array_equal(*ends)
    assert ends[0].shape == (1, 4, 3)


def test_the_running_mean_acts_and_the_last_weights_are_kept_for_training(whole):
    folder = whole / "checkpoints" / "step_000006"
    acting, kept = (
        load_file(folder / "weights.safetensors"),
        load_file(folder / "training.safetensors"),
    )
    name = "head.decoder.second.weight"
    assert (acting[name] == kept[f"mean.{name}"]).all()
    assert (acting[name] != kept[f"weight.{name}"]).any()


def test_a_run_killed_at_any_time_goes_on(place, whole, tmp_path):
    """kill -9 after the first checkpoint; what is left ends with the same bytes."""
    run = tmp_path / "run"
    code = (
        "import sys; from pathlib import Path\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_train import config\n"
        "from xvr.vla.train import train\n"
        "import time\n"
        "train(config(Path(sys.argv[2]), Path(sys.argv[3])),"
        " progress=lambda done, total: time.sleep(0.2 * (done > 2)))\n"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent), str(place), str(run)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    while not (run / "checkpoints" / "step_000002").exists():
        assert process.poll() is None, process.stderr.read().decode()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert train(config(place, run)).resumed_at >= 2
    assert weights(run) == weights(whole)


def test_other_arguments_for_the_same_folder_are_refused(place, whole):
    other = config(place, whole, optimisation=replace(PLAN, batch=5))
    with pytest.raises(
        UserError, match=r"was begun with other arguments.*\n.*'batch': 4.*'batch': 5"
    ):
        train(other)


def test_other_data_under_the_same_path_are_refused(place, tmp_path):
    shutil.copytree(place / "demos", tmp_path / "demos")
    run = tmp_path / "run"
    mine = config(place, run, data=(tmp_path / "demos",))
    with pytest.raises(Stopped):
        train(mine, progress=stop_at(2))
    shutil.rmtree(tmp_path / "demos")
    write_demos(tmp_path / "demos", seed=1)
    with pytest.raises(UserError, match="statistics of another data set"):
        train(mine)


def test_a_damaged_checkpoint_is_told(place, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(Stopped):
        train(config(place, run), progress=stop_at(3))
    (run / "checkpoints" / "step_000002" / "training.safetensors").write_bytes(b"x")
    with pytest.raises(UserError, match=r"cannot be resumed from.*delete .*step_000002"):
        train(config(place, run))


def test_a_folder_with_something_else_is_left_alone(place, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UserError, match="is not empty and no run of training"):
        train(config(place, tmp_path))


def test_two_processes_do_not_train_in_one_folder(place, tmp_path):
    from xvr.vla.run_folder import claimed

    run = tmp_path / "run"
    with claimed(run, {}), pytest.raises(UserError, match="another process is training in"):
        train(config(place, run))


def test_a_loss_that_is_no_number_stops_the_run(place, tmp_path):
    wild = replace(PLAN, learning_rate=1e30, clip=1e30, steps=40, warmup=0.0)
    with pytest.raises(UserError, match=r"the loss of step .* lower --learning-rate"):
        train(config(place, tmp_path / "run", optimisation=wild))


def test_a_policy_without_pictures_or_state_is_trained(place, tmp_path):
    blind = config(
        place,
        tmp_path / "run",
        backbone=BackboneConfig(spec="blind"),
        choice=DataOptions(image_size=32, state=("none",)),
    )
    train(blind)
    contract = load_policy(tmp_path / "run").contract
    assert contract.cameras == ()
    assert contract.state == ()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    sizes = TinyModel(hidden_size=32, layers=2, heads=2, vision_hidden_size=32, vision_layers=1)
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), ("reach the square",), sizes)


def test_features_of_a_frozen_backbone_are_kept_and_train_as_those_made_anew(place, tiny, tmp_path):
    backbone = BackboneConfig(spec=f"hf:{tiny}", tap="2:pre")
    plan = replace(PLAN, steps=3, shift=0.0)
    running = Running(cache=tmp_path / "cache", checkpoint_every=3)
    kept, fresh = (
        config(
            place,
            tmp_path / name,
            backbone=backbone,
            optimisation=plan,
            running=running,
            cache_features=name == "kept",
        )
        for name in ("kept", "fresh")
    )
    filled = []
    train(kept, filling=lambda done, total: filled.append((done, total)))
    assert filled == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert len(list((tmp_path / "cache" / "features").rglob("*.npy"))) == 3
    train(fresh)
    ours, theirs = (
        load_file(tmp_path / n / "policy" / "weights.safetensors") for n in ("kept", "fresh")
    )
    assert set(ours) == set(theirs)
    for name, weight in ours.items():
        # the bias of keys moves no softmax: its gradient is rounding, which Adam blows up
        if not name.endswith("key.bias"):
            np.testing.assert_allclose(weight, theirs[name], rtol=0, atol=1e-4, err_msg=name)


def test_features_of_another_tap_are_other_features(place, tiny, tmp_path):
    for tap in ("1:pre", "2:pre"):
        train(
            config(
                place,
                tmp_path / tap[0],
                backbone=BackboneConfig(spec=f"hf:{tiny}", tap=tap),
                optimisation=replace(PLAN, steps=1, shift=0.0),
                running=Running(cache=tmp_path / "cache"),
            )
        )
    assert len(list((tmp_path / "cache" / "features").rglob("*.npy"))) == 6


def test_a_shift_of_pictures_that_are_not_seen_is_refused(place, tiny, tmp_path):
    asked = config(place, tmp_path / "run", backbone=BackboneConfig(spec=f"hf:{tiny}", tap="2:pre"))
    with pytest.raises(UserError, match="--no-cache-features"):
        train(asked)


def test_a_small_policy_overfits_one_episode(tmp_path):
    """What it gives is what was shown."""
    write_demos(tmp_path / "demos", (14,))
    plan = replace(PLAN, steps=200, batch=14, draws=4, learning_rate=3e-3, ema=0.98, shift=0.0)
    running = Running(cache=tmp_path / "cache", checkpoint_every=200)
    changes = ("blocks=2", "width=48", "decoder_width=48", "output_width=48")
    train(
        config(tmp_path, tmp_path / "run", optimisation=plan, running=running, head_changes=changes)
    )
    policy = load_policy(tmp_path / "run")
    rng = np.random.default_rng([0, 0])
    frames = list(episode(rng, 14))
    miss = []
    for number in range(0, 10, 3):
        shown = Observation(
            images={name: frames[number][2][name] for name in CAMERAS},
            state=frames[number][0],
            instruction="reach the square",
        )
        chunk = policy.act([shown], [np.random.default_rng(number)])[0]
        told = np.stack([action for _, action, _ in frames[number : number + 4]])
        miss.append(np.abs(chunk[:, :2] - told[:, :2]).mean())
        assert (chunk[:, 2] == told[:, 2]).mean() >= 0.75
    assert np.mean(miss) < 0.15
