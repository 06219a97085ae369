"""Benchmarks for other harnesses: lmms-eval, VLMEvalKit, Inspect.

    export(benchmark, benchmark.load(data), Path("out/inspect"), "inspect")

The folder has the questions, the images and one file of Python with the same scorers as
`xvr eval score`. Texts and images stay in the order of the benchmark.
"""

from collections.abc import Sequence
from pathlib import Path

from xvr.dataset.atomic import new_folder
from xvr.errors import unknown_name
from xvr.evaluation.benchmark import Benchmark
from xvr.evaluation.harness.forms import FORMS
from xvr.evaluation.harness.rows import Progress, write_rows
from xvr.evaluation.harness.standalone import identifier
from xvr.evaluation.item import Item

__all__ = ["FORMS", "export"]


def export(
    benchmark: Benchmark,
    items: Sequence[Item],
    out: Path,
    form: str,
    *,
    progress: Progress | None = None,
) -> None:
    """Write the folder of a task.

    Args:
        benchmark: what is exported.
        items: of the benchmark.
        out: folder to write; it must not be there.
        form: name in `FORMS`.
        progress: called after every item.

    Raises:
        UserError: an unknown form, scorers that cannot be carried, an image that cannot be read, or
            `out` cannot be written.
    """
    forms = {found.name: found for found in FORMS}
    if form not in forms:
        raise unknown_name("harness", form, forms)
    chosen = forms[form]
    with new_folder(out) as folder:
        images = chosen.images.format(name=identifier(benchmark))
        usage = chosen.write(folder, benchmark, write_rows(folder, items, images, progress))
        (folder / "README.md").write_text(
            f"# {benchmark.name}: {len(items)} items for {chosen.name}\n\n{usage}"
        )
