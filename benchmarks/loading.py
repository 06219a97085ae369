"""How fast samples are loaded for training, against decoding their images and nothing else.

    benchmarks/loading.py --data out/dataset --model Qwen/Qwen3-VL-2B-Instruct --samples 40

Times are CPU seconds of this process with one thread, so that other work on the machine counts
little. How many cores feed a GPU follows from an assumption about the GPU, which is printed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from xvr.evaluation.models.loading import Checkpoint, load_processor
from xvr.sources.pixels import decode_image
from xvr.training.collate import Collator, Loaded, pad_token_of
from xvr.training.config import Overrides, TrainConfig, recipe_of
from xvr.training.data import load_data
from xvr.training.encode import decode_images
from xvr.training.sft import make_encoder
from xvr.training.tiny_model import TinyModel, write_tiny_model

GPU_FLOPS = 0.4 * 989e12
"""Assumed: an H100 or H200 at 40 % of its 989 TFLOPS (dense bfloat16, NVIDIA's data sheet)."""
LANGUAGE_WEIGHTS, VISION_WEIGHTS = 1.7e9, 0.4e9
"""Of Qwen3-VL-2B, rounded."""
FLOPS_A_TOKEN = 8 * LANGUAGE_WEIGHTS + 4 * 2 * VISION_WEIGHTS
"""Forward twice and backward (2 + 2 + 4 a weight, with gradient checkpointing) in the language
model, forward of the frozen tower for four patches a token."""


def main() -> int:
    """Measure and print a table."""
    options = arguments()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        model = options.model or str(qwen_like(Path(folder)))
        measure(options, model)
    return 0


def arguments() -> argparse.Namespace:
    """Options of the script."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True, help="dataset with a train split")
    parser.add_argument("--model", help="checkpoint; image settings of Qwen3-VL when left out")
    parser.add_argument("--samples", type=int, default=40)
    return parser.parse_args()


def qwen_like(folder: Path) -> Path:
    """A small checkpoint with the patches and image sizes of Qwen3-VL."""
    sizes = TinyModel(
        hidden_size=64,
        layers=1,
        vision_layers=1,
        patch_size=16,
        context=262_144,
        min_image_pixels=65_536,
        max_image_pixels=16_777_216,
    )
    return write_tiny_model(folder / "model", ["Which image is it?"], sizes)


def measure(options: argparse.Namespace, model: str) -> None:
    """Time every part of loading the same samples."""
    config = TrainConfig(
        data=(options.data,),
        out=Path("none"),
        model=model,
        recipe=recipe_of("xvr", Overrides()),
    )
    begin = time.process_time()
    data = load_data(config, print)
    lines = sum(len(source) for source in data.sources)
    print(f"looking through the data: {1e6 * (time.process_time() - begin) / lines:.0f} us a line")
    processor = load_processor(Checkpoint.of(model))
    encoder = make_encoder(
        config, processor, transformers.AutoConfig.from_pretrained(model), "bfloat16"
    )
    places = [data.order.draw(position) for position in range(options.samples)]
    examples = [data.sources[source].example(line) for source, line in places]
    files = [[p.read() for p in example.prompt.pictures] for example in examples]
    images = [decode_images(example) for example in examples]
    count = sum(map(len, images))
    encoded = [encoder.encode(e, i) for e, i in zip(examples, images, strict=True)]
    tokens = sum(sample.length for sample in encoded)
    collator = Collator(pad_token=pad_token_of(processor, model))

    rows: dict[str, float] = {
        "decode the images": timed(lambda: [[decode_image(f, "") for f in fs] for fs in files]),
        "read and decode": timed(lambda: [decode_images(e) for e in examples]),
        "tensors of decoded samples": timed(
            lambda: [encoder.encode(e, i) for e, i in zip(examples, images, strict=True)]
        ),
        "batches of four": timed(lambda: batches(collator, encoded)),
    }
    whole = rows["read and decode"] + rows["tensors of decoded samples"] + rows["batches of four"]
    rows["all of it"] = whole
    for name, seconds in rows.items():
        print(f"{name:28} {1e3 * seconds / count:7.2f} ms an image {count / seconds:7.0f} images/s")
    print(f"against decoding alone: {whole / rows['decode the images']:.1f} times")
    height, width = images[0][0].shape[:2]
    a_second = GPU_FLOPS / FLOPS_A_TOKEN / (tokens / count)
    print(
        f"{count} images of {width}x{height}, {tokens / count:.0f} tokens an image with its text; "
        f"a GPU at {GPU_FLOPS / 1e12:.0f} TFLOPS (assumed) takes {a_second:.0f} images/s: "
        f"{a_second * whole / count:.1f} cores"
    )


def batches(collator: Collator, encoded: list[Any]) -> None:
    """Put samples together by fours."""
    for begin in range(0, len(encoded), 4):
        collator([Loaded(encoded=sample) for sample in encoded[begin : begin + 4]])


def timed(work: Callable[[], object], times: int = 3) -> float:
    """The fewest CPU seconds of some goes."""
    found = []
    for _ in range(times):
        begin = time.process_time()
        work()
        found.append(time.process_time() - begin)
    return min(found)


if __name__ == "__main__":
    sys.exit(main())
