"""Whatever bytes a file holds, read() returns or raises CaptureError, and both passes agree on it."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.captures.agree import assert_both_passes_agree
from tests.captures.craft import (
    MACS,
    client_hello,
    enhanced,
    ethernet,
    interface,
    ip4,
    ip6,
    option,
    pcap,
    question,
    section,
    simple,
    tcp,
    udp,
)

REQUEST = b"GET / HTTP/1.1\r\nHost: example.org:80\r\n\r\n"
STAMPS = b"\x01\x01\x08\x0a" + bytes(8)
PACKETS = (
    ip4(tcp(client_hello(), options=STAMPS)),
    ip6(tcp(REQUEST)),
    ip4(udp(question()), protocol=17),
    ip6(udp(question(answer=True), sport=53), protocol=17),
    ip4(udp(b"\xc3\0\0\0\x01\x08" + bytes(30), dport=443), protocol=17),
    ip4(udp(bytes(100))[:80], protocol=17, fragment=0x2000),
    ip4(udp(bytes(100))[80:], protocol=17, fragment=10),
    ip4(ip6(tcp(client_hello())), protocol=41),
    ip4(b"\0\0\x65\x58" + ethernet(ip4(tcp(REQUEST))), protocol=47),
    ip6(b"\x06\0" + bytes(6) + tcp(), protocol=60),
    ip4(b"\x03\x01" + bytes(6) + ip4(tcp()), protocol=1),
)
FRAMES = (
    *(ethernet(packet) for packet in PACKETS),
    MACS + b"\x81\0\0\x05\x88\xa8\0\0\x08\0" + PACKETS[0],
    MACS + b"\x88\x64\x11\0\0\x01\0\x10\0\x57" + PACKETS[1],
    b"\0\0\0\x02" + PACKETS[0],
    bytes(14) + b"\x86\xdd" + PACKETS[1],
    PACKETS[0],
    ethernet(ip4(bytes(20), protocol=50)),
)
SEEDS = (
    pcap(FRAMES),
    pcap(FRAMES, order=">", magic=0xA1B23C4D),
    pcap(PACKETS, link_type=101),
    section() + interface() + b"".join(enhanced(frame) for frame in FRAMES),
    section(">")
    + interface(order=">", options=option(9, b"\x09", ">"))
    + b"".join(simple(frame, order=">") for frame in FRAMES),
)
PLAIN = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_every_packet_decodes(path):
    recording = assert_both_passes_agree(path)
    if isinstance(recording, str):
        return
    for row in range(len(recording.columns)):
        assert recording.packet(row).number == row + 1
        assert len(recording.payload(row)) <= recording.columns.payload_bytes[row]
        assert len(recording.frame(row)) == recording.columns.captured_bytes[row]


@PLAIN
@given(content=st.binary(max_size=400))
def test_bytes_at_random(tmp_path, content):
    path = tmp_path / "x.pcap"
    path.write_bytes(content)
    assert_every_packet_decodes(path)


@PLAIN
@given(seed=st.sampled_from(SEEDS), data=st.data())
def test_captures_with_some_bytes_changed_and_the_end_cut(tmp_path, seed, data):
    content = bytearray(seed)
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(seed) - 1), st.integers(0, 255)), max_size=8)):
        content[at] = value
    path = tmp_path / "x.pcap"
    path.write_bytes(content[: data.draw(st.integers(0, len(seed)))])
    assert_every_packet_decodes(path)


@PLAIN
@given(
    frames=st.lists(st.one_of(st.sampled_from(FRAMES), st.binary(max_size=120)), max_size=6),
    link_type=st.sampled_from((0, 1, 9, 50, 51, 101, 105, 107, 108, 113, 117, 119, 127, 163, 192, 228, 239, 276, 9999)),
    data=st.data(),
)
def test_frames_with_some_bytes_changed_under_any_link_type(tmp_path, frames, link_type, data):
    changed = []
    for frame in frames:
        body = bytearray(frame)
        for _ in range(data.draw(st.integers(0, 4)) if body else 0):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        changed.append(bytes(body[: data.draw(st.integers(0, len(body)))]))
    path = tmp_path / "x.pcap"
    path.write_bytes(pcap(changed, link_type=link_type, wire=data.draw(st.sampled_from((0, 1500)))))
    assert_every_packet_decodes(path)
