"""The whole way on small planted incidents: what must be found, and what must not."""

from __future__ import annotations

from fingerprint.incident import making
from fingerprint.testing.purity import pure
from tests.incident.by_hand import cell, incident, minutes, rounds

EVENING = 48


def night(first, last, length=EVENING):
    return "." * first + "b" * (last - first) + "." * (length - last)


BY_CHANCE = 7  # services whose arrangements have to be drawn


def three_at(vantage, first=24, last=40):
    return rounds(vantage, {name: night(first, last) for name in ("tweets.test", "stream.test", "meet.test")})


def test_three_services_that_start_in_one_interval_are_blocked_together():
    found = incident(three_at("Alpha"), three_at("Beta", 25))
    assert found.answer == "blocked"
    event = found.events[0]
    assert event.services == ("tweets", "stream", "meet")
    assert event.vantages == ("Alpha", "Beta")
    assert event.test
    assert event.test.p_value < 0.001
    assert event.test.exact
    assert "together" in found.headline


def test_every_onset_lies_between_the_last_good_and_the_first_bad_sighting():
    found = incident(three_at("Alpha"))
    for service in ("tweets", "stream", "meet"):
        stretch = cell(found, service, "Alpha").stretches[1]
        assert stretch.state == "blocked"
        after, before = minutes(stretch.onset.after_ns), minutes(stretch.onset.before_ns)
        assert 23 * 5 <= after < 24 * 5 <= before < 24 * 5 + 1
        assert minutes(stretch.end.after_ns) < 40 * 5 <= minutes(stretch.end.before_ns)


def test_services_that_start_at_times_of_their_own_are_events_of_their_own():
    rows = {"tweets.test": night(5, 15), "stream.test": night(20, 30), "meet.test": night(35, 45)}
    found = incident(rounds("Alpha", rows))
    assert [e.services for e in found.events] == [("tweets",), ("stream",), ("meet",)]
    assert all(e.test is None for e in found.events)
    assert "together" not in found.headline
    assert "2 other blockings began at other times" in found.paragraph


def test_one_service_alone_is_not_tested_for_coincidence():
    found = incident(rounds("Alpha", {"tweets.test": night(24, 40)}))
    assert found.answer == "blocked"
    assert found.events[0].test is None
    assert "together" not in found.paragraph


def test_what_nobody_could_settle_is_insufficient_and_no_event():
    found = incident(rounds("Alpha", {"tweets.test": "?" * 12, "stream.test": "!" * 12}))
    assert found.answer == "insufficient"
    assert found.events == ()
    assert "Nobody can tell" in found.headline
    assert found.next


def test_what_works_everywhere_is_ok():
    found = incident(rounds("Alpha", {"tweets.test": "." * 12}))
    assert found.answer == "ok"
    assert found.events == ()
    assert "Nothing was blocked" in found.headline


def test_an_incident_asks_the_world_for_nothing():
    many = {f"s{n}.test": night(24, 40) for n in range(BY_CHANCE)}
    accounts = [*three_at("Alpha"), *three_at("Beta", 25), *rounds("Gamma", many)]
    incident(accounts)  # what is imported late is imported here
    with pure(making) as noted:
        incident(accounts)
    assert noted == []
