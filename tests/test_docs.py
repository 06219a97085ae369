"""The documents say what the code does: commands, options, rules, reasons, links, examples."""

import ast
import re
import shlex
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest

from xvr.cli import COMMANDS
from xvr.dataset.record import Provenance
from xvr.sources import FORMATS
from xvr.sources.roles import ROLES
from xvr.tasks import EXTENDED_TASKS, TASKS
from xvr.tasks.rules import Rules, load_rules

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "xvr"
SNAPSHOTS = ROOT / "tests" / "cli" / "snapshots"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES += sorted((ROOT / "docs").glob("*.md"))
TASKS_PAGE = (ROOT / "docs" / "tasks.md").read_text()
FORMATS_PAGE = (ROOT / "docs" / "formats.md").read_text()
README = (ROOT / "README.md").read_text()

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


def shell_lines(page):
    """Commands in the page's shell blocks, continued lines joined, comments dropped."""
    for block in blocks(page.read_text(), "bash"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words:
                yield words


def section(text, heading):
    """What stands under a heading, up to the next one of any level."""
    return re.split(r"^#+ ", text.split(f"# {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(text):
    """The first cell of every row of the tables in a text."""
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]


def slug(heading):
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pages
def test_commands_and_their_options_exist(page):
    for words in shell_lines(page):
        if words[0] != "xvr":
            continue
        name = " ".join(words[1:3])
        assert name in COMMANDS, words
        shown = (SNAPSHOTS / f"{name.replace(' ', '_')}.txt").read_text()
        for option in (word for word in words if word.startswith("--")):
            assert re.search(rf"{option}\b", shown), (name, option)
        changes = [after for word, after in pairwise(words) if word == "--set"]
        load_rules(None, changes)


def test_options_that_the_readme_names_in_its_text_exist():
    shown = "".join(path.read_text() for path in SNAPSHOTS.glob("*.txt"))
    named = {word for words in re.findall(r"`([^`\n]*)`", README) for word in words.split()}
    uv = {"--group"}
    for option in sorted(word for word in named - uv if word.startswith("--")):
        assert re.search(rf"{option}\b", shown), option


@pages
def test_make_targets_exist(page):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    asked = [words[1] for words in shell_lines(page) if words[0] == "make" and len(words) > 1]
    asked += re.findall(r"`make ([a-z-]+)", page.read_text())
    assert set(asked) <= set(targets)


@pages
def test_links_resolve(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(), flags=re.MULTILINE)
            assert anchor in map(slug, headings), target


def test_every_rule_is_listed_once_with_its_default():
    rows = re.findall(
        r"^\| `(\w+)` \| ([\d.]+) \|", section_tree(TASKS_PAGE, "Rules"), flags=re.MULTILINE
    )
    assert len(dict(rows)) == len(rows)
    assert {name: float(value) for name, value in rows} == asdict(Rules())


def section_tree(text, heading):
    """What stands under a heading of the second level, lower levels included."""
    return re.split(r"^## ", text.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_refusal_is_told():
    told = set(re.findall(r"`(\w+)`", TASKS_PAGE))
    for path in sorted((PACKAGE / "tasks").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                reason = node.keywords[0].value
                if isinstance(reason, ast.Constant):
                    assert reason.value in told, (path.name, reason.value)
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Unusable":
                reason = node.args[0]
                assert isinstance(reason, ast.Constant)
                assert reason.value in told, (path.name, reason.value)


def test_names_on_the_page_of_tasks_exist_in_the_code():
    code = "".join(path.read_text() for path in sorted(PACKAGE.rglob("*.py")))
    for name in sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", TASKS_PAGE))):
        assert re.search(rf"\b{name}\b", code), name


def test_the_table_of_tasks_is_that_of_the_code():
    table = TASKS_PAGE.split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\w+) \|.*\| (\d+) \|$", table, flags=re.MULTILINE)
    assert rows == [(t.name, t.released_id, t.domain, str(t.eval_count)) for t in TASKS]


def test_the_table_of_extended_tasks_is_that_of_the_code():
    table = section(TASKS_PAGE, "Beyond the published tasks")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|.*\| (\d+) \|$", table, flags=re.MULTILINE)
    assert rows == [(t.name, t.domain, str(t.eval_count)) for t in EXTENDED_TASKS]


def test_cheaters_are_those_of_the_audit():
    files = (PACKAGE / "audit" / name for name in ("cheaters.py", "spelled_cues.py"))
    code = "".join(file.read_text() for file in files)
    listed = first_cells(section(TASKS_PAGE, "Who tries to cheat"))[2:]
    assert listed
    for name in listed:
        assert f'"{name}"' in code, name


def test_roles_and_formats_are_those_of_the_code():
    roles = first_cells(section(FORMATS_PAGE, "Camera roles"))
    listed = [name for cell in roles for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(listed) == sorted(ROLES)
    headings = re.findall(r"^## (\w+)$", FORMATS_PAGE, flags=re.MULTILINE)
    assert sorted(headings) == sorted(source_format.name for source_format in FORMATS)


def test_the_keys_of_provenance_are_those_of_the_record():
    cells = first_cells(section(FORMATS_PAGE, "Provenance"))
    listed = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
    assert listed == list(Provenance.model_fields)


def test_the_check_in_the_readme_works(dataset, captures):
    (code,) = [block for block in blocks(README, "python") if "np.linalg.solve" in block]
    paths = 'Path("out/dataset"), Path("out/captures")'
    assert paths in code
    code = code.replace(paths, f"Path({str(dataset)!r}), Path({str(captures)!r})")
    code = code.replace("print(", "shown = (")
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert names["proof"]["answer"] in names["shown"]
    assert min(names["misses"].values()) < 0.05


def test_the_table_of_formats_is_what_the_readers_say():
    rows = [
        line
        for line in FORMATS_PAGE.splitlines()
        if re.match(r"\| `\w+` \| (scene|episode) ", line)
    ]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert cells == [[f"`{f.name}`", f.kind, f.calibration, f.geometry] for f in FORMATS]
