import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xvr.errors import UserError
from xvr.vla.contract import FieldSpec
from xvr.vla.normalizer import Normalizer, fit
from xvr.vla.rotation import (
    orthonormal_6d,
    quaternion_from_rotation_6d,
    rotation_6d_from_quaternion,
)
from xvr.vla.statistics import check_binary, measure

MODES = ("min_max", "quantile", "mean_std", "identity")
POSITION = (FieldSpec(name="position", dims=3),)


def samples(seed=0, frames=400):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(frames, 3)) * [0.1, 5.0, 200.0] + [0.0, -3.0, 1e3]


def normalizer(values, specs=POSITION, mode="min_max"):
    vector = fit(specs, measure([values], values.shape[1]), mode)
    return Normalizer(state=vector, action=vector, data="d1")


@pytest.mark.parametrize("mode", MODES)
def test_numbers_come_back_from_every_mode(mode):
    values = samples()
    vector = normalizer(values, mode=mode).action
    back = vector.decode(vector.encode(values))
    np.testing.assert_allclose(back, values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "measure_of"),
    [
        ("min_max", lambda x: (x.min(0), x.max(0))),
        ("quantile", lambda x: tuple(np.quantile(x, (0.01, 0.99), axis=0))),
        ("mean_std", lambda x: (x.mean(0) - x.std(0), x.mean(0) + x.std(0))),
    ],
)
def test_each_mode_takes_its_limits_to_minus_and_plus_one(mode, measure_of):
    low, high = measure_of(normalizer(samples(), mode=mode).action.encode(samples()))
    np.testing.assert_allclose(low, -1, atol=1e-3)
    np.testing.assert_allclose(high, 1, atol=1e-3)


@pytest.mark.parametrize("mode", ["min_max", "quantile", "mean_std"])
def test_an_entry_that_never_changes_is_nothing_and_comes_back_as_its_constant(mode):
    values = samples()
    values[:, 1] = 0.7 + 1e-9 * np.sin(np.arange(len(values)))
    vector = normalizer(values, mode=mode).action
    encoded = vector.encode(values)
    assert (encoded[:, 1] == 0).all()
    assert (vector.encode(values + 5)[:, 1] == 0).all()
    np.testing.assert_allclose(vector.decode(np.full((1, 3), 9.0))[:, 1], 0.7, rtol=1e-6)


def test_an_entry_that_rarely_changes_is_scaled_by_its_range_where_its_quantiles_are_equal():
    values = samples()
    values[:, 0] = 0
    values[0, 0] = 2.0
    vector = normalizer(values, mode="quantile").action
    np.testing.assert_allclose(vector.encode(values)[:2, 0], [1, -1], atol=1e-6)
    np.testing.assert_allclose(vector.decode(vector.encode(values))[:2, 0], [2, 0], atol=1e-6)


@pytest.mark.parametrize(("kind", "low", "high"), [("binary_01", 0, 1), ("binary_pm1", -1, 1)])
def test_both_conventions_of_a_gripper_come_back_as_they_were(kind, low, high):
    values = np.array([[low], [high], [high], [low]], np.float64)
    vector = normalizer(values, (FieldSpec(name="gripper", dims=1, kind=kind),)).action
    assert vector.encode(values).ravel().tolist() == [-1, 1, 1, -1]
    assert (vector.decode(vector.encode(values)) == values).all()
    assert vector.decode(np.array([[0.1], [-0.1], [7.0]])).ravel().tolist() == [high, low, high]


def test_a_field_said_to_be_binary_with_other_values_is_told():
    spec = (*POSITION, FieldSpec(name="gripper", dims=1, kind="binary_01"))
    values = np.array([[9.0, 9.0, 9.0, 1.0], [9.0, 9.0, 9.0, -1.0]])
    told = check_binary(spec, values, "episode 3")
    assert told == "episode 3: gripper is said to be binary_01 and has the value -1"
    assert check_binary(spec, np.abs(values), "episode 3") is None


unit_quaternions = arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(
    lambda q: np.linalg.norm(q) > 0.1
)


@given(unit_quaternions)
def test_rotations_come_back_up_to_the_sign_of_the_quaternion(quat):
    quat = quat / np.linalg.norm(quat)
    back = quaternion_from_rotation_6d(rotation_6d_from_quaternion(quat))
    assert min(np.abs(back - quat).max(), np.abs(back + quat).max()) < 1e-6
    assert back[3] >= 0


@given(unit_quaternions)
def test_a_quaternion_and_its_opposite_are_the_same_six_numbers(quat):
    np.testing.assert_allclose(
        rotation_6d_from_quaternion(quat), rotation_6d_from_quaternion(-quat), atol=1e-12
    )


@given(arrays(np.float64, (2, 6), elements=st.floats(-2, 2)))
def test_any_six_numbers_are_made_a_rotation(columns):
    made = orthonormal_6d(columns)
    a, b = made[:, :3], made[:, 3:]
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(b, axis=1), 1, atol=1e-5)
    assert np.abs((a * b).sum(1)).max() < 1e-5
    np.testing.assert_allclose(orthonormal_6d(made), made, atol=1e-6)


def test_six_numbers_are_the_columns_of_the_matrix():
    from scipy.spatial.transform import Rotation

    quat = np.random.default_rng(0).normal(size=(20, 4))
    matrix = Rotation.from_quat(quat).as_matrix()
    columns = np.concatenate([matrix[:, :, 0], matrix[:, :, 1]], axis=1)
    np.testing.assert_allclose(rotation_6d_from_quaternion(quat), columns, atol=1e-12)


def test_fields_of_several_kinds_stand_side_by_side():
    specs = (*POSITION, FieldSpec(name="turn", dims=4, kind="quaternion_xyzw"))
    specs += (FieldSpec(name="gripper", dims=1, kind="binary_pm1"),)
    rng = np.random.default_rng(0)
    quat = rng.normal(size=(400, 4))
    quat /= np.linalg.norm(quat, axis=1, keepdims=True) * np.sign(quat[:, 3:])
    values = np.hstack([samples(), quat, rng.choice([-1.0, 1.0], (400, 1))])
    vector = fit(specs, measure([values], 8), "min_max")
    assert (vector.dims, vector.width) == (8, 10)
    np.testing.assert_allclose(vector.decode(vector.encode(values)), values, rtol=1e-4, atol=1e-5)


def test_a_normaliser_survives_json_to_the_bit():
    one = normalizer(samples(), mode="mean_std")
    back = Normalizer.from_json(json.loads(json.dumps(one.to_json())))
    assert back == one
    assert back.hash == one.hash


def test_other_data_has_another_hash_and_is_refused():
    one = normalizer(samples())
    assert replace(one, data="d2").hash != one.hash
    assert normalizer(samples(1)).hash != one.hash
    one.require("d1", "kitchen")
    with pytest.raises(UserError, match=r"statistics of another data set \(d1\) than kitchen"):
        one.require("d2", "kitchen")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: normalizer(samples(), mode="z"), "normalisation 'z': known are min_max"),
        (lambda: normalizer(np.zeros((0, 3))), "no frame"),
        (lambda: Normalizer.from_json({"state": []}), "no normaliser"),
    ],
)
def test_what_cannot_be_is_refused(make, told):
    with pytest.raises(UserError, match=told):
        make()


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match="4 entries, expected 3"):
        normalizer(samples()).action.encode(np.zeros((2, 4)))


def test_a_quaternion_of_length_zero_is_refused():
    with pytest.raises(ValueError, match="no rotation"):
        rotation_6d_from_quaternion(np.zeros((2, 4)))
