"""The permutation test against counting by hand, and against chance itself."""

from __future__ import annotations

import random
from itertools import product

import pytest

from fingerprint.incident.coincidence import DRAWN, Start, Window, coincidence, window


def steps(number):
    return Window(first_ns=0, step_ns=10, steps=number)


def start(service, step, vantage="A"):
    return Start(service=service, vantage=vantage, at_ns=step * 10 + 5)


def test_three_services_in_one_of_twelve_steps_have_one_chance_in_a_hundred_and_forty_four():
    event = [start(s, 7) for s in "abc"]
    test = coincidence(event, event, steps(12), 0)
    assert test
    assert test.exact
    assert test.permutations == 144
    assert test.p_value == pytest.approx(1 / 144)
    assert test.observed == 3


def test_p_is_the_share_that_counting_by_hand_finds():
    event = [start("a", 3), start("b", 4), start("c", 4)]
    test = coincidence(event, event, steps(10), 0)
    extreme = 0
    for shifts in product(range(10), repeat=3):
        places = [(e.at_ns // 10 + shift) % 10 for e, shift in zip(event, shifts, strict=True)]
        extreme += any(all((p - anchor) % 10 <= 1 for p in places) for anchor in places)
    assert test
    assert test.p_value == pytest.approx(extreme / 1000)


def test_two_vantages_that_agree_make_it_no_less_likely_by_chance():
    one = [start(s, 7) for s in "abc"]
    both = one + [start(s, 7, "B") for s in "abc"]
    alone, together = coincidence(one, one, steps(12), 0), coincidence(both, both, steps(12), 0)
    assert alone
    assert together
    assert together.p_value == alone.p_value


def test_a_clock_that_is_wrong_at_one_vantage_changes_nothing():
    right = [start(s, 7) for s in "abc"] + [start(s, 7, "B") for s in "abc"]
    wrong = [start(s, 7) for s in "abc"] + [start(s, 2, "B") for s in "abc"]
    a, b = coincidence(right, right, steps(12), 0), coincidence(wrong, wrong, steps(12), 0)
    assert a
    assert b
    assert a.p_value == b.p_value


def test_two_that_meet_among_many_that_changed_are_no_rarity():
    pair = [start("a", 7), start("b", 7)]
    others = [start(s, step) for s, step in zip("cdefghij", (1, 3, 5, 9, 11, 13, 15, 17), strict=True)]
    alone = coincidence(pair, pair, steps(20), 1)
    among = coincidence(pair, pair + others, steps(20), 1)
    assert alone
    assert among
    assert alone.p_value == pytest.approx(0.05)
    assert among.p_value > 0.5


def test_services_that_count_as_one_have_nothing_to_coincide_with():
    event = [start("a", 7), start("b", 7)]
    assert coincidence(event, event, steps(12), 0, {"b": "a"}) is None


def test_merging_two_of_three_leaves_the_chance_of_two():
    event = [start(s, 7) for s in "abc"]
    test = coincidence(event, event, steps(12), 0, {"b": "a"})
    assert test
    assert test.p_value == pytest.approx(1 / 12)


def test_where_there_are_too_many_arrangements_they_are_drawn_from_the_given_seed():
    event = [start(s, 700) for s in "abcd"]
    one, again, other = (coincidence(event, event, steps(1000), seed) for seed in (5, 5, 6))
    assert one
    assert one == again
    assert not one.exact
    assert one.permutations == DRAWN
    assert one.p_value >= 1 / (1 + DRAWN)
    assert other


def test_one_service_alone_is_not_tested():
    event = [start("a", 3), start("a", 3, "B")]
    assert coincidence(event, event, steps(12), 0) is None


def test_without_a_common_time_there_is_no_window():
    assert window([(0, 100), (200, 300)], 10) is None
    assert window([(0, 100)], None) is None
    assert window([(0, 100), (50, 300)], 10) == Window(first_ns=50, step_ns=10, steps=5)


def test_by_chance_small_values_are_as_rare_as_they_say():
    draw = random.Random(20200517)
    small = tried = 0
    for _ in range(300):
        everything = [start(s, draw.randrange(24)) for s in "abcd"]
        # The event is what the engine would group: the largest set of services in one step.
        groups = {}
        for s in everything:
            groups.setdefault(s.at_ns, []).append(s)
        event = max(groups.values(), key=len)
        test = coincidence(event, everything, steps(24), 0)
        tried += 1
        small += bool(test and test.p_value <= 0.05)
    assert small / tried <= 0.08
