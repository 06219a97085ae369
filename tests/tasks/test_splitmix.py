import numpy as np

from xvr.tasks.splitmix import draw_below, new_state, state_of


def test_it_gives_the_published_sequence():
    """The upper halves of the authors' own first three numbers after seed 0."""
    state = np.zeros(1, np.uint64)
    published = (0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F)
    assert [draw_below(state, 1 << 32) for _ in published] == [n >> 32 for n in published]


def test_every_number_below_the_bound_is_drawn_equally_often():
    state = new_state(np.random.default_rng(0))
    counts = np.bincount([draw_below(state, 7) for _ in range(7000)], minlength=7)
    assert len(counts) == 7
    assert (abs(counts - 1000) < 5 * 30).all()


def test_equal_generators_give_equal_states():
    assert new_state(np.random.default_rng(3)) == new_state(np.random.default_rng(3))
    assert new_state(np.random.default_rng(3)) != new_state(np.random.default_rng(4))


def test_the_state_of_numbers_depends_on_each_of_them_and_on_their_order():
    """Its last step is the step of the sequence: zero gives the published first number."""
    assert int(state_of(0)[0]) == 0xE220A8397B1DCDAF
    states = {int(state_of(*numbers)[0]) for numbers in [(1, 2), (2, 1), (1,), (1, 2, 0), (2**63,)]}
    assert len(states) == 5
    assert state_of(7, 2**62) == state_of(7, 2**62)
