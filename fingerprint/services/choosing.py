"""Words of the command line to services: an id of the table, or a file of one's own that counts for this run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from captures.errors import TargetError
from fingerprint import services
from fingerprint.services.model import Service, Services
from fingerprint.services.roles import CONTROL
from fingerprint.verdict.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Some services, and all that are at hand for this run."""

    services: tuple[Service, ...]
    known: Services

    def kept(self, report: Report) -> Report:
        """The report with the targets of these services and the controls alone, filed by all services of this run."""
        ids = {s.id for s in self.services}
        beside = {name for s in self.services for name in (*s.controls, *s.neighbours)}
        filed = services.filed(report.verdicts, self.known)
        mine = tuple(v for v in filed if v.service in ids or v.role == CONTROL or v.target in beside)
        others = (t for t in report.tables if not t[0].startswith("services/"))
        return replace(report, verdicts=mine, tables=(*others, *services.used(mine, self.known)))


def chosen(words: Iterable[str]) -> Chosen:
    """The services that were asked for. Raises TargetError for one that does not exist or cannot be read."""
    known, found = services.at_hand()[0], list[Service]()
    for word in words:
        if word.endswith(".toml"):
            service = from_file(Path(word))
            if service not in known.services:  # the same file may lie in the user's folder
                try:
                    known = services.adding(known, service)
                except ValueError as error:
                    raise TargetError(f"{word}: {error}") from None
        else:
            service = named(word, known)
        found.append(service)
    return Chosen(services=tuple(dict.fromkeys(found)), known=known)


def from_file(file: Path) -> Service:
    """A service of one's own. Raises TargetError for a file that is none."""
    try:
        return services.read(file.read_bytes(), own=True)
    except OSError as error:
        raise TargetError(f"{file}: {error.strerror}; name a service or the file of one") from None
    except ValueError as error:
        raise TargetError(f"{file}: {error}; see docs/howto/services.md for how a service is written") from None


def named(word: str, known: Services) -> Service:
    """The service of that id. Raises TargetError that names those that may have been meant."""
    if found := known.named(word.lower()):
        return found
    meant = near(word, known)
    hint = f"did you mean {' or '.join(meant)}?" if meant else "fingerprint services lists them all"
    raise TargetError(f"there is no service {word}; {hint}")


def near(word: str, known: Services) -> tuple[str, ...]:
    """Ids that somebody may have meant, nearest first; at most three."""
    within = [s.id for s in known.services if len(word) > 2 and word.lower() in f"{s.id} {s.title.lower()}"]
    return tuple(dict.fromkeys((*close(word, known, likeness=0.6), *within)))[:3]


def close(word: str, known: Services, *, likeness: float = 0.8) -> tuple[str, ...]:
    """Ids that the word is nearly spelt like; ``likeness`` is difflib's ratio, 1 for the same."""
    spoken = {s.title.lower(): s.id for s in known.services} | {s.id: s.id for s in known.services}
    return tuple(dict.fromkeys(spoken[name] for name in get_close_matches(word.lower(), list(spoken), 3, likeness)))
