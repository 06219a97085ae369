"""How near views are to each other: the baseline of their cameras, and the surface they share.

Both go into the `difficulty` of a proof, so that accuracy can be told against them.
"""

import numpy as np
from jaxtyping import Float, Int

from xvr.tasks.pool import PointPool


def nearness(
    pool: PointPool, ones: Int[np.ndarray, " p"], others: Int[np.ndarray, " p"]
) -> dict[str, float]:
    """The shortest baseline and the largest overlap among pairs of views.

    Returns:
        `baseline_m`: between camera centres, in the unit of the scene. `overlap_share`: points of
        the pool that both views see, of those that either sees.
    """
    between_m = np.linalg.norm(pool.centers_world[ones] - pool.centers_world[others], axis=-1)
    shares = pool.keep("overlap_shares", lambda: _overlap_shares(pool))[ones, others]
    return {"baseline_m": float(between_m.min()), "overlap_share": float(shares.max())}


def _overlap_shares(pool: PointPool) -> Float[np.ndarray, "v v"]:
    seen = pool.visible.astype(np.float32)
    both = seen @ seen.T  # (v, v), exact below 2**24 points
    alone = np.diag(both)
    return both / np.maximum(alone[:, None] + alone[None] - both, 1)
