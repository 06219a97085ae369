"""Measures what evaluation itself costs at the size of XVR-Eval, where no model adds to it.

    python benchmarks/evaluation.py --out out/bench

Every row is one command in a process of its own: CPU seconds (user and system, interpreter and
imports included), wall seconds and peak memory. The dataset has 1,866 questions of the eight tasks
and is made here once; its images are noise, as nobody looks at them. The server answers after 50 ms
and its own time is not counted. `--inspect` lets Inspect ask the same questions of the same server.
Writes `evaluation.md` to OUT and prints the table.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
XVR = (sys.executable, "-c", "from xvr.cli import entry; entry()")
CONCURRENCY = 20
PAGE = Path("page", "report.html")
PAGE_LOADS = 3


class Cost(NamedTuple):
    """What a command took."""

    cpu_s: float
    wall_s: float
    peak_gb: float


def main() -> None:
    """Measure all and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder of results")
    parser.add_argument("--inspect", action="store_true", help="measure Inspect beside it")
    choices = parser.parse_args()
    data, work = choices.out / "xvr_eval", choices.out / "evaluation"
    if not (data / "xvr_eval.jsonl").exists():
        cost_of(sys.executable, str(HERE / "evaluation_data.py"), str(data))
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    text = _table(dict(_measured(data, work, inspect=choices.inspect))) + _page(work / PAGE)
    (choices.out / "evaluation.md").write_text(text)
    print(text)


def cost_of(*command: str, folder: Path | None = None, **environment: str) -> Cost:
    """Run a command to its end.

    Peak memory is that of the process: this one stays small, as a child begins with the peak of its
    parent.

    Raises:
        RuntimeError: it fails; its last words are shown.
    """
    print(time.strftime("%H:%M:%S"), *command[-8:], file=sys.stderr, flush=True)
    began_s = time.perf_counter()
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder,
        env=os.environ | environment,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {process.returncode}\n{said.decode()[-2000:]}")
    wall_s = time.perf_counter() - began_s
    return Cost(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss * 1024 / 1e9)


def _measured(data: Path, work: Path, *, inspect: bool) -> Iterator[tuple[str, Cost]]:
    asked = ("eval", "run", "xvr", "--data", str(data))
    guess = (*XVR, *asked, "--model", "random", "--out", str(work / "random"))
    yield "`eval run`, `random`", cost_of(*guess)
    yield "the same again, all answered", cost_of(*guess)
    with _server() as url:
        served = ("--model", f"openai:stub@{url}", "--concurrency", str(CONCURRENCY))
        run = (*XVR, *asked, *served, "--out", str(work / "served"))
        yield "`eval run`, `openai:`", cost_of(*run)
        if inspect:
            yield "Inspect, `openai-api`", _cost_of_inspect(data, work, url)
    yield "`eval score`", cost_of(*XVR, "eval", "score", str(work / "served"))
    runs = (str(work / "random"), str(work / "served"))
    yield "`eval compare`", cost_of(*XVR, "eval", "compare", *runs)
    page = str(work / PAGE)
    yield "`eval report`, all items", cost_of(*XVR, "eval", "report", *runs, "--out", page)


def _cost_of_inspect(data: Path, work: Path, url: str) -> Cost:
    """The task that `eval export` writes, with as many requests at a time."""
    task = work / "inspect"
    cost_of(
        *(*XVR, "eval", "export", "xvr", "--data", str(data)), "--to", "inspect", "--out", str(task)
    )
    return cost_of(
        *(sys.executable, "-m", "inspect_ai", "eval", "task.py", "--no-log-images"),
        *("--model", "openai-api/stub/stub", "--temperature", "0", "--display", "none"),
        *("--max-connections", str(CONCURRENCY), "--log-dir", "logs"),
        folder=task,
        STUB_API_KEY="none",
        STUB_BASE_URL=url,
    )


@contextmanager
def _server() -> Iterator[str]:
    """The address of a server in a process of its own."""
    command = (sys.executable, str(HERE / "evaluation_server.py"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def _table(rows: dict[str, Cost]) -> str:
    lines = ["| | CPU s | wall s | peak GB |", "| --- | ---: | ---: | ---: |"]
    lines += [
        f"| {name} | {cost.cpu_s:.1f} | {cost.wall_s:.1f} | {cost.peak_gb:.2f} |"
        for name, cost in rows.items()
    ]
    return "\n".join(lines) + "\n"


def _page(page: Path) -> str:
    """How long the page of all items takes to load from disk, where there is a browser."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return "\nThere is no chromium to load the page.\n"
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        costs = [_loaded(browser, page.resolve().as_uri()) for _ in range(PAGE_LOADS)]
        browser.close()
    wall, cpu = (", ".join(f"{cost[n]:.2f}" for cost in costs) for n in (1, 0))
    size_mb = page.stat().st_size / 1e6
    return f"\nThe page of {size_mb:.1f} MB loads in {wall} s ({cpu} CPU s of all of Chromium).\n"


def _loaded(browser: Any, address: str) -> tuple[float, float]:
    """CPU and wall seconds until the load event, in a new tab."""
    session = browser.new_browser_cdp_session()

    def cpu_s() -> float:
        found = session.send("SystemInfo.getProcessInfo")["processInfo"]
        return sum(process["cpuTime"] for process in found)

    shown = browser.new_page(viewport={"width": 1280, "height": 900})
    before_s, began_s = cpu_s(), time.perf_counter()
    shown.goto(address, timeout=120_000)
    took_s = time.perf_counter() - began_s
    spent_s = cpu_s() - before_s
    shown.close()
    return spent_s, took_s


if __name__ == "__main__":
    main()
