from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from xvr.engine import unit
from xvr.engine.config import BuildConfig
from xvr.engine.plan import Unit
from xvr.sources.records import Ref
from xvr.tasks.draft import Refusal, Slot


@pytest.mark.parametrize(("final", "tries"), [(True, 1), (False, 400)])
def test_a_slot_is_tried_again_unless_the_refusal_is_final(
    monkeypatch: pytest.MonkeyPatch, final: bool, tries: int
):
    refused = Refusal(reason="no_luck", final=final)
    task = SimpleNamespace(draft=lambda *_: refused)
    monkeypatch.setattr(unit, "get_task", lambda _: task)
    slot = Slot(task="point_correspondence", split="train", index=0, answer=0, images=3)
    subject = SimpleNamespace(drafting=None)
    refusals: Counter[str] = Counter()
    config = BuildConfig(sources=("wildrgbd:somewhere",), samples=1)
    rng = np.random.default_rng(0)
    assert unit._try(slot, config, subject, rng, set(), refusals) is None
    assert refusals == {"no_luck": tries}


@pytest.mark.parametrize(
    ("number", "slots", "views"), [(0, 4, 16), (1, 4, 32), (9, 4, 60), (0, 25, 50), (0, 50, 60)]
)
def test_a_scene_is_looked_at_more_closely_in_later_rounds(number: int, slots: int, views: int):
    asked = tuple(("point_correspondence", index) for index in range(slots))
    ref = Ref(format="wildrgbd", root="somewhere", id="scene", group="scene", kind="scene")
    later = Unit(split="train", round=number, ref=ref, partner=None, slots=asked)
    scene = SimpleNamespace(views=list(range(100)))
    chosen = unit._working_views(scene, later, np.random.default_rng(0))
    assert len(chosen) == views
    assert chosen == sorted(set(chosen))
