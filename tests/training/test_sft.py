import json
import resource
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from training_data import config, write_noise

from xvr.errors import UserError
from xvr.evaluation.benchmarks import get_benchmark
from xvr.evaluation.models.hf import make
from xvr.evaluation.models.loading import Checkpoint, load_model, load_processor
from xvr.evaluation.models.options import ModelOptions
from xvr.evaluation.run import RunOptions, run
from xvr.training.auxiliary import AUXILIARY
from xvr.training.checkpoints import checkpoints, last_checkpoint
from xvr.training.sft import train


def weights(folder):
    return load_file(folder / "model.safetensors")


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def log_of(out):
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


class Stop(Exception):
    """What a power cut is to a run."""


def stop_at(step):
    def tell(line):
        if line.startswith(f"step {step}/"):
            raise Stop

    return tell


@pytest.fixture(scope="module")
def whole(noise, tiny, tmp_path_factory):
    """Four steps in one go; not to be changed."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    train(config(noise, tiny, out, eval_every=4, eval_limit=4))
    return out


def test_two_steps_and_two_more_equal_four(noise, tiny, tmp_path, whole):
    asked = config(noise, tiny, tmp_path / "run", eval_every=4, eval_limit=4)
    with pytest.raises(Stop):
        train(asked, tell=stop_at(3))
    assert [path.name for path in checkpoints(tmp_path / "run")] == ["checkpoint-2"]
    told: list[str] = []
    train(asked, tell=told.append)
    assert "going on after step 2 of 4" in told
    assert same(weights(tmp_path / "run" / "model"), weights(whole / "model"))
    ours, theirs = log_of(tmp_path / "run"), log_of(whole)
    for one, two in zip(ours[:-1], theirs[:-1], strict=True):  # the last one tells of the time
        assert one | {"time": 0} == two | {"time": 0}


def test_a_run_leaves_all_that_it_should(whole):
    manifest = json.loads((whole / "run.json").read_text())
    assert manifest["data"][0]["samples"] == 16
    assert {"torch", "transformers", "xvr"} <= manifest["versions"].keys()
    assert manifest["recipe"]["lr"] == 3e-3
    steps = [line["step"] for line in log_of(whole) if "loss" in line]
    assert steps == [1, 2, 3, 4]
    assert {"right", "right/point_correspondence"} <= log_of(whole)[0].keys()
    assert "eval/overall" in next(line for line in log_of(whole) if line["step"] == 4)
    assert list((whole / "tensorboard").iterdir())
    assert (whole / "eval" / "step_000004" / "scores.json").exists()
    card = (whole / "model" / "README.md").read_text()
    assert card.startswith("---\nbase_model: ")
    assert "| noise | train | 16 |" in card
    assert [path.name for path in checkpoints(whole)] == ["checkpoint-2", "checkpoint-4"]


def test_a_model_that_was_not_written_is_written_from_the_last_checkpoint(
    noise, tiny, whole, tmp_path
):
    out = Path(shutil.copytree(whole, tmp_path / whole.name))
    shutil.rmtree(out / "model")
    trained = train(config(noise, tiny, out, eval_every=4, eval_limit=4))
    assert same(weights(trained.model), weights(whole / "model"))


def test_running_again_changes_nothing(noise, tiny, whole):
    before = (whole / "model" / "model.safetensors").stat().st_mtime_ns
    trained = train(config(noise, tiny, whole, eval_every=4, eval_limit=4))
    assert (whole / "model" / "model.safetensors").stat().st_mtime_ns == before
    assert trained.scores.keys() >= {"eval/overall"}


@pytest.mark.parametrize(
    ("change", "message"),
    [({"lr": 1e-3}, "recipe.lr 0.003, now it is 0.001"), ({"seed": 1}, "seed 0, now it is 1")],
)
def test_another_configuration_in_the_same_folder_is_refused(noise, tiny, whole, change, message):
    with pytest.raises(UserError, match=message):
        train(config(noise, tiny, whole, **change))


def test_other_data_in_the_same_folder_is_refused(tiny, whole, tmp_path):
    other = write_noise(tmp_path / "noise", train=12, valid=4)
    with pytest.raises(UserError, match=r"holds a run with data"):
        train(config(other, tiny, whole))


def test_a_checkpoint_evaluates_through_hf(noise, whole, tmp_path):
    benchmark = get_benchmark("xvr", split="valid")
    loaded = benchmark.load(noise)
    for folder in (whole / "model", whole / "checkpoints" / "checkpoint-4"):
        model = make(str(folder), ModelOptions(max_new_tokens=4, device="cpu"))
        outcome = run(benchmark, loaded, model, tmp_path / folder.name, RunOptions(data=noise))
        assert outcome.complete
    held = json.loads((whole / "eval" / "step_000004" / "scores.json").read_text())
    assert held["answered"] == 4


def test_shards_and_a_folder_train_the_same_weights(tiny, tmp_path, whole):
    folder = write_noise(tmp_path / "noise", unpacked=True, train=16, valid=4)
    train(config(folder, tiny, tmp_path / "run", eval_every=0, workers=1, save_every=4))
    assert same(weights(tmp_path / "run" / "model"), weights(whole / "model"))


def test_sixteen_samples_are_learned_by_heart(noise, tiny, tmp_path):
    asked = config(
        noise, tiny, tmp_path / "run", steps=120, batch_size=16, device_batch_size=16, log_every=10,
        save_every=120, eval_data=noise, eval_split="train", eval_every=120, lr=1e-2,
        merger_lr=1e-2, vision_lr=1e-2, weight_decay=0.0,
    )  # fmt: skip
    assert train(asked).scores["eval/overall"] == 1.0


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")  # of peft 0.21
def test_lora_merges_back(noise, tiny, tmp_path):
    from peft import PeftModel

    out = tmp_path / "run"
    train(config(noise, tiny, out, lora_rank=4, steps=2))
    base = load_model(Checkpoint.of(str(tiny)), device="cpu")
    before = weights(tiny)
    after = weights(out / "model")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all("language_model" in name and "_proj" in name for name in changed)
    adapted = PeftModel.from_pretrained(base, str(out / "adapter")).eval()
    merged = load_model(Checkpoint.of(str(out / "model")), device="cpu")
    tokens = load_processor(Checkpoint.of(str(tiny))).tokenizer("Which dot?", return_tensors="pt")
    with torch.no_grad():
        assert torch.allclose(adapted(**tokens).logits, merged(**tokens).logits, atol=1e-5)


def test_lora_goes_on_to_the_same_weights(noise, tiny, tmp_path):
    for name in ("whole", "parts"):
        asked = config(noise, tiny, tmp_path / name, lora_rank=2, save_every=1, steps=2)
        if name == "parts":
            with pytest.raises(Stop):
                train(asked, tell=stop_at(2))
        train(asked)
    one, two = (weights(tmp_path / name / "model") for name in ("whole", "parts"))
    assert same(one, two)


def test_a_missing_shard_is_an_error_or_counted_as_the_user_allows(noise, tiny, tmp_path):
    torn = shutil.copytree(noise, tmp_path / "torn")
    (torn / "image_shards" / "images_001.tar").unlink()
    with pytest.raises(UserError, match=r"more than 1.0% .*missing_image 4.*img_0000008"):
        train(config(torn, tiny, tmp_path / "run"))
    told: list[str] = []
    trained = train(
        config(torn, tiny, tmp_path / "run", max_skipped=0.3, steps=1), tell=told.append
    )
    assert trained.skipped == {"missing_image": 4}
    assert "left out: 4 of 16 samples, missing_image" in told


def broken_image(folder):
    """An unpacked dataset with one image that ends too soon."""
    data = write_noise(folder, unpacked=True, train=8)
    image = data / "images" / "img_0000003.png"
    image.write_bytes(image.read_bytes()[:-30])
    return data


def test_a_truncated_image_is_counted_and_replaced(tiny, tmp_path):
    data = broken_image(tmp_path / "torn")
    out = tmp_path / "run"
    trained = train(config(data, tiny, out, steps=4, max_skipped=0.2))
    assert trained.skipped == {"truncated_image": 2}  # two passes over eight samples
    assert "img_0000003.png" in (out / "skipped.jsonl").read_text()


def test_too_many_truncated_images_name_the_file(tiny, tmp_path):
    data = broken_image(tmp_path / "torn")
    with pytest.raises(UserError, match=r"truncated_image 1.*img_0000003\.png.*--max-skipped"):
        train(config(data, tiny, tmp_path / "run"))


def test_a_disk_that_refuses_keeps_the_last_checkpoint(noise, tiny, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def tell(line):
        if line.startswith("step 3/"):
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, limits[1]))

    out = tmp_path / "run"
    try:
        with pytest.raises(
            UserError, match=r"no checkpoint could be written.*last good one is .*2"
        ):
            train(config(noise, tiny, out), tell=tell)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["checkpoint-2"]
    assert train(config(noise, tiny, out)).steps == 4


def test_what_a_kill_left_of_a_checkpoint_is_not_gone_on_from(whole, tmp_path):
    out = Path(shutil.copytree(whole, tmp_path / "run"))
    half = out / "checkpoints" / ".partial" / "checkpoint-6"
    shutil.copytree(out / "checkpoints" / "checkpoint-4", half)
    (half / "optimizer.pt").unlink()
    last = last_checkpoint(out)
    assert last is not None
    assert last.name == "checkpoint-4"
    assert not half.exists()


def test_a_batch_that_does_not_part_evenly_is_refused(noise, tiny, tmp_path):
    with pytest.raises(UserError, match="does not part into 1 process"):
        train(config(noise, tiny, tmp_path / "run", device_batch_size=3))


def test_a_folder_with_other_files_is_refused(noise, tiny, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="holds no run"):
        train(config(noise, tiny, tmp_path))


def test_a_loss_that_is_no_number_ends_the_run(noise, tiny, tmp_path):
    with pytest.raises(UserError, match="lower --lr"):
        train(config(noise, tiny, tmp_path / "run", lr=1e30, merger_lr=1e30, vision_lr=1e30))


class Bias:
    """A second loss with one number of its own, which it wants to be the number of images."""

    name, weight = "bias", 0.5

    def __init__(self):
        self.module = torch.nn.Linear(1, 1)

    def targets(self, samples):
        return {"images": torch.tensor([[float(len(sample.images))] for sample in samples])}

    def loss(self, outputs, layout, targets):
        assert len(outputs.image_outputs.pooler_output) == sum(map(len, layout.images))
        features = torch.stack([part.mean() for part in outputs.image_outputs.pooler_output])
        return ((self.module(features[::2, None]) - targets["images"]) ** 2).mean()


def test_an_auxiliary_loss_trains_along_and_goes_on(noise, tiny, tmp_path, monkeypatch):
    monkeypatch.setitem(AUXILIARY, "bias", lambda *_: Bias())
    for name in ("whole", "parts"):
        asked = config(noise, tiny, tmp_path / name, aux="bias", save_every=1, steps=3)
        if name == "parts":
            with pytest.raises(Stop):
                train(asked, tell=stop_at(3))
        train(asked)
    one, two = (tmp_path / name for name in ("whole", "parts"))
    assert same(weights(one / "model"), weights(two / "model"))
    own = [load_file(out / "checkpoints/checkpoint-3/auxiliary.safetensors") for out in (one, two)]
    assert same(*own)
    assert not any("module" in name for name in weights(one / "model"))
    losses = [line["aux_loss"] for line in log_of(one) if "loss" in line]
    assert losses[-1] < losses[0]


def test_an_unknown_auxiliary_loss_is_named(noise, tiny, tmp_path):
    with pytest.raises(UserError, match="unknown auxiliary loss 'x'"):
        train(config(noise, tiny, tmp_path / "run", aux="x"))
