"""udp-blocking: silence on UDP is ordinary, and what makes it a port's or a payload's."""

from __future__ import annotations

from pathlib import Path

import pytest

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import Datagrams, DropsDatagrams, is_stun, stun_answer, stun_request, tell
from fingerprint.capture import Capture
from techniques.udp_blocking import UdpBlocking
from tests.techniques.payload_scenes import ADDRESS, OTHER, clues, seen, why


def _ports(
    folder: Path,
    *,
    names: tuple[str, str] = ("calls.example", "weather.test"),
    others: str = OTHER,
    refuses: bool = True,
    port: int = 8801,
    dropped: bool = True,
    copies: int = 5,
) -> Capture:
    """A port beside and the port in question, at two addresses, in turn."""
    scene = Scene(21)
    rng = scene.net.rng
    for address in (ADDRESS, others):
        ports = Datagrams(scene.site(address), refuses=refuses)
        ports.open[3478] = ports.open[port] = lambda data: stun_answer(data) if is_stun(data) else None
    if dropped:
        scene.box(2, DropsDatagrams(lambda p: p.destination_port == port))
    scene.resolver("9.9.9.9", {names[0]: (ADDRESS,), names[1]: (others,)})
    for i, name in enumerate(names):
        scene.lookup("9.9.9.9", name, at_s=0.2 + 0.2 * i)
    for i, address in enumerate((ADDRESS, others, ADDRESS, others)):
        tell(scene, address, 3478, stun_request(rng), at_s=1 + 9 * i)
        tell(scene, address, 8790, stun_request(rng), at_s=2 + 9 * i, copies=1)
        tell(scene, address, port, stun_request(rng), at_s=3 + 9 * i, copies=copies)
    return seen(scene, folder, until_s=42)


def test_a_port_that_is_silent_at_unrelated_hosts_that_refuse_others_is_dropped_on_the_way(tmp_path: Path) -> None:
    assert clues(UdpBlocking(), _ports(tmp_path)) == {"datagrams-unanswered", "port-dies-everywhere"}


@pytest.mark.parametrize(
    "how",
    [
        {"names": ("a.calls.example", "b.calls.example")},
        {"others": "45.33.71.200"},
        {"refuses": False},
    ],
    ids=["one operator", "one network", "hosts that refuse nothing"],
)
def test_hosts_of_one_kind_may_share_a_firewall(tmp_path: Path, how: dict[str, object]) -> None:
    capture = _ports(tmp_path, **how)  # type: ignore[arg-type]
    assert clues(UdpBlocking(), capture) == set()
    assert "want 2 of unrelated names" in why(UdpBlocking(), capture)[0]


def test_a_port_that_is_not_in_the_table_is_never_called_blocked(tmp_path: Path) -> None:
    assert clues(UdpBlocking(), _ports(tmp_path, port=40001)) == set()


def test_two_datagrams_may_be_lost(tmp_path: Path) -> None:
    assert clues(UdpBlocking(), _ports(tmp_path, copies=2)) == set()


def test_a_port_that_is_answered_is_no_concern(tmp_path: Path) -> None:
    assert list(UdpBlocking().analyse(_ports(tmp_path, dropped=False))) == []


def _stun(folder: Path, *, older_server: bool = True, answered_between: bool = False) -> Capture:
    scene = Scene(22)
    rng = scene.net.rng
    host = scene.site(ADDRESS)

    def answer(data: bytes) -> bytes | None:
        return stun_answer(data) if is_stun(data) and (older_server or data[4:8] == b"\x21\x12\xa4\x42") else None

    Datagrams(host, refuses=False).open[3478] = answer
    lets_through = scene.net.start_ns + 20 * 10**9
    scene.box(
        3,
        DropsDatagrams(
            lambda p: (
                p.payload[4:8] == b"\x21\x12\xa4\x42"
                and not (answered_between and lets_through < scene.net.now_ns < lets_through + 4 * 10**9)
            )
        ),
    )
    for trial in range(3):
        tell(scene, ADDRESS, 3478, stun_request(rng, cookie=False), at_s=1 + 15 * trial)
        tell(scene, ADDRESS, 3478, stun_request(rng), at_s=6 + 15 * trial)
    return seen(scene, folder, until_s=48)


def test_a_server_that_answers_the_older_form_would_answer_this_one(tmp_path: Path) -> None:
    assert clues(UdpBlocking(), _stun(tmp_path)) == {"datagrams-unanswered", "other-form-answered"}


def test_a_server_that_answers_neither_form_says_nothing(tmp_path: Path) -> None:
    assert clues(UdpBlocking(), _stun(tmp_path, older_server=False)) == set()


def test_a_form_that_was_answered_in_between_is_not_cut_by_its_bytes(tmp_path: Path) -> None:
    assert clues(UdpBlocking(), _stun(tmp_path, answered_between=True)) == set()


def test_an_empty_table_of_ports_leaves_the_payloads(tmp_path: Path) -> None:
    capture = _stun(tmp_path)
    assert "other-form-answered" in clues(UdpBlocking(), Capture(recordings=capture.recordings))
