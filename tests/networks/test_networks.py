"""Whose network an address lies in is what a dated table says, and no table says more than it has."""

from __future__ import annotations

import gzip
import os
import random
import sys
import time
from datetime import date
from ipaddress import ip_address, ip_network

import pytest

from captures.errors import PrivilegeError, TargetError
from fingerprint import networks
from fingerprint.networks import Network
from tests.networks.written import mmdb

PFX2AS = """\
0.0.0.0\t0\t64496
45.83.0.0\t16\t64500
45.83.220.0\t24\t64501
45.83.221.0\t24\t64502_64503
45.83.222.0\t24\t64504,64505_64504
45.83.223.0\t24\t0
45.83.220.77\t32\t4294967295
2001:db8::\t32\t64510
2001:db8:1::\t48\t64511
2001:db8:1::42\t128\t64512
"""
IPTOASN = """\
45.83.220.0\t45.83.220.255\t64501\tDE\tEXAMPLE-ONE - Example, with "quotes"
45.83.221.0\t45.83.221.255\t0\tNone\tNot routed
45.83.222.0\t45.83.223.127\t64502\tDE\tEXAMPLE-TWO
2001:db8::\t2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\t64510\tDE\tEXAMPLE-SIX
"""
RECORDS = {
    "45.83.220.0/24": {"autonomous_system_number": 64501, "autonomous_system_organization": "Example One"},
    "45.83.222.0/23": {"asn": "AS64502", "as_name": "Example Two"},
    "45.83.224.0/24": {"country": "DE"},
    "2001:db8::/32": {"autonomous_system_number": 64510},
}
MAY = "routeviews-rv2-20200517-1200.pfx2as"


def table(folder, content, name=MAY, **how):
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return networks.load(file, **how)


@pytest.mark.parametrize(
    ("address", "asn", "prefix"),
    [
        ("45.83.1.1", 64500, "45.83.0.0/16"),
        ("45.83.220.1", 64501, "45.83.220.0/24"),
        ("45.83.220.77", 4294967295, "45.83.220.77/32"),
        ("45.83.219.255", 64500, "45.83.0.0/16"),
        ("9.9.9.9", 64496, "0.0.0.0/0"),
        ("::ffff:45.83.220.1", 64501, "45.83.220.0/24"),
        ("2001:db8::1%eth0", 64510, "2001:db8::/32"),
        ("2001:db8:1::41", 64511, "2001:db8:1::/48"),
        ("2001:db8:1::42", 64512, "2001:db8:1::42/128"),
    ],
)
def test_the_longest_prefix_that_holds_an_address_names_its_network(tmp_path, address, asn, prefix):
    assert table(tmp_path, PFX2AS).of(address) == Network(asn=asn, prefix=prefix, origins=(asn,))


@pytest.mark.parametrize("address", ["45.83.223.1", "2001:db9::1", "forum.test", "", "45.83.220"])
def test_what_nobody_announces_and_what_is_no_address_has_no_network(tmp_path, address):
    assert table(tmp_path, PFX2AS).of(address) is None


def test_of_a_prefix_that_several_announce_no_one_is_named(tmp_path):
    made = table(tmp_path, PFX2AS)
    assert made.of("45.83.221.1") == Network(asn=None, prefix="45.83.221.0/24", origins=(64502, 64503))
    assert made.of("45.83.222.1") == Network(asn=None, prefix="45.83.222.0/24", origins=(64504, 64505))


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("45.83.220.0", Network(asn=64501, prefix="45.83.220.0/24", name='EXAMPLE-ONE - Example, with "quotes"', origins=(64501,))),
        ("45.83.223.127", Network(asn=64502, prefix="45.83.222.0-45.83.223.127", name="EXAMPLE-TWO", origins=(64502,))),
        ("2001:db8:ffff::", Network(asn=64510, prefix="2001:db8::/32", name="EXAMPLE-SIX", origins=(64510,))),
        ("45.83.221.5", None),
        ("45.83.223.128", None),
        ("45.83.219.255", None),
        ("255.255.255.255", None),
    ],
)  # fmt: skip
def test_ranges_hold_what_lies_between_their_ends(tmp_path, address, found):
    assert table(tmp_path, IPTOASN, "ip2asn-combined.tsv").of(address) == found


def test_a_database_of_maxmind_s_kind_is_read_through_its_own_reader(tmp_path):
    made = table(tmp_path, mmdb(RECORDS), "GeoLite2-ASN.mmdb")
    assert made.of("45.83.220.9") == Network(asn=64501, prefix="45.83.220.0/24", name="Example One", origins=(64501,))
    assert made.of("45.83.223.9") == Network(asn=64502, prefix="45.83.222.0/23", name="Example Two", origins=(64502,))
    assert made.of("2001:db8::9") == Network(asn=64510, prefix="2001:db8::/32", origins=(64510,))
    assert made.of("45.83.224.1") is None
    assert made.of("9.9.9.9") is None
    assert (made.dated, made.dated_by) == (date(2020, 5, 17), "metadata")


def test_without_the_reader_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(PrivilegeError, match=r"pip install 'censorship-fingerprint\[asn\]'"):
        table(tmp_path, mmdb(RECORDS), "x.mmdb")
    assert table(tmp_path, PFX2AS).of("45.83.1.1") is not None


@pytest.mark.parametrize("content", [PFX2AS, IPTOASN])
def test_a_compressed_table_is_the_same_table_with_the_hash_of_its_file(tmp_path, content):
    plain, packed = table(tmp_path, content), table(tmp_path, gzip.compress(content.encode()), MAY + ".gz")
    assert plain.of("45.83.220.1") == packed.of("45.83.220.1")
    assert plain.sha256 != packed.sha256
    assert packed.dated == date(2020, 5, 17)


@pytest.mark.parametrize(
    ("name", "given", "dated", "by", "version"),
    [
        (MAY, None, date(2020, 5, 17), "name", "2020-05-17"),
        ("asn-2020-05-17.tsv", None, date(2020, 5, 17), "name", "2020-05-17"),
        (MAY, "2021-01-02", date(2021, 1, 2), "option", "2021-01-02"),
        ("table.tsv", None, date(2001, 9, 9), "file time", "2001-09-09 (by its file time)"),
        ("v99991399.tsv", None, date(2001, 9, 9), "file time", "2001-09-09 (by its file time)"),
    ],
)
def test_a_table_is_dated_by_the_option_its_name_or_weakly_its_file(tmp_path, name, given, dated, by, version):
    (tmp_path / name).write_text(PFX2AS)
    os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    made = networks.load(tmp_path / name, given)
    assert (made.dated, made.dated_by, made.version) == (dated, by, version)


def test_a_date_that_is_none_is_a_slip_of_the_person_asking(tmp_path):
    with pytest.raises(TargetError, match="--networks-date May: want a day"):
        table(tmp_path, PFX2AS, dated="May")


def test_a_table_of_another_month_is_complained_of_and_one_of_the_same_is_not(tmp_path):
    made = table(tmp_path, PFX2AS)
    day_ns = 86_400 * 10**9
    noon_ns = 1_589_716_800 * 10**9  # 17 May 2020, 12:00 UTC
    assert made.too_far_from(noon_ns) is None
    assert made.too_far_from(noon_ns + 30 * day_ns) is None
    assert "31 days from this capture" in made.too_far_from(noon_ns - 31 * day_ns)
    assert made.too_far_from(None) is None


@pytest.mark.parametrize(
    "line",
    ["45.83.300.0\t24\t1", "45.83.220.0\t33\t1", "2001:db8::\t129\t1", "45.83.220.0\t24\tx", "45.83.220.0\t24",
     "45.83.220.0\t24\t4294967296", "45.83.220.0\t-1\t1", "45.83.220.0\t2_4\t1", "45.83.220.0\t24\t1__2", "\0\0"],
)  # fmt: skip
def test_a_line_that_is_none_is_named_and_the_others_count(tmp_path, line):
    made = table(tmp_path, line + "\n" + PFX2AS)
    assert made.of("45.83.220.1").asn == 64501
    assert made.complaints == (f"{MAY}: line 1 of 11 cannot be read and is left out",)


def test_comments_and_line_ends_of_other_systems_are_no_faults(tmp_path):
    made = table(tmp_path, "# a comment\r\n\r\n" + PFX2AS.replace("\n", "\r\n"))
    assert made.of("45.83.221.1").origins == (64502, 64503)
    assert made.complaints == ()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"# nothing\n",
        b"name,asn\nx,1\n",
        b"\x1f\x8bjunk",
        gzip.compress(PFX2AS.encode())[:-9],
        os.urandom(4096),
        mmdb(RECORDS)[:40] + mmdb(RECORDS)[-60:],
        b"45.83.220.0\t24\t1\n" + b"junk\n" * 5,
    ],
)
def test_a_file_that_is_no_table_is_refused_with_a_sentence(tmp_path, content):
    with pytest.raises(TargetError, match=r"--networks .*; want CAIDA's pfx2as"):
        table(tmp_path, content)


def test_a_file_that_is_not_there_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(TargetError, match="No such file"):
        networks.load(tmp_path / "nowhere")


def test_look_ups_agree_with_a_plain_search_through_all_prefixes(tmp_path):
    drawn = random.Random(7)
    prefixes = {}
    for number in range(1, 400):
        bits = drawn.randrange(4, 33)
        prefixes.setdefault(
            ip_network((drawn.getrandbits(10) << 22 | drawn.getrandbits(22), bits), strict=False), number
        )
    made = table(tmp_path, "".join(f"{p.network_address}\t{p.prefixlen}\t{n}\n" for p, n in prefixes.items()))
    for _ in range(500):
        address = ip_address(drawn.getrandbits(32))
        holding = [p for p in prefixes if address in p]
        best = max(holding, key=lambda p: p.prefixlen, default=None)
        found = made.of(str(address))
        assert (found.prefix, found.asn) == (str(best), prefixes[best]) if best else found is None


def test_a_million_prefixes_load_in_a_few_seconds(tmp_path):
    content = "".join(
        f"{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}.0\t24\t{n % 65_000 + 1}\n" for n in range(1 << 20, 1 << 21)
    )
    (tmp_path / MAY).write_text(content)
    began = time.process_time()
    made = networks.load(tmp_path / MAY)
    took_s = time.process_time() - began
    assert made.of("17.2.3.4").prefix == "17.2.3.0/24"
    assert took_s < 10.0, f"{took_s:.1f} s of computing; a machine of 2020 takes about two"
