"""Names and numbers for people: `min_view_angle_deg`, 12.4606 -> "min view angle", "12.5°"."""

from collections.abc import Mapping

_UNITS = (
    ("_share", " %", 100.0),
    ("_deg", "°", 1.0),
    ("_px", " px", 1.0),
    ("_m", " m", 1.0),
    ("_s", " s", 1.0),
)
"""Suffix of a name, unit shown, factor."""


def label(name: str) -> str:
    """A name in words, without its unit."""
    suffix = next((suffix for suffix, _, _ in _UNITS if name.endswith(suffix)), "")
    return name.removesuffix(suffix).replace("_", " ").strip()


def quantity(name: str, value: float) -> str:
    """A value with the unit that its name ends with; short lengths are in millimetres."""
    if name.endswith("_m") and 0 < abs(value) < 0.1:
        return f"{value * 1000:.3g} mm"
    for suffix, unit, factor in _UNITS:
        if name.endswith(suffix):
            return f"{value * factor:.3g}{unit}"
    return f"{value:.4g}"


def limit(name: str, rules: Mapping[str, float]) -> str:
    """The rule of the same name that a check has passed, such as "≥ 5°"; empty where none is."""
    value = rules.get(name)
    sign = {"min_": "≥ ", "max_": "≤ "}.get(name[:4])
    return sign + quantity(name, value) if sign and value is not None else ""


def count(number: int | float) -> str:
    """A number with thousands set apart."""
    return f"{number:,}"
