"""Community IDs: the published examples, both ways, and what Wireshark makes of the samples."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import captures
from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.verdict.community_id import MOST_FLOWS, community_id, of_row

# https://github.com/corelight/community-id-spec, baseline/baseline_deflt.json: seed 0. For ICMP the ports are type and
# code as that file has them; the code of what expects an answer plays no part.
PUBLISHED = (
    (58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 135, 136, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 136, 135, "1:dGHyGvjMfljg6Bppwm3bg0LO8TY="),
    (58, "fe80::260:97ff:fe07:69ea", "fe80::200:86ff:fe05:80da", 135, 136, "1:zavyT/cezQr1fmImYCwYnMXbgck="),
    (58, "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 136, 135, "1:zavyT/cezQr1fmImYCwYnMXbgck="),
    (58, "3ffe:501:1800:2345::2", "3ffe:507:0:1:200:86ff:fe05:80da", 3, 0, "1:2ObVBgIn28oZvibYZhZMBgh7WdQ="),
    (58, "3ffe:501:410:0:2c0:dfff:fe47:33e", "3ffe:507:0:1:200:86ff:fe05:80da", 1, 4, "1:hLZd0XGWojozrvxqE0dWB1iM6R0="),
    (58, "3ffe:507:0:1:200:86ff:fe05:80da", "3ffe:501:0:1001::2", 128, 129, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="),
    (58, "3ffe:501:0:1001::2", "3ffe:507:0:1:200:86ff:fe05:80da", 129, 128, "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg="),
    (58, "fe80::200:86ff:fe05:80da", "ff02::2", 133, 134, "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0="),
    (58, "fe80::260:97ff:fe07:69ea", "ff02::1", 134, 133, "1:pkvHqCL88/tg1k4cPigmZXUtL00="),
    (1, "192.168.0.89", "192.168.0.1", 8, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (1, "192.168.0.1", "192.168.0.89", 0, 8, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (1, "10.0.0.1", "10.0.0.2", 11, 0, "1:YHxtAirCG//0OzkcVAukqKQN9xM="),
    (6, "2001:470:e5bf:dead:4957:2174:e82c:4887", "2607:f8b0:400c:c03::1a", 63943, 25, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
    (6, "2607:f8b0:400c:c03::1a", "2001:470:e5bf:dead:4957:2174:e82c:4887", 25, 63943, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
    (132, "192.168.170.8", "192.168.170.56", 7, 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    (6, "128.232.110.120", "66.35.250.204", 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (6, "66.35.250.204", "128.232.110.120", 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (17, "192.168.1.52", "8.8.8.8", 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (17, "8.8.8.8", "192.168.1.52", 53, 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
)  # fmt: skip


@pytest.mark.parametrize("example", PUBLISHED, ids=lambda e: f"{e[0]}-{e[1]}-{e[3]}")
def test_the_published_examples_come_out(example):
    assert community_id(*example[:5]) == example[5]


def test_what_is_no_address_has_no_id():
    with pytest.raises(ValueError):
        community_id(6, "somewhere", "10.0.0.1", 1, 2)


def _judged(case: str):
    file = Path(captures.__file__).parent / "samples" / case / "capture.pcapng"
    return file, engine.analyse([str(file)], techniques=registry.load())


@pytest.mark.parametrize("case", ["sni_forged_reset", "icmp_prohibited", "dns_race", "sni_forged_reset_ipv6"])
def test_a_verdict_names_the_conversations_it_cites_as_wireshark_does(case):
    if not shutil.which("tshark"):
        assert not os.environ.get("CI"), "tshark is missing"
        pytest.skip("tshark is not installed")
    from fingerprint.wireshark import shark

    file, report = _judged(case)
    flows = [flow for verdict in report.verdicts if verdict.mechanisms for flow in verdict.flows]
    assert flows
    numbers = [first.number for _, first in flows]
    shown = shark.dissect(file, numbers, protocols=("communityid",)).frames
    for name, first in flows:
        assert name in {s.show for layer in shown[first.number] for s in layer.fields.get("communityid", ())}


def test_a_verdict_names_no_more_of_them_than_are_of_use():
    for case in ("load_balancer", "quiet"):
        _, report = _judged(case)
        assert all(len(v.flows) <= MOST_FLOWS for v in report.verdicts)


def test_a_packet_without_ip_has_no_id():
    recording = captures.read(Path(captures.__file__).parent / "samples" / "quiet" / "capture.pcapng")
    blank = [row for row in range(len(recording.columns)) if recording.columns.family[row] == 0]
    assert [of_row(recording, row) for row in blank] == [None] * len(blank)
    assert of_row(recording, 0) == of_row(recording, 0)
