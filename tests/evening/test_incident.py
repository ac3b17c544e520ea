"""The simulated evening is recovered: mechanisms, onsets, what happened together, and what did not."""

from __future__ import annotations

import pytest

from fingerprint.incident.making import EVERYTHING
from fingerprint.verbs import analysing, assembling
from tests.evening.bundled import BLOCKED, DOWN, EXPECTED, FOLDER, clock, kept

# Vantages take their turns within so many seconds of a round's beginning, and a round takes some minutes.
ROUND_NS = 8 * 60 * 10**9


@pytest.fixture(scope="module")
def incident():
    how = assembling.Judging(registry=analysing.registry((), (), ()))
    paths = [*map(str, kept()), str(FOLDER / "store")]
    return assembling.assembled(paths, how=how, only=EVERYTHING)[0]


def by_state(incident, state):
    return [event for event in incident.events if event.state == state]


def between(instant, after, before):
    """Whether an onset or an end lies between two neighbouring rounds, and nothing wider."""
    early, late = clock(after), clock(before)
    return early <= instant.after_ns <= early + ROUND_NS and late <= instant.before_ns <= late + ROUND_NS


def test_it_says_first_that_it_is_a_simulation(incident):
    assert incident.simulated
    assert "simulation" in incident.headline.lower()
    assert not [d for d in incident.doubts if d.kind in ("overlap", "contradiction", "file", "store")]


def test_every_cell_has_its_mechanism_and_no_other_is_blocked(incident):
    found = {
        (cell.vantage, name): cell.mechanisms
        for cell in incident.cells
        for name in cell.targets
        if cell.state == "blocked"
    }
    want = {
        (vantage, name): (cell["mechanism"],)
        for vantage, cells in BLOCKED["cells"].items()
        for name, cell in cells.items()
    }
    assert found == want


def test_onsets_and_ends_lie_within_one_sampling_interval(incident):
    stretches = [s for cell in incident.cells for s in cell.stretches]
    for state, want in (("blocked", BLOCKED), ("down", DOWN)):
        mine = [s for s in stretches if s.state == state]
        assert mine
        assert all(between(s.onset, *want["onset"]) for s in mine)
        assert all(between(s.end, *want["end"]) for s in mine)


def test_the_three_services_fell_together_on_two_providers(incident):
    (event,) = by_state(incident, "blocked")
    (want,) = (e for e in EXPECTED["events"] if e["state"] == "blocked")
    assert sorted(event.services) == want["services"]
    assert sorted(event.vantages) == want["vantages"]
    assert event.test is not None
    assert 0 < event.test.p_value < 0.05
    assert event.test.assumptions


def test_zooms_outage_is_an_event_of_its_own_seen_from_everywhere(incident):
    (event,) = by_state(incident, "down")
    assert event.services == ("zoom",)
    assert sorted(event.vantages) == EXPECTED["events"][0]["vantages"]
    assert event.end.before_ns < by_state(incident, "blocked")[0].onset.after_ns


@pytest.mark.parametrize("vantage", EXPECTED["clean"])
def test_nothing_is_blocked_where_nothing_was(incident, vantage):
    states = {cell.state for cell in incident.cells if cell.vantage == vantage}
    assert states == {"ok", "down"}


def test_the_public_facts_alone_are_insufficient():
    how = assembling.Judging(registry=analysing.registry((), (), ()))
    incident = assembling.assembled([str(FOLDER / "public-facts.toml")], how=how, only=EVERYTHING)[0]
    assert incident.answer == "insufficient"
    assert not incident.events
    assert {cell.state for cell in incident.cells} == {"insufficient"}
    assert not incident.simulated
