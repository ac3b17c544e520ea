"""The sum of evidence: nothing counts twice, nothing is certain, and support never hurts."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprint.technique import Clue
from fingerprint.verdict import mechanisms, taxonomy
from fingerprint.verdict.symptoms import Symptom, likelihood, symptoms
from fingerprint.verdict.weighing import TRIAL_CAP, effective, separation, trial_vector, weigh
from tests.verdict.findings import found, pair, strong, weak


def _symptom(*items: object) -> Symptom:
    (symptom,) = symptoms(items)  # type: ignore[arg-type]
    return symptom


def test_the_hypotheses_of_a_symptom_sum_to_one() -> None:
    balance = weigh(_symptom(found(strong()), found(weak())))
    assert math.isclose(sum(balance.posterior.values()), 1.0)
    assert set(balance.posterior) >= set(taxonomy.INNOCENTS)


def test_innocent_priors_and_shares_sum_to_one() -> None:
    assert math.isclose(sum(taxonomy.INNOCENT_PRIOR.values()), 1.0)
    assert math.isclose(sum(taxonomy.node_prior(taxonomy.below("tls.reset")).values()), 1.0)


def test_one_weak_clue_leaves_the_prior_nearly_where_it_was() -> None:
    assert weigh(_symptom(found(weak()))).blocked() < 0.03


def test_clues_of_one_group_in_one_trial_count_once() -> None:
    once = weigh(_symptom(found(weak("a", "same"))))
    twice = weigh(_symptom(found(weak("a", "same")), found(weak("b", "same"))))
    assert twice.blocked() == pytest.approx(once.blocked())


def test_clues_of_different_groups_add_up() -> None:
    once = weigh(_symptom(found(weak("a", "one"))))
    twice = weigh(_symptom(found(weak("a", "one")), found(weak("b", "two"))))
    assert twice.blocked() > once.blocked() * 1.8


def test_one_connection_cannot_contribute_more_than_its_cap() -> None:
    items = [found(strong(f"clue-{i}", f"group-{i}")) for i in range(6)]
    symptom = _symptom(*items)
    assert separation(trial_vector(symptom.found, symptom), symptom.nodes) <= TRIAL_CAP + 1e-9
    assert weigh(symptom).blocked() < 0.995


def test_many_repeats_are_worth_two_at_most() -> None:
    assert effective(1) == 1.0
    assert effective(2) == pytest.approx(4 / 3)
    assert effective(1000) < 2.0


@given(st.integers(0, 6))
def test_a_supporting_trial_never_lowers_the_posterior(extra: int) -> None:
    base = [found(strong(), trial="0:0:1")]
    more = [found(weak(), trial=f"0:{i}:{i}") for i in range(1, extra + 1)]
    assert weigh(_symptom(*base, *more)).blocked() >= weigh(_symptom(*base)).blocked() - 1e-12


def test_trials_that_speak_for_the_server_outweigh_one_odd_packet() -> None:
    server = Clue(
        id="own", says="in its own headers", group="one", source="a test",
        given={"server-refuses": 0.9, "*.reset": 0.02, "*": 0.1},
    )  # fmt: skip
    odd = Clue(id="odd", says="odd", group="one", given={"*.reset": 0.5, "*": 0.01}, source="a test")
    items = [found(odd, trial="0:0:1"), *(found(server, trial=f"0:{i}:{i}") for i in range(1, 10))]
    balance = weigh(_symptom(*items))
    assert balance.blocked() < 0.1
    assert balance.innocent()[0] == "server-refuses"


@pytest.mark.parametrize(("prior", "least", "most"), [(0.001, 0.0, 0.6), (0.01, 0.5, 0.95), (0.1, 0.9, 1.0)])
def test_the_prior_is_felt(prior: float, least: float, most: float) -> None:
    assert least <= weigh(_symptom(found(strong())), prior_blocked=prior).blocked() <= most


def test_a_clue_speaks_for_the_deepest_key_that_matches() -> None:
    assert likelihood(pair(), "tls.reset.sni", "tls") == 0.9
    assert likelihood(pair(), "tls.reset.ech", "tls") == 0.02
    assert likelihood(pair(), "tls.timeout.sni", "tls") == 0.5
    assert likelihood(pair(), "loss", "tls") == 0.5


def test_a_qualifier_needs_evidence_that_carries_its_trigger() -> None:
    silent = _symptom(found(strong()), found(weak()), found(pair(), trial=None))
    speaking = _symptom(found(strong()), found(weak()), found(pair(), trial=None, trigger="tls.sni"))
    assert mechanisms.supported_node(weigh(silent)) in (None, "tls.reset")
    assert not mechanisms.qualified("tls.reset.sni", silent)
    assert mechanisms.qualified("tls.reset.sni", speaking)


def test_weak_clues_alone_never_carry_blocked_however_many() -> None:
    items = [found(weak(f"clue-{i}", f"group-{i}")) for i in range(14)]
    symptom = _symptom(*items)
    assert weigh(symptom).blocked() > mechanisms.ENOUGH
    assert mechanisms.supported_node(weigh(symptom)) is None


def test_two_trials_with_a_passing_control_carry_what_one_clue_does_not() -> None:
    items = [found(weak(f"clue-{i}", f"group-{i}"), trial=f"0:{t}:{t}") for i in range(14) for t in (1, 2)]
    control = found(pair(), trial=None, trigger="tls.sni")
    assert mechanisms.carried(_symptom(*items, control)) == mechanisms.carried(_symptom(control, *items))
    assert mechanisms.carried(_symptom(*items)) is False


def test_every_clue_of_every_technique_states_its_default_and_known_hypotheses() -> None:
    from fingerprint.plugins.registry import load

    known = set(taxonomy.INNOCENTS) | {"innocent", "*"}
    actions = {n.split(".", 1)[1] for n in taxonomy.NODES}
    for name, technique in load().techniques:
        for seen in technique.clues:
            for key, value in seen.given.items():
                assert 0 < value <= 1, f"{name}/{seen.id}: {key}"
                assert key in known or key in taxonomy.NODES or (key[:2] == "*." and key[2:] in actions), (
                    name,
                    seen.id,
                    key,
                )
            assert not seen.given or "*" in seen.given, f"{name}/{seen.id} states no default"


def test_a_stepping_clock_takes_from_timing_what_it_can_fake() -> None:
    early = Clue(id="early", says="early", group="ending-timing", given={"*.reset": 0.6, "*": 0.0005}, source="a test")
    sound, stepping = found(early), replace(found(early), issues=frozenset({"clock"}))
    assert weigh(_symptom(stepping)).blocked() < 0.6 * weigh(_symptom(sound)).blocked()
    assert weigh(_symptom(stepping)).innocent()[0] == "capture-fault"


def test_every_issue_that_lowers_is_one_that_quality_can_find_and_every_group_exists() -> None:
    from fingerprint import quality
    from fingerprint.plugins.registry import load
    from fingerprint.verdict.lowering import LOWERED

    groups = {c.group for _, t in load().techniques for c in t.clues}
    assert all(issue in str(quality.__doc__) for issue in LOWERED)
    assert {g for lowered in LOWERED.values() for g in lowered} <= groups
