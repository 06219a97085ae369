"""The loss on image tokens in whole runs of the trainer."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from training_data import config

from xvr.errors import UserError
from xvr.evaluation.models.loading import Checkpoint, load_model
from xvr.training.correspondence_heads import Heads, matched
from xvr.training.muon import Muon, orthogonalized
from xvr.training.parameters import muon_groups
from xvr.training.sft import train
from xvr.training.target_tensors import stacked, token_places
from xvr.training.tiny import make_start
from xvr.training.token_targets import GONE, UNKNOWN

ASKED = {"aux": "correspondence", "optimizer": "muon"}


def log_of(out: Path) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_a_run_with_it_learns_and_leaves_a_plain_model(dataset: Path, tiny: Path, tmp_path: Path):
    train(config(dataset, tiny, tmp_path / "run", steps=12, **ASKED))
    losses = [line["aux_loss"] for line in log_of(tmp_path / "run") if "aux_loss" in line]
    assert losses[-1] < losses[0]
    weights = load_file(tmp_path / "run/model/model.safetensors")
    assert not [name for name in weights if "relation" in name or "verdict" in name]
    load_model(Checkpoint.of(str(tmp_path / "run/model")))


def test_two_steps_and_two_more_equal_four(dataset: Path, tiny: Path, tmp_path: Path):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    train(config(dataset, tiny, whole, **ASKED))
    shutil.copytree(whole, parted)
    shutil.rmtree(parted / "checkpoints/checkpoint-4")
    shutil.rmtree(parted / "model")
    train(config(dataset, tiny, parted, **ASKED))
    ends = [load_file(run / "model/model.safetensors") for run in (whole, parted)]
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_two_processes_agree_though_not_all_batches_have_all_targets(
    dataset: Path, tiny: Path, tmp_path: Path
):
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    run = tmp_path / "run"
    words = f"train sft --data {dataset} --model {tiny} --out {run} --aux correspondence --steps 6"
    machine = "--batch-size 2 --device-batch-size 1 --eval-every 0 --device cpu --workers 0"
    done = subprocess.run(
        [*launch, "-m", "xvr.cli", *words.split(), *machine.split()],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert log_of(run)[-1]["step"] == 6
    load_model(Checkpoint.of(str(run / "model")))


def test_without_provenance_it_is_refused(noise: Path, tiny: Path, tmp_path: Path):
    with pytest.raises(UserError, match="needs provenance"):
        train(config(noise, tiny, tmp_path / "run", **ASKED))


def test_a_source_that_is_gone_is_named(dataset: Path, tiny: Path, tmp_path: Path):
    moved = tmp_path / "dataset"
    shutil.copytree(dataset, moved)
    for path in (moved / "provenance").glob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            line["source"]["path"] = "/gone"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match=r"needs what .* was built from"):
        train(config(moved, tiny, tmp_path / "run", **ASKED))


def test_a_batch_without_targets_costs_nothing():
    heads = Heads(16)
    found = stacked([None, None])
    tokens = torch.randn(2, 1, 1, 16, requires_grad=True)
    real = torch.zeros(2, 1, 1, dtype=torch.bool)
    losses = [
        heads.seen(tokens, found["seen_at"], real),
        matched(torch.zeros(2, 1, 1, 1, 1), found["seen_at"], real),
        heads.marks(tokens, found["marks"], real),
        heads.marked(tokens, found["marked"], real),
        heads.gone(tokens, found["seen_at"]),
        heads.verdicts(tokens, found["verdicts"]),
        heads.relations(tokens[:0, 0, 0], found["relations"][:, 3:]),
        heads.told("odd", tokens[:0, 0, 0], found["odd"][:, 3]),
        heads.told("role", tokens[:, 0, 0], found["roles"][:, 0]),
        heads.named(tokens[:, 0, 0], found["named"]),
        heads.placed("camera", tokens[:, 0, 0], found["cameras"][:, 0]),
        heads.hands_at(tokens, found["hands_at"], real),
    ]
    assert [float(loss.detach()) for loss in losses] == [0.0] * len(losses)


def test_what_is_gone_is_asked_of_earlier_images_where_it_is_known():
    """Two images of two tokens: gone and still there, as the second one's tokens are asked."""
    heads = Heads(16)
    seen_at = torch.full((1, 2, 2, 2), UNKNOWN)
    seen_at[0, 1, 0] = torch.tensor([GONE, 0])
    seen_at[0, 0, 1] = GONE  # cannot be known before the second image
    late = torch.randn(1, 2, 2, 16, requires_grad=True)
    heads.gone(late, seen_at).backward()
    assert late.grad is not None
    assert (late.grad.abs().sum(dim=-1) > 0).tolist() == [[[False, False], [True, True]]]
    pull = late.grad[0, 1] @ heads.absent.weight[0]
    assert pull[0] < 0 < pull[1]  # descent makes the first more gone, the second less


def test_places_of_tokens_leave_out_padding():
    from xvr.training.collate import BatchLayout
    from xvr.training.encode import ImageTokens

    images = (
        (ImageTokens(begin=3, count=2, grid=(1, 2)), ImageTokens(begin=7, count=4, grid=(2, 2))),
        (ImageTokens(begin=5, count=4, grid=(2, 2)),),
    )
    layout = BatchLayout(sample_ids=("a", "b"), tasks=("x", "x"), images=images)
    places, real = token_places(layout, (2, 4))
    assert places[0, 0, :2].tolist() == [3, 4]
    assert places[1, 0].tolist() == [5, 6, 7, 8]
    assert real.sum(dim=-1).tolist() == [[2, 4], [4, 0]]


@pytest.mark.parametrize("shape", [(4, 6, 6), (2, 8, 3), (2, 3, 8)])
def test_an_orthogonalized_matrix_has_singular_values_near_one(shape: tuple[int, ...]):
    torch.manual_seed(0)
    found = torch.linalg.svdvals(orthogonalized(torch.randn(*shape)))
    assert found.max() < 1.3
    assert found.min() > 0.3


def test_muon_steps_matrices_and_leaves_embeddings_to_adam():
    model = nn.Sequential(nn.Embedding(5, 4), nn.Linear(4, 4))
    groups = muon_groups(model, [{"params": list(model.parameters()), "lr": 0.1}], 10.0)
    kinds = {group["muon"]: [p.shape for p in group["params"]] for group in groups}
    assert kinds == {True: [(4, 4)], False: [(5, 4), (4,)]}
    assert {group["muon"]: group["lr"] for group in groups} == {True: 1.0, False: 0.1}


def test_muon_finds_the_least_squares_solution():
    torch.manual_seed(0)
    x, wanted = torch.randn(64, 6), torch.randn(3, 6)
    layer = nn.Linear(6, 3, bias=False)
    optimizer = Muon([{"params": [layer.weight], "lr": 0.05, "muon": True}], beta2=0.99)
    for step in range(300):
        optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / 300)
        optimizer.zero_grad()
        (layer(x) - x @ wanted.T).square().mean().backward()
        optimizer.step()
    assert (layer.weight - wanted).abs().max() < 0.05


def test_the_model_to_start_from_has_an_answer_in_one_token(dataset: Path, tmp_path: Path):
    from transformers import AutoTokenizer

    start = make_start([str(dataset)], tmp_path / "start")
    before = (start / "model.safetensors").read_bytes()
    tokenizer = AutoTokenizer.from_pretrained(start)
    for answer in ("red", "yellow", "1", "4"):
        assert len(tokenizer(answer)["input_ids"]) == 1
    assert make_start([str(dataset)], start) == start
    again = make_start([str(dataset)], tmp_path / "again")
    assert (again / "model.safetensors").read_bytes() == before
