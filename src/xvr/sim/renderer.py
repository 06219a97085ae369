"""Off-screen pictures of a MuJoCo model: colour, depth, geom numbers and the camera behind them.

Colour is drawn with multisampling and shadows; depth and geom numbers come from a second, plain
buffer, because a multisampled depth buffer holds values between two surfaces at their edges.
Images have row 0 at the top. Cameras have OpenCV axes (x right, y down, z forward), metres, and
pixel centres at +0.5, so that a symmetric frustum has `cx = width / 2`.

    with Renderer(model, 640, 480) as renderer:
        mujoco.mj_forward(model, data)
        picture, depth_m = renderer.rgb(data, "left"), renderer.depth(data, "left")
"""

import ctypes
import os
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, UInt8

from xvr.errors import UserError

_CAMERA_AXES_FLIP = np.diag([1.0, -1.0, -1.0])
"""MuJoCo cameras look along -z with y up; OpenCV cameras look along +z with y down."""


class Intrinsics(NamedTuple):
    """Pinhole camera in pixels."""

    fx: float
    fy: float
    cx: float
    cy: float


def import_mujoco() -> Any:
    """The `mujoco` module, with the GL backend of this machine chosen before it loads.

    Raises:
        UserError: mujoco is not installed.
    """
    if sys.platform == "linux" and "MUJOCO_GL" not in os.environ:
        backend = _linux_backend()
        if backend:
            os.environ["MUJOCO_GL"] = backend
    try:
        import mujoco
    except ImportError as error:
        raise UserError(f'simulation needs MuJoCo ({error}): run pip install "xvr[sim]"') from error
    return mujoco


def intrinsics(model: Any, camera: int | str, width: int, height: int) -> Intrinsics:
    """Pinhole parameters of a perspective camera that is given by its `fovy`.

    Args:
        model: an `mujoco.MjModel`.
        camera: its number or name.
        width: of the image in pixels.
        height: of the image in pixels; `fovy` spans it.

    Raises:
        ValueError: the camera has its own sensor size, so that `fovy` does not describe it.
    """
    number = model.camera(camera).id
    if np.any(model.cam_sensorsize[number] != 0):
        raise ValueError(f"camera {camera!r} has a sensor size; give it a fovy instead")
    focal = 0.5 * height / np.tan(np.radians(float(model.cam_fovy[number])) / 2)
    return Intrinsics(float(focal), float(focal), width / 2, height / 2)


def world_from_camera(data: Any, camera: int | str) -> Float[np.ndarray, "4 4"]:
    """Pose of a camera in OpenCV axes, metres, after `mj_forward` (or `mj_camlight`)."""
    view = data.camera(camera)
    pose = np.eye(4)
    pose[:3, :3] = view.xmat.reshape(3, 3) @ _CAMERA_AXES_FLIP
    pose[:3, 3] = view.xpos
    return pose


class Renderer:
    """Draws one model off screen; close it, or use it in a `with` block."""

    def __init__(
        self,
        model: Any,
        width: int,
        height: int,
        msaa: int = 4,
        shadows: bool = True,
        groups: Sequence[int] = (0, 1, 2),
    ) -> None:
        """Opens a GL context for `model`.

        Args:
            model: an `mujoco.MjModel`; later changes of poses and colours are seen, new meshes not.
            width: of the images in pixels.
            height: of the images in pixels.
            msaa: samples per pixel of the colour pass; 0 is off.
            shadows: draw the shadows of the lights that cast them.
            groups: geom groups that are drawn. Sites, joints and tendons never are.

        Raises:
            UserError: mujoco or a GL library is missing.
        """
        self._mujoco = mujoco = import_mujoco()
        self._gl = _gl_context(width, height)
        self._gl.make_current()
        self._model, self._width, self._height = model, width, height
        self._msaa = msaa
        self._contexts: dict[int, Any] = {}
        self._scene = mujoco.MjvScene(model, maxgeom=int(model.ngeom) + 100)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = shadows
        self._camera = mujoco.MjvCamera()
        self._option = mujoco.MjvOption()
        self._option.geomgroup[:] = [group in groups for group in range(6)]
        for hidden in (self._option.sitegroup, self._option.jointgroup, self._option.tendongroup):
            hidden[:] = 0
        self._viewport = mujoco.MjrRect(0, 0, width, height)

    def rgb(self, data: Any, camera: int | str, smooth: bool = True) -> UInt8[np.ndarray, "h w 3"]:
        """The picture that a camera sees of `data`; without `smooth` there is no multisampling."""
        self._aim(data, camera)
        return self._draw(self._context(self._msaa if smooth else 0))

    def depth(
        self, data: Any, camera: int | str, size: tuple[int, int] | None = None
    ) -> Float[np.ndarray, "h w"]:
        """Depth along z in metres, float32, of the surface at each pixel centre.

        Where nothing is drawn the value is that of the far plane, `vis.map.zfar * stat.extent`.

        Args:
            data: what is drawn.
            camera: its number or name.
            size: width and height of a smaller map than the images, in pixels.

        Raises:
            ValueError: the map is larger than the images.
        """
        width, height = size or (self._width, self._height)
        if width > self._width or height > self._height:
            raise ValueError(f"depth of {width}x{height} in a {self._width}x{self._height} buffer")
        viewport = self._mujoco.MjrRect(0, 0, width, height)
        self._aim(data, camera)
        context = self._context(0)
        self._mujoco.mjr_render(viewport, self._scene, context)
        inverse = np.empty((height, width), np.float32)
        self._mujoco.mjr_readPixels(None, inverse, viewport, context)
        return self._metres(inverse)

    def surfaces(
        self, data: Any, camera: int | str
    ) -> tuple[Float[np.ndarray, "h w"], Int[np.ndarray, "h w"]]:
        """Depth as `depth` gives it and the number of the geom there, -1 for none, in one pass."""
        mujoco = self._mujoco
        self._aim(data, camera)
        flags = self._scene.flags
        coloured = (mujoco.mjtRndFlag.mjRND_SEGMENT, mujoco.mjtRndFlag.mjRND_IDCOLOR)
        for flag in coloured:
            flags[flag] = 1
        context = self._context(0)
        mujoco.mjr_render(self._viewport, self._scene, context)
        for flag in coloured:
            flags[flag] = 0
        colours = np.empty((self._height, self._width, 3), np.uint8)
        inverse = np.empty((self._height, self._width), np.float32)
        mujoco.mjr_readPixels(colours, inverse, self._viewport, context)
        geom_of_segment = np.full(self._scene.maxgeom + 2, -1, np.int32)
        for shape in self._scene.geoms[: self._scene.ngeom]:
            if shape.segid >= 0 and shape.objtype == mujoco.mjtObj.mjOBJ_GEOM:
                geom_of_segment[shape.segid + 1] = shape.objid
        red, green, blue = (colours[::-1, :, channel].astype(np.int32) for channel in range(3))
        return self._metres(inverse), geom_of_segment[red | green << 8 | blue << 16]

    def close(self) -> None:
        """Frees the GL context; the renderer can't be used afterwards."""
        if self._gl is None:
            return
        self._gl.make_current()
        for context in self._contexts.values():
            context.free()
        self._gl.free()
        self._gl = None

    def __enter__(self) -> "Renderer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _context(self, samples: int) -> Any:
        """The buffer of this size with so many samples, made when first needed and selected."""
        if samples not in self._contexts:
            self._contexts[samples] = self._new_context(samples)
        context = self._contexts[samples]
        self._mujoco.mjr_setBuffer(self._mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, context)
        return context

    def _new_context(self, samples: int) -> Any:
        """A context made with our size and samples; the model keeps its own settings."""
        quality, window = self._model.vis.quality, self._model.vis.global_
        before = quality.offsamples, quality.shadowsize, window.offwidth, window.offheight
        quality.offsamples, window.offwidth, window.offheight = samples, self._width, self._height
        if not self._scene.flags[self._mujoco.mjtRndFlag.mjRND_SHADOW]:
            quality.shadowsize = 0  # a map of shadows takes a quarter second to make
        context = self._mujoco.MjrContext(
            self._model, self._mujoco.mjtFontScale.mjFONTSCALE_50.value
        )
        quality.offsamples, quality.shadowsize, window.offwidth, window.offheight = before
        context.readDepthMap = self._mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        return context

    def _aim(self, data: Any, camera: int | str) -> None:
        mujoco = self._mujoco
        if self._gl is None:
            raise ValueError("the renderer is closed")
        self._gl.make_current()
        self._camera.fixedcamid = self._model.camera(camera).id
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        mujoco.mjv_updateScene(
            self._model,
            data,
            self._option,
            None,
            self._camera,
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )

    def _metres(self, inverse: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
        """Depth from a buffer whose rows run upwards; zero is the far plane and one the near plane.

        That way round, float32 keeps its digits for far surfaces.
        """
        extent, planes = self._model.stat.extent, self._model.vis.map
        near, far = planes.znear * extent, planes.zfar * extent
        return (near * far / (near + inverse[::-1].astype(np.float64) * (far - near))).astype(
            np.float32
        )

    def _draw(self, context: Any) -> UInt8[np.ndarray, "h w 3"]:
        self._mujoco.mjr_render(self._viewport, self._scene, context)
        bottom_up = np.empty((self._height, self._width, 3), np.uint8)
        self._mujoco.mjr_readPixels(bottom_up, None, self._viewport, context)
        return np.ascontiguousarray(bottom_up[::-1])


def _linux_backend() -> str | None:
    """`egl` or `osmesa`, whichever library loads, or None."""
    if _loads("libEGL.so.1") and (_loads("libGL.so.1") or _loads("libOpenGL.so.0")):
        return "egl"
    return "osmesa" if _loads("libOSMesa.so.8") or _loads("libOSMesa.so") else None


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _gl_context(width: int, height: int) -> Any:
    backend = os.environ.get("MUJOCO_GL", "").lower().strip()
    try:
        if backend == "egl":
            from mujoco.egl import GLContext
        elif backend == "osmesa":
            from mujoco.osmesa import GLContext
        else:
            from mujoco import GLContext
        return GLContext(width, height)
    except (ImportError, AttributeError, RuntimeError) as error:
        raise UserError(
            f"no off-screen OpenGL (MUJOCO_GL={backend or 'unset'}: {error}): run "
            "apt-get install libegl1 libgl1, or apt-get install libosmesa6 with MUJOCO_GL=osmesa"
        ) from error
