"""A store of ten thousand verdicts: thirty days, twenty providers, five services, with blockings planted in it.

    python scripts/many_verdicts.py FOLDER [--seed 17]

What is planted is printed, and returned by `fill`: an engine has to find every onset, and nothing else. Strays are part
of it: now and then a probe settles nothing, and once in a while a single verdict is wrong.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from fingerprint.accounts import PACKETS, Account
from fingerprint.report.document import as_dict
from fingerprint.store import FILE
from fingerprint.store.entry import entry, line
from fingerprint.technique import Cited, Clue, Evidence, Interval, Subject, Trigger
from fingerprint.vantages.vantage import Clock, Vantage
from fingerprint.verdict.model import (
    CaptureSummary,
    Cause,
    InjectorMatch,
    Ladder,
    Mechanism,
    Report,
    Rung,
    Verdict,
    Weighed,
)

S = 1_000_000_000
# 1 May 2020, 00:00 UTC.
START_NS = 1_588_291_200 * S
DAYS, PROVIDERS, ROUNDS = 30, 20, 50
EVERY_NS = DAYS * 86_400 * S // ROUNDS
# Names by the tables of services as of May 2020: service, role, name. With two controls ten verdicts a round.
NAMES = (
    ("twitter", "web", "twitter.com"),
    ("twitter", "image", "pbs.twimg.com"),
    ("periscope", "web", "www.pscp.tv"),
    ("zoom", "web", "zoom.us"),
    ("youtube", "web", "www.youtube.com"),
    ("youtube", "image", "i.ytimg.com"),
    ("wikipedia", "web", "en.wikipedia.org"),
    ("wikipedia", "image", "upload.wikimedia.org"),
    (None, "control", "weather.test"),
    (None, "control", "recipes.test"),
)
SOONER = Clue(id="sooner", says="sooner than it could be", group="timing", given={"*": 0.5}, source="planted")


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A change at one vantage: from the round ``first`` to before the round ``last`` a service is so."""

    service: str
    vantage: str
    state: str
    first: int
    last: int


def plans(draw: random.Random) -> list[Planted]:
    """Three services together at eight providers, one alone at three, and an outage of one everywhere."""
    apart = [8, 22, 36]  # so that an onset known to within three rounds still meets none of another plan
    draw.shuffle(apart)
    night, alone, outage = (first + draw.randrange(4) for first in apart)
    providers = [f"provider-{n:02}" for n in range(PROVIDERS)]
    together = draw.sample(providers, 8)
    out = [
        Planted(service=s, vantage=v, state="blocked", first=night, last=night + 4)
        for v in together
        for s in ("twitter", "periscope", "zoom")
    ]
    others = draw.sample([p for p in providers if p not in together], 3)
    out += [Planted(service="wikipedia", vantage=v, state="blocked", first=alone, last=alone + 9) for v in others]
    out += [Planted(service="youtube", vantage=v, state="down", first=outage, last=outage + 3) for v in providers]
    return out


def accounts(seed: int) -> tuple[list[Account], list[Planted]]:
    """A thousand accounts of ten verdicts each, and what is planted in them."""
    draw = random.Random(seed)  # noqa: S311  # seeded on purpose
    planted = plans(draw)
    made = [_account(n, provider, planted, draw) for n in range(ROUNDS) for provider in range(PROVIDERS)]
    return made, planted


def _account(number: int, provider: int, planted: list[Planted], draw: random.Random) -> Account:
    key = f"provider-{provider:02}"
    vantage = Vantage(name=key, provider=key, asn=64496 + provider, clock=Clock(error_s=1.0, source="planted"))
    first_ns = START_NS + number * EVERY_NS + provider * 7 * S + draw.randrange(60 * S)
    here = [p for p in planted if p.vantage == key and p.first <= number < p.last]
    verdicts = tuple(
        _verdict(*name, first_ns + n * 4 * S, here, draw, provider=provider) for n, name in enumerate(NAMES)
    )
    digest = sha256(f"{number} {provider}".encode()).hexdigest()
    capture = CaptureSummary(
        file=f"{key}-{number:03}.pcapng", sha256=digest, packets=900, link_type="ethernet", first_ns=first_ns,
        last_ns=first_ns + 44 * S, quality=(), vantage=vantage,
    )  # fmt: skip
    report = Report(version="0.1.0", captures=(capture,), verdicts=verdicts, tables=(), errors=())
    document = as_dict(report, all_ok=True, pictures=True)
    return Account(kind=PACKETS, file=capture.file, sha256=digest, document=document, vantage=vantage, captures=(None,))


def _verdict(
    service: str | None,
    role: str,
    name: str,
    first_ns: int,
    here: list[Planted],
    draw: random.Random,
    *,
    provider: int,
) -> Verdict:
    state = next((p.state for p in here if p.service == service), "ok")
    chance = draw.random()
    if chance < 0.01:
        state = "insufficient"
    elif chance < 0.0105 and state == "ok" and role != "control":
        state = "blocked"
    cause = None if state == "blocked" else Cause(
        hypothesis="server-down" if state == "down" else "ordinary",
        posterior=0.95 if state == "down" else None,
        says="as planted",
    )  # fmt: skip
    digest = sha256(name.encode()).digest()
    return Verdict(
        target=name, service=service, role=role, vantage=None,
        endpoints=(f"{20 + digest[0] % 100}.{digest[1]}.{digest[2]}.{1 + digest[3] % 200}:443/tcp",),
        first_ns=first_ns, last_ns=first_ns + 3 * S, state=state, reach="full" if state == "blocked" else "none",
        mechanisms=(_mechanism(name, slow=provider % 3 == 0),) if state == "blocked" else (), cause=cause,
        alternatives=(), inconclusive=(), observations=(), consequences=(), next=("measure again",),
    )  # fmt: skip


def _mechanism(name: str, *, slow: bool) -> Mechanism:
    evidence = Evidence(
        clue=SOONER, subject=Subject(name=name), packets=(Cited(0, 12), Cited(0, 14)), says="RST 3 ms after the hello"
    )
    match = InjectorMatch(name="unknown, cluster 0123abcd", score=0.0, fits=(), contradicts=(), source="planted")
    return Mechanism(
        node="tls.throttle.sni" if slow else "tls.reset.sni", posterior=0.99, posterior_at={"0.001": 0.98},
        calibrated=None, position="in-path" if slow else "on-path", trigger=Trigger(field="tls.sni", value=name),
        location=None, injector=() if slow else (match,), shape="policer" if slow else None,
        rate_bps=Interval(value=150e3, low=140e3, high=160e3) if slow else None, burst_bytes=None, residual_s=None,
        evidence=(Weighed(technique="planted", evidence=evidence, log_odds=4.0),), why=(),
        ladders=(Ladder(
            capture=0, title=name, control=False, display_filter="tcp.stream == 3", rungs=tuple(_rungs()), left_out=2
        ),),
    )  # fmt: skip


def _rungs() -> Iterator[Rung]:
    for n, says in enumerate(("SYN", "SYN, ACK", "ACK", "ClientHello", "RST, ACK", "ServerHello"), 10):
        yield Rung(
            number=n, time_s=(n - 10) * 0.02, from_client=n % 2 == 0, says=says, deciding=n == 14, forged=n == 14
        )


def fill(folder: Path, seed: int = 17) -> list[Planted]:
    """Write the store into a folder, and return what is planted in it."""
    made, planted = accounts(seed)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_bytes(b"".join(line(entry(account)) for account in made))
    return planted


def main() -> None:
    """Fill the folder that was named, and say with what."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=17)
    given = parser.parse_args()
    planted = fill(given.folder, given.seed)
    for p in planted:
        print(f"{p.service} {p.state} at {p.vantage}: rounds {p.first} to {p.last - 1}")
    print(f"{len(planted)} changes among {ROUNDS * PROVIDERS * len(NAMES):,} verdicts")


if __name__ == "__main__":
    main()
