"""Streams: what belongs together, who is the client, where sequence numbers begin."""

from __future__ import annotations

from pathlib import Path

from tests.conversations.resets_talk import ACK, FIN, PSH, RST, SYN, Talk, hello


def test_the_sender_of_the_syn_is_the_client_whatever_the_ports(tmp_path: Path) -> None:
    (stream,) = Talk().handshake(port=443).capture(tmp_path).streams
    assert (stream.client.port, stream.server.port, stream.role_from) == (443, 443, "syn")


def test_a_syn_ack_alone_tells_the_client(tmp_path: Path) -> None:
    talk = Talk().send(0, "s", SYN | ACK, seq=0, ack=1).send(1, "c", ACK, seq=1, ack=1)
    (stream,) = talk.capture(tmp_path).streams
    assert (stream.client.address, stream.role_from) == (talk.client, "synack")


def test_in_mid_flow_the_request_tells_the_client(tmp_path: Path) -> None:
    talk = Talk().send(0, "s", ACK, seq=10, ack=10).send(1, "c", PSH | ACK, seq=10, ack=10, payload=hello("a.example"))
    (stream,) = talk.capture(tmp_path).streams
    assert (stream.client.address, stream.role_from) == (talk.client, "payload")


def test_without_syn_or_request_the_lower_port_is_the_server(tmp_path: Path) -> None:
    talk = (
        Talk().send(0, "s", PSH | ACK, seq=10, ack=10, payload=b"\x17\x03\x03\0\x01x").send(1, "c", ACK, seq=10, ack=16)
    )
    (stream,) = talk.capture(tmp_path).streams
    assert (stream.server.port, stream.role_from) == (443, "port")


def test_a_new_syn_number_on_the_same_ports_begins_another_stream(tmp_path: Path) -> None:
    talk = Talk().handshake().send(60, "c", FIN | ACK, seq=1, ack=1).handshake(200)
    talk.packets[-3] = (200, talk.packets[-3][1][:24] + b"\x7f" + talk.packets[-3][1][25:])
    assert len(talk.capture(tmp_path).streams) == 2


def test_a_repeated_syn_begins_no_other_stream_and_gives_no_round_trip(tmp_path: Path) -> None:
    talk = Talk().send(0, "c", SYN, seq=0).send(1000, "c", SYN, seq=0).send(1040, "s", SYN | ACK, seq=0, ack=1)
    capture = talk.capture(tmp_path)
    assert len(capture.streams) == 1
    assert capture.rtt_samples(talk.server) == ()


def test_sequence_numbers_are_relative_across_the_wrap(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(90, "s", PSH | ACK, seq=1, ack=end, payload=b"x" * 1400).send(
        91, "s", ACK, seq=9001, ack=end, payload=b"y"
    )
    (stream,) = talk.capture(tmp_path).streams
    assert [s.seq for s in stream.from_server] == [0, 1, 9001]
    assert [s.seq for s in stream.from_client] == [0, 1, 1]
    series = stream.series(from_client=False)
    assert series.seq.tolist() == [0, 1, 9001]
    assert series.ack.tolist() == [1, end, end]


def test_a_wild_forged_number_leaves_the_genuine_ones_alone(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(60, "s", RST, seq=2**30 + 5).send(90, "s", PSH | ACK, seq=1, ack=end, payload=b"x")
    (stream,) = talk.capture(tmp_path).streams
    assert stream.series(from_client=False).seq.tolist()[-1] == 1


def test_the_first_bytes_are_put_in_order_and_stop_at_a_hole(tmp_path: Path) -> None:
    talk = Talk().handshake()
    for at, (start, end) in enumerate([(5, 9), (0, 5), (9, 12), (20, 22)]):
        talk.send(50 + at, "c", PSH | ACK, seq=1 + start, ack=1, payload=bytes(range(start, end)))
    (stream,) = talk.capture(tmp_path).streams
    assert stream.first_bytes(from_client=True) == bytes(range(12))


def test_a_hello_in_two_segments_has_its_name(tmp_path: Path) -> None:
    talk, whole = Talk().handshake(), hello("split.example")
    talk.send(50, "c", PSH | ACK, seq=1, ack=1, payload=whole[:20])
    talk.send(51, "c", PSH | ACK, seq=21, ack=1, payload=whole[20:])
    (stream,) = talk.capture(tmp_path).streams
    assert (stream.protocol, stream.name) == ("tls", "split.example")


def test_a_request_with_a_lower_ttl_than_its_handshake_is_a_limited_probe(tmp_path: Path) -> None:
    talk = Talk().handshake().send(50, "c", PSH | ACK, seq=1, ack=1, payload=hello("a.example"), ttl=7)
    (stream,) = talk.capture(tmp_path).streams
    assert stream.request_ttl_hops == 7


def test_round_trips_come_from_handshakes_and_acknowledged_data(tmp_path: Path) -> None:
    talk = Talk().works(0, port=40001, rtt=40)
    samples = talk.capture(tmp_path).rtt_samples(talk.server)
    assert len(samples) == 2
    assert abs(samples[0] - 0.040) < 0.002


def test_a_reset_is_no_round_trip_sample(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked(rtt=40)
    talk.send(47, "s", RST | ACK, seq=1, ack=end)
    samples = talk.capture(tmp_path).rtt_samples(talk.server)
    assert [round(s, 3) for s in samples] == [0.04]


def test_a_stream_shows_what_the_server_said_in_tls(tmp_path: Path) -> None:
    talk = Talk()
    end = talk.asked()
    talk.send(83, "s", PSH | ACK, seq=1, ack=end, payload=bytes.fromhex("15030300020228"))
    (stream,) = talk.capture(tmp_path).streams
    assert [(a.level, a.description) for a in stream.tls_answer.alerts] == [(2, 40)]
    assert stream.http_response is None


def test_a_stream_shows_the_heads_of_its_http_exchange(tmp_path: Path) -> None:
    asked, said = b"GET /a HTTP/1.1\r\nHost: News.example:80\r\n\r\n", b"HTTP/1.1 403 Forbidden\r\n\r\nno"
    talk = Talk().handshake().send(50, "c", PSH | ACK, seq=1, ack=1, payload=asked)
    talk.send(91, "s", PSH | ACK, seq=1, ack=1 + len(asked), payload=said)
    (stream,) = talk.capture(tmp_path).streams
    assert stream.http_request is not None
    assert stream.http_response is not None
    assert (stream.http_request.host, stream.http_response.status) == ("news.example", 403)
