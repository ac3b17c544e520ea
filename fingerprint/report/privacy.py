"""What stays out of a report unless ``--with-vantage`` is given: the client's addresses, and absolute paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePath

from fingerprint.verdict.model import Report

# Anything that reads like a whole IPv4 or IPv6 address: 10.0.0.1 is not found in 110.0.0.15. One pattern for any number
# of clients; which of the finds are theirs is a look-up.
_IPV4 = r"\d{1,3}(?:\.\d{1,3}){3}"
_IPV6 = rf"[0-9A-Fa-f]{{0,4}}(?::[0-9A-Fa-f]{{0,4}}){{1,7}}(?::{_IPV4})?"
ADDRESS = re.compile(rf"(?<![\w.:])(?:{_IPV4}|{_IPV6})(?![\w:]|\.\d)")


@dataclass(frozen=True, kw_only=True)
class Veil:
    """Replaces client addresses by ``client`` or ``client-2``, the same one by the same word all over a report."""

    clients: tuple[str, ...]

    @cached_property
    def _words(self) -> dict[str, str]:
        alone = len(self.clients) == 1
        return {c: "client" if alone else f"client-{i}" for i, c in enumerate(self.clients, 1)}

    def __call__(self, text: str) -> str:
        """The text without the clients' addresses."""
        return ADDRESS.sub(lambda m: self._words.get(m[0], m[0]), text) if self.clients else text


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
