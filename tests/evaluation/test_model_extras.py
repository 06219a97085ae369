"""What is imported when, and what is said when it is not there."""

import importlib.util
import subprocess
import sys

import pytest

from xvr.errors import UserError
from xvr.evaluation.models import KINDS, ModelOptions, make_model


@pytest.mark.parametrize(
    ("spec", "package", "extra"),
    [
        ("hf:org/name", "transformers", "hf"),
        ("hf:org/name", "torch", "hf"),
        ("vllm:name", "httpx", "api"),
        ("openai:name@http://host", "httpx", "api"),
        ("anthropic:name", "inspect_ai", "inspect"),
        ("google:name", "inspect_ai", "inspect"),
        ("inspect:groq/name", "inspect_ai", "inspect"),
    ],
)
def test_a_missing_package_names_the_line_that_installs_it(spec, package, extra, monkeypatch):
    found = importlib.util.find_spec
    for module in ("loading", "openai", "inspect_layer"):
        monkeypatch.setattr(
            f"xvr.evaluation.models.{module}.find_spec",
            lambda name: None if name == package else found(name),
        )
    with pytest.raises(UserError, match=rf'pip install "xvr\[{extra}\]"'):
        make_model(spec, None, ModelOptions())  # pyright: ignore


def test_no_kind_of_model_loads_its_packages_before_it_is_made():
    modules = sorted({place.partition(":")[0] for place in KINDS.values()})
    heavy = ("torch", "transformers", "httpx", "inspect_ai", "openai", "anthropic")
    code = f"import sys, {', '.join(modules)}; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
