"""A policy behind a websocket: the handshake, what is refused, and answers as without it."""

import logging
import subprocess
import sys
from contextlib import closing, contextmanager

import acting
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from xvr.errors import UserError
from xvr.vla.observation import Observation
from xvr.vla.remote import RemotePolicy
from xvr.vla.wire import MAX_MESSAGE_BYTES, PROTOCOL, pack, unpack

IMAGE = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
SEEN = Observation(
    images={camera.name: IMAGE for camera in acting.OFFERED.cameras},
    state=np.array([0.1, 0.2, 0.3], np.float32),
    instruction="press the red button",
)


@pytest.fixture
def url():
    with acting.served(acting.NoisyPolicy()) as address:
        yield address


@contextmanager
def asking(url, hello=None):
    """A connection that has said hello and is ready."""
    with connect(url, max_size=MAX_MESSAGE_BYTES) as link:
        unpack(link.recv())
        link.send(pack(hello or {"protocol": PROTOCOL, "contract": None}))
        yield link


def test_a_served_policy_answers_to_the_bit_as_it_does_here(url):
    here = acting.NoisyPolicy()
    with closing(RemotePolicy(url)) as there:
        assert there.contract == here.contract
        assert there.revision == "revision of the test"
        rngs = [[np.random.default_rng(seed) for seed in (1, 2)] for _ in range(2)]
        mine, theirs = here.act([SEEN, SEEN], rngs[0]), there.act([SEEN, SEEN], rngs[1])
    assert mine.tobytes() == theirs.tobytes()
    assert mine[0].tobytes() != mine[1].tobytes()


def test_who_offers_something_else_is_refused_field_by_field(url):
    offer = acting.contract(cameras=(acting.camera("left_view", 64),), fps=10.0)
    with pytest.raises(UserError) as told:
        RemotePolicy(url, offer)
    for line in ("cameras: there only", "fps: 10.0 here, 20.0 there"):
        assert line in str(told.value)
    with closing(RemotePolicy(url, acting.OFFERED)):
        pass


def test_an_observation_that_does_not_fit_is_told_before_it_is_sent(url):
    blind = Observation(images={}, state=SEEN.state, instruction="press")
    with closing(RemotePolicy(url)) as there:
        with pytest.raises(UserError, match="camera 'left_view': missing"):
            there.act([blind], [np.random.default_rng(0)])
        assert there.act([SEEN], [np.random.default_rng(0)]).shape == (1, acting.CHUNK, 3)


def test_a_page_in_a_browser_may_not_ask(url):
    with pytest.raises(InvalidStatus), connect(url, origin="https://example.org"):
        pass


def test_more_observations_than_a_message_holds_are_asked_in_turns(url):
    rngs = [[np.random.default_rng(seed) for seed in range(70)] for _ in range(2)]
    with closing(RemotePolicy(url)) as there:
        theirs = there.act([SEEN] * 70, rngs[0])
    assert theirs.tobytes() == acting.NoisyPolicy().act([SEEN] * 70, rngs[1]).tobytes()


def test_another_protocol_is_refused_and_says_what_to_do(url):
    with asking(url, {"protocol": 99, "contract": None}) as link:
        assert "the server speaks protocol 1, you speak 99" in unpack(link.recv())["error"]
        with pytest.raises(ConnectionClosed):
            link.recv()


@pytest.mark.parametrize(
    "message",
    [
        b"\x80\x04K\x01.",
        "text",
        pack({"observations": [], "rngs": []}),
        pack({"observations": [{}], "rngs": [["1", "1"]]}),
        pack({"observations": 5, "rngs": 5}),
        pack({"observations": [{}] * 65, "rngs": [["1", "1"]] * 65}),
    ],
)
def test_what_is_no_question_ends_the_connection_and_nothing_else(url, message, caplog):
    with caplog.at_level(logging.WARNING), asking(url) as link:
        assert unpack(link.recv()) == {"ready": True}
        link.send(message)
        assert "error" in unpack(link.recv())
        with pytest.raises(ConnectionClosed):
            link.recv()
    assert "refused" in caplog.text
    with closing(RemotePolicy(url)) as there:
        assert there.act([SEEN], [np.random.default_rng(0)]).shape == (1, acting.CHUNK, 3)


def test_a_message_beyond_the_limit_is_not_read(url):
    with asking(url) as link:
        unpack(link.recv())
        link.send(b"\0" * (MAX_MESSAGE_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            link.recv()


def test_nothing_but_a_server_of_ours_is_believed():
    from websockets.sync.server import serve

    def strange(link):
        link.send("hello, I am a chat")
        link.recv()

    import threading

    with serve(strange, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with pytest.raises(UserError, match=r"is no server of xvr: text where bytes"):
            RemotePolicy(f"ws://127.0.0.1:{server.socket.getsockname()[1]}")
        server.shutdown()
        thread.join()


def test_an_address_that_is_none_or_taken_is_told(url):
    with pytest.raises(UserError, match="no policy answers at nonsense"):
        RemotePolicy("nonsense")
    port = int(url.rpartition(":")[2])
    from xvr.vla.serve import serving

    with (
        pytest.raises(UserError, match=f"cannot listen on 127.0.0.1:{port}"),
        serving(acting.NoisyPolicy(), "", "127.0.0.1", port),
    ):
        pass


def test_the_modules_are_light():
    code = (
        "import sys, xvr.vla.wire, xvr.vla.serve, xvr.vla.remote\n"
        "print([m for m in ('torch', 'websockets', 'msgpack', 'mujoco') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
