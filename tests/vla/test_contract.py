import json
from dataclasses import replace

import pytest
from contracts import CONTRACT

from xvr.errors import UserError
from xvr.vla.contract import CameraSpec, Contract, FieldSpec


def test_a_contract_survives_json():
    text = json.dumps(CONTRACT.to_json())
    assert Contract.from_json(json.loads(text)) == CONTRACT
    assert Contract.from_json(json.loads(text)).hash == CONTRACT.hash


def test_the_hash_is_of_the_content():
    assert replace(CONTRACT, fps=20.0).hash == CONTRACT.hash
    assert replace(CONTRACT, fps=30.0).hash != CONTRACT.hash


def test_equal_contracts_do_not_differ():
    assert CONTRACT.differences(CONTRACT) == []


def test_an_environment_need_not_declare_what_only_a_policy_has():
    environment = replace(CONTRACT, chunk=None, prompt=None, normalizer=None)
    assert environment.differences(CONTRACT) == []
    environment.require(CONTRACT, "the environment")


def test_words_and_names_are_compared_where_both_sides_have_them():
    position = FieldSpec(name="position", dims=3)
    bare = replace(CONTRACT, state=(position, CONTRACT.state[1]))
    assert bare.differences(CONTRACT) == []
    millimetres = replace(CONTRACT, state=(replace(position, meaning="mm"), CONTRACT.state[1]))
    assert millimetres.differences(CONTRACT) == [
        f"state.position.meaning: 'mm' here, {CONTRACT.state[0].meaning!r} there"
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"fps": 30.0}, "fps: 30.0 here, 20.0 there"),
        ({"chunk": 8}, "chunk: 8 here, 16 there"),
        ({"normalizer": "cd"}, "normalizer: 'cd' here, 'ab12' there"),
        (
            {"cameras": CONTRACT.cameras[::-1]},
            "cameras: the order is 'wrist_view', 'left_view' here, 'left_view', 'wrist_view' there",
        ),
        (
            {"cameras": (CameraSpec(name="top", height=8, width=8), CONTRACT.cameras[1])},
            "cameras: here only 'top', there only 'left_view'",
        ),
        ({"cameras": CONTRACT.cameras[:1]}, "cameras: there only 'wrist_view'"),
        (
            {"cameras": (replace(CONTRACT.cameras[0], height=9), CONTRACT.cameras[1])},
            "cameras.left_view.height: 9 here, 8 there",
        ),
        (
            {"action": (CONTRACT.action[0], replace(CONTRACT.action[1], kind="binary_pm1"))},
            "action.gripper_close.kind: 'binary_pm1' here, 'binary_01' there",
        ),
        (
            {"state": (replace(CONTRACT.state[0], names=("z", "y", "x")), CONTRACT.state[1])},
            "state.position.names: z, y, x here, x, y, z there",
        ),
    ],
)
def test_each_difference_is_told(change, told):
    other = replace(CONTRACT, **change)
    assert other.differences(CONTRACT) == [told]
    with pytest.raises(UserError) as refused:
        other.require(CONTRACT, "the environment")
    assert told in str(refused.value)
    assert "the environment" in str(refused.value)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: FieldSpec(name="r", dims=3, kind="quaternion_xyzw"), "3 entries do not make"),
        (lambda: FieldSpec(name="r", dims=3, kind="euler"), "kind 'euler', known are"),
        (lambda: FieldSpec(name="p", dims=2, names=("x",)), "1 names for 2 entries"),
        (lambda: CameraSpec(name="c", height=0, width=4), "not positive"),
        (lambda: replace(CONTRACT, action=()), "without an action"),
        (lambda: replace(CONTRACT, fps=0.0), "must be positive"),
        (lambda: replace(CONTRACT, prompt="press it"), "has no {instruction}"),
        (lambda: replace(CONTRACT, cameras=CONTRACT.cameras[:1] * 2), "named twice"),
        (lambda: Contract.from_json({"cameras": []}), "no contract of a policy"),
        (lambda: Contract.from_json(CONTRACT.to_json() | {"colour": 1}), "no contract"),
    ],
)
def test_what_is_no_contract_is_refused(make, told):
    with pytest.raises(UserError, match=told):
        make()
