"""Policies with a network: what they refuse, how they are saved, and whose noise they use."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from contracts import CONTRACT, observation
from safetensors.torch import load_file, save_file

from xvr.errors import UserError
from xvr.training.tiny_model import TinyModel, write_tiny_model
from xvr.vla.backbones.config import BackboneConfig
from xvr.vla.heads.config import TINY
from xvr.vla.learned import LearnedPolicy, Recipe
from xvr.vla.net import make_net
from xvr.vla.normalizer import Normalizer, fit
from xvr.vla.policy import load_policy
from xvr.vla.statistics import measure

HEAD = replace(TINY, blocks=2, width=16, decoder_width=16, output_width=16)
NAMED = ("open the drawer", "close the small drawer")


def recipe(backbone, cameras=CONTRACT.cameras):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(50, 7))
    actions = np.hstack([rng.normal(size=(50, 3)), rng.integers(0, 2, (50, 1))])
    normalizer = Normalizer(
        state=fit(CONTRACT.state, measure([states], 7), "min_max"),
        action=fit(CONTRACT.action, measure([actions], 4), "min_max"),
        data="d1",
    )
    contract = replace(CONTRACT, cameras=cameras, chunk=5, normalizer=normalizer.hash)
    return Recipe(
        contract=contract, normalizer=normalizer, backbone=backbone, head=HEAD, fingerprint=""
    )


def policy(backbone=BackboneConfig(), **changes):  # noqa: B008
    made = recipe(backbone, **changes)
    net = make_net(made.backbone, HEAD, made.contract, made.normalizer, device="cpu", seed=3)
    return LearnedPolicy(replace(made, fingerprint=net.backbone.fingerprint), net)


def rngs(count=1):
    return [np.random.default_rng([5, number, 0]) for number in range(count)]


@pytest.fixture
def saved(tmp_path):
    policy().save(tmp_path / "policy")
    return tmp_path / "policy"


def test_an_action_is_in_the_robots_units():
    chunk = policy().act([observation()], rngs())
    assert chunk.shape == (1, 5, 4)
    assert chunk.dtype == np.float32
    assert set(np.unique(chunk[..., 3])) <= {0.0, 1.0}


def test_others_in_the_batch_change_no_bit_of_an_action():
    one = policy()
    shown = [observation(NAMED[number % 2], seed=number) for number in range(3)]
    together = one.act(shown, rngs(3))
    for number in range(3):
        alone = one.act([shown[number]], [rngs(3)[number]])
        assert np.array_equal(together[number], alone[0])


def test_observations_may_share_a_pass_where_bits_do_not_matter():
    one = policy()
    shown = [observation(NAMED[number % 2], seed=number) for number in range(3)]
    shared = LearnedPolicy(one.recipe, one.net, together=True).act(shown, rngs(3))
    np.testing.assert_allclose(shared, one.act(shown, rngs(3)), rtol=0, atol=1e-4)


def test_all_noise_comes_from_the_given_generators():
    one = policy()
    first = one.act([observation()], rngs())
    torch.manual_seed(99)
    np.random.default_rng(99)
    assert np.array_equal(one.act([observation()], rngs()), first)
    other = one.act([observation()], [np.random.default_rng([5, 0, 1])])
    assert not np.array_equal(other, first)


def test_exchanged_cameras_and_other_words_change_the_action():
    square = tuple(replace(camera, height=8, width=8) for camera in CONTRACT.cameras)
    one = policy(cameras=square)
    rng = np.random.default_rng(0)
    left, wrist = (rng.integers(0, 256, (8, 8, 3), dtype=np.uint8) for _ in range(2))
    shown = replace(observation(), images={"left_view": left, "wrist_view": wrist})
    swapped = replace(shown, images={"left_view": wrist, "wrist_view": left})
    action = one.act([shown], rngs())
    assert not np.array_equal(one.act([swapped], rngs()), action)
    assert not np.array_equal(one.act([replace(shown, instruction="go away")], rngs()), action)


def test_a_blind_policy_asks_for_no_picture():
    one = policy(BackboneConfig(spec="blind"), cameras=())
    shown = replace(observation(), images={})
    assert one.act([shown], rngs()).shape == (1, 5, 4)
    with pytest.raises(UserError, match="the policy never saw it, its cameras are none"):
        one.act([observation()], rngs())


def test_a_saved_policy_acts_the_same(saved):
    expected = policy().act([observation()], rngs())
    again = load_policy(saved)
    assert again.contract == policy().contract
    assert np.array_equal(again.act([observation()], rngs()), expected)


def test_what_a_policy_never_saw_is_refused():
    shown = observation()
    with pytest.raises(UserError, match="camera 'wrist_view': missing"):
        policy().act([replace(shown, images={"left_view": shown.images["left_view"]})], rngs())


def test_generators_must_be_as_many_as_observations():
    with pytest.raises(ValueError, match="1 observations and 2 generators"):
        policy().act([observation()], rngs(2))


def test_nothing_is_overwritten(saved):
    with pytest.raises(UserError, match="is not empty"):
        policy().save(saved)


def edit(saved, **changes):
    path = saved / "policy.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_statistics_of_another_policy_are_refused(saved):
    content = json.loads((saved / "policy.json").read_text())
    content["normalizer"]["state"][0]["shift"][0] += 1
    edit(saved, normalizer=content["normalizer"])
    with pytest.raises(UserError, match="the statistics are not those of the contract"):
        load_policy(saved)


def test_weights_of_another_policy_are_refused(saved):
    weights = load_file(saved / "weights.safetensors")
    name = sorted(weights)[0]
    del weights[name]
    save_file(weights, saved / "weights.safetensors")
    with pytest.raises(UserError, match=f"does not fit the policy: 1 weights, such as {name}"):
        load_policy(saved)


def test_damaged_files_are_told(saved):
    (saved / "weights.safetensors").write_bytes(b"x" * 20)
    with pytest.raises(UserError, match="the policy is not complete"):
        load_policy(saved)
    edit(saved, format=9)
    with pytest.raises(UserError, match="format 9, this version reads 1"):
        load_policy(saved)


def test_a_folder_without_a_policy_is_told(tmp_path):
    with pytest.raises(UserError, match="holds no policy"):
        load_policy(tmp_path)
    (tmp_path / "checkpoints" / "step_000020").mkdir(parents=True)
    with pytest.raises(UserError, match=r"its latest checkpoint is .*step_000020"):
        load_policy(tmp_path)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    sizes = TinyModel(hidden_size=32, layers=2, heads=2, vision_hidden_size=32, vision_layers=1)
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), NAMED, sizes)


@pytest.mark.parametrize("tune", ["frozen", "lora"])
def test_only_what_was_trained_of_a_backbone_is_saved_with_the_policy(tiny, tmp_path, tune):
    one = policy(BackboneConfig(spec=f"hf:{tiny}", tap="2:pre", tune=tune))
    one.save(tmp_path / "policy")
    names = load_file(tmp_path / "policy" / "weights.safetensors")
    of_backbone = [name for name in names if name.startswith("backbone.")]
    assert all("lora_" in name for name in of_backbone)
    assert bool(of_backbone) == (tune == "lora")
    again = load_policy(tmp_path / "policy")
    expected = one.act([observation()], rngs())
    assert np.array_equal(again.act([observation()], rngs()), expected)


def test_a_backbone_that_changed_since_is_refused(tmp_path):
    sizes = TinyModel(hidden_size=32, layers=2, heads=2, vision_hidden_size=32, vision_layers=1)
    folder = write_tiny_model(tmp_path / "model", NAMED, sizes)
    policy(BackboneConfig(spec=f"hf:{folder}", tap="2:pre")).save(tmp_path / "policy")
    write_tiny_model(folder, NAMED, sizes, seed=1)
    with pytest.raises(UserError, match="is not the backbone that the policy"):
        load_policy(tmp_path / "policy")


def test_two_backbones_of_one_width_get_the_same_head(tiny):
    hands = [
        policy(BackboneConfig(spec=f"hf:{tiny}", tap=tap)).net.head.state_dict()
        for tap in ("1:pre", "2:post")
    ]
    assert all(torch.equal(hands[0][name], hands[1][name]) for name in hands[0])
