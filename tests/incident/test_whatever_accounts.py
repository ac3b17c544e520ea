"""Whatever accounts say, an incident is made of them, it is valid, and it cites only what exists."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from fingerprint.incident.document import as_dict
from fingerprint.report.numbers import timestamp
from fingerprint.vantages.vantage import Clock
from tests.incident.by_hand import account, at, incident, mechanism, target

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "docs/reference/incident-1.schema.json").read_text())
)
NODES = ("tls.reset.sni", "tls.reset", "dns.injection.bogon", "tls.throttle.sni", "x.mine.odd")

spans = st.none() | st.tuples(st.integers(-50, 400), st.integers(0, 60)).map(
    lambda s: [timestamp(at(s[0])), timestamp(at(s[0] + s[1]))]
)


@st.composite
def targets(draw):
    state = draw(st.sampled_from(("ok", "ok", "blocked", "blocked", "down", "insufficient", "invalid")))
    changes = {
        "role": draw(st.sampled_from(("web", "image", "control", None))),
        "vantage": draw(st.sampled_from((None, "client 1", "Alpha"))),
        "worked": draw(spans),
        "failed": draw(spans),
        "reach": draw(st.sampled_from(("none", "degraded", "partial", "full"))),
        "endpoints": draw(st.sampled_from(([], ["1.1.1.1:443/tcp"], ["[2001:db8::1]:443/tcp", "x:9/udp"]))),
    }
    ways = [mechanism(n, posterior=draw(st.floats(0, 1))) for n in draw(st.lists(st.sampled_from(NODES), min_size=1))]
    name = draw(st.sampled_from(("a.test", "b.test", "img.a.test", "192.0.2.1")))
    minutes = draw(st.integers(-10, 300))
    service = draw(st.sampled_from((None, "alpha", "beta")))
    made = target(name, minutes, state, ways=ways, lasts_s=draw(st.integers(0, 4000)), **changes)
    return made | {"service": service}


@st.composite
def accounts(draw):
    clock = Clock(offset_s=draw(st.floats(-1e5, 1e5)), error_s=draw(st.none() | st.floats(0, 1e4)))
    return account(
        draw(st.sampled_from(("Alpha", "Beta"))),
        draw(st.lists(targets(), max_size=4)),
        number=draw(st.integers(0, 5)),
        kind=draw(st.sampled_from(("packets", "ooni", "told"))),
        clock=clock,
        simulated=draw(st.none() | st.just("a play")),
    )


@settings(max_examples=80, deadline=None)
@given(st.lists(accounts(), max_size=6))
def test_whatever_accounts_say_an_incident_cites_only_what_exists(some):
    found = incident(some)
    SCHEMA.validate(as_dict(found))
    assert len(found.paragraph.split()) <= 120
    for cell in found.cells:
        for stretch in cell.stretches:
            assert all(0 <= i < len(found.sightings) for i in stretch.sightings)
            for edge in (stretch.onset, stretch.end):
                if edge.after_ns is not None and edge.before_ns is not None:
                    assert edge.after_ns <= edge.before_ns
        for one, other in zip(cell.stretches, cell.stretches[1:], strict=False):
            assert one.end == other.onset
        if cell.best:
            assert 0 <= cell.best.target < len(some[cell.best.account].document["targets"])
    for event in found.events:
        assert all(found.cells[i].state in (event.state, "blocked") for i in event.cells)
    states = {s.state for s in found.sightings if s.role != "control"}
    if "blocked" not in states:
        assert found.answer != "blocked"
    assert incident(some) == found
