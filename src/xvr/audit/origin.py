"""The sources a dataset was made from, opened again.

Provenance names the path that was given when the dataset was made; `relocate` maps the start of
such a path to where the data is now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from xvr.dataset.record import SourceRecord
from xvr.errors import Unusable, UserError
from xvr.sources import Source, index, load
from xvr.sources.records import Episode, Ref, Scene


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Opens scenes and episodes by their provenance; lists each source once."""

    relocate: Mapping[str, str] = field(default_factory=dict)
    """Start of a path as recorded, to what replaces it."""
    _refs: dict[tuple[str, str], dict[str, Ref]] = field(default_factory=dict)

    def refs(self, record: SourceRecord) -> list[Ref]:
        """The scene, the episode or both episodes of a sample.

        Raises:
            Unusable: `missing_source` when the path does not hold the format, `unknown_id` when
                it does not hold the scene or episode.
        """
        known = self._list(record.format, record.path)
        names = record.episodes or [record.scene or record.episode or ""]
        for name in names:
            if name not in known:
                raise Unusable("unknown_id", f"{name!r} is not in {record.format}:{record.path}")
        return [known[name] for name in names]

    def open(self, record: SourceRecord) -> list[Scene | Episode]:
        """What a sample was made from, in the order of `refs`.

        Raises:
            Unusable: as `refs`, and whatever the source's reader raises.
        """
        return [load(ref) for ref in self.refs(record)]

    def _list(self, name: str, path: str) -> dict[str, Ref]:
        if (name, path) not in self._refs:
            try:
                refs = index(Source(format=name, path=self._now(path)))
            except (UserError, OSError, KeyError) as error:
                raise Unusable("missing_source", f"{name}:{path}: {error}") from error
            self._refs[name, path] = {ref.id: ref for ref in refs}
        return self._refs[name, path]

    def _now(self, path: str) -> Path:
        for old, new in self.relocate.items():
            if path == old or path.startswith(old.rstrip("/") + "/"):
                return Path(new + path[len(old.rstrip("/")) :])
        return Path(path)
