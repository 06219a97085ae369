"""Datasets built from small data in true formats: which tasks it feeds; every answer holds."""

import json
from pathlib import Path

import pytest
from write_droid import LEFT, RIGHT, write_episode, write_release
from write_gr00t import write_gr00t

from xvr.audit.run import audit
from xvr.engine.build import build
from xvr.engine.config import BuildConfig
from xvr.errors import UserError
from xvr.tasks.rules import Rules

RULES = Rules(
    min_episode_s=0.5,
    min_effector_path_m=0.0,
    min_effector_extent_m=0.0,
    max_scenario_ssim=1.0,
)
CROSSING, LANGUAGE = "cross_scenario_localization", "language_conditioned_localization"
TIMES = ("Fri_Jul__7_09:42:23_2023", "Fri_Jul__7_10:01:05_2023")


def made(source: str, out: Path, *tasks: str) -> dict[str, int]:
    """Samples by task of a dataset whose every answer the audit agrees with."""
    config = BuildConfig(
        sources=(source,), samples=12, tasks=tasks, mixture="uniform", valid_share=0.0, rules=RULES
    )
    build(out, config)
    report = audit(out, pixels=10)
    assert report.answers_checked == 12
    assert report.findings == ()
    return report.samples["train"]


@pytest.fixture
def droid(tmp_path: Path) -> Path:
    for time in TIMES:
        write_episode(tmp_path / "droid", time, rows=20)
    return tmp_path / "droid"


def test_calibrated_droid_feeds_language_and_cross_scenario(droid: Path, tmp_path: Path):
    write_release(droid, TIMES, {"ext1": LEFT, "ext2": RIGHT})
    samples = made(f"droid:{droid}", tmp_path / "out", CROSSING, LANGUAGE)
    assert samples == {CROSSING: 6, LANGUAGE: 6}
    proofs = map(json.loads, (tmp_path / "out/provenance/train.jsonl").read_text().splitlines())
    checks = {name for proof in proofs for name in proof["checks"]}
    assert {"same_camera_m", "ego_moved_m", "fix_left_moved_m"} <= checks


def test_droid_without_the_release_feeds_cross_scenario_alone(droid: Path, tmp_path: Path):
    assert made(f"droid:{droid}", tmp_path / "out", CROSSING) == {CROSSING: 12}
    with pytest.raises(UserError, match="too_few_describable_cameras"):
        made(f"droid:{droid}", tmp_path / "other", LANGUAGE)


def test_a_panda_of_gr00t_feeds_language_and_cross_scenario(tmp_path: Path):
    write_gr00t(tmp_path / "single_panda_gripper.OpenDrawer", lengths=(20, 20))
    samples = made(f"gr00t:{tmp_path}", tmp_path / "out", CROSSING, LANGUAGE)
    assert samples == {CROSSING: 6, LANGUAGE: 6}
