"""What an export fills in; here as the tests of this package use it."""

from collections.abc import Mapping

from xvr.evaluation.answers import lenient, strict
from xvr.evaluation.score import Scorer

NAME = "xvr"
"""Name of the benchmark."""
SCORERS: Mapping[str, Scorer] = {"strict": strict, "lenient": lenient}
"""By name, the default first."""
