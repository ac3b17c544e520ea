"""The timetable of the evening is an invention that fits what was said in public, and names nobody who exists."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fingerprint import services
from fingerprint.lab.evening.timetable import S, evening

EVENING = evening()
HOUR_NS = 3600 * S


def at(hour, minute):
    return round(datetime(2020, 5, 17, hour, minute, tzinfo=UTC).timestamp()) * S


def happenings(what):
    return [h for h in EVENING.happenings if h.what == what]


def test_every_vantage_says_that_it_is_simulated():
    assert len(EVENING.posts) == 4
    assert all("reconstruction of 17 May 2020" in (post.vantage.simulated or "") for post in EVENING.posts)


def test_providers_have_numbers_that_are_nobodys():
    # RFC 5398: AS numbers for documentation.
    assert all(64496 <= (post.vantage.asn or 0) <= 64511 for post in EVENING.posts)
    assert len({post.vantage.asn for post in EVENING.posts}) == 4
    assert len({post.client for post in EVENING.posts} | {post.resolver for post in EVENING.posts}) == 8


def test_names_are_those_of_may_2020_with_a_role_each():
    known, _ = services.at_hand()
    filed = {name: known.of(name, at(12, 0)) for name in EVENING.names if name not in EVENING.controls}
    assert len(filed) == 8
    assert {service for service, _ in filed.values()} == {"twitter", "periscope", "zoom"}
    assert len(set(filed.values())) == 8


def test_no_two_names_share_a_server():
    addresses = [a for addresses in EVENING.names.values() for a in addresses]
    assert len(addresses) == len(set(addresses)) == 10


@pytest.mark.parametrize("what", ["sni-reset", "dns-lie", "policer"])
def test_interference_begins_and_ends_when_people_said(what):
    for h in happenings(what):
        assert at(17, 10) <= h.from_ns <= at(17, 25)
        assert at(19, 40) <= h.until_ns <= at(20, 0)


def test_zooms_outage_is_everybodys_and_hours_before():
    (outage,) = happenings("down")
    assert outage.vantage is None
    assert outage.until_ns <= at(17, 10) - 3 * HOUR_NS
    assert outage.from_ns > EVENING.rounds_ns[0]


@pytest.mark.parametrize("vantage", ["quincewave", "vpn"])
def test_nothing_else_happens_at_the_third_provider_and_abroad(vantage):
    post = EVENING.post(vantage)
    seen = {h.what for time_ns in EVENING.rounds_ns for h in EVENING.at(post, time_ns)}
    assert seen == {"down"}


def test_controls_are_never_touched():
    assert not {name for h in EVENING.happenings for name in h.names} & set(EVENING.controls)
