"""http-injection: what shows that an answer is not the server's, and the honest answers that look like it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.tables import built_in
from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from techniques.http_injection import HttpInjection
from tests.conversations.resets_talk import ACK, FIN, PSH, RST, Talk

TRUE = b"HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<html><title>News</title><p>what happened today</p></html>"
PAGE = b"HTTP/1.1 403 Forbidden\r\n\r\n<html><title>Notice</title><body>This site is blocked by order of a court</body>"
AWAY = b"HTTP/1.1 302 Found\r\nLocation: http://notice.example/\r\n\r\n"
STRANGE = {"ttl": 113, "df": False, "stamps": False, "window": 123, "ip_id": 7}


def get(host: str = "news.example", path: str = "/") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()


class Plain(Talk):
    """A conversation in the clear; the server is 40 ms away."""

    def ask(self, at: float, port: int, *, host: str = "news.example", rtt: float = 40) -> int:
        self.handshake(at, rtt=rtt, port=port)
        self.send(at + rtt + 1, "c", PSH | ACK, seq=1, ack=1, payload=get(host), port=port)
        return 1 + len(get(host))

    def says(self, at: float, port: int, end: int, page: bytes, *, flags: int = PSH | ACK, **header: object) -> None:
        self.send(at, "s", flags, seq=1, ack=end, payload=page, port=port, **header)  # type: ignore[arg-type]

    def served(self, at: float, port: int, *, host: str = "park.example", rtt: float = 40) -> None:
        end = self.ask(at, port, host=host, rtt=rtt)
        self.says(at + 2 * rtt + 2, port, end, TRUE)


def findings(talk: Talk, folder: Path) -> list[Finding]:
    return list(HttpInjection().analyse(talk.capture(folder)))


def clues(talk: Talk, folder: Path) -> dict[str, Evidence]:
    return {f.clue.id: f for f in findings(talk, folder) if isinstance(f, Evidence)}


def nodes(talk: Talk, folder: Path) -> list[tuple[str, str]]:
    found = [("http-injection", f) for f in findings(talk, folder)]
    return [(m.node, m.position) for v in judge(talk.capture(folder), found) for m in v.mechanisms]


def twice(page: bytes, *, forged: dict[str, object], at: float = 12, true: bool = True) -> Plain:
    """Two requests, each answered by a stranger and then by the server; another host is served in between."""
    talk = Plain()
    talk.served(5000, 41000)
    talk.served(6000, 41001)
    for i in range(2):
        end = talk.ask(10_000 * i, 40000 + i)
        talk.says(10_000 * i + 41 + at, 40000 + i, end, page, **forged)
        if true:
            talk.says(10_000 * i + 82, 40000 + i, end, TRUE)
    talk.packets.sort(key=lambda p: p[0])
    return talk


@pytest.mark.parametrize(
    ("page", "node"),
    [(PAGE, "http.blockpage"), (AWAY, "http.redirect"), (b"BANG! " * 40, "http.injection"),
     (b"HTTP/1.1 404 Not Found\r\n\r\n", "http.error")],
)  # fmt: skip
def test_two_answers_at_one_place_convict_by_what_the_stranger_says(tmp_path: Path, page: bytes, node: str) -> None:
    assert nodes(twice(page, forged=STRANGE), tmp_path) == [(node, "on-path")]


def test_the_stranger_need_not_be_the_first(tmp_path: Path) -> None:
    talk = twice(PAGE, forged=STRANGE, at=60)
    found = clues(talk, tmp_path)["blockpage-beside-another-answer"]
    assert [f.number for f in found.forged] == [
        f.number for f in found.forged if f.number in {p.number for p in found.packets}
    ]
    assert nodes(talk, tmp_path) == [("http.blockpage", "on-path")]


def test_a_copied_ttl_does_not_save_the_stranger(tmp_path: Path) -> None:
    mimic = {"ttl": 52, "stamps": False}
    assert nodes(twice(PAGE, forged=mimic), tmp_path) == [("http.blockpage", "on-path")]


def test_an_answer_sent_again_is_one_answer(tmp_path: Path) -> None:
    assert clues(twice(TRUE, forged={}, at=42), tmp_path) == {}


def test_a_byte_of_keep_alive_is_no_second_answer(tmp_path: Path) -> None:
    talk = Plain()
    end = talk.ask(0, 40000)
    talk.says(82, 40000, end, TRUE)
    talk.send(9000, "s", ACK, seq=len(TRUE), ack=end, payload=b"\0", port=40000)
    assert clues(talk, tmp_path) == {}


def test_damage_is_no_second_answer(tmp_path: Path) -> None:
    damaged = TRUE[:40] + bytes(4) + TRUE[44:]
    assert "injection-beside-another-answer" not in clues(twice(damaged, forged={}, at=42), tmp_path)


def test_strange_headers_at_the_servers_own_time_convict_nobody(tmp_path: Path) -> None:
    talk = twice(PAGE, forged=STRANGE, at=41, true=False)
    assert "blockpage-headers-of-another-host" in clues(talk, tmp_path)
    assert nodes(talk, tmp_path) == []


def test_sooner_and_in_strange_headers_convicts_after_two(tmp_path: Path) -> None:
    assert [n for n, _ in nodes(twice(PAGE, forged=STRANGE, true=False), tmp_path)] == ["http.blockpage"]


@pytest.mark.parametrize("ttl", [64, 62, 126, 255])
def test_a_filter_in_the_house_is_the_houses_own(tmp_path: Path, ttl: int) -> None:
    talk = twice(PAGE, forged={**STRANGE, "ttl": ttl}, true=False)
    assert "blockpage-sooner-from-nearby" in clues(talk, tmp_path)
    assert nodes(talk, tmp_path) == []


def test_an_answer_that_may_not_be_the_servers_is_no_work_done(tmp_path: Path) -> None:
    talk = twice(PAGE, forged={**STRANGE, "ttl": 64}, true=False)
    found = [("http-injection", f) for f in findings(talk, tmp_path)]
    states = {v.target: v.state for v in judge(talk.capture(tmp_path), found)}
    assert states == {"news.example": "insufficient", "park.example": "ok"}


def test_a_proxy_that_opens_the_connection_itself_answers_in_its_own_time(tmp_path: Path) -> None:
    talk = Plain()
    for i in range(3):
        end = talk.ask(10_000 * i, 40000 + i, rtt=6)
        talk.says(10_000 * i + 14, 40000 + i, end, PAGE)
    talk.served(5000, 41000, rtt=6)
    talk.packets.sort(key=lambda p: p[0])
    assert nodes(talk, tmp_path) == []
    assert not any("sooner" in clue for clue in clues(talk, tmp_path))


def test_a_syn_proxy_makes_the_servers_answer_unlike_the_handshake(tmp_path: Path) -> None:
    talk = Plain()
    for i, host in enumerate(("news.example", "park.example") * 2):
        talk.handshake(5000 * i, port=40000 + i, ttl=251, df=False, window=8192, stamps=False)
        talk.send(5000 * i + 41, "c", PSH | ACK, seq=1, ack=1, payload=get(host), port=40000 + i)
        talk.says(5000 * i + 82, 40000 + i, 1 + len(get(host)), PAGE if host == "news.example" else TRUE)
    assert nodes(talk, tmp_path) == []


def test_what_all_names_are_answered_like_is_the_servers_own_manner(tmp_path: Path) -> None:
    talk = Plain()
    for i, host in enumerate(("news.example", "park.example", "shop.example")):
        end = talk.ask(5000 * i, 40000 + i, host=host)
        talk.says(5000 * i + 82, 40000 + i, end, TRUE, **STRANGE)
    assert clues(talk, tmp_path) == {}


def test_a_lone_403_is_an_observation_and_not_a_verdict(tmp_path: Path) -> None:
    talk = Plain()
    talk.served(5000, 41000)
    end = talk.ask(0, 40000)
    talk.says(82, 40000, end, PAGE)
    talk.packets.sort(key=lambda p: p[0])
    found = findings(talk, tmp_path)
    assert [f.clue.id for f in found if isinstance(f, Evidence)] == ["refused-by-status"]
    assert any(isinstance(f, Inconclusive) and "its own word" in f.why for f in found)
    assert nodes(talk, tmp_path) == []


@pytest.mark.parametrize(("status", "blocked"), [("451 Unavailable", True), ("403 Forbidden", False)])
def test_the_same_request_served_to_another_client_makes_it_the_servers_word(
    tmp_path: Path, status: str, blocked: bool
) -> None:
    page = PAGE.replace(b"403 Forbidden", status.encode())
    talk = Plain()
    for i in range(3):
        end = talk.ask(10_000 * i, 40000 + i)
        talk.says(10_000 * i + 82, 40000 + i, end, page)
    talk.client = "198.51.100.99"
    for i in range(3):
        talk.served(10_000 * i + 5000, 42000 + i, host="news.example")
    talk.packets.sort(key=lambda p: p[0])
    assert "blockpage-for-legal-reasons-here" in clues(talk, tmp_path) or not blocked
    assert nodes(talk, tmp_path) == ([("http.blockpage", "server")] if blocked else [])


def test_one_word_of_a_known_page_is_found_in_the_servers_own_headers(tmp_path: Path) -> None:
    known = b"HTTP/1.1 403 Forbidden\r\n\r\n<html><iframe src='http://10.10.34.34?type=Invalid Site'></iframe></html>"
    talk = twice(known, forged={}, at=41, true=False)
    capture = talk.capture(tmp_path)
    object.__setattr__(capture, "known", built_in())
    found = {f.clue.id for f in HttpInjection().analyse(capture) if isinstance(f, Evidence)}
    assert "blockpage-known-page" in found


def test_a_redirect_to_tls_says_nothing(tmp_path: Path) -> None:
    talk = twice(AWAY.replace(b"http://notice.example", b"https://news.example"), forged={}, at=41, true=False)
    assert clues(talk, tmp_path) == {}


def test_a_page_that_ends_the_connection_weighs_only_beside_something_else(tmp_path: Path) -> None:
    talk = Plain()
    end = talk.ask(0, 40000)
    talk.says(82, 40000, end, PAGE, flags=FIN | PSH | ACK)
    talk.send(83, "s", RST, seq=1 + len(PAGE) + 1, port=40000)
    assert not any(f.clue.given for f in findings(talk, tmp_path) if isinstance(f, Evidence))


def test_two_answers_in_the_servers_own_headers_and_time_name_no_position(tmp_path: Path) -> None:
    found = nodes(twice(PAGE, forged={}, at=41), tmp_path)
    assert [position for _, position in found] in ([], ["unknown"])
