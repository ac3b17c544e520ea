"""The doctor looks at what a live run needs, and knows a remedy for whatever is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fingerprint.live import dumpcap, fitness, guard, privileges, resolving, routes
from fingerprint.live.routes import Route


def test_everything_is_looked_at():
    assert [seen.what for seen in fitness.findings()] == [
        "recording", "crafted packets", "own handshakes", "resolver", "IPv4 route", "IPv6 route", "utls", "user namespaces",
    ]  # fmt: skip


def shut(monkeypatch):
    monkeypatch.setattr(privileges, "holds", lambda _: False)


def test_without_privilege_dumpcap_is_asked_for(monkeypatch):
    shut(monkeypatch)
    monkeypatch.setattr(dumpcap, "find", lambda: None)
    assert "wireshark-common" in fitness.recording().remedy
    monkeypatch.setattr(dumpcap, "find", lambda: "/usr/bin/dumpcap")
    monkeypatch.setattr(dumpcap, "may_record", lambda program, name: False)
    assert "wireshark" in fitness.recording().remedy
    monkeypatch.setattr(dumpcap, "may_record", lambda program, name: True)
    assert fitness.recording().remedy == ""


@pytest.mark.parametrize(
    ("module", "name", "value", "check", "remedy"),
    [
        (guard, "find", lambda: None, fitness.holding_back, "nftables"),
        (privileges, "holds", lambda _: False, fitness.crafting, "sudo"),
        (fitness, "system_resolvers", lambda: (), fitness.resolver, "--resolver"),
        (routes, "route", lambda a: Route(address=a, why_not="x"), lambda: fitness.way("IPv6 route", "::1"), "ip -6"),
    ],
)
def test_what_is_missing_has_a_remedy(monkeypatch, module, name, value, check, remedy):
    monkeypatch.setattr(module, name, value)
    assert remedy in check().remedy


def test_the_doctor_prints_it():
    done = subprocess.run([sys.executable, "-m", "fingerprint", "doctor"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for what in ("recording", "own handshakes", "user namespaces", "nginx", "dnsmasq"):
        assert what in done.stdout
    assert resolving.RESOLV_CONF.name == "resolv.conf"
