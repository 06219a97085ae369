import dataclasses

import numpy as np
import pytest
from hypothesis import given
from rigid import camera, seeds

from xvr.geometry.camera import Camera, unproject
from xvr.geometry.voxels import VoxelCounter


def slow_cells(lens, depth, voxel_m):
    """The cells of every known pixel, as rows."""
    rows, columns = np.nonzero(depth > 0)
    points = unproject(lens, np.column_stack([columns, rows]) + 0.5, depth[rows, columns])
    return np.floor(points / voxel_m).astype(np.int64)


@given(seeds)
def test_the_count_over_several_maps_agrees_with_unique(seed):
    rng = np.random.default_rng(seed)
    counter, cells = VoxelCounter(0.05, 10_000), []
    for _ in range(3):
        lens = camera(rng)
        depth = rng.uniform(0.5, 3.0, (12, 16)) * (rng.random((12, 16)) > 0.2)
        counter.add(lens, depth)
        cells.append(slow_cells(lens, depth, 0.05))
    assert counter.count == len(np.unique(np.concatenate(cells), axis=0))
    assert not counter.full


def test_the_same_map_twice_counts_once():
    lens, depth = camera(np.random.default_rng(0)), np.full((20, 30), 1.5)
    counter = VoxelCounter(0.01, 10_000)
    counter.add(lens, depth)
    once = counter.count
    counter.add(lens, depth)
    assert counter.count == once > 0


def test_unknown_depth_is_no_point():
    counter = VoxelCounter(0.01, 100)
    for unknown in (0.0, np.nan, -1.0):
        counter.add(
            Camera(width=4, height=4, fx=4.0, fy=4.0, cx=2.0, cy=2.0), np.full((4, 4), unknown)
        )
    assert counter.count == 0


@pytest.mark.parametrize("capacity", [1, 7, 64])
def test_counting_stops_at_the_capacity(capacity):
    counter = VoxelCounter(0.001, capacity)
    counter.add(Camera(width=40, height=40, fx=40.0, fy=40.0, cx=20.0, cy=20.0), np.ones((40, 40)))
    assert counter.full
    assert counter.count == capacity


def test_a_million_cells_are_estimated_to_a_percent():
    rng = np.random.default_rng(0)
    counter, cells = VoxelCounter(0.001, 1_000_000), []
    for _ in range(3):
        lens = camera(rng)
        lens = dataclasses.replace(lens, width=400, height=300, fx=300.0, fy=300.0)
        depth = rng.uniform(1.0, 1.5, (300, 400))
        counter.add(lens, depth)
        cells.append(slow_cells(lens, depth, 0.001))
    exact = len(np.unique(np.concatenate(cells), axis=0))
    assert counter.count == pytest.approx(exact, rel=0.01)
    assert not counter.full
