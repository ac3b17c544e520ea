"""A month at twenty providers: the page stays one that a browser opens at once, and what it leaves out is counted."""

from __future__ import annotations

import re
import time

import by_hand
import pytest
from reading import Page, written

from fingerprint.accounts import Account
from fingerprint.incident.making import Knowledge, make
from fingerprint.report.numbers import timestamp
from fingerprint.vantages.vantage import Vantage

DAY = 24 * 60 * by_hand.MINUTE
PROVIDERS, ROUNDS = 20, 30
SERVICES = {f"service{n}": ("web", "image", "api", "video")[: 2 + n % 3] for n in range(6)}


@pytest.fixture(scope="module")
def month():
    vantages = [
        Vantage(name=f"Provider {n:02}", provider=f"Provider {n:02} Telecom", country="PK") for n in range(PROVIDERS)
    ]
    accounts = [account(v, n, number) for n, v in enumerate(vantages) for number in range(ROUNDS)]
    # A tenth of it would take as long to analyse as the rest of the tests; documents are what an incident is made of.
    return make(accounts, knowledge=Knowledge()), accounts


def account(vantage, place, number):
    targets = []
    for service, roles in SERVICES.items():
        for role in roles:
            at_ns = by_hand.START + number * DAY + place * by_hand.S
            bad = place % 4 and number >= 10 and service < "service4"
            sample = ("sni_forged_reset", "dns_race", "throttled_policer")[place % 3]
            found = by_hand.of_state(sample, "blocked") if bad else by_hand.of_state("sni_forged_reset", "ok")
            times = {
                "first": timestamp(at_ns),
                "last": timestamp(at_ns + 20 * by_hand.S),
                "worked": None,
                "failed": None,
            }
            name = f"{role}.{service}.test"
            targets.append({**found, **times, "target": name, "service": service, "role": role, "vantage": None})
    document = by_hand.analysed("sni_forged_reset") | {"targets": targets}
    sha = by_hand.sha256(f"{place} {number}".encode()).hexdigest()
    return Account(kind="packets", file=f"{place}-{number}.pcapng", sha256=sha, document=document, vantage=vantage)


def test_ten_thousand_verdicts_make_a_page_of_less_than_five_megabytes_in_seconds(month):
    incident, accounts = month
    assert len(incident.sightings) >= 10_000
    began = time.perf_counter()
    html = written(incident, accounts)
    assert time.perf_counter() - began < 5
    assert len(html.encode()) < 5_000_000
    page = Page(html)
    assert not page.crossed
    assert len(page.ids) == len(set(page.ids))
    assert {a["href"][1:] for t, a in page.elements if t == "a"} <= set(page.ids)


def test_what_is_left_out_is_counted(month):
    incident, accounts = month
    words = Page(written(incident, accounts)).words.replace("\u00a0", " ")
    left = len(incident.cells) - 150
    assert f"{left:,} more cells are in the matrix and not told here" in words
    assert re.search(r"[\d,]+ more lanes are not drawn", words)
    assert re.search(r"[\d,]+ more files in the data", words)
