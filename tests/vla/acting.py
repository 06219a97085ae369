"""Policies of a few lines, and a server for them, for tests of rollouts."""

import threading
from contextlib import contextmanager

import numpy as np

from xvr.vla.contract import CameraSpec, Contract
from xvr.vla.environments.reach import ReachEnvironment
from xvr.vla.observation import check_observation
from xvr.vla.serve import serving

OFFERED = ReachEnvironment.contract
CHUNK = 4


def contract(**changes):
    """What a policy for reach-button agrees to."""
    parts = {
        "cameras": OFFERED.cameras,
        "state": OFFERED.state,
        "action": OFFERED.action,
        "fps": OFFERED.fps,
        "chunk": CHUNK,
        "prompt": "{instruction}",
    }
    return Contract(**parts | changes)


class NoisyPolicy:
    """Acts by what it sees and by the noise it is given, and counts its pictures."""

    def __init__(self, **changes):
        self.contract = contract(**changes)
        self.asked = 0

    def act(self, observations, rngs):
        for observation in observations:
            check_observation(self.contract, observation)
        self.asked += len(observations)
        return np.stack([self.chunk(*pair) for pair in zip(observations, rngs, strict=True)])

    def chunk(self, observation, rng):
        seen = sum(float(image.mean()) for image in observation.images.values()) / 1000
        noise = rng.normal(0, 0.4, (CHUNK, 3))
        return (noise - [0, 0, 0.4 + seen]).astype(np.float32)


@contextmanager
def served(policy, host="127.0.0.1"):
    """The address of a policy."""
    with serving(policy, "revision of the test", host, 0) as (server, port):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"ws://{host}:{port}"
        finally:
            server.shutdown()
            thread.join()


def camera(name, size=96):
    return CameraSpec(name=name, height=size, width=size)
