"""Services as data: under which names a service lives, in which roles, and when.

One TOML file a service: ``id``, ``title``, ``version``, ``about``, ``kind``, ``sensitive``, ``[controls]`` and
``[[endpoint]]``s, each with its source. A table of services says what a name is called and moves no verdict. Users add
their own beside ours: any ``*.toml`` in `folder` counts. A report names the files that it used, as ``services/id``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fingerprint.services.model import Reached, Service, Services
from fingerprint.services.reading import read

if TYPE_CHECKING:
    from fingerprint.verdict.model import Verdict

__all__ = ["Reached", "Service", "Services", "at_hand", "built_in", "filed", "folder", "of", "read", "used"]

# Roles that are no matter of a table.
GIVEN = ("control", "resolver")
# Names another folder of services, for tests and for several sets beside each other; empty for none.
VARIABLE = "FINGERPRINT_SERVICES"


@cache
def built_in() -> Services:
    """The services that come with the tool, in alphabetical order."""
    ours = (f for f in files(__name__).iterdir() if f.name.endswith(".toml"))
    return Services(services=tuple(read(f.read_bytes()) for f in sorted(ours, key=lambda f: f.name)))


def folder() -> Path | None:
    """Where the user's own lie (XDG base directory specification); None where that is switched off."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named else None
    home = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(home) / "fingerprint" / "services"


@cache
def at_hand() -> tuple[Services, tuple[tuple[str, str], ...]]:
    """Our services and the user's, and (file, sentence) for each of the user's that cannot be used."""
    known, complaints = built_in(), list[tuple[str, str]]()
    for file in _theirs():
        try:
            known = adding(known, read(file.read_bytes(), own=True))
        except (OSError, ValueError) as error:
            complaints.append((file.name, f"{error}; mend the service or remove it"))
    return known, tuple(complaints)


def adding(known: Services, service: Service) -> Services:
    """One more. Raises ValueError if there is one of that id."""
    if known.named(service.id):
        raise ValueError(f"there is a service {service.id} already; give it another id")
    return Services(services=(*known.services, service))


def _theirs() -> tuple[Path, ...]:
    at = folder()
    try:
        return tuple(sorted(at.glob("*.toml"))) if at else ()
    except OSError:
        return ()


def of(name: str, at_ns: int) -> tuple[str, str] | None:
    """Service id and role of a name at a time, by all tables at hand; see `Services.of`."""
    return at_hand()[0].of(name, at_ns)


def filed(verdicts: Iterable[Verdict], known: Services) -> Iterator[Verdict]:
    """The verdicts with their service and role at the time that they are about.

    A role that a script or a port has given stays (`fingerprint.verdict.roles`). Nothing else of a verdict is touched.
    """
    for verdict in verdicts:
        told = known.of(verdict.target, verdict.first_ns, reached(verdict.endpoints))
        if told is None:
            yield verdict
        else:
            yield replace(verdict, service=told[0], role=verdict.role if verdict.role in GIVEN else told[1])


def reached(endpoints: Collection[str]) -> tuple[Reached, ...]:
    """Ports and protocols of ``93.184.216.34:443/tcp``."""
    parts = (endpoint.rpartition(":")[2].partition("/") for endpoint in endpoints)
    return tuple(dict.fromkeys((int(port), protocol) for port, _, protocol in parts))


def used(verdicts: Iterable[Verdict], known: Services) -> tuple[tuple[str, str, str], ...]:
    """The files behind the services of verdicts, as a report names its tables."""
    ids = {v.service for v in verdicts}
    return tuple(s.table for s in known.services if s.id in ids)
