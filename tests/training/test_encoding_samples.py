from dataclasses import replace

import pytest
import torch
from tiny_models import IMAGES_FIRST, write_internvl, write_paligemma
from training_data import QUICK, config, write_noise

from xvr.errors import Unusable, UserError
from xvr.evaluation.models.loading import Checkpoint, load_model, load_processor
from xvr.training.arguments import training_arguments
from xvr.training.collate import Collator, Loaded, pad_token_of
from xvr.training.encode import IGNORED, decode_images
from xvr.training.samples import DataSpec, open_source
from xvr.training.sft import make_encoder
from xvr.training.trainer import AnswerTrainer


def encoder_of(folder, **changes):
    processor = load_processor(Checkpoint.of(str(folder)))
    model = load_model(Checkpoint.of(str(folder)), device="cpu")
    asked = config("none", folder, folder, **changes)
    return make_encoder(asked, processor, model.config, "float32"), model


def encoded(data, encoder, lines=(0, 3, 5)):
    source = open_source(DataSpec(path=data))
    examples = [source.example(line) for line in lines]
    return [encoder.encode(example, decode_images(example)) for example in examples]


def batch_of(samples, encoder):
    collator = Collator(pad_token=pad_token_of(encoder.processor, "it"))
    return collator([Loaded(encoded=sample) for sample in samples])


def test_the_loss_is_on_the_answer_and_the_end_token_alone(noise, tiny):
    encoder, _ = encoder_of(tiny)
    batch = batch_of(encoded(noise, encoder), encoder)
    tokenizer = encoder.processor.tokenizer
    told = [tokenizer.decode(row[row != IGNORED]) for row in batch["labels"]]
    assert told == ["red<|im_end|>", "2<|im_end|>", "green<|im_end|>"]
    for row, labels in zip(batch["input_ids"], batch["labels"], strict=True):
        trained = labels != IGNORED
        assert torch.equal(row[trained], labels[trained])
        assert bool(trained[-1])  # answers end together: padding is on the left
        assert tokenizer.decode(row[~trained]).endswith("<|im_start|>assistant\n")
    assert not (batch["attention_mask"] == 0)[:, -batch["keep"] :].any()


def test_nine_images_stay_between_their_texts(tmp_path, tiny):
    data = write_noise(tmp_path / "nine", images=9, train=1)
    encoder, _ = encoder_of(tiny)
    (sample,) = encoded(data, encoder, lines=[0])
    text = encoder.processor.tokenizer.decode(sample.inputs["input_ids"][0])
    places = [text.index(f"Image {number}:\n<|vision_start|>") for number in range(1, 10)]
    assert places == sorted(places)
    assert len(sample.images) == 9
    for image in sample.images:
        assert image.grid is not None
        assert image.grid[0] * image.grid[1] == image.count
    # the pixels come in the same order: each image alone has the patches it has among the nine
    patches = sample.inputs["pixel_values"].split(
        sample.inputs["image_grid_thw"].prod(dim=1).tolist()
    )
    example = sample.example
    for picture, mine in zip(decode_images(example), patches, strict=True):
        alone = encoder.processor.image_processor(images=[picture], return_tensors="pt")
        assert torch.equal(alone["pixel_values"], mine)


def test_the_layout_of_a_batch_tells_where_images_are(noise, tiny):
    encoder, _ = encoder_of(tiny)
    batch = batch_of(encoded(noise, encoder), encoder)
    token = encoder.processor.image_token_ids[0]
    for row, images in zip(batch["input_ids"], batch["layout"].images, strict=True):
        inside = torch.zeros_like(row, dtype=torch.bool)
        for image in images:
            inside[image.begin : image.begin + image.count] = True
        assert torch.equal(inside, row == token)


def trainer_of(model, tiny, tmp_path, **changes):
    asked = config("none", tiny, tmp_path, **changes)
    return AnswerTrainer(
        run=tmp_path,
        recipe=QUICK,
        auxiliary=None,
        keep=1,
        on_skipped=lambda _: None,
        dress=lambda _: None,
        model=model,
        args=training_arguments(asked, 1, text_only=False),
        data_collator=lambda batch: batch,
    )


@pytest.mark.parametrize("kind", ["qwen", "internvl", "paligemma"])
def test_a_batch_has_the_loss_of_its_samples(kind, noise, tiny, tmp_path):
    write = {"internvl": write_internvl, "paligemma": write_paligemma}.get(kind)
    folder = write(tmp_path / "model") if write else tiny
    encoder, model = encoder_of(folder, plain_prompts=kind == "paligemma")
    trainer = trainer_of(model, folder, tmp_path)
    samples = encoded(noise, encoder)
    with torch.no_grad():
        together = trainer.compute_loss(model, batch_of(samples, encoder))
        single = [trainer.compute_loss(model, batch_of([s], encoder)) for s in samples]
    tokens = torch.tensor([float(sample.answer_tokens) for sample in samples])
    mean = (torch.stack(single) * tokens).sum() / tokens.sum()
    assert torch.allclose(together, mean, atol=1e-4)
    assert abs(float(together) - float(single[0])) > 1e-3


def test_text_alone_goes_with_images_in_a_batch(noise, tiny, tmp_path):
    line = '{"messages": [{"role": "user", "content": "2 + 2?"}, '
    line += '{"role": "assistant", "content": "4"}]}'
    (tmp_path / "text.jsonl").write_text(line)
    encoder, model = encoder_of(tiny)
    trainer = trainer_of(model, tiny, tmp_path)
    samples = [*encoded(noise, encoder, [0]), *encoded(tmp_path / "text.jsonl", encoder, [0])]
    assert samples[1].images == ()
    with torch.no_grad():
        together = trainer.compute_loss(model, batch_of(samples, encoder))
        single = [trainer.compute_loss(model, batch_of([s], encoder)) for s in samples]
    tokens = torch.tensor([float(sample.answer_tokens) for sample in samples])
    assert torch.allclose(together, (torch.stack(single) * tokens).sum() / tokens.sum(), atol=1e-5)


def test_the_loss_is_the_models_own_with_all_logits(noise, tiny, tmp_path):
    encoder, model = encoder_of(tiny)
    trainer = trainer_of(model, tiny, tmp_path)
    batch = batch_of(encoded(noise, encoder), encoder)
    names = {"labels", "input_ids", "attention_mask", "mm_token_type_ids", "pixel_values"}
    names |= {"image_grid_thw"}
    with torch.no_grad():
        whole = model(**{name: batch[name] for name in names}).loss
        ours = trainer.compute_loss(model, batch)
    assert torch.allclose(whole, ours, atol=1e-6)


def test_pixels_are_limited_as_asked(noise, tiny):
    few, _ = encoder_of(tiny, min_image_pixels=256, max_image_pixels=512)
    many, _ = encoder_of(tiny)
    small, large = (encoded(noise, encoder, [0])[0] for encoder in (few, many))
    assert small.length < large.length
    assert few.processor.image_processor.size["longest_edge"] == 512


def strange(encoder, data, answer):
    example = replace(open_source(DataSpec(path=data)).example(0), answer=answer)
    return encoder.encode(example, decode_images(example))


@pytest.mark.parametrize("answer", ["", "  ", "<|im_end|>", "red<|im_end|>", "<|image_pad|>"])
def test_an_answer_that_the_tokenizer_does_not_give_back_is_refused(noise, tiny, answer):
    encoder, _ = encoder_of(tiny)
    with pytest.raises(Unusable, match=r"strange_answer: train_000 of .*noise"):
        strange(encoder, noise, answer)


def test_an_unusual_answer_is_trained_as_it_stands(noise, tiny):
    encoder, _ = encoder_of(tiny)
    sample = strange(encoder, noise, "überraschend ✓ 3.50\n(B)")
    tokens = sample.labels[sample.labels != IGNORED]
    assert encoder.processor.tokenizer.decode(tokens) == "überraschend ✓ 3.50\n(B)<|im_end|>"


def test_more_images_than_the_context_has_room_for_are_refused(tmp_path, tiny):
    data = write_noise(tmp_path / "many", images=80, train=1)
    encoder, _ = encoder_of(tiny)
    with pytest.raises(Unusable, match=r"too_long: train_000 .* 480 of them of 80 images"):
        encoded(data, encoder, lines=[0])


def test_a_text_with_the_mark_of_an_image_is_refused(noise, tiny):
    encoder, _ = encoder_of(tiny)
    example = open_source(DataSpec(path=noise)).example(0)
    prompt = replace(example.prompt, parts=(*example.prompt.parts, "<|image_pad|>"))
    with pytest.raises(Unusable, match="image_mark_in_text"):
        encoder.encode(replace(example, prompt=prompt), decode_images(example))


def test_a_template_that_moves_images_is_refused(noise, tiny, tmp_path):
    import shutil

    moved = shutil.copytree(tiny, tmp_path / "moved")
    (moved / "chat_template.jinja").write_text(IMAGES_FIRST)
    encoder, _ = encoder_of(moved)
    with pytest.raises(UserError, match="changes the order of texts and images"):
        encoded(noise, encoder, lines=[0])


def test_a_model_without_a_chat_template_is_refused(tiny, tmp_path):
    import shutil

    bare = shutil.copytree(tiny, tmp_path / "bare")
    (bare / "chat_template.jinja").unlink()
    with pytest.raises(UserError, match=r"no chat template.*--plain-prompts"):
        encoder_of(bare)
