"""Rollouts: what they depend on, and what is left when they are disturbed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import acting
import numpy as np
import pytest

from xvr.errors import UserError
from xvr.vla.environment import make_plans
from xvr.vla.record import record_demonstrations, recorded_actions, recorded_plans
from xvr.vla.rollout import RolloutOptions, roll_out
from xvr.vla.rollout_folder import ROWS, read_rollouts
from xvr.vla.success import success_rates

pytestmark = pytest.mark.sim
TASK = "reach-button"


def options(out, policy="expert", **changes):
    parts = {"env": "embedded", "tasks": (TASK,), "episodes": 6, "execute": 3}
    return RolloutOptions(policy=policy, out=out, **parts | changes)


def run(out, policy="expert", **changes):
    return list(roll_out(options(out, policy, **changes)))


@pytest.fixture(scope="module")
def demos(tmp_path_factory):
    out = tmp_path_factory.mktemp("demos") / "reach"
    list(record_demonstrations(out, "embedded", TASK, 20))
    return out


def test_one_worker_gives_what_four_give_to_the_bit(tmp_path):
    policy = acting.NoisyPolicy()
    with acting.served(policy) as url:
        alone = run(tmp_path / "one", f"remote:{url}")
        asked = policy.asked
        together = run(tmp_path / "four", f"remote:{url}", workers=4)
    assert sorted(together, key=lambda row: row.index) == alone
    assert policy.asked == 2 * asked
    assert len({row.actions for row in alone}) == 6
    assert read_rollouts(tmp_path / "one").rows == read_rollouts(tmp_path / "four").rows


def test_pictures_are_taken_only_when_the_policy_is_asked(tmp_path):
    policy = acting.NoisyPolicy()
    with acting.served(policy) as url:
        rows = run(tmp_path / "run", f"remote:{url}", execute=3)
    assert policy.asked == sum(row.queries for row in rows)
    assert all(row.queries == -(-row.steps // 3) for row in rows)


def test_replayed_actions_succeed_in_every_episode(tmp_path, demos):
    rows = run(tmp_path / "run", f"replay:{demos}", episodes=20)
    assert sum(row.success for row in rows) >= 0.95 * 20
    assert [row.steps for row in rows] == [len(actions) for _, actions in recorded_actions(demos)]


def test_replay_catches_a_flipped_axis(tmp_path, demos, monkeypatch):
    flipped = [(plan, actions * [1, -1, 1]) for plan, actions in recorded_actions(demos)]
    monkeypatch.setattr("xvr.vla.record.recorded_actions", lambda _: iter(flipped))
    rows = run(tmp_path / "run", f"replay:{demos}", episodes=20)
    assert sum(row.success for row in rows) < 0.5 * 20


def test_replay_of_episodes_that_were_not_recorded_says_how_to_run_those_that_were(tmp_path, demos):
    run(tmp_path / "other", seed=99)
    with pytest.raises(UserError, match=r"no recording of reach-button with seed \d+: add --plan"):
        run(tmp_path / "run", f"replay:{demos}", plan=tmp_path / "other")


def test_nothing_and_noise_do_not_succeed(tmp_path):
    for policy in ("zero", "random"):
        rows = run(tmp_path / policy, policy)
        assert [row.success for row in rows] == [False] * 6
        assert {row.steps for row in rows} == {60}


def test_a_second_call_runs_only_what_is_missing(tmp_path):
    first = run(tmp_path / "run")
    lines = (tmp_path / "run" / ROWS).read_text().splitlines(keepends=True)
    (tmp_path / "run" / ROWS).write_text("".join(lines[:4]) + lines[4][:25])
    assert run(tmp_path / "run") == first
    assert (tmp_path / "run" / ROWS).read_text() == "".join(lines)


def test_another_run_in_the_same_folder_is_refused_and_says_what_differs(tmp_path):
    run(tmp_path / "run")
    with pytest.raises(UserError, match="seed is 0 there and 1 now"):
        run(tmp_path / "run", seed=1)
    with pytest.raises(UserError, match="a run of other episodes"):
        run(tmp_path / "run", episodes=7)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("do not lose me")
    with pytest.raises(UserError, match=r"holds thesis\.txt and no rollouts"):
        run(tmp_path / "mine")


def test_kill_9_loses_no_finished_episode_and_the_same_command_goes_on(tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-c", "import sys; from xvr.cli import main; main(sys.argv[1:])"]
    arguments = ["vla", "rollout", "--policy", "zero", "--task", TASK, "--episodes", "40"]
    process = subprocess.Popen([*command, *arguments, "--workers", "2", "--out", str(out)])
    while not (out / ROWS).exists() or (out / ROWS).read_bytes().count(b"\n") < 3:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    held = read_rollouts(out).rows
    assert 3 <= len(held) < 40
    rows = run(out, "zero", episodes=40, execute=8)
    assert rows[: len(held)] == list(held)
    assert rows == run(tmp_path / "whole", "zero", episodes=40, execute=8) or (
        sorted(rows, key=lambda row: row.index) == list(read_rollouts(tmp_path / "whole").rows)
    )


def test_a_server_that_is_killed_is_told_rows_are_kept_and_the_run_goes_on(tmp_path):
    policy, out = acting.NoisyPolicy(), tmp_path / "run"
    with acting.served(policy) as url:
        whole = run(tmp_path / "whole", f"remote:{url}")
        rows = roll_out(options(out, f"remote:{url}"))
        kept = [next(rows), next(rows)]
    with pytest.raises(UserError, match=r"is gone .*finished episodes are kept: start the server"):
        list(rows)
    assert list(read_rollouts(out).rows) == kept
    with pytest.raises(UserError, match="no policy answers at ws://127"):
        run(out, f"remote:{url}")
    with acting.served(policy) as url:
        assert run(out, f"remote:{url}") == whole


def test_a_policy_that_wants_other_cameras_is_refused_before_anything_runs(tmp_path):
    cameras = (*acting.OFFERED.cameras, acting.camera("front_view"))
    with (
        acting.served(acting.NoisyPolicy(cameras=cameras)) as url,
        pytest.raises(UserError, match="there only 'front_view'"),
    ):
        run(tmp_path / "run", f"remote:{url}")
    assert not (tmp_path / "run").exists()


def test_actions_that_are_no_numbers_stop_the_run(tmp_path):
    policy = acting.NoisyPolicy()
    policy.chunk = lambda *_: np.full((acting.CHUNK, 3), np.nan, np.float32)
    with acting.served(policy) as url, pytest.raises(UserError, match="query 0 are not finite"):
        run(tmp_path / "run", f"remote:{url}")


def test_more_actions_than_a_chunk_has_are_refused(tmp_path):
    with (
        acting.served(acting.NoisyPolicy()) as url,
        pytest.raises(UserError, match="--execute 8: the policy gives 4 actions at once"),
    ):
        run(tmp_path / "run", f"remote:{url}", execute=8)


def test_videos_show_failed_episodes_only_and_as_long_as_they_were(tmp_path):
    import av

    rows = run(tmp_path / "run", "zero", videos=2)
    filmed = [row for row in rows if row.video]
    assert [row.index for row in filmed] == [0, 1]
    for row in filmed:
        with av.open(str(tmp_path / "run" / row.video)) as video:
            frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        assert len(frames) == row.steps + 1
        assert frames[0].shape == (96, 288, 3)
    assert not any(row.video for row in run(tmp_path / "won", "expert", videos=2))


def test_episodes_of_another_run_are_run_again_by_their_plan(tmp_path):
    run(tmp_path / "one", seed=3, episodes=4)
    seeds = [row.seed for row in read_rollouts(tmp_path / "one").rows]
    rows = run(tmp_path / "two", "zero", seed=0, plan=tmp_path / "one", episodes=None)
    assert [row.seed for row in rows] == seeds
    rows = run(tmp_path / "three", "zero", seed=0, plan=tmp_path / "one", episodes=2)
    assert [row.seed for row in rows] == seeds[:2]


def test_rates_are_by_task_with_intervals(tmp_path):
    run(tmp_path / "run")
    rate = success_rates(tmp_path / "run")[TASK]
    assert (rate.successes, rate.episodes, rate.share) == (6, 6, 1.0)
    assert rate.interval.low == pytest.approx(0.61, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"workers": 0}, "--workers 0"),
        ({"execute": 0}, "--execute 0"),
        ({"videos": -1}, "--videos -1"),
        ({"tasks": ()}, "--task: name at least one"),
        ({"tasks": ("reach-buton",)}, "did you mean 'reach-button'"),
        ({"env": "libero"}, "unknown environment 'libero'"),
        ({"policy": "expret"}, "did you mean 'expert'"),
        ({"policy": "remote:ws://127.0.0.1:1"}, "no policy answers at ws://127.0.0.1:1"),
        ({"plan": Path("/nothing")}, "was not recorded by xvr vla record"),
    ],
)
def test_bad_arguments_are_told(tmp_path, changes, told):
    with pytest.raises(UserError, match=told):
        run(tmp_path / "run", **changes)


def test_a_recording_is_the_same_with_more_workers_and_keeps_its_plans(tmp_path):
    for workers, name in ((1, "one"), (3, "three")):
        list(record_demonstrations(tmp_path / name, "embedded", TASK, 6, workers=workers))
    one, three = files(tmp_path / "one"), files(tmp_path / "three")
    assert one == three
    assert sum(name.endswith(".mp4") for name in one) == 6 * 3
    assert recorded_plans(tmp_path / "one") == make_plans(TASK, 6, 0)


def files(folder):
    """Names and contents."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_a_recording_goes_on_where_it_stopped_and_refuses_other_arguments(tmp_path, demos):
    rows = record_demonstrations(tmp_path / "stopped", "embedded", TASK, 20)
    for _ in range(15):
        next(rows)
    rows.close()
    rest = list(record_demonstrations(tmp_path / "stopped", "embedded", TASK, 20))
    assert len(rest) == 5
    info = "meta/info.json"
    assert (tmp_path / "stopped" / info).read_bytes() == (demos / info).read_bytes()
    assert list(record_demonstrations(demos, "embedded", TASK, 20)) == []
    with pytest.raises(UserError, match="was recorded with"):
        record_demonstrations(demos, "embedded", TASK, 21)


def test_what_was_recorded_fits_the_environment_it_came_from(demos):
    from xvr.vla.data.demonstrations import DataOptions, read_demonstrations

    found = read_demonstrations([demos], DataOptions(image_size=96))
    assert acting.OFFERED.differences(found.contract(16)) == []
    assert {one.instruction for one in found.episodes} == {"press the red button"}
    assert replace(acting.OFFERED, chunk=16).hash != acting.OFFERED.hash


def test_the_manifest_holds_what_the_run_depends_on(tmp_path):
    run(tmp_path / "run")
    held = json.loads((tmp_path / "run" / "rollout.json").read_text())
    assert held["horizon"] == {TASK: 60}
    assert held["environment_contract"]["fps"] == 20.0
    assert {"xvr", "numpy", "mujoco"} <= set(held["versions"])
