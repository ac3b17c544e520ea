"""Ranges name an address that no lookup has named, at the ports and the time of their source; nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from ipaddress import ip_network

import pytest

from fingerprint import services
from fingerprint.services.fields import day_ns
from fingerprint.services.model import Services
from fingerprint.services.reading import read

OURS = services.built_in()
THEN, NOW = day_ns(date(2020, 5, 17)), day_ns(date(2026, 11, 1))
MEDIA, STUN, PAGES = ((8805, "udp"),), ((3478, "udp"),), ((443, "tcp"),)

HEAD = (
    'id = "meet"\ntitle = "-"\nversion = "1"\nabout = "-"\nkind = "-"\nsensitive = false\n'
    '[[endpoint]]\nrole = "web"\nname = "198.51.100.7"\nsource = "here"\nstanding = "read"\n'
)
RANGE = (
    '[[range]]\nrole = "media"\nnetworks = ["198.51.100.0/24", "2001:db8::/32"]\nport = "8801-8810"\nprotocol = "udp"\n'
    'from = 2020-01-01\nuntil = 2021-01-01\nsource = "here"\nstanding = "read"\n'
)


def meet(*ranges, own=True):
    return read((HEAD + "".join(ranges)).encode(), own=own)


def known(*ranges):
    return Services(services=(meet(*ranges),))


@pytest.mark.parametrize(
    ("address", "reached", "at", "named"),
    [
        ("170.114.10.5", MEDIA, NOW, ("zoom", "media")),
        ("170.114.10.5", STUN, NOW, ("zoom", "stun")),
        ("170.114.10.5", PAGES, NOW, None),
        ("170.114.10.5", (), NOW, None),
        ("170.114.10.5", MEDIA, THEN, None),
        ("3.7.35.9", MEDIA, NOW, None),
        ("149.154.165.9", ((599, "udp"),), THEN, ("telegram", "other")),
        ("149.154.167.51", PAGES, NOW, ("telegram", "chat")),
        ("192.0.2.1", MEDIA, NOW, None),
    ],
)
def test_addresses_of_ours(address, reached, at, named):
    assert OURS.of(address, at, reached) == named


def test_a_range_counts_at_its_time_and_its_ports_only():
    table = known(RANGE)
    assert table.of("198.51.100.9", THEN, MEDIA) == ("meet", "media")
    assert table.of("2001:db8::9", THEN, MEDIA) == ("meet", "media")
    assert table.of("198.51.100.9", NOW, MEDIA) is None
    assert table.of("198.51.100.9", THEN, ((8805, "tcp"),)) is None
    assert table.of("198.51.101.9", THEN, MEDIA) is None


def test_a_row_of_its_own_comes_before_any_range_and_the_smaller_range_before_the_larger():
    smaller = RANGE.replace('"198.51.100.0/24", ', '"198.51.100.128/25", ').replace('"media"', '"live"')
    table = known(RANGE, smaller)
    assert table.of("198.51.100.7", THEN, MEDIA) == ("meet", "web")
    assert table.of("198.51.100.200", THEN, MEDIA) == ("meet", "live")
    assert table.of("198.51.100.9", THEN, MEDIA) == ("meet", "media")


def test_a_users_range_comes_before_ours_of_equal_size():
    ours = replace(meet(RANGE, own=False), id="alpha")
    assert Services(services=(ours, meet(RANGE))).of("198.51.100.9", THEN, MEDIA) == ("meet", "media")


def test_a_host_is_in_no_range():
    assert known(RANGE).of("forum.test", THEN, MEDIA) is None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("from = 2020-01-01\n", "", "range 1: from is missing; addresses change hands"),
        ('port = "8801-8810"\n', "", "range 1: port None"),
        ("198.51.100.0/24", "198.51.100.1/24", "range 1: networks: .* has host bits set; want prefixes"),
        ("198.51.100.0/24", "meet.test", "range 1: networks: .*want prefixes"),
        ('["198.51.100.0/24", "2001:db8::/32"]', "[]", "range 1: networks: want at least one prefix"),
        ('role = "media"', 'role = "karaoke"', "range 1: there is no role karaoke"),
        ('role = "media"', 'role = "media"\nprobe = true', "range 1: there is no field probe"),
        ('source = "here"', 'source = ""', "range 1: source is missing"),
    ],
)
def test_what_is_wrong_is_named(old, new, says):
    assert old in RANGE
    with pytest.raises(ValueError, match=says):
        meet(RANGE.replace(old, new, 1))


def test_an_owner_wants_a_name_and_a_source():
    owner = '[[owner]]\nname = "Somebody"\nfrom = 2020-01-01\nsource = "here"\nstanding = "read"\n'
    assert meet(owner).owned(THEN) == ("Somebody",)
    assert meet(owner).owned(day_ns(date(2019, 1, 1))) == ()
    with pytest.raises(ValueError, match="owner 1: name is missing"):
        meet(owner.replace('name = "Somebody"\n', ""))


def test_no_address_of_ours_is_in_the_ranges_of_two_services():
    rows = [(network, s.id) for s in OURS.services for row in s.ranges for network in row.networks]
    for network, service in rows:
        others = [n for n, s in rows if s != service and n.version == network.version]
        assert not any(network.overlaps(other) for other in others), network


def test_no_range_of_ours_is_of_a_cloud_that_others_use():
    # Blocks of Amazon, Oracle and Azure in Zoom's published list.
    clouds = [ip_network(n) for n in ("3.0.0.0/8", "15.220.80.0/23", "18.254.0.0/16", "20.203.0.0/16", "52.61.0.0/16")]
    for service in OURS.services:
        for row in service.ranges:
            assert not any(n.overlaps(c) for n in row.networks for c in clouds if n.version == c.version)
