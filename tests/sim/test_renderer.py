from typing import Any

import numpy as np
import pytest

pytest.importorskip("mujoco")

from xvr.sim.renderer import Renderer, import_mujoco, intrinsics, world_from_camera

MODEL = """
<mujoco><worldbody>
  <light pos="0 0 3"/>
  <geom name="floor" type="plane" size="3 3 .1" rgba=".8 .2 .2 1"/>
  <geom name="cube" type="box" size=".2 .2 .2" pos="0 0 .2" rgba=".2 .8 .2 1"/>
  <camera name="eye" pos="0 -2 1" xyaxes="1 0 0 0 .4472 .8944" fovy="50"/>
</worldbody></mujoco>
"""


def scene() -> tuple[Any, Any]:
    """`MODEL`, and where its bodies are."""
    mujoco = import_mujoco()
    model = mujoco.MjModel.from_xml_string(MODEL)
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return model, data


@pytest.mark.sim
def test_depth_of_a_plane_is_that_of_the_formula() -> None:
    model, data = scene()
    with Renderer(model, 80, 60) as renderer:
        depth, geoms = renderer.surfaces(data, "eye")
        assert np.array_equal(depth, renderer.depth(data, "eye"))
        picture = renderer.rgb(data, "eye")
    fx, fy, cx, cy = intrinsics(model, "eye", 80, 60)
    pose = world_from_camera(data, "eye")
    v, u = np.mgrid[0:60, 0:80] + 0.5
    rays = np.stack([(u - cx) / fx, (v - cy) / fy, np.ones_like(u)], axis=-1) @ pose[:3, :3].T
    floor = geoms == model.geom("floor").id
    expected = -pose[2, 3] / rays[floor][:, 2]
    near = expected < 3
    assert floor.sum() > 1000
    assert np.abs(depth[floor] - expected)[near].max() < 1e-4
    cube = geoms == model.geom("cube").id
    assert picture[cube].mean(0).argmax() == 1
    assert picture.shape == (60, 80, 3)


@pytest.mark.sim
def test_depth_of_another_size_is_that_of_a_renderer_of_that_size() -> None:
    model, data = scene()
    with (
        Renderer(model, 96, 96, msaa=0, shadows=False) as large,
        Renderer(model, 64, 64) as small,
    ):
        assert np.array_equal(large.depth(data, "eye", (64, 64)), small.depth(data, "eye"))
        with pytest.raises(ValueError, match="64x128 in a 96x96 buffer"):
            large.depth(data, "eye", (64, 128))


@pytest.mark.sim
def test_a_closed_renderer_says_so() -> None:
    model, data = scene()
    renderer = Renderer(model, 16, 16)
    renderer.close()
    with pytest.raises(ValueError, match="closed"):
        renderer.rgb(data, "eye")
