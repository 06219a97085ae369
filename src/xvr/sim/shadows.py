"""Soft shadows of one lamp, worked out from depth images instead of by the renderer.

The scene stands still, so that one depth image from the lamp serves all frames. It is blurred as
mean and variance of depth, and a point that lies behind the mean is lit by the share that
Chebyshev's inequality allows (Donnelly and Lauritzen, "Variance Shadow Maps", I3D 2006). Two blurs
are mixed: the shadow of a thing that touches is sharp, that of a thing high above is soft.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Float

from xvr.sim.orbit import look_at
from xvr.sim.parts import Part
from xvr.sim.renderer import Intrinsics, Renderer, intrinsics
from xvr.sim.stage import CAMERA, Lamp, aim, stage

_SIZE = 1536
_FOVY_DEG = 70.0
_SHARP_TEXELS, _SOFT_TEXELS = 2.5, 13.0
"""Blur for touching and for distant things; a texel is about 1.5 mm on a table 1.7 m away."""
_FAR_M = 0.3
"""Distance between thing and shadow at which the softer blur takes over."""
_LEAST_VARIANCE = 8e-6
"""Square metres; hides the steps of the depth image on sloping surfaces."""
_BIAS_M = 0.002
_CUT = 0.3
"""Shares of light below this are none: they leak where shadows overlap."""


class ShadowMap:
    """What one lamp sees of the things that cast shadows."""

    def __init__(
        self, casters: Sequence[tuple[Part, Float[np.ndarray, "4 4"]]], lamp: Lamp
    ) -> None:
        """Draws the depth image from the lamp.

        Args:
            casters: parts that cast shadows, with their pose in the world.
            lamp: its place and the middle of its cone.
        """
        blank = np.zeros((1, 1, 3), np.uint8)
        bare = [(Part(mesh=part.mesh, texture=blank), pose) for part, pose in casters]
        model, data = stage(bare, [], (0.0, 0.0, 0.0), _FOVY_DEG)
        pose = look_at(np.asarray(lamp.place, float), np.asarray(lamp.target, float))
        aim(model, data, pose)
        with Renderer(model, _SIZE, _SIZE, msaa=0) as renderer:
            depth = renderer.depth(data, CAMERA)
        self._camera = intrinsics(model, CAMERA, _SIZE, _SIZE)
        self._lamp_from_world = np.linalg.inv(pose)
        # Depth is taken about the table, so that float32 keeps the digits of the variance.
        self._middle = np.float32(np.linalg.norm(np.subtract(lamp.target, lamp.place)))
        offset = np.minimum(depth - self._middle, np.float32(2.0))
        moments = np.stack([offset, offset * offset], axis=-1)
        small = cv2.resize(moments, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
        self._sharp = cv2.GaussianBlur(moments, (0, 0), _SHARP_TEXELS)
        self._soft = cv2.GaussianBlur(small, (0, 0), _SOFT_TEXELS / 4)

    def lit(
        self,
        depth_m: Float[np.ndarray, "h w"],
        camera: Intrinsics,
        world_from_camera: Float[np.ndarray, "4 4"],
    ) -> Float[np.ndarray, "h w"]:
        """Share of the lamp's light, 0..1, that reaches the surface in each pixel of an image."""
        height, width = depth_m.shape
        move = (self._lamp_from_world @ world_from_camera).astype(np.float32)
        x = ((np.arange(width, dtype=np.float32) + 0.5 - camera.cx) / camera.fx)[None, :]
        y = ((np.arange(height, dtype=np.float32) + 0.5 - camera.cy) / camera.fy)[:, None]
        place = [depth_m * (row[0] * x + (row[1] * y + row[2])) + row[3] for row in move[:3]]
        far = np.maximum(place[2], np.float32(0.05))
        scale = np.float32(self._camera.fx) / far
        u = place[0] * scale + np.float32(self._camera.cx)
        v = place[1] * scale + np.float32(self._camera.cy)
        behind = place[2] - self._middle
        sharp, _ = _share(self._sharp, u, v, behind)
        soft, gap = _share(self._soft, u / 4, v / 4, behind)
        mix = np.clip(gap / np.float32(_FAR_M), 0, 1)
        return sharp + (soft - sharp) * mix


def _share(
    moments: Float[np.ndarray, "m n 2"],
    u: Float[np.ndarray, "h w"],
    v: Float[np.ndarray, "h w"],
    behind: Float[np.ndarray, "h w"],
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Share of light by one blur, and how far the surface lies behind what the lamp sees."""
    half = np.float32(0.5)
    found = cv2.remap(
        moments,
        u - half,
        v - half,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(2.0, 4.0),
    )
    mean, square = found[..., 0], found[..., 1]
    variance = np.maximum(square - mean * mean, np.float32(_LEAST_VARIANCE))
    gap = np.maximum(behind - mean - np.float32(_BIAS_M), 0)
    share = variance / (variance + gap * gap)
    return np.clip((share - np.float32(_CUT)) / np.float32(1 - _CUT), 0, 1), gap
