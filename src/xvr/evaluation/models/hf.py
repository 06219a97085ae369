"""`hf:PATH`, `hf:ID` or `hf:ID@REVISION`: a vision-language model run here by `transformers`.

Any image-text-to-text model whose processor says where it puts images: Qwen3-VL, InternVL,
PaliGemma 2 and others. Without a chat template (PaliGemma) the marks of the images stand in the
plain text. `interleaving` refuses a model that would see another order.

Greedy unless a temperature is given; then items are answered one at a time, each with random
numbers from the seed and its own id, so that batches and restarts change nothing.
"""

import hashlib
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from xvr.errors import Unusable, UserError
from xvr.evaluation.item import Picture, Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.loading import Checkpoint, fingerprint, load_model, load_processor
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.prompt_tensors import image_mark, prompt_tensors
from xvr.sources.pixels import decode_image


def make(rest: str, options: ModelOptions) -> "LocalModel":
    """The model of `hf:REST`.

    Raises:
        UserError: it cannot be loaded, takes no images, or not the image sizes asked for.
    """
    checkpoint = Checkpoint.of(rest)
    processor = load_processor(checkpoint)
    size = image_size(processor, options, checkpoint.source)
    model = load_model(checkpoint, dtype=options.dtype, device=options.device)
    model.generation_config = generation(model.generation_config, processor, options)
    return LocalModel(
        name=f"hf:{rest}",
        revision=fingerprint(checkpoint, model),
        processor=processor,
        model=model,
        options=options,
        size=size,
    )


class LocalModel:
    """A model and its processor, asked in batches."""

    concurrency = 1

    def __init__(
        self,
        *,
        name: str,
        revision: str,
        processor: Any,
        model: Any,
        options: ModelOptions,
        size: Mapping[str, int] | None = None,
    ) -> None:
        """Takes what `make` has loaded; `size` as `image_size` gives it."""
        self.name = name
        self.revision = revision
        self._processor = processor
        self._model: Any = model
        self._size = dict(size) if size else None
        self._seed = options.seed
        self._samples = bool(model.generation_config.do_sample)
        self._mark = image_mark(processor, name)
        self.batch_size = self._most = 1 if self._samples else options.batch_size
        self.decoding = self._decoding(options)

    def answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """One answer or failure for each prompt, in order.

        Raises:
            UserError: the model changes the order of texts and images, or an image is unreadable.
        """
        results: dict[int, Answer | Failure] = {}
        shown: list[int] = []
        blind: list[int] = []
        for i, prompt in enumerate(prompts):
            if any(self._mark in part for part in prompt.parts if isinstance(part, str)):
                message = f"a text of item {prompt.item_id} has {self._mark}, the mark of an image"
                results[i] = Failure(kind="image_mark_in_text", message=message)
            else:
                (shown if prompt.pictures else blind).append(i)
        for group in (shown, blind):  # processors take no batch where only some have images
            answers = self._answer([prompts[i] for i in group])
            results.update(zip(group, answers, strict=True))
        return [results[i] for i in range(len(prompts))]

    def close(self) -> None:
        """Frees the memory."""
        import torch

        self._model = None
        torch.cuda.empty_cache()

    def _decoding(self, options: ModelOptions) -> dict[str, Any]:
        settings = self._model.generation_config
        decoding: dict[str, Any] = {
            "max_new_tokens": options.max_new_tokens,
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "prompt": "chat_template" if self._processor.chat_template else "image_marks",
        }
        if self._samples:
            decoding["seed"] = options.seed
            for name in ("temperature", "top_p", "top_k"):
                decoding[name] = getattr(settings, name)
        else:
            decoding["temperature"] = 0.0
        if settings.repetition_penalty not in (None, 1.0):
            decoding["repetition_penalty"] = settings.repetition_penalty
        if self._size:
            decoding["min_image_pixels"] = self._size["shortest_edge"]
            decoding["max_image_pixels"] = self._size["longest_edge"]
        return decoding

    def _answer(self, prompts: Sequence[Prompt]) -> list[Answer | Failure]:
        """In batches, halved for good where the memory does not hold one."""
        import torch

        answers: list[Answer | Failure] = []
        while len(answers) < len(prompts):
            batch = prompts[len(answers) : len(answers) + self._most]
            try:
                answers += self._generate(batch)
                continue
            except torch.OutOfMemoryError as error:
                message = str(error).split("\n")[0]
            # Outside of the handler, whose traceback holds the tensors.
            torch.cuda.empty_cache()
            if len(batch) == 1:
                answers.append(Failure(kind="out_of_memory", message=message))
            self._most = max(1, len(batch) // 2)
        return answers

    def _generate(self, prompts: Sequence[Prompt]) -> list[Answer]:
        import torch

        inputs = self._inputs(prompts).to(self._model.device, self._model.dtype)
        with torch.random.fork_rng(enabled=self._samples), torch.inference_mode():
            if self._samples:
                torch.manual_seed(_item_seed(self._seed, prompts[0].item_id))
            tokens = self._model.generate(**inputs)
        read = inputs["attention_mask"].sum(dim=1).tolist()
        written = tokens[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._read(*pair) for pair in zip(read, written, strict=True)]

    def _read(self, read: int, written: list[int]) -> Answer:
        settings = self._model.generation_config
        ends = settings.eos_token_id
        ends = set(ends) if isinstance(ends, list) else {ends}
        length = next((i + 1 for i, token in enumerate(written) if token in ends), len(written))
        stopped = bool(written) and written[length - 1] in ends
        return Answer(
            text=self._processor.tokenizer.decode(
                written[:length], skip_special_tokens=True
            ).strip(),
            input_tokens=read,
            output_tokens=length,
            details={"stop_reason": "stop" if stopped else "length"},
        )

    def _inputs(self, prompts: Sequence[Prompt]) -> Any:
        images = [[_image(picture) for picture in prompt.pictures] for prompt in prompts]
        found = prompt_tensors(self._processor, prompts, images, size=self._size, who=self.name)
        return found.inputs


def image_size(processor: Any, options: ModelOptions, who: str) -> dict[str, int] | None:
    """Fewest and most pixels of an image, as processors of Qwen's kind take them; None for others.

    Raises:
        UserError: limits are asked for and the processor has images of one size only.
    """
    images = processor.image_processor
    size = dict(images.size or {})
    if not hasattr(images, "merge_size") or not {"shortest_edge", "longest_edge"} <= size.keys():
        if options.min_image_pixels or options.max_image_pixels:
            raise UserError(
                f"{who}: its processor ({type(images).__name__}) decides about the size of images; "
                "leave out --min-image-pixels and --max-image-pixels"
            )
        return None
    limits = {
        "shortest_edge": options.min_image_pixels or size["shortest_edge"],
        "longest_edge": options.max_image_pixels or size["longest_edge"],
    }
    if limits["shortest_edge"] > limits["longest_edge"]:
        raise UserError(
            f"{who}: images of at least {limits['shortest_edge']} and at most "
            f"{limits['longest_edge']} pixels are asked for; give both --min-image-pixels and "
            "--max-image-pixels"
        )
    return limits


def generation(given: Any, processor: Any, options: ModelOptions) -> Any:
    """The checkpoint's own settings with ours in place; it keeps end tokens and penalties.

    Args:
        given: settings of the checkpoint.
        processor: has the padding token.
        options: ours.
    """
    settings = deepcopy(given)
    settings.max_new_tokens, settings.max_length = options.max_new_tokens, None
    if settings.pad_token_id is None:
        settings.pad_token_id = processor.tokenizer.pad_token_id
    if options.temperature is not None:
        settings.do_sample = options.temperature > 0
        settings.num_beams = 1
        settings.temperature = options.temperature or None
        # None would bring back the library's own top_k of 50
        settings.top_p, settings.top_k = (1.0, 0) if settings.do_sample else (None, None)
    return settings


def _image(picture: Picture) -> Any:
    from PIL import Image

    try:
        return Image.fromarray(decode_image(picture.read(), picture.name))
    except Unusable as error:
        raise UserError(f"image {picture.name}: {error.detail}; restore the file") from error


def _item_seed(seed: int, item_id: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{item_id}".encode()).digest()[:7], "big")
