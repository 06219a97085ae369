"""Sources that vanish while a build runs."""

import shutil

import pytest

from toy.datasets import config, hashes
from xvr.engine.build import build
from xvr.engine.executor import Crew
from xvr.engine.watch import SourceChanged

SCENE_TASKS = ("directional_correspondence", "viewpoint_localization")


@pytest.fixture
def own_captures(captures, tmp_path):
    return shutil.copytree(captures, tmp_path / "captures")


@pytest.fixture
def wanted(own_captures):
    return config(f"wildrgbd:{own_captures}", tasks=SCENE_TASKS, samples=24, valid_share=0.0)


def after_first_unit(act):
    """A progress callback that acts once."""
    acts = iter([act])

    def progress(_made, _wanted):
        next(acts, int)()

    return progress


@pytest.mark.parametrize("workers", [1, 2])
def test_a_source_that_vanishes_stops_the_build_and_leaves_no_trace(
    own_captures, wanted, tmp_path, workers
):
    away = own_captures.with_name("away")
    build(tmp_path / "undisturbed", wanted)
    out, vanish = tmp_path / "out", after_first_unit(lambda: own_captures.rename(away))
    with pytest.raises(SourceChanged, match="captures is gone; bring it back and run the same"):
        build(out, wanted, Crew(workers=workers), vanish)
    away.rename(own_captures)
    build(out, wanted)
    assert hashes(out) == hashes(tmp_path / "undisturbed")


def test_scenes_that_vanish_are_noticed_at_the_end_of_the_round(own_captures, wanted, tmp_path):
    build(tmp_path / "undisturbed", wanted)
    scenes, away = own_captures / "toy" / "scenes", tmp_path / "away"
    away.mkdir()

    def vanish():
        scenes.rename(away / "scenes")

    out = tmp_path / "out"
    with pytest.raises(SourceChanged, match="changed while the dataset was built"):
        build(out, wanted, progress=after_first_unit(vanish))
    (away / "scenes").rename(scenes)
    build(out, wanted)
    assert hashes(out) == hashes(tmp_path / "undisturbed")
