"""Units without sources, and what may be done with them in any process."""

import os

from xvr.engine.plan import Unit
from xvr.engine.receipt import Receipt
from xvr.errors import UserError
from xvr.sources.records import Ref


def unit(number: int) -> Unit:
    """A unit of a scene that is nowhere."""
    ref = Ref(format="toy", root="/", id=f"scene_{number}", group="", kind="scene")
    return Unit(split="train", round=0, ref=ref, partner=None, slots=())


def receipt(given: Unit) -> Receipt:
    """A receipt whose config is the number of the process."""
    return Receipt(unit=given.name, config=str(os.getpid()))


def fail(given: Unit, message: str) -> Receipt:
    """Fails at the fourth unit."""
    if given.ref.id == "scene_3":
        raise UserError(message)
    return receipt(given)
