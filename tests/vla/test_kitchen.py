"""The simulated kitchen as an environment: recorded and replayed, with a picture looked at."""

import numpy as np
import pytest

from xvr.vla.record import record_demonstrations
from xvr.vla.rollout import RolloutOptions, roll_out

pytestmark = pytest.mark.sim


def test_a_kitchen_is_recorded_and_its_replayed_actions_succeed_at_the_same_step(tmp_path):
    from xvr.vla.data.demonstrations import DataOptions, read_demonstrations
    from xvr.vla.environments.kitchen import KitchenEnvironment

    demos = tmp_path / "demos"
    (recorded,) = record_demonstrations(demos, "embedded", "stop-microwave", 1)
    options = RolloutOptions(
        policy=f"replay:{demos}", env="embedded", tasks=("stop-microwave",), out=tmp_path / "run"
    )
    (row,) = roll_out(options)
    assert row.success
    assert row.steps == recorded.frames
    assert row.instruction == "press the stop button on the microwave"
    found = read_demonstrations([demos], DataOptions(image_size=256))
    assert KitchenEnvironment.contract.differences(found.contract(16)) == []
    picture = found.episodes[0].pictures["left_view"].read([0])[0]
    rows = picture.astype(np.float64).mean(axis=(1, 2))
    assert picture.shape == (256, 256, 3)
    assert rows.std() > 5, "a picture and not a blank"
