import re

import numpy as np
import pytest
from training_data import TEXTS, config, write_noise

from xvr.cli import main
from xvr.sources.pixels import decode_image
from xvr.training.samples import DataSpec, open_source
from xvr.training.seen import first_batch
from xvr.viewer.training import write_batch


@pytest.fixture(scope="module")
def batch(noise, tiny, tmp_path_factory):
    return first_batch(
        config(noise, tiny, tmp_path_factory.mktemp("x"), device_batch_size=3), print
    )


def test_images_are_told_back_from_what_the_model_computes_with(batch, noise):
    source = open_source(DataSpec(path=noise))
    shown = {image.name: image.pixels for sample in batch.samples for image in sample.images}
    files = {p.name: p for line in range(16) for p in source.example(line).prompt.pictures}
    assert len(shown) == 6
    for name, pixels in shown.items():  # 32 x 48 pixels need no resizing
        assert np.array_equal(pixels, decode_image(files[name].read(), name))


def test_every_token_is_told_once(batch):
    for sample in batch.samples:
        assert sample.padding + sum(piece.tokens for piece in sample.pieces) == batch.tokens
        kinds = [piece.kind for piece in sample.pieces]
        assert kinds == ["prompt", "image", "prompt", "image", "prompt", "answer"]
        assert sample.pieces[-1].text in {f"{text}<|im_end|>" for text in (*TEXTS, "1", "2")}


def test_the_page_marks_what_is_trained_on(batch, tmp_path):
    text = write_batch(batch, tmp_path / "pages" / "check.html").read_text()
    answers = re.findall(r'<mark class="answer">(\w+)&lt;\|im_end\|&gt;</mark>', text)
    assert answers == [
        sample.pieces[-1].text.removesuffix("<|im_end|>") for sample in batch.samples
    ]
    assert text.count("48 x 32 to 48 x 32, 6 tokens") == 6
    assert not re.search(r"https?:", re.sub(r"data:image[^\"]*", "", text))


def test_commands_train_and_show(tiny, tmp_path, capsys):
    data = write_noise(tmp_path / "noise", train=4)
    common = ["--data", str(data), "--model", str(tiny), "--max-image-pixels", "4096"]
    assert (
        main(["train", "check", *common, "--out", str(tmp_path / "c.html"), "--samples", "2"]) == 0
    )
    assert capsys.readouterr().out == f"{tmp_path / 'c.html'}\n"
    run = [*common, "--out", str(tmp_path / "run"), "--steps", "1", "--batch-size", "2"]
    run += ["--device-batch-size", "2", "--workers", "0", "--device", "cpu"]
    assert main(["train", "sft", *run]) == 0
    assert "step 1/1" in capsys.readouterr().err
    assert main(["train", "sft", *run, "--lr", "1e-9"]) == 2
    assert "recipe.lr 1e-05, now it is 1e-09" in capsys.readouterr().err
