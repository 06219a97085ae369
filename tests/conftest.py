"""The toy world, written once for all tests, and the settings of Hypothesis.

Test modules import it as `from toy import room, robot`: this folder is on the path because the
conftest is in it.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from hypothesis import HealthCheck, settings

from toy import datasets, robot, room
from toy.drafting import RULES
from xvr.engine.build import build

settings.register_profile(
    "xvr",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("xvr")
cv2.setNumThreads(1)

SCENES, EPISODES = 4, 6


@pytest.fixture(scope="session", autouse=True)
def _own_cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests leave nothing in the user's cache folder and find nothing there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy captures in the WildRGB-D layout; not to be changed."""
    root = tmp_path_factory.mktemp("captures")
    room.write_captures(root, SCENES)
    return root


@pytest.fixture(scope="session")
def episodes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy episodes as a LeRobot dataset; not to be changed."""
    root = tmp_path_factory.mktemp("episodes") / "kitchen"
    robot.write_robot(root, EPISODES)
    return root


@pytest.fixture(scope="session")
def sources(captures: Path, episodes: Path) -> tuple[str, str]:
    """Both, as a build names them."""
    return f"wildrgbd:{captures}", f"lerobot:{episodes}"


@pytest.fixture(scope="session")
def dataset(sources: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of all eight tasks, built by one worker; not to be changed."""
    out = tmp_path_factory.mktemp("built") / "dataset"
    build(out, datasets.config(*sources, samples=64, tasks=()))
    return out


@pytest.fixture(scope="session")
def extended(sources: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of the extended tasks, twelve samples of each; not to be changed.

    A toy room has few views: turns of other sizes are needed for a dozen questions about them.
    """
    out = tmp_path_factory.mktemp("extended") / "dataset"
    rules = replace(RULES, min_turn_gap_deg=20.0, min_turn_ratio=1.2, min_turn_dominance=0.5)
    settings = {"tasks": ("extended",), "valid_share": 0.0, "rules": rules}
    build(out, datasets.config(*sources, samples=60, **settings))
    return out


@pytest.fixture(scope="session")
def small(sources: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `datasets.config(*sources)` gives when nothing disturbs it; not to be changed."""
    out = tmp_path_factory.mktemp("small") / "dataset"
    build(out, datasets.config(*sources))
    return out
