"""`xvr eval score`, `compare` and `report`: numbers and pages of runs that are on disk."""

import json
import sys
from pathlib import Path
from typing import Annotated

import tyro

from xvr.cli.progress import Bar, tell

Json = Annotated[bool, tyro.conf.arg(name="json"), tyro.conf.FlagCreatePairsOff]
Runs = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")]


def eval_score(
    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")],
    /,
    scorer: str | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> int:
    """Judge the answers of a run, write RUN/scores.json and print the numbers; asks no model.

    Args:
        run: Folder that `xvr eval run` wrote.
        scorer: Print this scorer only; scores.json always holds all of the benchmark.
        seed: Seed of the bootstrap.
        as_json: Print everything as JSON.
    """
    from xvr.evaluation.benchmarks import get_benchmark
    from xvr.evaluation.judged import choose_scorers
    from xvr.evaluation.scoring import score_run, write_scores
    from xvr.evaluation.tables import score_table, to_text

    scored = score_run(run, seed=seed)
    benchmark = get_benchmark(scored.run.manifest.benchmark)
    names = choose_scorers(benchmark, scorer)
    path = write_scores(scored)
    if as_json:
        found = scored.to_json()
        found["scorers"] = {name: found["scorers"][name] for name in names}
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        tables = [to_text(score_table(scored, scored.scores[name])) for name in names]
        sys.stdout.write("\n\n".join(tables) + "\n")
    tell(f"{path}")
    return 0


def eval_compare(
    runs: Runs,
    /,
    scorer: str | None = None,
    seed: int = 0,
    as_json: Json = False,
) -> int:
    """Hold runs against the first one, item by item: differences, exact tests, intervals.

    Args:
        runs: Folders of two or more runs of one benchmark.
        scorer: Scorer of the benchmark; its default one when left out.
        seed: Seed of the bootstrap.
        as_json: Print one JSON object per pair.
    """
    from xvr.evaluation.compare import compare_runs
    from xvr.evaluation.names import run_names
    from xvr.evaluation.tables import comparison_table, to_text

    found = compare_runs(runs, scorer, seed=seed)
    if as_json:
        sys.stdout.write("".join(json.dumps(one.to_json()) + "\n" for one in found))
        return 0
    first, *others = run_names(runs)
    tables = [
        to_text(comparison_table(one, first, name)) for one, name in zip(found, others, strict=True)
    ]
    sys.stdout.write("\n\n".join(tables) + "\n")
    return 0


def eval_report(
    runs: Runs,
    /,
    out: Path = Path("report.html"),
    data: Path | None = None,
    samples: int = 2000,
    scorer: str | None = None,
    seed: int = 0,
) -> int:
    """Write a self-contained page over runs, with its numbers as Markdown and JSON beside it.

    Args:
        runs: Folders of runs of one benchmark; the others are held against the first.
        out: Page to write.
        data: What the runs were asked, for images and difficulty; where they found it when left
            out.
        samples: Most items shown; of more, so many are drawn. Images of more than 150 are files
            beside the page.
        scorer: Scorer of the benchmark; its default one when left out.
        seed: Seed of the bootstrap and of the items shown.
    """
    from xvr.viewer.evaluation import report

    with Bar("written", "image") as bar:
        written = report(
            runs, out, data=data, samples=samples, scorer=scorer, seed=seed, progress=bar.show
        )
    sys.stdout.write("".join(f"{path}\n" for path in written))
    return 0
