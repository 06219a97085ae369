from dataclasses import replace

import numpy as np
import pytest
import torch

from xvr.errors import UserError
from xvr.evaluation.models.loading import Checkpoint, load_model
from xvr.training.tiny_model import TinyModel, write_tiny_model
from xvr.vla.backbones.config import BackboneConfig, make_backbone
from xvr.vla.backbones.hf import language_stack

CAMERAS = ("left_view", "wrist_view")
TEXTS = ("press it", "press the round button on the left")
SIZES = TinyModel(hidden_size=32, layers=4, heads=2, vision_hidden_size=32, vision_layers=2)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"), TEXTS, SIZES)


def images(count=2, seed=0):
    rng = np.random.default_rng(seed)
    return {name: rng.integers(0, 256, (count, 48, 48, 3), dtype=np.uint8) for name in CAMERAS}


def backbone(tiny, **changes):
    torch.manual_seed(0)
    return make_backbone(BackboneConfig(spec=f"hf:{tiny}", **changes), CAMERAS, "cpu")


def tokens_of(one, pictures=None, texts=TEXTS):
    return one(one.prepare(pictures or images(), texts))


@pytest.mark.parametrize("layer", [1, 2, 4])
def test_the_tap_is_what_the_layer_above_would_be_given(tiny, layer):
    """Qwen3-VL adds visual features to the output of its first blocks; the tap has them too."""
    whole = load_model(Checkpoint.of(str(tiny)), device="cpu")
    language = language_stack(whole.base_model, "tiny")
    above = [*language.layers, language.norm][layer]
    given = []
    above.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    one = backbone(tiny, tap=f"{layer}:pre")
    with torch.no_grad():
        whole(**one.prepare(images(), TEXTS))
        before = tokens_of(one).tokens
        after = tokens_of(backbone(tiny, tap=f"{layer}:post")).tokens
        torch.testing.assert_close(before, given[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(after, language.norm(given[0]), rtol=0, atol=1e-6)


def test_layers_above_the_tap_and_the_output_head_are_dropped(tiny):
    one = backbone(tiny, tap="2:pre")
    assert len(language_stack(one.model, "tiny").layers) == 2
    assert not hasattr(one.model, "lm_head")


def test_an_observation_has_the_same_features_alone_and_beside_a_longer_one(tiny):
    one = backbone(tiny, tap="3:pre")
    pictures = images()
    with torch.no_grad():
        both = tokens_of(one, pictures)
        alone = tokens_of(one, {k: v[:1] for k, v in pictures.items()}, TEXTS[:1])
    assert not both.mask[0].all()
    assert both.mask[1].all()
    torch.testing.assert_close(both.tokens[0][both.mask[0]], alone.tokens[0], rtol=0, atol=1e-5)


def test_tokens_of_pictures_are_told_from_those_of_text(tiny):
    one = backbone(tiny, tap="2:pre")
    features = tokens_of(one)
    assert features.is_image.sum(1).tolist() == [18, 18]  # 48 / 16 squared, two cameras
    assert not (features.is_image & ~features.mask).any()


def test_exchanged_cameras_change_the_features(tiny):
    one = backbone(tiny, tap="4:pre")
    pictures = images()
    swapped = dict(zip(CAMERAS, [pictures[name] for name in CAMERAS[::-1]], strict=True))
    with torch.no_grad():
        assert not torch.allclose(tokens_of(one, pictures).tokens, tokens_of(one, swapped).tokens)


def trained_names(one):
    return {name for name, weight in one.named_parameters() if weight.requires_grad}


def test_only_what_is_asked_for_is_trained(tiny):
    frozen = backbone(tiny, tap="3:pre")
    assert trained_names(frozen) == set()
    assert not frozen.train().model.training
    top = trained_names(backbone(tiny, tap="3:pre", tune="top-1"))
    assert top
    assert all(".layers.2." in name for name in top)
    full = trained_names(backbone(tiny, tap="3:post", tune="full"))
    assert any(".layers.0." in name for name in full)
    assert any("embed_tokens" in name for name in full)
    assert not any("visual" in name for name in full)
    vision = trained_names(backbone(tiny, tap="3:pre", tune_vision=True))
    assert vision
    assert all("visual" in name for name in vision)


def test_lora_trains_small_matrices_and_changes_nothing_at_first(tiny):
    one = backbone(tiny, tap="3:pre", tune="lora", lora_rank=2)
    names = trained_names(one)
    assert names
    assert all("lora_" in name and ".layers." in name for name in names)
    with torch.no_grad():
        plain = tokens_of(backbone(tiny, tap="3:pre")).tokens
        torch.testing.assert_close(tokens_of(one).tokens, plain)
    tokens_of(one).tokens.square().mean().backward()
    assert any(
        weight.grad is not None and weight.grad.abs().sum() > 0
        for name, weight in one.named_parameters()
        if "lora_B" in name
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tap": "5:pre"}, "has 4 layers: --tap 5:pre is above"),
        ({"tap": "2:pre", "tune": "top-3"}, "the tap 2:pre leaves 2 layers"),
        ({"tap": "two"}, "write LAYER:pre or LAYER:post"),
        ({"tune": "some"}, "write frozen, lora, top-K"),
        ({"lora_rank": 0}, "write at least 1"),
    ],
)
def test_what_cannot_be_tapped_or_tuned_is_told(tiny, changes, told):
    with pytest.raises(UserError, match=told):
        backbone(tiny, **changes)


def test_an_unknown_backbone_is_told():
    with pytest.raises(UserError, match="write hf:ID or hf:FOLDER"):
        BackboneConfig(spec="resnet")
    with pytest.raises(UserError, match="no model folder at '/nowhere'"):
        make_backbone(replace(BackboneConfig(), spec="hf:/nowhere"), CAMERAS, "cpu")
