"""Accounts made by hand: a vantage, and what was seen from it when, a line each."""

from __future__ import annotations

from hashlib import sha256

from fingerprint.accounts import Account
from fingerprint.incident.making import make
from fingerprint.report.numbers import timestamp
from fingerprint.vantages.vantage import Clock, Vantage

S = 1_000_000_000
MINUTE = 60 * S
# 17 May 2020, 15:00 UTC.
START = 1_589_727_600 * S


def at(minutes):
    return START + round(minutes * MINUTE)


def mechanism(node="tls.reset.sni", posterior=0.99, **changes):
    evidence = {
        "technique": "sni-filtering", "clue": "sooner", "capture": 0, "packets": [1], "says": "sooner", "log_odds": 4.0,
    }  # fmt: skip
    fields = {
        "mechanism": node,
        "posterior": posterior,
        "posterior_at": {},
        "calibrated": None,
        "position": "on-path",
        "trigger": None,
        "location": None,
        "injector": [],
        "shape": None,
        "rate_bps": None,
        "rate_interval_bps": None,
        "burst_bytes": None,
        "burst_interval_bytes": None,
        "residual_s": None,
        "residual_interval_s": None,
        "evidence": [evidence],
    }
    return fields | changes


def target(name, minutes, state="ok", *, service=None, role="web", lasts_s=10, ways=None, **changes):
    """One target of a report; ``minutes`` after the start."""
    first_ns = at(minutes)
    blocked = state == "blocked"
    fields = {
        "target": name,
        "service": service or name.split(".")[0],
        "role": role,
        "vantage": None,
        "endpoints": [f"{address(name)}:443/tcp"],
        "first": timestamp(first_ns),
        "last": timestamp(first_ns + lasts_s * S),
        "state": state,
        "reach": "full" if blocked else "none",
        "mechanisms": (ways or [mechanism()]) if blocked else [],
        "cause": None
        if blocked
        else {"hypothesis": "x", "posterior": 0.95 if state == "down" else None, "says": "so", "evidence": []},
        "alternatives": [],
        "inconclusive": [],
        "observations": [],
        "consequences": [],
        "next": [f"try {name} again"],
    }
    return fields | changes


def address(name):
    """One address a name, each in a network of its own."""
    digest = sha256(name.encode()).digest()
    return f"{20 + digest[0] % 150}.{digest[1]}.{digest[2]}.{1 + digest[3] % 200}"


def document(targets, *, sha, file="x.pcapng"):
    times = [t[key] for t in targets for key in ("first", "last") if t[key]]
    capture = {
        "file": file,
        "sha256": sha,
        "packets": 100,
        "link_type": "ethernet",
        "first": min(times, default=None),
        "last": max(times, default=None),
        "vantage": {"name": None, "asn": None, "provider": None, "country": None},
        "quality": [],
    }
    states = {s: sum(t["state"] == s for t in targets) for s in ("ok", "down", "blocked", "insufficient", "invalid")}
    return {
        "schema": "fingerprint/report/1",
        "tool": {"name": "censorship-fingerprint", "version": "0.1.0"},
        "summary": {"targets": len(targets), "states": states, "captures": 1, "packets": 100, "seconds": 1.0},
        "captures": [capture],
        "targets": targets,
        "tables": [],
        "errors": [],
        "partial": None,
    }


def account(vantage, targets, *, number=0, kind="packets", clock=None, simulated=None):
    key = vantage if isinstance(vantage, str) else vantage.key
    sha = sha256(f"{key} {number} {targets and targets[0]['first']}".encode()).hexdigest()
    where = Vantage(name=vantage, clock=clock or Clock(error_s=0.0), simulated=simulated)
    file = f"{key}-{number}.pcapng"
    return Account(kind=kind, file=file, sha256=sha, document=document(targets, sha=sha, file=file), vantage=where)


def rounds(vantage, states, *, every=5, controls="ok", **changes):
    """One account a round. ``states``: name → one letter a round (``.`` ok, ``b`` blocked, ``d`` down, ``?``, blank).

    ``controls`` is a state for all rounds, a string of letters, or None for no controls.
    """
    words = {".": "ok", "b": "blocked", "d": "down", "?": "insufficient", "!": "invalid"}
    length = max(len(row) for row in states.values())
    out = []
    for n in range(length):
        minutes = n * every
        targets = [
            target(name, minutes + k * 0.1, words[row[n]], **changes.get(name, {}))
            for k, (name, row) in enumerate(states.items())
            if n < len(row) and row[n] != " "
        ]
        if controls:
            state = controls if controls in words.values() else words[controls[n]]
            targets.append(target("control.test", minutes, state, service=None, role="control"))
        out.append(
            account(
                vantage, targets, number=n, **{k: v for k, v in changes.items() if k in ("clock", "simulated", "kind")}
            )
        )
    return out


def incident(*accounts, **changes):
    return make([a for some in accounts for a in some], **changes)


def cell(found, service, vantage, role="web"):
    return next(c for c in found.cells if (c.service, c.vantage, c.role) == (service, vantage, role))


def minutes(time_ns):
    """Minutes after the start, to a tenth; None stays None."""
    return None if time_ns is None else round((time_ns - START) / MINUTE, 1)
