"""The same packet is found under every link layer."""

from __future__ import annotations

from struct import pack

import pytest

from captures import State
from tests.captures.craft import CLIENT, MACS, ethernet, ip4, ip6, one_row, pcap, read_bytes, tcp

PACKET = ip4(tcp(b"hello"))
PACKET6 = ip6(tcp(b"hello"))
SNAP = b"\xaa\xaa\x03\0\0\0\x08\0"
DATA_FRAME = b"\x08\x01" + bytes(22)
QOS_FRAME = b"\x88\x01" + bytes(24)

LINKS = {
    "null, little-endian": (0, b"\x02\0\0\0" + PACKET),
    "null, big-endian": (0, b"\0\0\0\x02" + PACKET),
    "null, IPv6 of FreeBSD": (0, b"\x1c\0\0\0" + PACKET6),
    "loop, IPv6 of OpenBSD": (108, b"\0\0\0\x18" + PACKET6),
    "ethernet": (1, ethernet(PACKET)),
    "ethernet, IPv6": (1, ethernet(PACKET6)),
    "VLAN": (1, MACS + b"\x81\0\0\x05\x08\0" + PACKET),
    "VLAN 0": (1, MACS + b"\x81\0\0\0\x86\xdd" + PACKET6),
    "QinQ": (1, MACS + b"\x88\xa8\0\x05\x81\0\0\x06\x08\0" + PACKET),
    "older QinQ": (1, MACS + b"\x91\0\0\x05\x81\0\0\x06\x08\0" + PACKET),
    "802.3 with SNAP": (1, MACS + pack(">H", 8 + len(PACKET)) + SNAP + PACKET),
    "802.3 with IP as its SAP": (1, MACS + pack(">H", 3 + len(PACKET)) + b"\x06\x06\x03" + PACKET),
    "VN-tag": (1, MACS + b"\x89\x26\0\0\0\0\x08\0" + PACKET),
    "PPPoE session": (1, MACS + b"\x88\x64\x11\0\0\x01\0\x10\0\x21" + PACKET),
    "PPPoE session, IPv6": (1, MACS + b"\x88\x64\x11\0\0\x01\0\x10\0\x57" + PACKET6),
    "MPLS": (1, MACS + b"\x88\x47\0\0\x10\x40\0\0\x20\x01\x40"[:6] + b"\0\0\x21\x40" + PACKET),
    "MPLS over ethernet over MPLS": (1, MACS + b"\x88\x47\0\0\x11\x40" + bytes(4) + ethernet(PACKET)),
    "PPP": (9, b"\0\x21" + PACKET),
    "PPP with address and control": (9, b"\xff\x03\0\x21" + PACKET),
    "PPP, short protocol": (9, b"\x21" + PACKET),
    "PPP in HDLC": (50, b"\xff\x03\0\x57" + PACKET6),
    "Cisco HDLC": (50, b"\x0f\0\x08\0" + PACKET),
    "PPPoE": (51, b"\x11\0\0\x01\0\x10\0\x21" + PACKET),
    "Cisco HDLC by its own number": (104, b"\x8f\0\x86\xdd" + PACKET6),
    "PPP with direction": (204, b"\x01\xff\x03\0\x21" + PACKET),
    "raw of OpenBSD": (14, PACKET),
    "raw, older": (12, PACKET6),
    "raw": (101, PACKET6),
    "IPv4": (228, PACKET),
    "IPv6": (229, PACKET6),
    "classical IP over ATM": (100, SNAP + PACKET),
    "frame relay": (107, b"\x18\x41\x03\xcc" + PACKET),
    "SLL": (113, bytes(14) + b"\x08\0" + PACKET),
    "SLL with a VLAN": (113, bytes(14) + b"\x81\0\0\x05\x08\0" + PACKET),
    "SLL with 802.2": (113, bytes(14) + b"\0\x04" + SNAP + PACKET),
    "SLL2": (276, b"\x86\xdd" + bytes(18) + PACKET6),
    "802.11": (105, DATA_FRAME + SNAP + PACKET),
    "802.11 with QoS": (105, QOS_FRAME + SNAP + PACKET),
    "802.11 between access points": (105, b"\x08\x03" + bytes(28) + SNAP + PACKET),
    "radiotap": (127, b"\0\0\x08\0\0\0\0\0" + DATA_FRAME + SNAP + PACKET),
    "radiotap, padded": (127, b"\0\0\x09\0\x02\0\0\0\x20" + QOS_FRAME + b"\0\0" + SNAP + PACKET),
    "radiotap, padded, with a time stamp": (
        127,
        b"\0\0\x11\0\x03\0\0\0" + bytes(8) + b"\x20" + QOS_FRAME + b"\0\0" + SNAP + PACKET,
    ),
    "radiotap with two present words": (127, b"\0\0\x0c\0\0\0\0\x80\0\0\0\0" + DATA_FRAME + SNAP + PACKET),
    "prism": (119, b"\x44\0\0\0\x90\0\0\0" + bytes(136) + DATA_FRAME + SNAP + PACKET),
    "AVS": (163, b"\x80\x21\x10\x01\0\0\0\x40" + bytes(56) + DATA_FRAME + SNAP + PACKET),
    "PPI": (192, b"\0\0\x08\0\x69\0\0\0" + DATA_FRAME + SNAP + PACKET),
    "netfilter log": (239, b"\x02\0\0\0" + b"\x05\0\x0a\0a\0\0\0" + pack("<HH", 4 + len(PACKET), 9) + PACKET),
    "netfilter log, big-endian": (239, b"\x0a\0\0\0" + pack(">HH", 4 + len(PACKET6), 9) + PACKET6),
    "OpenBSD's packet filter": (117, b"\x3d\x02" + bytes(62) + PACKET),
}


@pytest.mark.parametrize(("link_type", "frame"), LINKS.values(), ids=LINKS)
def test_the_packet_is_found(tmp_path, link_type, frame):
    recording = read_bytes(tmp_path, pcap([frame], link_type=link_type))
    row = one_row(recording)
    assert (row["protocol"], row["payload_bytes"], row["flow"]) == (6, 5, 0)
    assert frame[row["payload_offset"] :] == b"hello"
    assert frame[row["l3_offset"]] >> 4 == row["family"]
    assert row["state"] == 0


@pytest.mark.parametrize(("link_type", "frame"), LINKS.values(), ids=LINKS)
def test_a_frame_cut_anywhere_is_read_without_complaint(tmp_path, link_type, frame):
    recording = read_bytes(
        tmp_path, pcap([frame[:size] for size in range(len(frame))], link_type=link_type, wire=len(frame))
    )
    assert len(recording.columns) == len(frame)
    assert set((recording.columns.state & State.CUT).tolist()) == {int(State.CUT)}
    for row in range(len(frame)):
        packet = recording.packet(row)
        assert packet.ip is None or packet.ip.source in (CLIENT, "2001:db8::1")


@pytest.mark.parametrize(
    ("link_type", "frame"),
    [
        (1, ethernet(PACKET, 0x0806)),
        (1, MACS + b"\0\x26" + b"\x42\x42\x03" + bytes(35)),
        (105, b"\x80\0" + bytes(60)),
        (105, b"\x08\x41" + bytes(22) + SNAP + PACKET),
        (189, bytes(64)),
        (1, b""),
    ],
    ids=["ARP", "spanning tree", "beacon", "encrypted", "USB", "nothing"],
)
def test_frames_without_ip_are_rows_without_family(tmp_path, link_type, frame):
    row = one_row(read_bytes(tmp_path, pcap([frame], link_type=link_type)))
    assert (row["family"], row["flow"], row["state"]) == (0, -1, 0)
