"""What a step is worth, and when a question is closed."""

from __future__ import annotations

import pytest

from fingerprint.plugins import registry
from fingerprint.probing.order import (
    FALSE_BLOCK,
    LEAST_BITS,
    LOWER,
    OVERLOOKED,
    UPPER,
    Order,
    information_bits,
    question,
    shown,
    unasked,
)
from fingerprint.probing.standing import Standing
from fingerprint.steps import Handshake, Hello, Query, Replies, Send, Transfer
from fingerprint.technique import Clue
from tests.probing.worlds import TARGET

FORGED = Clue(id="forged", says="", group="a", given={"*.reset": 0.8, "*": 0.01}, source="")
SAME_THING = Clue(id="same", says="", group="a", given={"*.reset": 0.6, "*": 0.01}, source="")
OTHER_THING = Clue(id="other", says="", group="b", given={"*.reset": 0.5, "*": 0.01}, source="")
TELLS_NOTHING = Clue(id="idle", says="", group="c", given={"*": 0.4}, source="")
OBSERVATION = Clue(id="seen", says="", group="d", given={}, source="")
PASSED, FAILED = Replies(outcome="answered"), Replies(outcome="reset")


def hello(*clues, address="192.0.2.1", **how):
    return Send(Hello(address=address, name="forum.test"), label="hello", shows=clues, **how)


def order():
    return Order(target="forum.test")


def learnt(step, *replies, found=()):
    made = order()
    for reply in replies:
        made.hear(step, reply)
        made.learn([("t", step, reply)], Standing(clues={"forum.test": frozenset(found)}))
    return made


def test_the_bounds_are_walds():
    assert pytest.approx(4.554, abs=0.001) == UPPER
    assert pytest.approx(-2.986, abs=0.001) == LOWER
    assert (FALSE_BLOCK, OVERLOOKED) == (0.01, 0.05)


def test_information_is_one_bit_for_a_certain_answer_to_an_even_question():
    even = {"a": 0.5, "b": 0.5}
    assert information_bits(even, {"a": 1.0, "b": 0.0}) == pytest.approx(1.0)
    assert information_bits(even, {"a": 0.7, "b": 0.7}) == pytest.approx(0.0)
    assert 0 < information_bits(even, {"a": 0.9, "b": 0.1}) < 1
    assert information_bits({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 0.0}) == pytest.approx(0.0)


def test_clues_of_one_group_are_one_thing_seen():
    assert shown((FORGED, SAME_THING), "tls.reset", "tls") == pytest.approx(0.8)
    assert shown((FORGED, OTHER_THING), "tls.reset", "tls") == pytest.approx(0.9)
    assert shown((OBSERVATION,), "tls.reset", "tls") == 0
    assert unasked((FORGED,), "loss", "tls") < shown((FORGED,), "loss", "tls"), "most innocent lines have no failure"


def test_a_step_that_separates_nothing_is_worth_nothing():
    assert order().bits("t", hello(TELLS_NOTHING)) < order().bits("t", hello(FORGED))
    assert order().worth("t", hello(FORGED))


def test_a_step_of_another_layer_asks_nothing_about_this_one():
    dns_clue = Clue(id="dns", says="", group="a", given={"dns.injection": 0.9, "*": 0.01}, source="")
    assert order().bits("t", hello(dns_clue)) < LEAST_BITS
    query = Send(Query(resolver="192.0.2.53", name="forum.test"), label="q", shows=(dns_clue,))
    assert order().bits("t", query) > LEAST_BITS


def test_repeats_are_worth_less_and_less_until_the_question_is_closed():
    step = hello(FORGED, OTHER_THING)
    worths = [learnt(step, *[PASSED] * n).bits("t", step) for n in range(4)]
    assert worths == sorted(worths, reverse=True)
    assert learnt(step, PASSED).asked[question("t", step)].tries == 1
    closed = [n for n in range(1, 6) if not learnt(step, *[PASSED] * n).worth("t", step)]
    assert closed
    assert min(closed) <= 3


def test_one_clean_trial_closes_no_question_of_another_address():
    step = hello(FORGED, OTHER_THING)
    made = learnt(step, PASSED, PASSED, PASSED)
    assert not made.worth("t", step)
    assert made.worth("t", hello(FORGED, OTHER_THING, address="192.0.2.2"))


def test_what_failed_without_a_clue_stays_open():
    step = hello(FORGED, OTHER_THING)
    made = learnt(step, FAILED, FAILED, FAILED)
    assert made.worth("t", step)
    assert made.worth_following_up


def test_nothing_is_followed_up_where_nothing_was_found():
    assert not order().worth_following_up
    assert not learnt(hello(FORGED), PASSED).worth_following_up


def test_what_never_loads_is_not_timed():
    transfer = Send(Transfer(address="192.0.2.1", name="forum.test"), label="t")
    made = order()
    assert made.worth("t", transfer), "nothing is known yet"
    made.hear(hello(), FAILED)
    assert not made.worth("t", transfer)
    made.hear(hello(), PASSED)
    assert made.worth("t", transfer), "it loads at times"
    made = order()
    made.hear(hello(), Replies(outcome="stalled"))
    assert made.worth("t", transfer), "it begins to load"
    made.hear(Send(Hello(address="192.0.2.1", name="garden.test"), label="c", role="control"), FAILED)
    assert made.worth("t", transfer)


def test_a_step_that_does_not_say_what_it_shows_is_taken():
    step = Send(Handshake(address="192.0.2.1"), label="h")
    assert learnt(step, *[PASSED] * 9).worth("t", step)


def test_a_fixed_order_omits_nothing():
    made = learnt(hello(FORGED), *[PASSED] * 9)
    made.fixed = True
    assert made.worth("t", hello(FORGED))


def test_cheap_steps_come_before_dear_ones():
    made = order()
    transfer = Send(Transfer(address="192.0.2.1", name="forum.test"), label="t", shows=(FORGED,))
    assert made.score("t", hello(FORGED), 0.0) > made.score("t", transfer, 0.0)
    assert made.score("t", hello(FORGED), 0.0) > made.score("t", hello(FORGED), 60.0)


@pytest.mark.parametrize("name", ["dns-injection", "sni-filtering", "tcp-rst-injection", "throttling"])
def test_the_first_step_of_every_built_in_probe_is_worth_it(name):
    technique = dict(registry.load().techniques)[name]
    steps = technique.probe(TARGET)
    first = next(steps)
    steps.close()
    assert first.shows
    assert order().bits(name, first) > 10 * LEAST_BITS
