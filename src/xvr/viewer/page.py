"""A page that needs neither a server nor the network.

It carries its style, its script and, unless they are very many, its images. A content security
policy lets it load nothing else and run nothing but that script, whatever the page holds.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from xvr.viewer.html import Markup, tag


def page(
    title: str,
    body: Markup,
    *,
    scripts: Sequence[str],
    styles: Sequence[str],
    images_beside: bool = False,
) -> str:
    """The whole document.

    Args:
        title: in the window of a browser.
        body: all that is shown.
        scripts: files of this room, run as one.
        styles: files of this room.
        images_beside: images may be files on disk.
    """
    script = _joined(scripts)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_joined(["page.html"])).substitute(
        title=tag("title", title),
        style=_joined(styles),
        script=script,
        script_digest=digest,
        images="data: 'self' file:" if images_beside else "data:",
        body=body,
    )


def _joined(names: Sequence[str]) -> str:
    folder = files("xvr.viewer")
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)
