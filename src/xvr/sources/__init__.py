"""Readers of public on-disk formats: a path becomes lazily read scenes or episodes.

Each module reads one format and converts its conventions to those of `xvr.geometry`; nothing
outside of this package knows them.

    source = parse_source("wildrgbd:/data/wildrgbd")
    refs = index(source)      # no image is read
    scene = load(refs[0])     # Scene or Episode, or Unusable
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xvr.errors import Unusable, UserError, unknown_name
from xvr.sources.agibot import AGIBOT
from xvr.sources.aloha import ALOHA
from xvr.sources.co3d import CO3D
from xvr.sources.colmap import COLMAP
from xvr.sources.droid import DROID
from xvr.sources.gr00t import GR00T
from xvr.sources.lerobot import LEROBOT
from xvr.sources.nerfstudio import NERFSTUDIO
from xvr.sources.records import Episode, Ref, Scene, SourceFormat
from xvr.sources.rlds import RLDS
from xvr.sources.roboset import ROBOSET
from xvr.sources.scannet import SCANNET
from xvr.sources.wildrgbd import WILDRGBD

__all__ = ["FORMATS", "Source", "find_source", "fingerprint", "index", "load", "parse_source"]

FORMATS: tuple[SourceFormat, ...] = (
    WILDRGBD,
    CO3D,
    SCANNET,
    COLMAP,
    NERFSTUDIO,
    LEROBOT,
    GR00T,
    AGIBOT,
    DROID,
    RLDS,
    ALOHA,
    ROBOSET,
)
"""Every format that can be read."""

_BY_NAME = {source_format.name: source_format for source_format in FORMATS}


@dataclass(frozen=True, kw_only=True)
class Source:
    """A path and the format it is read in."""

    format: str
    """Name of a member of `FORMATS`."""
    path: Path
    """File or folder that exists."""


def parse_source(text: str) -> Source:
    """The source that `FORMAT:PATH` names, such as `wildrgbd:/data/wildrgbd`.

    Raises:
        UserError: no colon, an unknown format or a missing path.
    """
    name, colon, path = text.partition(":")
    if not colon or not path:
        raise UserError(
            f"source {text!r}: write FORMAT:PATH, such as wildrgbd:/data/wildrgbd; "
            f"formats are {', '.join(sorted(_BY_NAME))}"
        )
    if name not in _BY_NAME:
        raise unknown_name("source format", name, _BY_NAME)
    if not Path(path).expanduser().exists():
        raise UserError(f"source {text!r}: {path} does not exist")
    return Source(format=name, path=Path(path).expanduser())


def find_source(text: str) -> Source:
    """The source that `FORMAT:PATH` names, or a path alone, in the format that it holds.

    Raises:
        UserError: what `parse_source` raises, or a path that holds no format or several.
    """
    if text.partition(":")[0] in _BY_NAME:
        return parse_source(text)
    path = Path(text).expanduser()
    if not path.exists():
        raise UserError(f"{text} does not exist")
    held = [name for name, source_format in _BY_NAME.items() if _holds(source_format, path)]
    if len(held) != 1:
        what = f"several formats ({', '.join(held)})" if held else "no known format"
        raise UserError(f"{text} holds {what}; write FORMAT:PATH with one of {', '.join(_BY_NAME)}")
    return Source(format=held[0], path=path)


def _holds(source_format: SourceFormat, path: Path) -> bool:
    try:
        return bool(source_format.index(path))
    except UserError:
        return False


def index(source: Source) -> list[Ref]:
    """All scenes or episodes of a source, sorted by id; reads no image.

    Raises:
        UserError: the path does not hold this format.
    """
    return _BY_NAME[source.format].index(source.path)


def load(ref: Ref) -> Scene | Episode:
    """One scene or episode; checks metadata and poses, reads no image.

    Raises:
        Unusable: it cannot be used; the reasons are those of the format's `load`, and
            `unreadable_file`.
    """
    try:
        return _BY_NAME[ref.format].load(ref)
    except OSError as error:
        raise Unusable("unreadable_file", f"{ref.id}: {error}") from error


def fingerprint(refs: Sequence[Ref], source: Source) -> str:
    """SHA-256 of what is in a source: refs, and names and sizes of their metadata files.

    It neither reads those files nor looks at their dates, and stays the same when the data is
    moved or copied.
    """
    digest = hashlib.sha256(source.format.encode())
    for ref in refs:
        digest.update(f"\n{ref.id}\t{ref.group}\t{ref.kind}\t{ref.rig}".encode())
    for name, path in _BY_NAME[source.format].key_files(source.path, refs):
        size = path.stat().st_size if path.exists() else -1
        digest.update(f"\n{name}\t{size}".encode())
    return digest.hexdigest()
