"""How many cells of a voxel grid a point cloud touches, without keeping the cloud."""

import numba
import numpy as np
from jaxtyping import Float

from xvr.geometry.camera import Camera, unproject

_EMPTY = np.iinfo(np.int64).min


class VoxelCounter:
    """Counts distinct voxels of depth maps added one by one.

    The cell of a point is floor(point / size), the grid the WildRGB-D authors' point cloud tool
    (wildrgbd_generate_point_cloud.py, open3d voxel_down_sample) uses up to its origin.
    """

    def __init__(self, voxel_m: float, capacity: int) -> None:
        """Args: voxel_m: edge of a cell; capacity: count at which adding stops being exact."""
        self.voxel_m = voxel_m
        self.capacity = capacity
        self.count = 0
        self._table = np.full(1 << (2 * capacity - 1).bit_length(), _EMPTY, np.int64)

    @property
    def full(self) -> bool:
        """Whether `capacity` cells were counted; more are not looked at."""
        return self.count >= self.capacity

    def add(self, camera: Camera, depth_map_m: Float[np.ndarray, "h w"]) -> None:
        """Count the cells of one view's depth map."""
        if camera.model == "pinhole":
            intrinsics = (camera.fx, camera.fy, camera.cx, camera.cy)
            pose = np.ascontiguousarray(camera.world_from_camera, np.float64)
            self.count = _insert_map(
                self._table, depth_map_m, intrinsics, pose, self.voxel_m, self.count, self.capacity
            )
            return
        rows, columns = np.nonzero(depth_map_m > 0)
        uv_px = np.column_stack([columns, rows]) + 0.5
        points = unproject(camera, uv_px, depth_map_m[rows, columns].astype(np.float64))
        self.count = _insert(self._table, points, self.voxel_m, self.count, self.capacity)


@numba.njit(cache=True)
def _insert(table, points, voxel_m, count, capacity):  # pragma: no cover - compiled
    mask = len(table) - 1
    for i in range(len(points)):
        if count >= capacity:
            break
        # 21 bits per axis: cells within +-1 million of the origin, 1 km at 1 mm
        x = np.int64(np.floor(points[i, 0] / voxel_m)) & 0x1FFFFF
        y = np.int64(np.floor(points[i, 1] / voxel_m)) & 0x1FFFFF
        z = np.int64(np.floor(points[i, 2] / voxel_m)) & 0x1FFFFF
        key = (x << 42) | (y << 21) | z
        slot = ((key ^ (key >> 29)) * np.int64(-7046029254386353131)) >> 20 & mask
        while table[slot] != key:
            if table[slot] == _EMPTY:
                table[slot] = key
                count += 1
                break
            slot = (slot + 1) & mask
    return count


@numba.njit(cache=True)
def _insert_map(table, depth, intrinsics, pose, voxel_m, count, capacity):
    fx, fy, cx, cy = intrinsics  # pragma: no cover - compiled
    height, width = depth.shape
    points = np.empty((width, 3))
    for row in range(height):
        found = 0
        y = (row + 0.5 - cy) / fy
        for column in range(width):
            z = depth[row, column]
            if not z > 0.0:
                continue
            x = (column + 0.5 - cx) / fx
            for axis in range(3):
                points[found, axis] = (
                    pose[axis, 0] * x + pose[axis, 1] * y + pose[axis, 2]
                ) * z + pose[axis, 3]
            found += 1
        count = _insert(table, points[:found], voxel_m, count, capacity)
        if count >= capacity:
            break
    return count
