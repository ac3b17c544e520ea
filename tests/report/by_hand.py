"""Reports made by hand, so that the forms of a report are tested apart from the engine."""

from __future__ import annotations

from fingerprint.technique import Cited, Clue, Evidence, Facets, Inconclusive, Interval, Location, Subject, Trigger
from fingerprint.verdict.model import (
    Alternative,
    CaptureSummary,
    Cause,
    Failure,
    InjectorMatch,
    Mechanism,
    Quality,
    Report,
    Verdict,
    Weighed,
)

CLIENT = "198.51.100.7"
SOONER = Clue(
    id="sooner",
    says="RST {gap:.1f} ms after the hello",
    group="timing",
    given={"*.reset": 0.9, "*": 0.01},
    source="test",
)


NOTHING_MORE = Facets()


def evidence(says="RST 3.1 ms after the hello", packets=((0, 12), (0, 14)), facets=NOTHING_MORE):
    cited = tuple(Cited(*p) for p in packets)
    return Evidence(clue=SOONER, subject=Subject(name="a.test"), packets=cited, says=says, facets=facets)


def mechanism(**changes):
    fields = {
        "node": "tls.reset.sni",
        "posterior": 0.99996,
        "posterior_at": {"0.001": 0.998, "0.1": 0.99999},
        "calibrated": None,
        "position": "on-path",
        "trigger": Trigger(field="tls.sni", value="a.test"),
        "location": Location(hop=3, link=(2, 3)),
        "injector": (InjectorMatch(name="X", score=0.8, fits=("ip.id",), contradicts=("ip.ttl",), source="table"),),
        "shape": None,
        "rate_bps": None,
        "burst_bytes": None,
        "residual_s": None,
        "evidence": (Weighed(technique="tcp-rst-injection", evidence=evidence(), log_odds=4.23456),),
        "why": ("prior 1 %", "+4.23 sooner"),
    }
    return Mechanism(**fields | changes)


def verdict(target="a.test", state="blocked", **changes):
    blocked = state == "blocked"
    fields = {
        "target": target,
        "service": None,
        "role": None,
        "vantage": None,
        "endpoints": ("203.0.113.80:443/tcp",),
        "first_ns": 1_589_736_662_123_456_789,
        "last_ns": 1_589_736_663_000_000_000,
        "state": state,
        "reach": "full" if blocked else "none",
        "mechanisms": (mechanism(),) if blocked else (),
        "cause": None if blocked else Cause(hypothesis="undecided", posterior=None, says="no request was sent"),
        "alternatives": (Alternative(hypothesis="server-refuses", posterior=0.001, against="it came too soon"),),
        "inconclusive": (("throttling", Inconclusive("only 0.4 s of transfer, want 3 s", (Cited(0, 40),))),),
        "observations": (),
        "consequences": (),
        "next": ("sweep the TTL of the trigger",),
    }
    return Verdict(**fields | changes)


def capture(**changes):
    fields = {
        "file": "x.pcapng",
        "sha256": "ab" * 32,
        "packets": 286,
        "link_type": "ethernet",
        "first_ns": 1_589_736_662_123_456_789,
        "last_ns": 1_589_736_672_123_456_789,
        "quality": (Quality(issue="one-sided", detail="3 of 4 connections", packets=(Cited(0, 3),)),),
        "clients": (CLIENT,),
    }
    return CaptureSummary(**fields | changes)


def report(*verdicts, captures=None, errors=()):
    return Report(
        version="0.1.0",
        captures=(capture(),) if captures is None else captures,
        verdicts=verdicts,
        tables=(("injectors", "2026.1", "cd" * 32),),
        errors=errors,
    )


THROTTLED = mechanism(
    node="tls.throttle.sni",
    shape="policer",
    rate_bps=Interval(value=140_312.7, low=138_000.2, high=143_000.9),
    burst_bytes=Interval(value=53_510.3, low=53_000.0, high=54_000.0),
)
CUT = Failure(file="y.pcap", error="packet 812 is cut short (54 of 1514 bytes kept); capture again with snaplen 0")
