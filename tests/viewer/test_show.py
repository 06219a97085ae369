import base64
import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from write_shown import HOSTILE, write_dataset, write_source

from xvr.errors import UserError
from xvr.viewer import show

VOID = {"img", "meta", "br"}


class Page(HTMLParser):
    """Elements with their attributes, the text of each, and whether every element is closed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(path.read_text())
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.append((self.open[-1], data))

    def all(self, tag, **attributes):
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [a for t, a in self.elements if t == tag and wanted.items() <= a.items()]

    def text(self, tag):
        return [data for t, data in self.texts if t == tag]

    def drawings(self):
        return [json.loads(data) for data in self.text("script") if data.startswith("{")]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    write_source(root)
    return root


@pytest.fixture
def dataset(source: Path, tmp_path: Path) -> Path:
    write_dataset(tmp_path / "made", source)
    return tmp_path / "made"


def test_the_page_lies_in_the_dataset_and_every_element_is_closed(dataset):
    path = show(dataset)
    assert path == dataset / "show.html"
    assert Page(path).text("h1") == ["made"]


def test_there_is_a_tab_for_each_task_and_a_card_for_each_sample(dataset):
    page = Page(show(dataset))
    tabs = [a["data-task"] for a in page.all("button", role="tab")]
    assert tabs == ["point_correspondence", "spatial_verification"]
    assert len(page.all("article", class_="card")) == 4
    assert len(page.all("img")) == 3 * 3 + 4


def test_samples_are_taken_evenly_and_only_so_many(source, tmp_path):
    write_dataset(tmp_path / "made", source, samples=9)
    page = Page(show(tmp_path / "made", samples_per_task=3))
    names = [name for name in page.text("code") if name.startswith("point_")]
    assert names == ["point_1", "point_4", "point_7"]


def test_a_split_can_be_chosen(dataset):
    page = Page(show(dataset, split="valid"))
    assert [a["data-task"] for a in page.all("button", role="tab")] == ["spatial_verification"]


def test_another_file_can_be_written(dataset, tmp_path):
    assert show(dataset, out=tmp_path / "new" / "page.html").exists()
    assert not (dataset / "show.html").exists()


def test_the_same_dataset_gives_the_same_bytes(dataset, tmp_path):
    first = show(dataset).read_bytes()
    assert show(dataset, out=tmp_path / "again.html").read_bytes() == first


def test_the_page_refers_to_nothing_outside_itself(dataset):
    page = Page(show(dataset))
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "base"}
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "action", "data", "srcset"):
            value = attributes.get(name) or "#"
            assert value.startswith(("#", "data:image/jpeg;base64,")), value
    policy = page.all("meta", http_equiv="Content-Security-Policy")[0]["content"] or ""
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_text_of_the_dataset_cannot_become_markup(source, tmp_path):
    write_dataset(tmp_path / "made", source, text=HOSTILE)
    path = show(tmp_path / "made")
    page = Page(path)
    assert HOSTILE in "".join(page.text("p"))
    assert "alert(" not in "".join(page.text("script"))
    assert "<script>alert" not in path.read_text()
    assert all("evil" not in (a.get("src") or "") for a in page.all("img"))


def test_the_right_option_is_the_only_one_marked(dataset):
    page = Page(show(dataset, split="train", samples_per_task=1))
    assert len(page.all("li", class_="right")) == 1


def test_the_drawing_holds_cameras_rays_points_and_a_cloud(dataset):
    point, *_, spatial = Page(show(dataset)).drawings()
    assert [camera["image"] for camera in point["cameras"]] == [1, 2, 3]
    assert sum(dot["right"] for dot in point["dots"]) == 1
    assert len(point["dots"]) == 5
    assert len(point["lines"]) == 2  # from the reference, and from the target to the right dot
    assert [camera["right"] for camera in spatial["cameras"]] == [False, True, False, False]
    assert {dot["label"] for dot in spatial["dots"]} == {"same point", "odd point"}
    cloud = spatial["cloud"]
    xyz = np.frombuffer(base64.b64decode(cloud["xyz"]), "<i2").reshape(-1, 3) / 10_000
    assert len(base64.b64decode(cloud["rgb"])) == 3 * len(xyz) > 0
    assert np.linalg.norm(xyz, axis=1).max() < 1.5


def test_without_its_source_a_sample_shows_its_points_and_says_why(dataset, source, tmp_path):
    shutil.move(source, tmp_path / "moved")
    try:
        page = Page(show(dataset))
    finally:
        shutil.move(tmp_path / "moved", source)
    for drawing in page.drawings():
        assert drawing["cameras"] == []
        assert drawing["cloud"] is None
        assert drawing["dots"]
    assert any("source cannot be read" in text for text in page.text("p"))


def test_a_view_that_the_source_no_longer_has_is_named(dataset):
    path = dataset / "provenance" / "valid.jsonl"
    path.write_text(path.read_text().replace('"00003.png"', '"00099.png"'))
    assert any("00099.png" in text for text in Page(show(dataset)).text("p"))


def test_a_missing_image_leaves_its_place_and_says_so(dataset):
    (dataset / "images" / "img_0000002.png").unlink()
    page = Page(show(dataset, split="valid"))
    assert len(page.all("img")) == 3
    assert len(page.all("div", class_="missing")) == 1


def test_a_dataset_without_provenance_is_shown_with_its_answers(dataset):
    shutil.rmtree(dataset / "provenance")
    page = Page(show(dataset))
    assert "red" in page.text("strong")
    assert page.drawings() == []
    assert [a["data-task"] for a in page.all("button", role="tab")] == [
        "point_correspondence",
        "spatial_verification",
    ]


def test_manifest_and_audit_are_told_when_they_are_there(dataset):
    manifest = {
        "xvr": "9.9",
        "config": {"seed": 77, "rules": {"min_view_angle_deg": 5.0}},
        "refusals": {"point_correspondence": {"no_other_point": 12}},
        "skipped_by_reason": {"bad_pose": 3},
    }
    (dataset / "manifest.json").write_text(json.dumps(manifest))
    score = {"task": "task9", "cheater": "majority answer", "samples": 40}
    score |= {"accuracy": 0.9, "chance": 0.2, "leaky": True}
    audit = {"answers_checked": 4, "counts": {"answer": {"wrong_answer": 1}}, "cheaters": [score]}
    (dataset / "audit.json").write_text(json.dumps(audit))
    text = " ".join(data for _, data in Page(show(dataset)).texts)
    assert "77" in text
    assert "no other point" in text
    assert "bad pose" in text
    assert "4 answers checked against the source, 1 wrong" in text
    assert "majority answer" in text
    assert "≥ 5°" in text


def test_an_audit_that_is_no_json_is_a_mistake_to_fix(dataset):
    (dataset / "audit.json").write_text("{")
    with pytest.raises(UserError, match=r"audit\.json.*audit the dataset again"):
        show(dataset)


def test_an_unknown_split_is_a_mistake_to_fix(dataset):
    with pytest.raises(UserError, match="did you mean 'train'"):
        show(dataset, split="trian")


def test_no_samples_at_all_is_a_mistake_to_fix(dataset):
    with pytest.raises(UserError, match="at least 1"):
        show(dataset, samples_per_task=0)


def test_a_folder_without_a_dataset_is_a_mistake_to_fix(tmp_path):
    with pytest.raises(UserError, match="holds no dataset"):
        show(tmp_path)
