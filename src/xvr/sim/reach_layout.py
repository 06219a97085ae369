"""Where things stand in one episode of reach-button, drawn from the episode's generator.

World frame: the table's top is z = 0, the side cameras look along +x, y is to their left, z is up;
metres. A button lies on a block. In some placements a screen stands between it and one of the side
cameras, or one on either side, so that only the camera on the hand can see it. The screens tell
where the button is to within their length, which is much more than the finger can miss it by.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Vec3 = tuple[float, float, float]
Rgb = tuple[float, float, float]

Screens = Literal["none", "left", "right", "both"]
"""Which side cameras the button is hidden from."""

SCREENS: tuple[Screens, ...] = get_args(Screens)
_SCREEN_SHARES = (0.4, 0.2, 0.2, 0.2)

BUTTON_RANGE_M = ((-0.18, 0.18), (-0.24, 0.24), (0.03, 0.12))
"""Where the button's face may be, along x, y and z."""

SCREEN_GAP_M = 0.05
"""From the middle of the button to a screen."""

SCREEN_HALF_M = (0.11, 0.004, 0.045)
"""Half of a screen's length, thickness and of how far it rises above the button."""

_TABLES: tuple[Rgb, ...] = ((0.72, 0.66, 0.56), (0.55, 0.58, 0.6), (0.82, 0.81, 0.78))
_BLOCKS: tuple[Rgb, ...] = ((0.25, 0.35, 0.5), (0.3, 0.45, 0.33), (0.42, 0.42, 0.45))
_PANELS: tuple[Rgb, ...] = ((0.9, 0.75, 0.3), (0.62, 0.5, 0.68), (0.35, 0.6, 0.65))


@dataclass(frozen=True, kw_only=True)
class ReachLayout:
    """One placement of button, block and screens, and where the finger begins."""

    button_m: Vec3
    """Middle of the button's face."""
    screens: Screens
    screen_shift_m: float
    """How far the middle of the screens is from the button, along x."""
    tip_m: Vec3
    """Where the fingertip begins."""
    table: Rgb
    block: Rgb
    screen: Rgb


def sample_layout(rng: np.random.Generator) -> ReachLayout:
    """A placement; about two in five have no screen."""
    x, y, z = (float(rng.uniform(*span)) for span in BUTTON_RANGE_M)
    slack = SCREEN_HALF_M[0] - 0.04  # a screen hides the whole button
    return ReachLayout(
        button_m=(x, y, z),
        screens=SCREENS[rng.choice(len(SCREENS), p=_SCREEN_SHARES)],
        screen_shift_m=float(rng.uniform(-slack, slack)),
        tip_m=(
            float(rng.uniform(-0.06, 0.06)),
            float(rng.uniform(-0.06, 0.06)),
            float(rng.uniform(0.25, 0.29)),
        ),
        table=_shaded(_TABLES, rng),
        block=_shaded(_BLOCKS, rng),
        screen=_shaded(_PANELS, rng),
    )


def _shaded(colours: tuple[Rgb, ...], rng: np.random.Generator) -> Rgb:
    red, green, blue = colours[rng.integers(len(colours))]
    scale = float(rng.uniform(0.9, 1.1))
    return min(1.0, red * scale), min(1.0, green * scale), min(1.0, blue * scale)
