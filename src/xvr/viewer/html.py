"""HTML as text that is safe by construction: every string is escaped unless it is `Markup`.

tag("p", "5 < 6", class_="note")  # <p class="note">5 &lt; 6</p>
"""

import html
import json
from collections.abc import Iterable
from typing import Any

_VOID = frozenset({"img", "meta", "br"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str | None, **attributes: str | bool | None) -> Markup:
    """An element; children and attribute values are escaped, `None` and `False` are left out.

    Args:
        name: of the element.
        children: text, or `Markup` that goes in as it stands.
        attributes: `class_` is written `class`, `aria_label` is written `aria-label`.
    """
    words = [name]
    for key, value in attributes.items():
        attribute = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(attribute)
        elif value is not None and value is not False:
            words.append(f'{attribute}="{html.escape(value)}"')
    opening = f"<{' '.join(words)}>"
    return Markup(opening) if name in _VOID else Markup(f"{opening}{join(children)}</{name}>")


def join(parts: Iterable[str | None]) -> Markup:
    """Parts one after the other, escaped where they are not `Markup`."""
    return Markup(
        "".join(
            part if isinstance(part, Markup) else html.escape(part)
            for part in parts
            if part is not None
        )
    )


def script_data(value: Any) -> Markup:
    """A value as JSON in a script element that does not run; no text in it can end the element."""
    text = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")
    return Markup(f'<script type="application/json">{text}</script>')
