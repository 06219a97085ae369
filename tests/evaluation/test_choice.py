"""Which items a limited run asks."""

from collections import Counter

import pytest
from asking import item

from xvr.errors import UserError
from xvr.evaluation.choice import choose

ITEMS = tuple(
    item(f"{task}{number}", task=task)
    for task, count in (("small", 10), ("large", 60), ("middle", 30))
    for number in range(count)
)


def ids(tasks=(), limit=None, items=ITEMS):
    return [one.target.item_id for one in choose(items, tasks=tasks, limit=limit)]


def test_a_limit_takes_of_every_task_its_share():
    chosen = choose(ITEMS, tasks=(), limit=20)
    assert Counter(one.target.task for one in chosen) == {"small": 2, "large": 12, "middle": 6}


def test_a_larger_limit_takes_the_same_items_and_more():
    for limit in range(1, 100):
        fewer, more = ids(limit=limit), ids(limit=limit + 1)
        assert len(fewer) == limit
        assert set(fewer) < set(more)


def test_the_order_is_that_of_the_benchmark_and_the_choice_does_not_depend_on_it():
    chosen = ids(limit=30)
    assert chosen == [name for name in ids() if name in set(chosen)]
    assert set(ids(limit=30, items=ITEMS[::-1])) == set(chosen)


def test_it_is_not_the_beginning_of_the_file():
    assert ids(("large",), 10) != [f"large{number}" for number in range(10)]


def test_tasks_are_chosen_by_name():
    assert ids(("small",)) == [f"small{number}" for number in range(10)]
    with pytest.raises(UserError, match="unknown task of this benchmark 'smal': did you mean 'sma"):
        ids(("smal",))


def test_a_limit_of_none_at_all_is_refused():
    with pytest.raises(UserError, match="the limit is 0; it must be at least 1"):
        ids(limit=0)
    assert ids(limit=1000) == ids()
