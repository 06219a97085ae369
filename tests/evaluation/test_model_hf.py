import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from noise_questions import picture, prompt
from tiny_models import IMAGES_FIRST, write_internvl, write_paligemma, write_qwen3_vl
from transformers.utils import logging as transformers_logging

from xvr.errors import UserError
from xvr.evaluation.item import Prompt
from xvr.evaluation.model import Answer, Failure
from xvr.evaluation.models.hf import LocalModel, make
from xvr.evaluation.models.loading import Checkpoint, load_model, load_processor
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.models.prompt_tensors import check_images

SHORT = ModelOptions(max_new_tokens=5, device="cpu")
PROMPTS = [prompt(seed) for seed in range(4)]


@pytest.fixture(scope="module", autouse=True)
def _offline_and_on_one_core() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_qwen3_vl(tmp_path_factory.mktemp("qwen3_vl"))


@pytest.fixture(scope="module")
def paligemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_paligemma(tmp_path_factory.mktemp("paligemma"))


@pytest.fixture(scope="module")
def internvl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_internvl(tmp_path_factory.mktemp("internvl"))


@pytest.fixture(params=["qwen", "paligemma", "internvl"])
def folder(request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue(request.param)


def texts(answers: list[Answer | Failure]) -> list[str]:
    return [answer.text for answer in answers if isinstance(answer, Answer)]


def test_a_batch_gives_what_single_questions_give(folder):
    single = make(str(folder), SHORT)
    alone = [single.answer([one])[0] for one in PROMPTS]
    together = make(str(folder), replace(SHORT, batch_size=4)).answer(PROMPTS)
    assert alone == together
    assert len(set(texts(together))) > 1, "random weights should tell these questions apart"


def test_the_probabilities_of_a_batch_are_those_of_single_questions(folder):
    model = make(str(folder), SHORT)

    def last_logits(prompts: list[Prompt]) -> torch.Tensor:
        with torch.inference_mode():
            return model._model(**model._inputs(prompts)).logits[:, -1]

    alone = torch.cat([last_logits([one]) for one in PROMPTS])
    torch.testing.assert_close(last_logits(PROMPTS), alone, rtol=1e-4, atol=1e-4)


def test_swapping_two_images_changes_what_the_model_computes(folder):
    model = make(str(folder), SHORT)
    parts = PROMPTS[0].parts
    swapped = Prompt(item_id="swapped", parts=(*parts[:2], parts[4], parts[3], parts[2], parts[6]))
    with torch.inference_mode():
        logits = [model._model(**model._inputs([p])).logits[0, -1] for p in (PROMPTS[0], swapped)]
    assert not torch.allclose(logits[0], logits[1])


def test_the_model_reads_texts_and_images_in_the_order_of_the_question(qwen):
    model = make(str(qwen), SHORT)
    tokens = model._inputs([PROMPTS[0]])["input_ids"][0]
    shown = model._processor.tokenizer.decode(tokens)
    while "<|image_pad|><|image_pad|>" in shown:
        shown = shown.replace("<|image_pad|><|image_pad|>", "<|image_pad|>")
    image = "<|vision_start|><|image_pad|><|vision_end|>"
    assert shown == (
        "<|im_start|>user\nThree views of one room.\nImage 1 (Reference): "
        f"{image}Image 2:\n{image}{image}Which one is odd?<|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_question_without_images_is_answered_beside_one_with_images(qwen):
    blind = Prompt(item_id="blind", parts=("No image here.",))
    model = make(str(qwen), replace(SHORT, batch_size=2))
    together = model.answer([blind, PROMPTS[0]])
    assert together == [model.answer([blind])[0], model.answer([PROMPTS[0]])[0]]


def test_a_model_that_needs_images_says_so(paligemma):
    with pytest.raises(UserError, match=r"refuses blind: .* expected"):
        make(str(paligemma), SHORT).answer([Prompt(item_id="blind", parts=("No image.",))])


def test_a_template_that_moves_images_to_the_front_is_refused(qwen, tmp_path):
    moved = shutil.copytree(qwen, tmp_path / "moved")
    (moved / "chat_template.jinja").write_text(IMAGES_FIRST)
    with pytest.raises(UserError, match="changes the order of texts and images"):
        make(str(moved), SHORT).answer(PROMPTS[:1])
    images_first = Prompt(item_id="one", parts=(picture(1), "What is it?"))
    assert isinstance(make(str(moved), SHORT).answer([images_first])[0], Answer)


def test_a_template_that_shows_one_image_only_is_refused(qwen, tmp_path):
    cut = shutil.copytree(qwen, tmp_path / "cut")
    (cut / "chat_template.jinja").write_text(
        "<|image_pad|>{% for block in messages[0].content %}{{ block.text or '' }}{% endfor %}"
    )
    with pytest.raises(UserError, match="shows 1 of the 3 images of item item_0"):
        make(str(cut), SHORT).answer(PROMPTS[:1])


def test_a_processor_that_moves_images_to_the_front_is_refused(paligemma):
    model = make(str(paligemma), SHORT)
    kind = type(model._processor)

    class Mover(kind):
        def prepare_inputs_layout(self, images=None, text=None, **kwargs):
            marks = [sample.count("<image>") * "<image>" for sample in text or []]
            text = [m + s.replace("<image>", "") for m, s in zip(marks, text or [], strict=True)]
            return super().prepare_inputs_layout(images=images, text=text, **kwargs)

    model._processor.__class__ = Mover
    with pytest.raises(UserError, match="changes the order of texts and images"):
        model.answer(PROMPTS[:1])


def test_a_processor_that_cuts_long_prompts_is_refused(qwen):
    model = make(str(qwen), SHORT)
    processor = model._processor

    class Cutter:
        def __getattr__(self, name: str) -> Any:
            return getattr(processor, name)

        def __call__(self, **kwargs: Any) -> Any:
            inputs = processor(**kwargs)
            inputs["input_ids"] = inputs["input_ids"][:, :60]
            return inputs

    model._processor = Cutter()
    with pytest.raises(UserError, match="image tokens of item item_0: its processor cuts"):
        model.answer(PROMPTS[:1])


def test_a_processor_that_does_not_tell_where_images_go_is_refused(qwen):
    processor = make(str(qwen), SHORT)._processor
    with pytest.raises(UserError, match="does not tell where it puts images"):
        check_images(processor, [[1]], None, PROMPTS[:1], "it")


def test_a_text_with_the_mark_of_an_image_fails_alone(qwen):
    model = make(str(qwen), replace(SHORT, batch_size=3))
    marked = Prompt(item_id="marked", parts=(picture(1), "What is <|image_pad|>?"))
    first, middle, last = model.answer([PROMPTS[0], marked, PROMPTS[1]])
    assert isinstance(middle, Failure)
    assert middle.kind == "image_mark_in_text"
    assert [first, last] == model.answer(PROMPTS[:2])


class SmallMemory:
    """Holds `most` questions at a time, as a GPU would."""

    def __init__(self, model: LocalModel, most: int) -> None:
        self.sizes: list[int] = []
        generate = model._model.generate

        def limited(**inputs: Any) -> Any:
            self.sizes.append(len(inputs["input_ids"]))
            if self.sizes[-1] > most:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\nmore")
            return generate(**inputs)

        model._model.generate = limited


def test_a_batch_that_does_not_fit_is_halved_for_good(qwen):
    expected = make(str(qwen), SHORT).answer(PROMPTS)
    model = make(str(qwen), replace(SHORT, batch_size=4))
    memory = SmallMemory(model, most=1)
    assert model.answer(PROMPTS) == expected
    assert model.answer(PROMPTS) == expected
    assert memory.sizes == [4, 2, *8 * [1]]


def test_a_question_that_does_not_fit_alone_is_a_failure(qwen):
    model = make(str(qwen), replace(SHORT, batch_size=2))
    SmallMemory(model, most=0)
    answers = model.answer(PROMPTS)
    assert [(a.kind, a.message) for a in answers if isinstance(a, Failure)] == 4 * [
        ("out_of_memory", "CUDA out of memory. Tried to allocate")
    ]


def test_random_answers_depend_on_the_seed_and_the_item_alone(qwen):
    options = replace(SHORT, temperature=2.0, seed=3, batch_size=4)
    model = make(str(qwen), options)
    assert model.batch_size == 1
    answers = model.answer(PROMPTS)
    assert make(str(qwen), options).answer(PROMPTS[::-1]) == answers[::-1]
    assert make(str(qwen), replace(options, seed=4)).answer(PROMPTS) != answers


def test_tokens_are_counted_without_padding_and_up_to_the_end_token(qwen):
    model = make(str(qwen), replace(SHORT, batch_size=2))
    end = model._model.generation_config.eos_token_id
    answer = model._read(7, [65, 66, end, 0, 0])
    assert (answer.input_tokens, answer.output_tokens) == (7, 3)
    assert answer.details == {"stop_reason": "stop"}
    short, long = model.answer([PROMPTS[0], PROMPTS[3]])
    assert long.input_tokens - short.input_tokens == 3 * len(" Look well.")  # pyright: ignore
    assert short.output_tokens == 5  # pyright: ignore
    assert short.details == {"stop_reason": "length"}  # pyright: ignore


def test_limits_on_pixels_change_what_qwen_sees_and_are_recorded(qwen):
    fewer = make(str(qwen), replace(SHORT, min_image_pixels=256, max_image_pixels=1024))
    usual = make(str(qwen), SHORT)
    few, many = (m.answer(PROMPTS[:1])[0] for m in (fewer, usual))
    assert few.input_tokens < many.input_tokens  # pyright: ignore
    assert (fewer.decoding["min_image_pixels"], fewer.decoding["max_image_pixels"]) == (256, 1024)
    assert usual.decoding["max_image_pixels"] == 128 * 128


def test_limits_on_pixels_are_refused_where_they_mean_nothing(qwen, paligemma):
    with pytest.raises(UserError, match="leave out --min-image-pixels"):
        make(str(paligemma), replace(SHORT, max_image_pixels=10_000))
    with pytest.raises(UserError, match="at least 1024 and at most 512 pixels"):
        make(str(qwen), replace(SHORT, max_image_pixels=512))


def test_the_revision_follows_every_file_of_the_model(qwen, tmp_path):
    copy = shutil.copytree(qwen, tmp_path / "copy")
    (copy / "README.md").write_text("not part of the model")
    assert make(str(copy), SHORT).revision == make(str(qwen), SHORT).revision
    template = copy / "chat_template.jinja"
    template.write_text(template.read_text() + "{# changed #}")
    assert make(str(copy), SHORT).revision != make(str(qwen), SHORT).revision


def test_what_changes_answers_is_recorded(qwen):
    greedy = make(str(qwen), SHORT)
    assert greedy.name == f"hf:{qwen}"
    assert greedy.revision.startswith("sha256:")
    assert greedy.decoding["temperature"] == 0.0
    assert greedy.decoding["dtype"] == "float32"
    assert "seed" not in greedy.decoding
    assert make(str(qwen), replace(SHORT, temperature=0.5)).decoding["seed"] == 0
    assert make(str(qwen), replace(SHORT, dtype="bfloat16")).decoding["dtype"] == "bfloat16"


def test_a_saved_processor_names_the_class_that_others_know(qwen, tmp_path):
    processor = load_processor(Checkpoint.of(str(qwen)))
    processor.save_pretrained(tmp_path)
    assert "Qwen3VLProcessor" in (tmp_path / "processor_config.json").read_text()
    shutil.copy(qwen / "config.json", tmp_path)
    assert type(load_processor(Checkpoint.of(str(tmp_path)))).__name__ == "Qwen3VLProcessor"


def test_a_checkpoint_without_some_weights_is_refused(qwen, tmp_path):
    from safetensors.torch import load_file, save_file

    torn = shutil.copytree(qwen, tmp_path / "torn")
    weights = load_file(torn / "model.safetensors")
    gone = next(name for name in weights if "visual" in name)
    del weights[gone]
    save_file(weights, torn / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match="lacks 1 weights"):
        load_model(Checkpoint.of(str(torn)), device="cpu")


def test_weights_that_were_cut_short_are_refused(qwen, tmp_path):
    cut = shutil.copytree(qwen, tmp_path / "cut")
    weights = cut / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UserError, match=f"cannot load {cut}"):
        load_model(Checkpoint.of(str(cut)), device="cpu")


def test_a_template_that_lies_with_the_tokenizer_is_used(qwen, tmp_path):
    moved = shutil.copytree(qwen, tmp_path / "moved")
    template = (moved / "chat_template.jinja").read_text()
    (moved / "chat_template.jinja").unlink()
    settings = json.loads((moved / "tokenizer_config.json").read_text())
    (moved / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": template}))
    model = make(str(moved), SHORT)
    assert model.decoding["prompt"] == "chat_template"
    assert model.answer(PROMPTS[:1]) == make(str(qwen), SHORT).answer(PROMPTS[:1])


def test_a_checkpoint_laid_out_as_on_the_hub_is_read_without_torchvision(qwen, tmp_path):
    hub = shutil.copytree(qwen, tmp_path / "hub")
    images = json.loads((hub / "preprocessor_config.json").read_text())
    names = {
        "processor_class": "Qwen3VLProcessor",
        "image_processor_type": "Qwen2VLImageProcessorFast",
    }
    (hub / "preprocessor_config.json").write_text(json.dumps(images | names))
    videos = {**images, **names, "video_processor_type": "Qwen3VLVideoProcessor"}
    (hub / "video_preprocessor_config.json").write_text(json.dumps(videos))
    template = (hub / "chat_template.jinja").read_text()
    (hub / "chat_template.jinja").unlink()
    (hub / "chat_template.json").write_text(json.dumps({"chat_template": template}))
    answers = make(str(hub), SHORT).answer(PROMPTS[:1])
    assert answers == make(str(qwen), SHORT).answer(PROMPTS[:1])


def test_an_unreadable_image_is_named(qwen):
    broken = replace(picture(1), read=lambda: b"\xff\xd8no image")
    with pytest.raises(UserError, match=r"images/1\.png"):
        make(str(qwen), SHORT).answer([Prompt(item_id="a", parts=(broken, "What?"))])


@pytest.mark.parametrize("text", ["./nowhere", "/nowhere/at/all", "a/b/c", "@main"])
def test_what_is_neither_folder_nor_id_is_refused(text):
    with pytest.raises(UserError, match="give a folder"):
        Checkpoint.of(text)


def test_a_folder_may_start_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "model").mkdir()
    assert Checkpoint.of("~/model") == Checkpoint(source=str(tmp_path / "model"))


def test_an_id_may_name_a_revision():
    assert Checkpoint.of("org/name@v1") == Checkpoint(source="org/name", revision="v1")
    assert Checkpoint.of("org/name") == Checkpoint(source="org/name")


def test_a_model_that_is_not_there_is_named():
    with pytest.raises(UserError, match="cannot load nobody/nothing at revision v1"):
        make("nobody/nothing@v1", SHORT)


def test_a_folder_that_holds_no_vision_language_model_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match=str(tmp_path)):
        make(str(tmp_path), SHORT)
