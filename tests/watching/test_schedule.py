"""A round is due by the clock and a little chance; what is missed stays missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fingerprint.watching.schedule import NS, Schedule, following

BEGAN_NS = 1_589_736_600 * NS
EVERY = Schedule(began_ns=BEGAN_NS, every_s=300.0, jitter_s=75.0, seed=7)
PLAIN = replace(EVERY, jitter_s=0.0)


def at(seconds):
    return BEGAN_NS + round(seconds * NS)


def test_the_first_round_begins_at_once_and_the_others_within_the_jitter_after_their_time():
    assert EVERY.due_ns(0) == BEGAN_NS
    late_s = [(EVERY.due_ns(n) - at(300 * n)) / NS for n in range(1, 500)]
    assert 0 <= min(late_s) < 5
    assert 70 < max(late_s) <= 75
    assert sorted(EVERY.due_ns(n) for n in range(500)) == [EVERY.due_ns(n) for n in range(500)]


def test_chance_is_the_same_for_the_same_seed_and_another_for_another():
    assert [EVERY.due_ns(n) for n in range(9)] == [replace(EVERY).due_ns(n) for n in range(9)]
    assert [EVERY.due_ns(n) for n in range(1, 9)] != [replace(EVERY, seed=8).due_ns(n) for n in range(1, 9)]
    assert EVERY.seed_of(3) == replace(EVERY).seed_of(3) != EVERY.seed_of(4)


def test_without_jitter_rounds_are_due_on_the_beat():
    assert [PLAIN.due_ns(n) for n in range(4)] == [at(s) for s in (0, 300, 600, 900)]


@pytest.mark.parametrize("schedule", [EVERY, PLAIN])
def test_in_good_order_one_round_follows_the_other(schedule):
    for number in range(1, 50):
        assert following(schedule, number - 1, schedule.due_ns(number - 1) + 60 * NS) == number


def test_a_round_that_took_a_little_too_long_makes_the_next_one_late_not_missed():
    assert following(PLAIN, 3, at(4 * 300 + 149)) == 4
    assert following(PLAIN, 3, at(4 * 300 + 151)) == 5


@pytest.mark.parametrize("schedule", [EVERY, PLAIN])
@pytest.mark.parametrize("asleep_rounds", [1, 2, 17, 100_000])
def test_missed_rounds_are_never_made_up_for(schedule, asleep_rounds):
    now_ns = at(300 * (3 + asleep_rounds) + 200)
    number = following(schedule, 3, now_ns)
    assert number > 3 + asleep_rounds - 1
    assert schedule.due_ns(number) >= now_ns - 150 * NS
    assert number == 4 or schedule.due_ns(number - 1) < now_ns - 150 * NS


def test_a_clock_that_was_set_back_repeats_no_round():
    assert following(PLAIN, 3, at(-86_400)) == 4


@pytest.mark.parametrize(
    ("end", "total"),
    [
        ({"rounds": 4}, 4),
        ({"for_s": 1200.0}, 4),
        ({"for_s": 1201.0}, 5),
        ({"for_s": 10.0}, 1),
        ({"rounds": 2, "for_s": 1200.0}, 2),
        ({"rounds": 9, "for_s": 1200.0}, 4),
        ({}, None),
    ],
)
def test_a_watch_ends_after_so_many_rounds_or_so_long(end, total):
    schedule = replace(PLAIN, **end)
    assert schedule.total == total
    begun, last = 0, -1
    while (number := following(schedule, last, schedule.due_ns(last + 1))) is not None and begun < 20:
        begun, last = begun + 1, number
    assert begun == (20 if total is None else total)


def test_after_its_time_a_watch_has_no_more_rounds_however_few_there_were():
    assert following(replace(PLAIN, for_s=1200.0), 0, at(5000)) is None
    assert following(replace(PLAIN, rounds=4), 0, at(5000)) is None
