"""One small model and one small dataset for all tests of training; models are not to be changed."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from transformers.utils import logging as transformers_logging

sys.path.append(str(Path(__file__).parents[1] / "evaluation"))

from training_data import TEXTS, write_noise

from xvr.training.tiny_model import TinyModel, write_tiny_model

SIZES = TinyModel(
    hidden_size=32, layers=1, heads=2, vision_hidden_size=32, vision_layers=1, context=600
)


@pytest.fixture(scope="session", autouse=True)
def _offline_and_on_one_core() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen3-VL of 40,000 weights."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny", TEXTS, SIZES)


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of 16 questions about noise, and of 4 held out; not to be changed."""
    return write_noise(tmp_path_factory.mktemp("data") / "noise", train=16, valid=4)
