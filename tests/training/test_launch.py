from pathlib import Path

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file

import xvr.training

FOLDER = Path(xvr.training.__file__).parent / "launch"
KINDS = {"ddp": "MULTI_GPU", "fsdp": "FSDP", "zero2": "DEEPSPEED", "zero3": "DEEPSPEED"}


def test_every_launch_configuration_is_known():
    assert {path.stem for path in FOLDER.iterdir()} == set(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_accelerate_reads_the_launch_configurations(name):
    config = load_config_from_file(str(FOLDER / f"{name}.yaml"))
    assert isinstance(config, ClusterConfig)
    assert config.distributed_type == KINDS[name]
    assert (config.num_processes, config.mixed_precision) == (8, "bf16")


def test_sharded_checkpoints_are_written_whole():
    assert "fsdp_state_dict_type: FULL_STATE_DICT" in (FOLDER / "fsdp.yaml").read_text()
    assert "zero3_save_16bit_model: true" in (FOLDER / "zero3.yaml").read_text()


def test_the_layers_that_fsdp_wraps_are_in_transformers():
    from transformers.models.qwen3_vl import modeling_qwen3_vl

    config = load_config_from_file(str(FOLDER / "fsdp.yaml"))
    assert isinstance(config, ClusterConfig)
    for layer in config.fsdp_config["fsdp_transformer_layer_cls_to_wrap"].split(","):
        assert hasattr(modeling_qwen3_vl, layer)
