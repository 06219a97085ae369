"""The figures of a run as markdown tables."""

from typing import Any


def as_markdown(results: dict[str, Any]) -> str:
    """All tables, with the machine above them."""
    sections = [_machine(results), _builds(results["builds"]), _parts(results)]
    sections += [_points(results["points"]), _scaling(results["scaling"])]
    sections += [_planning(results["planning"])]
    return "\n\n".join(sections) + "\n"


def _machine(results: dict[str, Any]) -> str:
    about = results["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    return (
        f"{about['cpu']}, {about['cores']} cores, {about['memory_gb']} GB; load average "
        f"{about['load_average'][0]} before and {about['load_average_after'][0]} after. "
        f"{about['system']}, Python {about['python']}, {packages}. Compiling, once per "
        f"installation and not in the tables: {results['compile_s']:.1f} CPU-s."
    )


def _builds(builds: dict[str, Any]) -> str:
    rows = [
        [
            name,
            build["samples"],
            f"{build['images']} ({build['different_images']})",
            f"{build['samples_per_cpu_s']:.0f}",
            f"{build['ms_per_image']:.2f}",
            f"{build['floor_ms_per_image']:.2f}",
            f"{build['ratio']:.2f}",
            f"{build['ratio_encoding_once']:.2f}",
            f"{build['peak_mb']:.0f}",
        ]
        for name, build in builds.items()
    ]
    head = ["build", "samples", "images (different)", "samples per CPU-s", "CPU-ms per image"]
    head += ["floor", "ratio", "ratio, encoding once", "peak MB"]
    return _table(head, rows)


def _parts(results: dict[str, Any]) -> str:
    """CPU milliseconds per sample of each part, one column per build."""
    builds = {**results["builds"], "points, no images": results["points"]["build"]}
    names = {part: None for build in builds.values() for part in build["parts_s"]}
    rows = [
        [part]
        + [
            f"{1000 * build['parts_s'].get(part, 0.0) / build['samples']:.2f}"
            for build in builds.values()
        ]
        for part in names
    ]
    return _table(["CPU-ms per sample", *builds], rows)


def _points(points: dict[str, Any]) -> str:
    build, drafting = points["build"], points["drafting"]
    rows = [
        ["whole build, marks as data", build["samples"], f"{build['samples_per_cpu_s']:.0f}"],
        [
            f"drafting alone, {drafting['tries'] / drafting['questions']:.0f} tries a question",
            drafting["questions"],
            f"{drafting['questions_per_cpu_s']:.0f}",
        ],
    ]
    head = [f"point correspondence, {points['scenes']} scenes", "questions", "per CPU-s"]
    return _table(head, rows)


def _scaling(scaling: dict[str, Any]) -> str:
    """CPU over wall seconds tells how many cores were to be had; the rest was others' work."""
    rows = [
        [
            name,
            f"{cost['wall_s']:.1f}",
            f"{cost['cpu_s']:.1f}",
            f"{cost['cpu_s'] / cost['wall_s']:.2f}",
        ]
        for name, cost in (("1 worker", scaling["one"]), ("2 workers", scaling["two"]))
    ]
    rows.append(["speedup", f"{scaling['speedup']:.2f}", "", ""])
    head = f"{scaling['samples']} samples, {scaling['units']} units"
    return _table([head, "wall s", "CPU-s", "cores got"], rows)


def _planning(planning: dict[str, Any]) -> str:
    rows = [[step, f"{seconds:.2f}"] for step, seconds in planning["steps_s"].items()]
    rows += [["all", f"{planning['cpu_s']:.2f}"], ["MB added", f"{planning['added_mb']:.0f}"]]
    head = f"planning {planning['samples']} samples from {planning['refs']} scenes and episodes"
    return _table(
        [f"{head}, {planning['units']} units in {planning['rounds']} rounds", "CPU-s"], rows
    )


def _table(head: list[str], rows: list[list[Any]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
