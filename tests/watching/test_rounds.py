"""A watch over the simulated path: rounds are kept as they come, whatever becomes of one of them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import jsonschema
import pytest

import captures
from captures.errors import CaptureError, TargetError
from fingerprint import store
from fingerprint.accounts.stored import accounts
from fingerprint.report.reading import nanoseconds
from fingerprint.watching.memory import alone, recall, remember, resumed
from tests.watching.simulated import CAFE, Line, at, memory, watched

SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "report-1.schema.json"


def states(folder):
    """(beginning of the capture in seconds after the first, state of the target), by time."""
    found, _ = accounts(folder)
    first = [nanoseconds(a.document["captures"][0]["first"]) for a in found]
    return [
        (
            round((ns - first[0]) / 1e9 / 300),
            next(t["state"] for t in a.document["targets"] if t["target"] == "forum.test"),
        )
        for ns, a in zip(first, found, strict=True)
    ]


def kept(folder):
    return sorted(p.name for p in (folder / "runs").iterdir() if p.suffix == ".pcapng")


def test_a_blocking_that_begins_and_ends_is_seen_to_within_one_interval(tmp_path):
    line = Line(canned=False, blocked=(at(200), at(700)))
    tally, said = watched(tmp_path, line, memory(4))
    assert states(tmp_path) == [(0, "ok"), (1, "blocked"), (2, "blocked"), (3, "ok")]
    assert (tally.performed, tally.failed, tally.missed, tally.interrupted) == (4, 0, 0, False)
    assert said[1].startswith("round 2 of 4, 2020-05-17 17:35:00: 1 blocked (forum.test), ")


def test_accounts_name_the_vantage_and_captures_that_found_something_are_at_hand(tmp_path):
    watched(tmp_path, Line(canned=False, blocked=(at(200), at(400))), memory(3))
    found, problems = accounts(tmp_path)
    assert problems == ()
    assert {a.vantage for a in found} == {CAFE}
    assert [a.captures != (None,) for a in found] == [False, True, False]
    assert len(kept(tmp_path)) == 1
    for account in found[1:2]:
        assert captures.read(account.captures[0]).sha256 == account.sha256


@pytest.mark.parametrize(("keep", "stay"), [("all", 3), ("none", 0), ("2", 2)])
def test_as_many_captures_stay_as_were_asked_for_and_their_scripts_with_them(tmp_path, keep, stay):
    watched(tmp_path, Line(canned=False, blocked=(at(200), at(400))), memory(3), keep=keep)
    assert len(kept(tmp_path)) == stay
    assert len(list((tmp_path / "runs").glob("*.script.json"))) == stay
    assert kept(tmp_path)[-1:] == [n for n in kept(tmp_path) if "T174000Z" in n]
    assert len(accounts(tmp_path)[0]) == 3


def test_a_watch_is_the_same_twice_byte_for_byte_but_for_what_tls_draws(tmp_path):
    for name in "ab":
        watched(tmp_path / name, Line(canned=False), memory(2))
    a, b = (accounts(tmp_path / name)[0] for name in "ab")
    assert [x.file for x in a] == [x.file for x in b]
    assert states(tmp_path / "a") == states(tmp_path / "b")


def test_a_round_that_fails_is_kept_as_such_and_the_watch_goes_on(tmp_path):
    why = "forum.test cannot be probed: check the network"
    tally, said = watched(tmp_path, Line(fails={1: why, 2: why}), memory(5))
    assert (tally.performed, tally.failed) == (5, 2)
    found, problems = accounts(tmp_path)
    assert len(found) == 3
    assert [p.says for p in problems] == [f"2 rounds came to nothing: {why}"]
    failed = [e for e in store.entries(tmp_path)[0] if not e.account.document["captures"]]
    assert [e.account.document["errors"][0]["file"] for e in failed] == [
        "round 2, due 2020-05-17T17:35:00.000000000Z",
        "round 3, due 2020-05-17T17:40:00.000000000Z",
    ]
    assert {e.account.document["partial"] for e in failed} == {why}
    schema = json.loads(SCHEMA.read_text())
    for made in store.entries(tmp_path)[0]:
        jsonschema.validate(made.account.document, schema)
    assert "came to nothing" in said[1]


def test_after_a_crash_it_goes_on_with_the_next_round_and_the_broken_one_is_named_once(tmp_path):
    line = Line(dies_in=2)
    with pytest.raises(SystemExit):
        watched(tmp_path, line, memory())
    remembered = recall(tmp_path, memory().asked)
    assert (remembered.last, remembered.under_way) == (2, True)
    again, older = resumed(remembered, memory(), at(1000))
    assert older
    second = Line(now=at(1000))
    tally, said = watched(tmp_path, second, again)
    assert [number for number, _ in second.begun] == [3, 4, 5]
    assert said[0].startswith("round 3: the watch was killed")
    assert tally.failed == 1
    found, problems = accounts(tmp_path)
    assert len(found) == 5
    assert [p.says for p in problems] == [f"a round came to nothing: {said[0].removeprefix('round 3: ')}"]


def test_after_a_reboot_what_was_missed_is_not_made_up_for(tmp_path):
    line = Line(ends_in=0)
    watched(tmp_path, line, memory(40))
    again, _ = resumed(recall(tmp_path, memory(40).asked), memory(40), at(3000))
    second = Line(now=at(3100), ends_in=13)
    tally, said = watched(tmp_path, second, again)
    assert second.begun[0] == (10, at(3100)), "a little late, and not yet missed"
    assert tally.missed == 9
    assert said[0] == "rounds 2 to 10 were missed and will not be made up for"


def test_a_machine_that_sleeps_past_a_round_misses_it(tmp_path):
    line = Line(sleeps={2: 700.0})
    tally, said = watched(tmp_path, line, memory())
    assert [(number, round((ns - at(0)) / 300e9)) for number, ns in line.begun] == [(0, 0), (1, 1), (4, 4), (5, 5)]
    assert tally.missed == 2
    assert "rounds 3 to 4 were missed and will not be made up for" in said


def test_what_is_missed_at_the_end_is_told_as_well(tmp_path):
    tally, said = watched(tmp_path, Line(sleeps={2: 5000.0}), memory(4))
    assert (tally.performed, tally.missed) == (2, 2)
    assert said[-1] == "rounds 3 to 4 were missed and will not be made up for"


def test_whoever_ends_it_gets_the_round_that_was_under_way_and_nothing_after(tmp_path):
    line = Line(ends_in=1)
    tally, _ = watched(tmp_path, line, memory())
    assert tally.interrupted
    assert [number for number, _ in line.begun] == [0, 1]
    assert len(accounts(tmp_path)[0]) == 2
    assert recall(tmp_path, memory().asked).under_way is False


def test_no_round_begins_before_a_block_may_have_ended(tmp_path):
    line = Line()
    watched(tmp_path, line, memory(3, every_s=30.0), residual_s=180.0)
    begun = [ns for _, ns in line.begun]
    assert all(later - sooner >= 180e9 for sooner, later in pairwise(begun))


def test_a_watch_that_has_ended_begins_anew_and_one_with_a_longer_end_goes_on(tmp_path):
    done = memory(3, last=2)
    assert resumed(done, memory(3), at(700)) == (memory(3), False)
    assert resumed(done, memory(9), at(700)) == (replace(memory(9), last=2), True)
    assert resumed(done, memory(9), at(9 * 300)) == (memory(9), False)
    assert resumed(None, memory(3), at(0)) == (memory(3), False)


def test_a_memory_that_is_broken_is_told_and_not_overwritten(tmp_path):
    remember(tmp_path, memory())
    [path] = tmp_path.glob("watch-*.json")
    path.write_text("{")
    with pytest.raises(CaptureError, match="move it away to begin anew"):
        recall(tmp_path, memory().asked)
    assert path.read_text() == "{"
    assert recall(tmp_path, {"what": "another"}) is None


def test_the_same_watch_does_not_run_twice_at_once_and_another_may(tmp_path):
    asked = memory().asked
    with alone(tmp_path, asked):
        with pytest.raises(TargetError, match="running already"), alone(tmp_path, asked):
            pass
        with alone(tmp_path, {"what": "another"}):
            pass
    with alone(tmp_path, asked):
        pass
