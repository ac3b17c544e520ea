"""Services of one owner may share what no table names: on the days on which they had one, and then only."""

from __future__ import annotations

from datetime import date

import pytest

from fingerprint import services
from fingerprint.incident.infrastructure import Tables
from fingerprint.incident.making import Knowledge
from fingerprint.services.fields import day_ns
from tests.incident.by_hand import incident, rounds
from tests.incident.test_planted import night

THREE = ("twitter.test", "periscope.test", "zoom.test")


def owned(service, at_ns):
    found = services.built_in().named(service)
    return found.owned(at_ns) if found else ()


def shared(tables, *names):
    """The owners that an evening of 17 May 2020 is discounted for, and its test."""
    event = incident(rounds("Alpha", {n: night(24, 40) for n in names}), knowledge=Knowledge(tables=tables)).events[0]
    return [d for d in event.discounts if d.what == "owner"], event.test


def test_twitter_and_periscope_had_one_owner_that_evening_and_count_as_one():
    (one,), test = shared(Tables(owned=owned), *THREE)
    assert one.value == "Twitter"
    assert one.says.startswith("twitter and periscope share the owner Twitter, and may share infrastructure; counted")
    assert test.p_value < one.p_value == pytest.approx(1 / 48)


def test_with_nothing_but_the_two_nothing_is_left_to_have_coincided():
    (one,), _ = shared(Tables(owned=owned), "twitter.test", "periscope.test")
    assert one.p_value == 1.0


def test_an_owner_of_another_time_explains_nothing():
    later_ns = day_ns(date(2021, 1, 1))
    sold = Tables(owned=lambda service, at_ns: owned(service, at_ns) if at_ns >= later_ns else ())
    assert shared(sold, *THREE)[0] == []


@pytest.mark.parametrize(
    ("day", "owners"),
    [(date(2014, 5, 17), ()), (date(2020, 5, 17), ("Twitter",)), (date(2021, 4, 1), ())],
)
def test_periscope_was_twitters_while_it_was(day, owners):
    assert owned("periscope", day_ns(day)) == owners
    assert owned("zoom", day_ns(day)) == ()


def test_services_of_two_owners_share_none():
    assert shared(Tables(owned=owned), "twitter.test", "zoom.test", "meet.test")[0] == []


def test_an_operator_that_is_known_says_it_already():
    both = {"twitter": ("www.one.test",), "periscope": ("www.one.test",)}
    assert shared(Tables(owned=owned, beside=both), *THREE)[0] == []
