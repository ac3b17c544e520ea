"""What one vantage must leave open, others in other countries settle: the far end is out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fingerprint.incident.making import make
from fingerprint.report.numbers import timestamp
from fingerprint.vantages.vantage import Vantage
from tests.incident.by_hand import account, at, cell, mechanism, target

ALPHA = Vantage(name="Alpha", asn=64496, country="PK")
BETA = Vantage(name="Beta", asn=64497, country="NL")
GAMMA = Vantage(name="Gamma", asn=64498, country="PK")


def round_at(where, minutes, state, *, control="ok", **changes):
    failed = None if state == "ok" else [timestamp(at(minutes)), timestamp(at(minutes + 0.1))]
    worked = [timestamp(at(minutes)), timestamp(at(minutes + 0.1))] if state == "ok" else None
    targets = [
        target("meet.test", minutes, state, failed=failed, worked=worked, **changes),
        target("control.test", minutes, control, role="control"),
    ]
    return replace(account(where.name, targets, number=round(minutes)), vantage=where)


def states(*rounds):
    found = make(rounds)
    return [cell(found, "meet", v).state for v in dict.fromkeys(r.vantage.name for r in rounds)], found


def test_silence_from_two_countries_at_one_time_is_an_outage():
    told, found = states(round_at(ALPHA, 0, "insufficient"), round_at(BETA, 3, "insufficient"))
    assert told == ["down", "down"]
    assert found.answer == "down"
    assert "2 countries" in found.cells[0].says


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(round_at(GAMMA, 3, "insufficient"), id="one country may drop it on every line of its own"),
        pytest.param(round_at(BETA, 300, "insufficient"), id="hours apart are two matters"),
        pytest.param(round_at(BETA, 3, "insufficient", control="down"), id="a line that is out says nothing"),
        pytest.param(round_at(BETA, 3, "ok"), id="it works elsewhere"),
        pytest.param(replace(round_at(BETA, 3, "insufficient"), vantage=Vantage(name="Beta")), id="nobody said where"),
        pytest.param(
            replace(round_at(BETA, 3, "insufficient"), vantage=replace(BETA, asn=ALPHA.asn)), id="one network abroad"
        ),
    ],
)
def test_anything_less_leaves_it_open(other):
    told, _ = states(round_at(ALPHA, 0, "insufficient"), other)
    assert told[0] == "insufficient"


def test_who_is_blocked_beside_others_who_fail_is_blocked_all_the_same():
    ways = [mechanism()]
    told, _ = states(
        round_at(ALPHA, 0, "blocked", ways=ways), round_at(BETA, 3, "insufficient"), round_at(GAMMA, 3, "insufficient")
    )
    assert told == ["blocked", "insufficient", "insufficient"]


def test_an_address_that_only_serves_a_name_is_no_service_of_its_own():
    name = target("meet.test", 0)
    served = name["endpoints"][0].partition(":")[0]
    found = make([account("Alpha", [name, target(served, 0), target("198.51.100.7", 0, endpoints=[])])])
    assert [s.target for s in found.sightings] == ["meet.test", "198.51.100.7"]
    cut = make([account("Alpha", [name, target(served, 0, "blocked")])])
    assert [s.target for s in cut.sightings] == ["meet.test", served]


def test_what_worked_of_a_service_is_told_of_the_time_of_the_event():
    def rounds(minutes, video):
        return account(
            "Alpha",
            [
                target("meet.test", minutes, "down" if minutes == 20 else "ok"),
                target("film.meet.test", minutes, video, service="meet", role="video"),
                target("control.test", minutes, role="control"),
            ],
            number=minutes,
        )

    found = make([rounds(m, "blocked" if 60 <= m <= 80 else "ok") for m in range(0, 140, 20)])
    assert cell(found, "meet", "Alpha").state == "down"
    (line,) = found.roles
    assert line.event == 0
    assert found.events[0].state == "blocked"
    assert line.says == "the web page loads; video hosts do not"
