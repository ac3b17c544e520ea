"""The scenario as data: `evening.toml`, read once."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from fingerprint.vantages.vantage import Clock, Vantage

S = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A vantage with its line: the client's address and the provider's resolver; rounds begin ``after_s`` late."""

    vantage: Vantage
    client: str
    resolver: str
    after_s: float

    @property
    def name(self) -> str:
        """What it is called in the timetable."""
        return self.vantage.key


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that is so from one time to another: ``down``, ``sni-reset``, ``dns-lie`` or ``policer``."""

    what: str
    names: tuple[str, ...]
    from_ns: int
    until_ns: int
    vantage: str | None  # None: everybody's
    rate_bps: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evening:
    """The whole timetable. ``rounds_ns`` are the times at which the first vantage begins."""

    simulated: str
    rounds_ns: tuple[int, ...]
    every_s: float
    rate_bps: float
    queue_bytes: int
    posts: tuple[Post, ...]
    names: dict[str, tuple[str, ...]]
    controls: tuple[str, ...]
    happenings: tuple[Happening, ...]
    kept: tuple[tuple[str, int], ...]  # (vantage, round) whose recordings are kept

    def at(self, post: Post, time_ns: int) -> tuple[Happening, ...]:
        """What happens at a vantage at that time."""
        return tuple(h for h in self.happenings if h.vantage in (None, post.name) and h.from_ns <= time_ns < h.until_ns)

    def post(self, name: str) -> Post:
        """The vantage of that name. Raises KeyError if there is none."""
        return {post.name: post for post in self.posts}[name]


@cache
def evening() -> Evening:
    """The timetable that comes with the tool."""
    told = tomllib.loads((files(__package__) / "evening.toml").read_text("utf-8"))
    first_ns, last_ns, every_ns = _ns(told["first"]), _ns(told["last"]), told["every_s"] * S
    return Evening(
        simulated=told["simulated"],
        rounds_ns=tuple(range(first_ns, last_ns + 1, every_ns)),
        every_s=told["every_s"],
        rate_bps=told["rate_bps"],
        queue_bytes=told["queue_bytes"],
        posts=tuple(_post(told["simulated"], given) for given in told["vantage"]),
        names={name: (address,) for name, address in told["names"].items()},
        controls=tuple(told["controls"]),
        happenings=tuple(_happening(given) for given in told["happening"]),
        kept=tuple((given["vantage"], _ns(given["at"])) for given in told["kept"]),
    )


def _post(simulated: str, given: dict[str, Any]) -> Post:
    clock = Clock(error_s=given["error_s"], source="the simulation's own")
    fields = {field: given[field] for field in ("name", "provider", "asn", "country")}
    return Post(
        vantage=Vantage(**fields, clock=clock, simulated=simulated),
        client=given["client"],
        resolver=given["resolver"],
        after_s=given["after_s"],
    )


def _happening(given: dict[str, Any]) -> Happening:
    return Happening(
        what=given["what"],
        names=tuple(given["names"]),
        from_ns=_ns(given["from"]),
        until_ns=_ns(given["until"]),
        vantage=given.get("vantage"),
        rate_bps=given.get("rate_bps"),
    )


def _ns(time: datetime) -> int:
    return round(time.timestamp()) * S
