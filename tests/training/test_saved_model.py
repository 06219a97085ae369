import json
from types import SimpleNamespace

import pytest

from xvr.evaluation.models.loading import Checkpoint
from xvr.training.parameters import part_of
from xvr.training.saved_model import VIDEO_SETTINGS, complete, let_stop, set_pixels


class Processor:
    """Stands for one of Qwen3-VL, without its video part."""


def test_a_saved_model_has_the_video_settings_of_its_base(tmp_path):
    base, saved = tmp_path / "base", tmp_path / "saved"
    for folder in (base, saved):
        folder.mkdir()
    (base / VIDEO_SETTINGS).write_text('{"video_processor_type": "Qwen3VLVideoProcessor"}')
    (saved / "processor_config.json").write_text('{"image_processor": {}}')
    complete(saved, Checkpoint.of(str(base)), Processor())
    assert (saved / VIDEO_SETTINGS).read_text() == (base / VIDEO_SETTINGS).read_text()
    settings = json.loads((saved / "processor_config.json").read_text())
    assert settings["processor_class"] == "Processor"


def test_a_base_without_video_settings_gives_none(tmp_path):
    complete(tmp_path, Checkpoint.of(str(tmp_path)), Processor())
    assert not (tmp_path / VIDEO_SETTINGS).exists()


@pytest.mark.parametrize(
    ("before", "after"), [(None, 7), (7, 7), ([5, 7], [5, 7]), (5, [5, 7]), ([5], [5, 7])]
)
def test_generation_stops_at_the_token_that_ends_answers(before, after):
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=before))
    let_stop(model, 7)
    assert model.generation_config.eos_token_id == after


def test_the_processor_is_saved_with_the_pixels_of_the_training():
    processor = SimpleNamespace(image_processor=SimpleNamespace(size={"shortest_edge": 1}))
    set_pixels(processor, {"shortest_edge": 2, "longest_edge": 3})
    assert processor.image_processor.size == {"shortest_edge": 2, "longest_edge": 3}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("model.visual.blocks.0.attn.qkv.weight", "vision"),
        ("model.visual.merger.linear_fc1.weight", "merger"),
        ("model.visual.deepstack_merger_list.0.norm.bias", "merger"),
        ("model.language_model.layers.0.mlp.up_proj.weight", "language"),
        ("lm_head.weight", "language"),
        ("model.vision_tower.encoder.layer.0.weight", "vision"),
        ("model.multi_modal_projector.linear_1.weight", "merger"),
        ("base_model.model.model.language_model.layers.0.lora_A.default.weight", "language"),
    ],
)
def test_parameters_are_told_apart_by_their_names(name, part):
    assert part_of(name) == part
