"""`xvr vla doctor`: a policy that does not use an input is found, whatever its loss."""

from dataclasses import replace

import pytest
import torch
from toy_demos import write_demos

from xvr.cli import main
from xvr.vla.backbones.config import BackboneConfig
from xvr.vla.data.demonstrations import DataOptions
from xvr.vla.doctor import examine
from xvr.vla.learned import LearnedPolicy, load
from xvr.vla.train import train
from xvr.vla.train_config import Optimisation, Running, TrainConfig

SMALL = ("width=32", "decoder_width=32", "output_width=32")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Demonstrations, frames and a policy that has learned a little; not to be changed."""
    folder = tmp_path_factory.mktemp("doctor")
    write_demos(folder / "demos")
    config = TrainConfig(
        data=(folder / "demos",),
        out=folder / "run",
        head="tiny",
        head_changes=SMALL,
        chunk=4,
        choice=DataOptions(image_size=32),
        backbone=BackboneConfig(),
        optimisation=Optimisation(steps=30, batch=8, draws=2, learning_rate=3e-3, ema=0.5),
        running=Running(cache=folder / "cache"),
    )
    train(config)
    return folder


def look(place, run="run", data="demos"):
    return examine(place / run, [place / data], moments=16, cache=place / "cache")


def test_a_policy_uses_what_it_is_shown(place):
    """After so few steps the picture of how near it is has told it the most."""
    health = look(place)
    assert health.differences == ()
    assert health.dead_weights == ()
    assert health.moved["camera wrist_view"] > 0.1
    assert not any("wrist_view" in fault for fault in health.faults)
    assert health.own_data
    assert set(health.moved) == {"camera left_view", "camera wrist_view", "state", "instruction"}
    assert min(health.gradients.values()) > 0
    assert [one.name for one in health.open_loop] == [
        "hand_motion_x",
        "hand_motion_y",
        "gripper_close",
    ]
    assert 0 < health.open_loop[0].mean_error < 1


def test_the_same_look_gives_the_same_numbers(place):
    assert look(place).moved == look(place).moved


def broken(place, tmp_path, spoil):
    policy = load(place / "run" / "policy")
    with torch.no_grad():
        spoil(policy.net)
    LearnedPolicy(policy.recipe, policy.net).save(tmp_path / "broken")
    return examine(tmp_path / "broken", [place / "demos"], moments=16, cache=place / "cache")


def test_a_state_that_is_not_used_is_found(place, tmp_path):
    health = broken(place, tmp_path, lambda net: net.head.state.second.weight.zero_())
    assert any(fault.startswith("does not use state") for fault in health.faults)
    assert "no gradient reaches state" in health.faults


def test_words_that_are_not_used_are_found(place, tmp_path):
    def same(net):
        net.backbone.words.weight[:] = net.backbone.words.weight[0]

    faults = broken(place, tmp_path, same).faults
    assert any(fault.startswith("does not use instruction") for fault in faults)


def test_self_attention_that_became_cross_attention_is_found(place, tmp_path):
    policy = load(place / "run" / "policy")
    config = replace(policy.recipe.head, self_attention=False)
    recipe = replace(policy.recipe, head=config)
    from xvr.vla.net import make_net

    net = make_net(recipe.backbone, config, recipe.contract, recipe.normalizer, device="cpu")
    LearnedPolicy(recipe, net).save(tmp_path / "legacy")
    health = examine(tmp_path / "legacy", [place / "demos"], moments=16, cache=place / "cache")
    assert health.gradients["state"] == 0
    assert health.moved["state"] == 0


def test_data_that_differ_are_told_field_by_field(place, tmp_path):
    def signs(number, states, actions):  # noqa: ARG001
        actions[:, 2] = 2 * actions[:, 2] - 1

    other = write_demos(tmp_path / "demos", change=signs)
    health = examine(place / "run", [other], moments=8, cache=place / "cache")
    assert not health.own_data
    assert health.differences == (
        "action.gripper_close.kind: 'binary_pm1' here, 'binary_01' there",
    )


def test_the_command_tells_all_and_exits_with_0_or_1(place, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("xvr.vla.doctor.UNUSED", 1e-6)  # it has learned only a little
    words = ["--moments", "8", "--cache", str(place / "cache"), "--device", "cpu"]
    run, data = str(place / "run"), str(place / "demos")
    assert main(["vla", "doctor", run, "--data", data, *words]) == 0
    out = capsys.readouterr().out
    assert "statistics: measured on these data" in out
    assert "camera wrist_view: " in out
    assert "FAULT" not in out
    broken(place, tmp_path, lambda net: net.head.state.second.weight.zero_())
    assert main(["vla", "doctor", str(tmp_path / "broken"), "--data", data, *words]) == 1
    assert "FAULT: does not use state" in capsys.readouterr().out
    assert main(["vla", "doctor", str(tmp_path / "none"), "--data", data, *words]) == 2
