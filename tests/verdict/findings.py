"""Findings made by hand, for tests of the verdict alone."""

from __future__ import annotations

from typing import NamedTuple

from fingerprint.technique import Clue, Evidence, Facets, Subject, Trigger, cite
from fingerprint.verdict.symptoms import Found


class Shown(NamedTuple):
    """Something to cite."""

    capture: int
    number: int


def clue(name: str = "seen", *, group: str = "one", **given: float) -> Clue:
    """A clue; keys are written with underscores for dots and dashes alike through `given_`."""
    return Clue(id=name, says="it was seen", group=group, given=given, source="a test")


def strong(name: str = "strong", group: str = "one") -> Clue:
    """A clue that innocents hardly produce."""
    return Clue(id=name, says="it was seen", group=group, given={"*.reset": 0.5, "*": 0.0005}, source="a test")


def weak(name: str = "weak", group: str = "two") -> Clue:
    """A clue that doubles the odds."""
    return Clue(id=name, says="it was seen", group=group, given={"*.reset": 0.5, "*": 0.25}, source="a test")


def pair() -> Clue:
    """Another name passes beside."""
    given = {"*.reset.sni": 0.9, "*.reset": 0.02, "*": 0.5}
    return Clue(id="pair", says="another name passes", group="pair", given=given, source="a test")


def found(what: Clue, *, trial: str | None = "0:0:1", trigger: str | None = None, number: int = 1) -> Found:
    """Evidence on news.example over TLS."""
    subject = Subject(name="news.example", address="203.0.113.9", port=443, protocol="tls", trial=trial)
    facets = Facets(trigger=Trigger(field=trigger, value="news.example")) if trigger else Facets()
    return Found(technique="a-test", evidence=_cite(what, subject, number, facets), vantage=None)


def _cite(what: Clue, subject: Subject, number: int, facets: Facets) -> Evidence:
    return cite(what, subject, Shown(0, number), facets=facets)
