"""Ten thousand verdicts of thirty days and twenty providers: every planted onset is found, and nothing grows too large."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fingerprint.accounts import stored
from fingerprint.incident.document import as_dict
from fingerprint.incident.making import make

SCRIPTS = Path(__file__).parents[2] / "scripts"
# The page has 5 MB; the document, which nobody has to look at, twice as much.
LARGEST_BYTES = 10_000_000


@pytest.fixture(scope="module", params=[17, 18])
def month(request, tmp_path_factory):
    """(what was planted, script, incident) of a stored month."""
    sys.path.insert(0, str(SCRIPTS))
    try:
        import many_verdicts
    finally:
        sys.path.remove(str(SCRIPTS))
    folder = tmp_path_factory.mktemp("store")
    planted = many_verdicts.fill(folder, request.param)
    accounts, problems = stored.accounts(folder)
    assert problems == ()
    return planted, many_verdicts, make(accounts)


@pytest.mark.slow
def test_every_planted_change_is_found_where_it_was_planted(month):
    planted, script, found = month
    assert len(found.sightings) == 10_000
    for p in planted:
        cells = [c for c in found.cells if (c.service, c.vantage) == (p.service, p.vantage)]
        assert cells
        for cell in cells:
            onset = next(s.onset for s in cell.stretches if s.state == p.state)
            true_ns = script.START_NS + p.first * script.EVERY_NS
            assert onset.after_ns < true_ns + script.EVERY_NS / 2
            assert onset.before_ns >= true_ns
            # One sighting in a hundred settles nothing, so that an interval may be two rounds wide, or rarely three.
            assert onset.before_ns - onset.after_ns < 4 * script.EVERY_NS


@pytest.mark.slow
def test_nothing_is_blocked_or_down_that_was_not_planted(month):
    planted, _, found = month
    bad = {(p.service, p.vantage, p.state) for p in planted}
    for cell in found.cells:
        for stretch in cell.stretches:
            if stretch.state in ("blocked", "down"):
                assert (cell.service, cell.vantage, stretch.state) in bad


@pytest.mark.slow
def test_the_three_that_began_together_are_one_event_and_the_others_their_own(month):
    planted, _, found = month
    events = {(e.state, e.services): e for e in found.events}
    together = events["blocked", ("twitter", "periscope", "zoom")]
    assert set(together.vantages) == {p.vantage for p in planted if p.service == "twitter"}
    assert together.test
    assert together.test.p_value < 0.05
    assert ("blocked", ("wikipedia",)) in events
    assert len(events["down", ("youtube",)].vantages) == 20
    assert "unrelated" in events["down", ("youtube",)].says
    assert len(found.events) == 3


@pytest.mark.slow
def test_the_document_stays_small(month):
    _, _, found = month
    assert len(json.dumps(as_dict(found))) < LARGEST_BYTES
