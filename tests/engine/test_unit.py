from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from xvr.engine import unit
from xvr.engine.config import BuildConfig
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
