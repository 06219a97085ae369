"""The export for TRL, read and trained on by TRL itself with a model of a few thousand weights."""

from collections import Counter

import pytest

from xvr.dataset.reader import read_split
from xvr.evaluation.models.loading import Checkpoint, load_model, load_processor
from xvr.exchange.export import export
from xvr.exchange.prompts import typed_content
from xvr.training.tiny_model import TinyModel, write_tiny_model

trl = pytest.importorskip("trl")

SIZES = TinyModel(hidden_size=32, layers=1, heads=2, vision_hidden_size=32, vision_layers=1)
IMAGE = "<|vision_start|><|image_pad|><|vision_end|>"


@pytest.fixture(scope="module")
def trainer(small, tmp_path_factory):
    """As the README of an export says, on a CPU."""
    from datasets import load_dataset

    root = tmp_path_factory.mktemp("trl")
    export(small, root / "out", "trl", splits=["train"])
    rows = load_dataset(str(root / "out"), split="train", cache_dir=str(root / "cache"))
    checkpoint = Checkpoint.of(str(write_tiny_model(root / "model", ["Image 1:"], SIZES)))
    settings = trl.SFTConfig(
        output_dir=str(root / "run"),
        max_length=None,
        max_steps=1,
        per_device_train_batch_size=2,
        use_cpu=True,
        bf16=False,
        activation_checkpointing=False,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
    )
    return trl.SFTTrainer(
        model=load_model(checkpoint, dtype="float32", device="cpu"),
        args=settings,
        train_dataset=rows,
        processing_class=load_processor(checkpoint),
    )


def test_it_trains_on_the_answers_alone_and_sees_images_where_the_question_has_them(trainer, small):
    asked = Counter()
    for sample, _ in read_split(small, "train"):
        parts = typed_content(sample)
        text = "".join(IMAGE if part["type"] == "image" else part["text"] for part in parts)
        asked[f"<|im_start|>user\n{text}<|im_end|>\n", sample.ground_truth_answer] += 1
    tokenizer = trainer.processing_class.tokenizer
    seen = Counter()
    for batch in trainer.get_train_dataloader():
        for tokens, labels in zip(batch["input_ids"], batch["labels"], strict=True):
            text = tokenizer.decode(tokens[labels == -100]).split("<|im_start|>assistant")[0]
            while "<|image_pad|><|image_pad|>" in text:
                text = text.replace("<|image_pad|><|image_pad|>", "<|image_pad|>")
            answer = tokenizer.decode(labels[labels != -100])
            seen[text, answer.split("<|im_end|>")[0]] += 1
    assert seen == asked


def test_it_takes_a_step(trainer):
    assert trainer.train().training_loss > 0
