"""Whatever a probe sends, reading it ends, gives valid reports, and says blocked of nothing that has no control."""

from __future__ import annotations

import copy
import random

import pytest

from captures.errors import CaptureError
from fingerprint.accounts import ooni
from tests.ooni.measurements import (
    later,
    measurement,
    other_site,
    plain,
    query,
    reset_after_hello,
    traced,
    web,
    written,
)

STRANGE = (
    None,
    True,
    -1,
    1e308,
    "",
    "x" * 3000,
    "\x00\ud83d",
    [],
    {},
    [None],
    {"a": [1]},
    "2024-03-01 12:00:00",
    "::",
    "AS1",
)


def spoilt(told, chance):
    """A copy in which values anywhere are replaced, dropped or wrapped."""
    if chance.random() < 0.03:
        return chance.choice(STRANGE)
    if isinstance(told, dict):
        return {key: spoilt(value, chance) for key, value in told.items() if chance.random() > 0.02}
    if isinstance(told, list):
        return [spoilt(value, chance) for value in told for _ in range(1 + (chance.random() < 0.02))]
    return told


def honest():
    keys = {"bootstrap": {"queries": [query("dns.example")]}, "lookups": {"dot://20.8.8.8:853": {"queries": [query()]}}}
    return [
        web(),
        reset_after_hello(later(1)),
        other_site(),
        plain(later(2)),
        traced(),
        measurement("dnscheck", keys, input="dot://dns.example:853"),
        measurement("urlgetter", web()["test_keys"], later(3), options=["TLSServerName=a.example"]),
        measurement(
            "censorship_fingerprint", {**web()["test_keys"], "state": "ok", "mechanisms": []}, input="a.example"
        ),
    ]


@pytest.mark.parametrize("seed", range(60))
def test_spoilt_measurements_are_read_or_named(tmp_path, valid, seed):
    chance = random.Random(seed)
    lines = [spoilt(copy.deepcopy(m), chance) for m in honest()]
    lines = [m for m in lines if isinstance(m, dict)]
    try:
        accounts, _ = ooni.accounts(written(tmp_path / "a.jsonl", *lines))
    except CaptureError:
        return
    for account in accounts:
        valid(account.document)


@pytest.mark.parametrize("seed", range(20))
def test_without_controls_and_signatures_nothing_is_ever_blocked(tmp_path, seed):
    chance = random.Random(seed)
    failures = ("connection_reset", "generic_timeout_error", "eof_error", "ssl_unknown_authority", "dns_nxdomain_error")
    lines = []
    for h in range(20):
        failing = reset_after_hello(later(h), helper={}, control_failure="generic_timeout_error")
        for key in ("tls_handshakes", "requests", "queries"):
            for entry in failing["test_keys"][key]:
                entry["failure"] = chance.choice((*failures, None))
        lines.append(failing)
    for account in ooni.accounts(written(tmp_path / "a.jsonl", *lines))[0]:
        assert all(t["state"] != "blocked" for t in account.document["targets"])
