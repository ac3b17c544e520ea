"""Words of the command line, understood or refused with a sentence."""

from __future__ import annotations

import pytest

from captures.errors import TargetError
from fingerprint.live import asking
from fingerprint.live.asking import Named
from fingerprint.probing.budget import Budget


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("forum.test", Named(name="forum.test")),
        ("Forum.Test.", Named(name="forum.test")),
        ("forum.test:8443", Named(name="forum.test", port=8443)),
        ("forum.test:80", Named(name="forum.test", port=80, secure=False)),
        ("http://forum.test/a?b=c", Named(name="forum.test", port=80, secure=False, path="/a?b=c")),
        ("https://forum.test:444", Named(name="forum.test", port=444)),
        ("192.0.2.7", Named(name="192.0.2.7")),
        ("192.0.2.7:8080", Named(name="192.0.2.7", port=8080)),
        ("2001:db8::7", Named(name="2001:db8::7")),
        ("[2001:db8::7]:80", Named(name="2001:db8::7", port=80, secure=False)),
        ("https://[2001:db8::7]/x", Named(name="2001:db8::7", path="/x")),
        ("bücher.example", Named(name="xn--bcher-kva.example")),
    ],
)
def test_targets_are_understood(text, named):
    assert asking.named(text) == named


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "ftp://forum.test", "https://", "https://u:p@forum.test", "forum.test:0", "forum.test:70000", "-x.test",
        "x" * 64 + ".test", "https://forum.test/a b", "http://forum.test/\r\nX: y", "https://forum.test:x", "a..b",
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_a_sentence(text):
    with pytest.raises(TargetError, match=r"\w"):
        asking.named(text)


def test_budgets_are_packets_bytes_or_seconds():
    assert asking.budget(["500", "2.5MB", "5m"]) == Budget(packets=500, size_bytes=2_500_000, seconds=300.0)
    assert asking.budget([]).size_bytes == 20_000_000


@pytest.mark.parametrize("words", [["0"], ["x"], ["5 parsecs"], ["-3"], ["500", "600"]])
def test_a_budget_that_makes_no_sense_is_refused(words):
    with pytest.raises(TargetError, match="--budget"):
        asking.budget(words)


def test_resolvers_are_addresses():
    with pytest.raises(TargetError, match="want an address"):
        asking.resolver("dns.example")
