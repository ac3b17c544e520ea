"""What stays out of a report unless ``--with-vantage`` is given: the client's addresses, and absolute paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from fingerprint.verdict.model import Report


@dataclass(frozen=True, kw_only=True)
class Veil:
    """Replaces client addresses by ``client`` or ``client-2``, the same one by the same word all over a report."""

    clients: tuple[str, ...]

    @cached_property
    def _words(self) -> dict[str, str]:
        alone = len(self.clients) == 1
        return {c: "client" if alone else f"client-{i}" for i, c in enumerate(self.clients, 1)}

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        # Whole addresses only: 10.0.0.1 must not be found in 110.0.0.15.
        longest_first = "|".join(re.escape(c) for c in sorted(self.clients, key=len, reverse=True))
        return re.compile(rf"(?<![\w.:])(?:{longest_first})(?![\w:]|\.\d)") if self.clients else None

    def __call__(self, text: str) -> str:
        """The text without the clients' addresses."""
        return self._pattern.sub(lambda m: self._words[m[0]], text) if self._pattern else text


def veil(report: Report, *, with_vantage: bool) -> Veil:
    """The veil for a report; none at all with ``with_vantage``. Addresses that serve somebody are no client's."""
    if with_vantage:
        return Veil(clients=())
    servers = {e.rsplit("/", 1)[0].rsplit(":", 1)[0].strip("[]") for v in report.verdicts for e in v.endpoints}
    seen: Iterable[str] = (c for capture in report.captures for c in capture.clients)
    vantages = (v.vantage for v in report.verdicts if v.vantage and re.fullmatch(r"[0-9.]+|[0-9a-f:.]*:.*", v.vantage))
    return Veil(clients=tuple(dict.fromkeys(c for c in (*seen, *vantages) if c not in servers)))


def file_name(file: str, *, with_vantage: bool) -> str:
    """A file as it was named; of an absolute path only the last part."""
    path = PurePath(file)
    return path.name if path.is_absolute() and not with_vantage else file
