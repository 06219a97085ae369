"""The scripted expert of reach-button: over the button along a funnel, then down.

It remembers nothing: its action follows from where the fingertip and the button are, so that a
policy that sees both can learn it.
"""

import numpy as np
from jaxtyping import Float

from xvr.sim.reach_world import MAX_SHIFT_M

_ALIGNED_M = 0.008
_SLOPE = 4.0
_CLEAR_M = 0.14
"""Above the button by so much the finger passes over every screen."""
_PUSH_M = 0.02
_EASE = 0.55  # share of the remaining way that one action asks for


def reach_action(
    tip_m: Float[np.ndarray, " 3"], button_m: Float[np.ndarray, " 3"]
) -> Float[np.ndarray, " 3"]:
    """The action that brings the fingertip to the button, in -1..1.

    Args:
        tip_m: fingertip, world.
        button_m: middle of the button's face, or where it is thought to be.
    """
    aside = float(np.linalg.norm((button_m - tip_m)[:2]))
    height = min(_CLEAR_M, _SLOPE * max(0.0, aside - _ALIGNED_M)) - _PUSH_M
    shift = button_m + np.array([0.0, 0.0, height]) - tip_m
    wanted = _EASE * shift / MAX_SHIFT_M
    return np.clip(wanted / max(1.0, float(np.abs(wanted).max())), -1, 1)
