"""The same build by several workers, and with images in other forms."""

import numpy as np
from written import members, picture

from toy import robot, room
from toy.datasets import config, hashes, lines, pairs
from xvr.engine.build import build
from xvr.engine.executor import Crew


def test_two_workers_write_the_same_bytes_as_one(small, sources, tmp_path):
    build(tmp_path / "out", config(*sources), Crew(workers=2))
    assert hashes(tmp_path / "out") == hashes(small)


def test_another_seed_writes_other_samples(small, sources, tmp_path):
    build(tmp_path / "out", config(*sources, seed=1))
    ids = {sample["sample_id"] for sample in lines(tmp_path / "out" / "train.jsonl")}
    assert ids != {sample["sample_id"] for sample in lines(small / "train.jsonl")}


def test_images_in_a_folder_are_those_of_the_shards(small, sources, tmp_path):
    build(tmp_path / "out", config(*sources, images="folder"))
    expected = {f"images/{url.split('/')[1]}": data for url, data in members(small).items()}
    found = {f"images/{p.name}": p.read_bytes() for p in (tmp_path / "out" / "images").iterdir()}
    assert found == expected
    assert (tmp_path / "out" / "train.jsonl").read_bytes() == (small / "train.jsonl").read_bytes()


def test_without_images_the_text_is_the_same_and_nothing_is_encoded(small, sources, tmp_path):
    build(tmp_path / "out", config(*sources, images="none"))
    assert not (tmp_path / "out" / "image_shards").exists()
    for name in ("train.jsonl", "provenance/train.jsonl"):
        assert (tmp_path / "out" / name).read_bytes() == (small / name).read_bytes()


def test_a_clean_image_is_kept_beside_each_marked_one(sources, tmp_path):
    out = tmp_path / "out"
    tasks = ("viewpoint_localization", "temporal_verification")
    build(out, config(*sources, tasks=tasks, samples=6, valid_share=0.0, keep_clean=True))
    images = members(out)
    marked = set()
    for _, proof in pairs(out, "train"):
        seed = room.seed_of(proof["source"]["scene"]) if proof["domain"] == "general" else None
        for image in proof["images"]:
            if image["image"] in {mark["image"] for mark in proof["marks"]}:
                name = image["url"].replace("images/", "clean/")
                clean = room.render(room.furnish(seed), room.orbit(seed)[image["frame_index"]])[0]
                np.testing.assert_array_equal(picture(images[name]), clean)
                marked.add(name)
    assert marked
    assert {name for name in images if name.startswith("clean/")} == marked


def test_images_can_be_jpeg(sources, tmp_path):
    out = tmp_path / "out"
    tasks = ("temporal_verification",)
    build(out, config(sources[1], tasks=tasks, samples=3, valid_share=0.0, image_format="jpeg"))
    for url, data in members(out).items():
        assert url.endswith(".jpg")
        assert data[:3] == b"\xff\xd8\xff"
        assert picture(data).shape == (robot.SIZE, robot.SIZE, 3)


def test_one_source_is_enough_for_the_tasks_of_its_domain(sources, tmp_path):
    out = tmp_path / "out"
    build(out, config(sources[1], tasks=(), mixture="robotic", samples=8, valid_share=0.0))
    assert {proof["domain"] for _, proof in pairs(out, "train")} == {"robotic"}
    assert not (out / "valid.jsonl").exists()


def test_progress_ends_at_all_samples(sources, tmp_path):
    told = []
    build(tmp_path / "out", config(*sources), progress=lambda *numbers: told.append(numbers))
    assert told[-1] == (24, 24)
    assert [made for made, _ in told] == sorted(made for made, _ in told)
