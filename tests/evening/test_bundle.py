"""What comes along of the evening: marked as a simulation everywhere, and judged as was written down before."""

from __future__ import annotations

import pytest

from fingerprint.accounts import stored
from fingerprint.lab.evening import bundle
from fingerprint.lab.evening.timetable import evening
from tests.evening.bundled import BLOCKED, EXPECTED, FOLDER, NAMES, judged, kept, round_of, told, wanted

LARGEST_BYTES = 4_000_000


@pytest.fixture(scope="module")
def store():
    accounts, problems = stored.accounts(FOLDER / "store")
    assert not problems
    return accounts


def test_its_description_says_first_that_it_is_a_simulation():
    assert "simulation" in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()[0]


def test_it_is_small():
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= LARGEST_BYTES


def test_every_account_and_every_capture_is_marked(store):
    marks = {account.vantage.simulated for account in (*store, *map(judged, kept()))}
    assert marks == {evening().simulated}
    told_of = {c["vantage"]["simulated"] for a in store for c in a.document["captures"]}
    assert told_of == {evening().simulated}


def test_all_rounds_are_there_each_once(store):
    seen = [(a.vantage.key, round_of(a)) for a in (*store, *map(judged, kept()))]
    assert len(seen) == len(set(seen)) == EXPECTED["rounds"] * len(EXPECTED["vantages"])
    assert {vantage for vantage, _ in seen} == set(EXPECTED["vantages"])


def test_every_stored_verdict_is_what_was_expected(store):
    wrong = [
        f"{account.file} {name}: {said}, want {wanted(account.vantage.key, round_of(account), name)}"
        for account in store
        for name, said in told(account).items()
        if said != wanted(account.vantage.key, round_of(account), name)
    ]
    assert wrong == []
    assert all(set(told(account)) == set(NAMES) for account in store)


@pytest.mark.parametrize("capture", kept(), ids=lambda path: path.name)
def test_a_bundled_capture_is_judged_as_was_expected(capture):
    account = judged(capture)
    assert told(account) == {name: wanted(account.vantage.key, round_of(account), name) for name in NAMES}


@pytest.mark.parametrize("vantage", sorted(BLOCKED["cells"]))
def test_positions_and_rates_are_those_of_the_boxes(vantage):
    (account,) = (judged(capture) for capture in kept() if capture.name.endswith(f"-{vantage}.pcapng.xz"))
    mechanisms = {t["target"]: t["mechanisms"][0] for t in account.document["targets"] if t["mechanisms"]}
    for name, want in BLOCKED["cells"][vantage].items():
        assert mechanisms[name]["position"] == want["position"]
        low, high = want.get("rate_bps", (None, None))
        rate_bps = mechanisms[name]["rate_bps"]
        assert (rate_bps is None and low is None) or low <= rate_bps <= high


def test_the_manifest_is_that_of_the_timetable():
    assert (FOLDER / "vantages.toml").read_text(encoding="utf-8") == bundle.manifest(evening())
