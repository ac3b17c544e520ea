"""http-filtering and request-matching: what a lost request means, and what it takes to blame Host, path or word."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from techniques.http_filtering import HttpFiltering
from techniques.request_matching import RequestMatching
from techniques.tcp_rst_injection import TcpRstInjection
from tests.conversations.resets_talk import ACK, FIN, PSH, RST, SYN, Talk

TRUE = b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<html><p>what happened today</p></html>"


def get(host: str, path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


class Plain(Talk):
    """Requests in the clear; the server is 40 ms away."""

    def ask(self, at: float, port: int, host: str, path: str = "/") -> int:
        self.handshake(at, port=port)
        self.send(at + 41, "c", PSH | ACK, seq=1, ack=1, payload=get(host, path), port=port)
        return 1 + len(get(host, path))

    def served(self, at: float, port: int, host: str, path: str = "/") -> None:
        end = self.ask(at, port, host, path)
        self.send(at + 82, "s", PSH | ACK, seq=1, ack=end, payload=TRUE, port=port)

    def lost(self, at: float, port: int, host: str, path: str = "/", *, copies: int = 5) -> None:
        self.ask(at, port, host, path)
        for i in range(1, copies):
            self.send(
                at + 41 + 300 * (2**i - 1), "c", PSH | ACK, seq=1, ack=1, payload=get(host, path), port=port
            )  # fmt: skip

    def reset(self, at: float, port: int, host: str, path: str = "/") -> None:
        """Forged after 10 ms, in headers of its own; the server goes on."""
        end = self.ask(at, port, host, path)
        self.send(at + 51, "s", RST | ACK, seq=1, ack=end, port=port, ttl=113, df=False, stamps=False)
        self.send(at + 82, "s", PSH | ACK, seq=1, ack=end, payload=TRUE, port=port)

    def sorted(self) -> Plain:
        self.packets.sort(key=lambda p: p[0])
        return self


def found(talk: Talk, folder: Path) -> list[tuple[str, Finding]]:
    capture = talk.capture(folder)
    techniques = {
        "http-filtering": HttpFiltering(), "request-matching": RequestMatching(), "tcp-rst-injection": TcpRstInjection(),
    }  # fmt: skip
    return [(name, f) for name, technique in techniques.items() for f in technique.analyse(capture)]


def clues(talk: Talk, folder: Path) -> set[str]:
    return {f.clue.id for name, f in found(talk, folder) if isinstance(f, Evidence) and name != "tcp-rst-injection"}


def nodes(talk: Talk, folder: Path) -> set[str]:
    return {m.node for v in judge(talk.capture(folder), found(talk, folder)) for m in v.mechanisms}


def test_a_host_that_is_lost_while_others_pass_is_blocked_by_its_name(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(2):
        talk.served(20_000 * i, 41000 + i, "park.example")
        talk.lost(20_000 * i + 5000, 40000 + i, "news.example")
    talk.served(45_000, 41002, "shop.example")
    assert nodes(talk, tmp_path) == {"http.timeout.host"}


def test_without_another_host_the_trigger_stays_open(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(3):
        talk.lost(20_000 * i, 40000 + i, "news.example")
    talk.send(70_000, "c", SYN, seq=0, port=50000)
    assert nodes(talk, tmp_path) <= {"http.timeout"}


def test_one_lost_request_alone_blocks_nobody(tmp_path: Path) -> None:
    talk = Plain()
    talk.lost(0, 40000, "news.example")
    talk.send(20_000, "c", SYN, seq=0, port=50000)
    assert nodes(talk, tmp_path) == set()


def test_a_request_that_was_sent_too_seldom_is_open(tmp_path: Path) -> None:
    talk = Plain()
    talk.lost(0, 40000, "news.example", copies=3)
    talk.send(20_000, "c", SYN, seq=0, port=50000)
    said = [f for _, f in found(talk, tmp_path) if isinstance(f, Inconclusive)]
    assert any("want 4" in f.why for f in said)
    assert "request-never-acknowledged" not in clues(talk, tmp_path)


@pytest.mark.parametrize(("listened_s", "told"), [(4, False), (6, True)])
def test_silence_after_an_acknowledgement_counts_once_it_was_listened_to(
    tmp_path: Path, listened_s: float, told: bool
) -> None:
    talk = Plain()
    end = talk.ask(0, 40000, "news.example")
    talk.send(82, "s", ACK, seq=1, ack=end, port=40000)
    talk.send(82 + 1000 * listened_s, "c", SYN, seq=0, port=50000)
    assert ("request-never-answered" in clues(talk, tmp_path)) is told
    assert nodes(talk, tmp_path) == set()


def test_a_server_where_every_host_fails_is_down(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(2):
        for j, host in enumerate(("news.example", "park.example", "shop.example")):
            talk.lost(30_000 * i + 8000 * j, 40000 + 10 * i + j, host)
    talk.send(90_000, "c", SYN, seq=0, port=50000)
    assert "other-hosts-fail-here-too" in clues(talk, tmp_path)
    assert nodes(talk, tmp_path) == set()


def test_a_host_that_only_sometimes_fails_is_not_minded(tmp_path: Path) -> None:
    talk = Plain()
    talk.lost(0, 40000, "news.example")
    for i in range(4):
        talk.served(15_000 + 1000 * i, 41000 + i, "news.example")
        talk.served(15_500 + 1000 * i, 42000 + i, "park.example")
    assert "this-request-passes-too" in clues(talk, tmp_path)
    assert nodes(talk, tmp_path) == set()


def test_a_forged_reset_with_another_host_beside_it_names_the_host(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(2):
        talk.served(3000 * i, 41000 + i, "park.example")
        talk.reset(3000 * i + 1000, 40000 + i, "news.example")
    assert nodes(talk, tmp_path) == {"http.reset.host"}


@pytest.mark.parametrize(
    ("control", "node"),
    [("served", "http.reset.path"), ("reset", "http.reset.keyword"), (None, "http.reset")],
)
def test_the_path_under_another_host_tells_a_path_from_a_word(tmp_path: Path, control: str | None, node: str) -> None:
    talk = Plain()
    for i in range(2):
        at = 10_000 * i
        talk.served(at, 41000 + i, "news.example", "/may")
        talk.served(at + 1000, 42000 + i, "park.example", "/may")
        if control:
            getattr(talk, control)(at + 2000, 43000 + i, "park.example", "/june")
        talk.reset(at + 3000, 40000 + i, "news.example", "/june")
        talk.served(at + 4000, 44000 + i, "news.example", "/july")
    assert nodes(talk, tmp_path) == {node}


def test_a_path_that_was_asked_for_nowhere_else_is_open(tmp_path: Path) -> None:
    talk = Plain()
    talk.served(0, 41000, "news.example", "/may")
    talk.reset(1000, 40000, "news.example", "/june")
    said = [f for name, f in found(talk, tmp_path) if isinstance(f, Inconclusive) and name == "request-matching"]
    assert [f.why.split(" was ")[0] for f in said] == ["/june"]


def test_the_form_for_proxies_names_the_same_path(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(2):
        talk.served(4000 * i, 41000 + i, "park.example", "http://park.example/june")
        talk.served(4000 * i + 1000, 42000 + i, "news.example", "/may")
        talk.reset(4000 * i + 2000, 40000 + i, "news.example", "/june")
    assert "same-path-passes-for-another-host" in clues(talk, tmp_path)


def swept(talk: Plain, host: str, at: float, *, deaf_from: int, hops: range = range(1, 9)) -> None:
    """Requests that die after some hops, and a FIN behind each that the server answers if it still hears."""
    for k in hops:
        begun, port, end = at + 5000 * k, 40000 + k + int(at) % 7000, 1 + len(get(host))
        talk.handshake(begun, port=port)
        talk.send(begun + 41, "c", PSH | ACK, seq=1, ack=1, payload=get(host), port=port, ttl=k)
        talk.send(begun + 1041, "c", FIN | ACK, seq=end, ack=1, port=port)
        if k < deaf_from:
            talk.send(begun + 1081, "s", ACK, seq=1, ack=1, port=port)


def test_connections_that_go_deaf_from_some_reach_on_name_the_link(tmp_path: Path) -> None:
    talk = Plain()
    swept(talk, "news.example", 0, deaf_from=5)
    talk.send(60_000, "c", SYN, seq=0, port=50000)
    evidence = [f for _, f in found(talk, tmp_path) if isinstance(f, Evidence) and f.facets.location]
    assert {(f.facets.location.hop, f.facets.location.link) for f in evidence if f.facets.location} == {(5, (4, 5))}
    assert nodes(talk, tmp_path) == {"http.timeout"}


@pytest.mark.parametrize("deaf_from", [1, 7, 9])
def test_too_few_on_either_side_are_losses(tmp_path: Path, deaf_from: int) -> None:
    talk = Plain()
    swept(talk, "news.example", 0, deaf_from=deaf_from)
    talk.send(60_000, "c", SYN, seq=0, port=50000)
    assert "deaf-from-a-reach-on" not in clues(talk, tmp_path)


def test_one_live_answer_beyond_the_link_says_that_there_is_none(tmp_path: Path) -> None:
    talk = Plain()
    swept(talk, "news.example", 0, deaf_from=4, hops=range(1, 8))
    swept(talk, "news.example", 45_001, deaf_from=9, hops=range(8, 9))
    talk.send(99_000, "c", SYN, seq=0, port=50000)
    assert "deaf-from-a-reach-on" not in clues(talk, tmp_path)


FORMS = {
    "cut in its Host": (b"GET / HTTP/1.1\r\nHost: news.", b"example\r\n\r\n"),
    "with other blanks before its Host": (b"GET / HTTP/1.1\r\nHost:  \tnews.example\r\n\r\n",),
    "with the field's name in mixed case": (b"GET / HTTP/1.1\r\nhOsT: news.example\r\n\r\n",),
    "with its Host in mixed case": (b"GET / HTTP/1.1\r\nHost: nEwS.eXample\r\n\r\n",),
    "with a whole address in the first line": (b"GET http://news.example/ HTTP/1.1\r\nHost: news.example\r\n\r\n",),
}


def formed(talk: Plain, at: float, port: int, pieces: tuple[bytes, ...]) -> None:
    """A request in some form, served."""
    talk.handshake(at, port=port)
    seq = 1
    for i, piece in enumerate(pieces):
        talk.send(at + 41 + i, "c", PSH | ACK, seq=seq, ack=1, payload=piece, port=port)
        seq += len(piece)
    talk.send(at + 90, "s", PSH | ACK, seq=1, ack=seq, payload=TRUE, port=port)


@pytest.mark.parametrize("form", FORMS)
def test_a_form_that_the_server_reads_alike_does_not_speak_for_the_host(tmp_path: Path, form: str) -> None:
    talk = Plain()
    for i in range(2):
        talk.served(20_000 * i, 41000 + i, "park.example")
        talk.lost(20_000 * i + 5000, 40000 + i, "news.example")
    formed(talk, 42_000, 42000, FORMS[form])
    talk.served(45_000, 41002, "shop.example")
    said = {f.clue.id: f.says for _, f in found(talk, tmp_path) if isinstance(f, Evidence)}
    assert said["hidden-host-passes"].endswith(f"passes {form}")
    assert "this-request-passes-too" not in said
    assert nodes(talk, tmp_path) == {"http.timeout.host"}


def test_a_client_that_always_writes_so_evades_nothing(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(2):
        talk.served(20_000 * i, 41000 + i, "park.example")
        formed(talk, 20_000 * i + 9000, 43000 + i, (get("news.example"),))
        talk.lost(20_000 * i + 5000, 40000 + i, "news.example")
    assert {"hidden-host-passes", "this-request-passes-too"} & clues(talk, tmp_path) == {"this-request-passes-too"}
