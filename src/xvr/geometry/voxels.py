"""How many cells of a voxel grid a point cloud touches, without keeping the cloud.

Of very many cells only a fixed share is kept, chosen by a hash of the cell and so without regard to
where it is: distinct cells of the share, times one over the share, estimate all of them (adaptive
sampling, Flajolet 1990, doi:10.1007/BF02241657).
"""

import numba
import numpy as np
from jaxtyping import Float

from xvr.geometry.camera import Camera, unproject

_EMPTY = np.iinfo(np.int64).min
_KEPT_CELLS = 1 << 15
"""At least so many cells are kept at the capacity: a standard error of half a percent."""


class VoxelCounter:
    """Counts distinct voxels of depth maps added one by one.

    The cell of a point is floor(point / size), the grid the WildRGB-D authors' point cloud tool
    (wildrgbd_generate_point_cloud.py, open3d voxel_down_sample) uses up to its origin.
    """

    def __init__(self, voxel_m: float, capacity: int) -> None:
        """Args: voxel_m: edge of a cell; capacity: count at which adding stops."""
        self.voxel_m = voxel_m
        self.capacity = capacity
        self._one_in = 1 << max(0, (capacity // _KEPT_CELLS).bit_length() - 1)
        self._enough = -(-capacity // self._one_in)
        self._kept = 0
        self._table = np.full(1 << (2 * self._enough - 1).bit_length(), _EMPTY, np.int64)

    @property
    def count(self) -> int:
        """Cells so far; exact with a capacity below 65,536, else to about half a percent."""
        return self._kept * self._one_in

    @property
    def full(self) -> bool:
        """Whether `capacity` cells were counted; more are not looked at."""
        return self._kept >= self._enough

    def add(self, camera: Camera, depth_map_m: Float[np.ndarray, "h w"]) -> None:
        """Count the cells of one view's depth map."""
        state = self._table, self._one_in, self._kept, self._enough
        if camera.model == "pinhole":
            intrinsics = (camera.fx, camera.fy, camera.cx, camera.cy)
            pose = np.ascontiguousarray(camera.world_from_camera, np.float64)
            self._kept = _insert_map(depth_map_m, intrinsics, pose, self.voxel_m, *state)
            return
        rows, columns = np.nonzero(depth_map_m > 0)
        uv_px = np.column_stack([columns, rows]) + 0.5
        points = unproject(camera, uv_px, depth_map_m[rows, columns].astype(np.float64))
        self._kept = _insert(points, self.voxel_m, *state)


@numba.njit(cache=True)
def _insert(points, voxel_m, table, one_in, kept, enough):  # pragma: no cover - compiled
    mask = len(table) - 1
    for i in range(len(points)):
        if kept >= enough:
            break
        # 21 bits per axis: cells within +-1 million of the origin, 1 km at 1 mm
        x = np.int64(np.floor(points[i, 0] / voxel_m)) & 0x1FFFFF
        y = np.int64(np.floor(points[i, 1] / voxel_m)) & 0x1FFFFF
        z = np.int64(np.floor(points[i, 2] / voxel_m)) & 0x1FFFFF
        key = (x << 42) | (y << 21) | z
        mixed = (key ^ (key >> 29)) * np.int64(-7046029254386353131)
        if (mixed >> 44) & (one_in - 1):
            continue
        slot = mixed >> 20 & mask
        while table[slot] != key:
            if table[slot] == _EMPTY:
                table[slot] = key
                kept += 1
                break
            slot = (slot + 1) & mask
    return kept


@numba.njit(cache=True)
def _insert_map(  # noqa: PLR0913
    depth, intrinsics, pose, voxel_m, table, one_in, kept, enough
):  # pragma: no cover - compiled
    fx, fy, cx, cy = intrinsics
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
        kept = _insert(points[:found], voxel_m, table, one_in, kept, enough)
        if kept >= enough:
            break
    return kept
