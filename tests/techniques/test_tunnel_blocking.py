"""tunnel-blocking: a banner or handshake that fails where other bytes are heard, and servers that are silent by design."""

from __future__ import annotations

from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import (
    Datagrams,
    DropsDatagrams,
    DropsFirstBytes,
    Says,
    Sink,
    printable,
    ssh_banner,
    tell,
    wireguard_initiation,
)
from fingerprint.capture import Capture
from techniques.tunnel_blocking import TunnelBlocking
from tests.techniques.payload_scenes import ADDRESS, clues, seen, why

PORT = 51820


def _ssh(folder: Path, tried: str, *, dropped: bool = True) -> Capture:
    """One connection for each letter: s(sh) or l(etters)."""
    scene = Scene(11)
    server = scene.site(ADDRESS)
    server.listening[22] = Sink
    if dropped:
        scene.box(3, DropsFirstBytes(lambda data: data.startswith(b"SSH-")))
    for i, kind in enumerate(tried):
        payload = ssh_banner() if kind == "s" else printable(scene.net.rng, 30)
        scene.open(server, Says(payload, leave_after_s=6), at_s=1 + 9 * i, port=22)
    return seen(scene, folder, until_s=5 + 9 * len(tried))


def test_a_banner_that_is_never_heard_among_letters_that_are(tmp_path: Path) -> None:
    assert clues(TunnelBlocking(), _ssh(tmp_path, "lslsl")) == {"tunnel-never-acknowledged", "tunnel-decides"}


def test_one_failure_may_be_chance(tmp_path: Path) -> None:
    assert "tunnel-decides" not in clues(TunnelBlocking(), _ssh(tmp_path, "lsl"))


def test_without_anything_that_passes_it_cannot_tell(tmp_path: Path) -> None:
    capture = _ssh(tmp_path, "sss")
    assert clues(TunnelBlocking(), capture) == set()
    assert "nothing else passed" in why(TunnelBlocking(), capture)[0]


def test_a_tunnel_that_is_let_through_is_no_concern(tmp_path: Path) -> None:
    assert list(TunnelBlocking().analyse(_ssh(tmp_path, "lsls", dropped=False))) == []


def _wireguard(folder: Path, answers: str, *, letters: bool = True) -> Capture:
    """``answers``: what the server answers, ``anything`` or ``noise`` (a service of its own)."""
    scene = Scene(12)
    rng = scene.net.rng
    ports = Datagrams(scene.site(ADDRESS))
    ports.open[PORT] = lambda data: data[:60] if answers == "anything" or data[:1] == b"\xc7" else None
    scene.box(3, DropsDatagrams(lambda p: p.payload[:4] == b"\x01\0\0\0"))
    for trial in range(3):
        tell(scene, ADDRESS, PORT, b"\xc7" + rng.randbytes(147), at_s=1 + 20 * trial)
        if letters:
            tell(scene, ADDRESS, PORT, printable(rng, 148), at_s=3 + 20 * trial)
        tell(scene, ADDRESS, PORT, lambda _: wireguard_initiation(rng), at_s=8 + 20 * trial, copies=4, gap_s=2.0)
    return seen(scene, folder, until_s=70)


def test_a_server_that_answers_letters_and_noise_would_answer_a_handshake(tmp_path: Path) -> None:
    assert clues(TunnelBlocking(), _wireguard(tmp_path, "anything")) == {
        "tunnel-unanswered",
        "any-other-bytes-answered",
    }


def test_a_service_of_its_own_on_that_port_need_not_know_wireguard(tmp_path: Path) -> None:
    for folder, capture in (
        ("a", _wireguard(tmp_path, "noise")),
        ("b", _wireguard(tmp_path, "anything", letters=False)),
    ):
        assert clues(TunnelBlocking(), capture) == set(), folder
        assert "does not know us" in why(TunnelBlocking(), capture)[0]
