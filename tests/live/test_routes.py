"""Which way packets go, and names that lead nowhere."""

from __future__ import annotations

import pytest

from fingerprint.live import resolving, routes
from fingerprint.live.privileges import Account
from tests.live.wires import CLIENT, CLIENT6, SERVER, SERVER6, inside, ip, wire


@pytest.fixture(scope="module")
def cable():
    with wire(routed=True) as made:
        yield made


def test_a_route_names_interface_source_gateway_and_mtu(cable):
    with inside(cable.client):
        four, six = routes.route(SERVER), routes.route(SERVER6)
    assert (four.interface, four.source, four.gateway, four.mtu_bytes) == ("eth0", CLIENT, "81.17.24.1", 1500)
    assert (six.interface, six.source, six.gateway) == ("eth0", CLIENT6, "2a0d:5600:24::1")


def test_loopback_is_an_interface_like_any_other():
    assert routes.route("127.0.0.1").interface == "lo"


def test_no_route_is_said_in_words(cable):
    ip("-n", cable.client, "route", "del", "default")
    try:
        with inside(cable.client):
            names, without = routes.interfaces([SERVER, SERVER6])
    finally:
        ip("-n", cable.client, "route", "add", "default", "via", "81.17.24.1")
    assert names == ("eth0",)
    assert [w.address for w in without] == [SERVER]
    assert "no IPv4 route" in without[0].why_not


def test_resolvers_are_those_of_the_system(tmp_path):
    conf = tmp_path / "resolv.conf"
    conf.write_text(
        "# a note\nsearch test\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver x\nnameserver 192.0.2.1\n"
    )
    assert resolving.system_resolvers(conf) == ("192.0.2.1", "fe80::1%eth0")
    assert resolving.system_resolvers(tmp_path / "absent") == ()


def test_what_the_hosts_file_says_needs_no_packet(tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.1 a.test b.test # c.test\n2001:db8::1 b.test\n")
    assert resolving.without_asking("b.test", hosts) == ("192.0.2.1", "2001:db8::1")
    assert resolving.without_asking("c.test", hosts) == ()
    assert resolving.without_asking("192.0.2.9", hosts) == ("192.0.2.9",)


def test_names_are_resolved_by_a_child_without_privileges():
    import os

    found = resolving.resolve_apart(["localhost", "127.0.0.7", "x..y"], Account(uid=os.geteuid(), gid=os.getegid()))
    assert "127.0.0.1" in found["localhost"].addresses or "::1" in found["localhost"].addresses
    assert found["127.0.0.7"].addresses == ("127.0.0.7",)
    assert "does not resolve" in found["x..y"].why_not
