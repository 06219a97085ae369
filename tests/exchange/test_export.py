"""Every form is read back by the library it is for, where that can be installed."""

import errno
import gc
import json
import os
import re
from pathlib import Path

import pytest
from write_release import picture, point, write_images, write_lines

import xvr.exchange.parquet
import xvr.exchange.webdataset
from toy.datasets import hashes, lines
from xvr.cli import main
from xvr.dataset.atomic import new_folder
from xvr.dataset.reader import read_split
from xvr.dataset.record import ImageBlock, Sample
from xvr.dataset.shards import ShardReader
from xvr.errors import UserError
from xvr.exchange.export import FORMS, export
from xvr.exchange.prompts import tagged_text, typed_content
from xvr.exchange.release import import_release

forms = pytest.mark.parametrize("form", [form.name for form in FORMS])


@pytest.fixture
def imported(tmp_path):
    """Three samples of train and one of valid, with 2, 3, 1 and 2 images."""
    release = tmp_path / "release"
    write_images(release, range(8))
    write_lines(release, "train", point(1, [0, 1]), point(2, [2, 3, 4], "1"), point(3, [5]))
    write_lines(release, "valid", point(4, [6, 7], "blue"))
    import_release(release, tmp_path / "dataset")
    return tmp_path / "dataset"


def samples(dataset, split="train"):
    return [sample for sample, _ in read_split(dataset, split)]


def load(folder, split, tmp_path):
    from datasets import load_dataset

    return load_dataset(str(folder), split=split, cache_dir=str(tmp_path / "cache"))


def brightness(image):
    return image.convert("L").getpixel((0, 0)) // 3


def shape(blocks):
    """The order of texts and images."""
    return ["image" if block["type"] == "image" else block["text"] for block in blocks]


def prompt_shape(sample):
    return [
        "image" if isinstance(block, ImageBlock) else block.text for block in sample.prompt_blocks
    ]


def test_parquet_is_opened_by_datasets_with_images_of_any_number(imported, tmp_path):
    export(imported, tmp_path / "out", "parquet")
    rows = load(tmp_path / "out", "train", tmp_path)
    assert str(rows.features["images"]) == "List(Image(mode=None, decode=True))"
    for row, sample in zip(rows, samples(imported), strict=True):
        assert shape(row["prompt_blocks"]) == prompt_shape(sample)
        assert row["ground_truth_answer"] == sample.ground_truth_answer
        assert (row["sample_id"], row["task"]) == (sample.sample_id, "task9")
    assert [list(map(brightness, row["images"])) for row in rows] == [[0, 1], [2, 3, 4], [5]]
    (valid,) = load(tmp_path / "out", "validation", tmp_path)
    assert valid["ground_truth_answer"] == "blue"


def test_images_of_parquet_are_the_very_bytes(imported, tmp_path):
    from datasets import Image, List

    export(imported, tmp_path / "out", "parquet")
    rows = load(tmp_path / "out", "train", tmp_path).cast_column(
        "images", List(Image(decode=False))
    )
    assert rows[1]["images"][2] == {"bytes": picture(4), "path": "img_0000004.png"}


def test_trl_has_typed_prompts_and_completions_with_as_many_places_as_images(imported, tmp_path):
    export(imported, tmp_path / "out", "trl")
    rows = load(tmp_path / "out", "train", tmp_path)
    assert rows.column_names == ["sample_id", "task", "images", "prompt", "completion"]
    for row, sample in zip(rows, samples(imported), strict=True):
        (prompt,), (completion,) = row["prompt"], row["completion"]
        assert (prompt["role"], completion["role"]) == ("user", "assistant")
        assert shape(prompt["content"]) == shape(typed_content(sample))
        places = [part for part in prompt["content"] if part["type"] == "image"]
        assert len(places) == len(row["images"]) == len(sample.image_urls)
        assert completion["content"] == [{"type": "text", "text": sample.ground_truth_answer}]
    assert brightness(rows[1]["images"][2]) == 4


@pytest.mark.parametrize("form", ["llamafactory", "swift"])
def test_message_lines_have_a_tag_for_every_image_and_the_image_beside(imported, tmp_path, form):
    out = tmp_path / "out"
    export(imported, out, form)
    for record, sample in zip(lines(out / "train.jsonl"), samples(imported), strict=True):
        assert set(record) == {"messages", "images"}
        user, assistant = record["messages"]
        assert assistant == {"role": "assistant", "content": sample.ground_truth_answer}
        assert user["role"] == "user"
        assert user["content"].count("<image>") == len(record["images"])
        assert re.findall(r"Image \d|<image>|Which", user["content"]) == [
            *(word for n in range(len(record["images"])) for word in (f"Image {n + 1}", "<image>")),
            "Which",
        ]
        with ShardReader(imported) as images:
            for url in record["images"]:
                assert (out / url).read_bytes() == images.read(url)


def test_llama_factory_finds_its_files_by_the_dataset_info(imported, tmp_path):
    from datasets import load_dataset

    out = tmp_path / "out"
    export(imported, out, "llamafactory")
    info = json.loads((out / "dataset_info.json").read_text())
    assert list(info) == ["xvr_train", "xvr_valid"]
    found = info["xvr_train"]
    assert found["formatting"] == "sharegpt"
    rows = load_dataset(
        "json",
        data_files=str(out / found["file_name"]),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    )
    message = rows[0][found["columns"]["messages"]][0]
    assert message[found["tags"]["role_tag"]] == found["tags"]["user_tag"]
    assert message[found["tags"]["content_tag"]].count("<image>") == 2
    assert len(rows[0][found["columns"]["images"]]) == 2


# webdataset leaves the tar it has read to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_streams_samples_in_order(imported, tmp_path):
    webdataset = pytest.importorskip("webdataset")
    export(imported, tmp_path / "out", "webdataset")
    url = str(tmp_path / "out" / "train-000000.tar")
    rows = list(webdataset.WebDataset(url, shardshuffle=False).decode("pil"))
    for row, sample in zip(rows, samples(imported), strict=True):
        blocks = row["json"]["prompt_blocks"]
        assert shape(blocks) == prompt_shape(sample)
        shown = [row[block["image"]] for block in blocks if block["type"] == "image"]
        assert len(shown) == len(sample.image_urls)
        assert row["json"]["sample_id"] == sample.sample_id
    assert brightness(rows[1]["2.png"]) == 4
    gc.collect()


@forms
def test_a_build_is_exported_whole_and_the_same_bytes_each_time(small, tmp_path, form):
    assert export(small, tmp_path / "a", form) == 24
    export(small, tmp_path / "b", form)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert form in (tmp_path / "a" / "README.md").read_text()


def test_files_are_closed_at_their_size_and_numbered(imported, tmp_path, monkeypatch):
    for module in (xvr.exchange.parquet, xvr.exchange.webdataset):
        monkeypatch.setattr(module, "SHARD_BYTES", 1)
    export(imported, tmp_path / "p", "parquet")
    assert sorted(path.name for path in (tmp_path / "p" / "data").iterdir()) == [
        *(f"train-0000{n}-of-00003.parquet" for n in range(3)),
        "validation-00000-of-00001.parquet",
    ]
    assert load(tmp_path / "p", "train", tmp_path)["sample_id"][:] == [
        sample.sample_id for sample in samples(imported)
    ]
    export(imported, tmp_path / "w", "webdataset")
    names = {path.name for path in (tmp_path / "w").iterdir()}
    assert {f"train-00000{n}.tar" for n in range(3)} | {"valid-000000.tar"} < names


def test_only_the_splits_that_are_asked_for_are_written(imported, tmp_path):
    assert export(imported, tmp_path / "out", "swift", splits=["valid"]) == 1
    assert not (tmp_path / "out" / "train.jsonl").exists()


def test_texts_never_run_into_each_other():
    blocks = [
        {"type": "text", "text": "Look."},
        {"type": "text", "text": "Image 1:"},
        {"type": "image_url", "image_url": {"url": "images/a.png"}},
        {"type": "text", "text": "\nImage 2:\n"},
        {"type": "image_url", "image_url": {"url": "images/b.png"}},
    ]
    sample = Sample.model_validate(
        {"prompt_blocks": blocks, "sample_id": "x", "task": "t", "ground_truth_answer": "1"}
    )
    assert tagged_text(sample) == "Look.\nImage 1:\n<image>\n\nImage 2:\n<image>"
    assert shape(typed_content(sample)) == [
        "Look.\n",
        "Image 1:\n",
        "image",
        "\nImage 2:\n",
        "image",
    ]


@pytest.mark.parametrize("form", ["llamafactory", "swift"])
def test_a_text_that_has_the_tag_itself_is_refused(tmp_path, form):
    sample = point(1, [0])
    sample["prompt_blocks"][0]["text"] = "What is an <image>?"
    write_images(tmp_path / "release", range(1))
    write_lines(tmp_path / "release", "train", sample)
    import_release(tmp_path / "release", tmp_path / "dataset")
    with pytest.raises(UserError, match="has '<image>', which trainers take for an image"):
        export(tmp_path / "dataset", tmp_path / "out", form)
    assert not (tmp_path / "out").exists()


@forms
def test_a_full_disk_leaves_nothing_and_the_next_run_is_whole(
    imported, tmp_path, monkeypatch, form
):
    read = ShardReader.read
    left = iter(range(3))

    def full(self, url):
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return read(self, url)

    monkeypatch.setattr(ShardReader, "read", full)
    with pytest.raises(UserError, match="No space left on device; nothing is left of it"):
        export(imported, tmp_path / "out", form)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "release"]
    monkeypatch.undo()
    assert export(imported, tmp_path / "out", form) == 4


def test_what_a_killed_run_left_is_cleared(imported, tmp_path):
    partial = tmp_path / ".out.partial"
    (partial / "data").mkdir(parents=True)
    (partial / "data" / "train-00000").write_text("half")
    export(imported, tmp_path / "out", "parquet")
    assert not partial.exists()
    assert len(list((tmp_path / "out" / "data").iterdir())) == 2


def test_a_run_that_is_still_at_it_is_not_disturbed(imported, tmp_path):
    with new_folder(tmp_path / "out") as folder:
        (folder / "mine").touch()
        with pytest.raises(UserError, match="another run is writing"):
            export(imported, tmp_path / "out", "swift")
    assert (tmp_path / "out" / "mine").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "swift", "--splits", "test"), "unknown split 'test'"),
        (("--to", "swift", "--splits", "vaild"), "did you mean 'valid'?"),
    ],
)
def test_mistakes_are_said_in_one_message(imported, tmp_path, capsys, words, message):
    assert main(["data", "export", str(imported), str(tmp_path / "out"), *words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_unknown_form_offers_the_known_ones(imported, tmp_path):
    with pytest.raises(UserError, match="unknown form 'parket': did you mean 'parquet'"):
        export(imported, tmp_path / "out", "parket")


def test_a_dataset_without_images_cannot_be_exported(imported, tmp_path):
    path = imported / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["config"]["images"] = "none"
    path.write_text(json.dumps(manifest))
    with pytest.raises(UserError, match="there are no images to export"):
        export(imported, tmp_path / "out", "trl")


@forms
def test_a_missing_image_is_named(imported, tmp_path, form):
    (imported / "image_shards" / "images_001.tar").unlink()
    with pytest.raises(UserError, match=r"no image 'images/img_0000005\.png'"):
        export(imported, tmp_path / "out", form)


def test_nothing_is_overwritten(imported, tmp_path):
    export(imported, tmp_path / "out", "swift")
    before = hashes(tmp_path / "out")
    with pytest.raises(UserError, match="nothing is overwritten"):
        export(imported, tmp_path / "out", "trl")
    assert hashes(tmp_path / "out") == before


def test_the_command_says_how_to_read_it(imported, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["data", "export", str(imported), str(out), "--to", "webdataset"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"4 samples for webdataset; {out / 'README.md'} says how" in captured.err
    assert Path(out / "README.md").exists()
