"""protocol-filtering: entropy or protocol, and what it takes to tell either from a server's mood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from captures.samples.recipe import Scene
from captures.samples.recipe_payloads import DropsFirstBytes, Says, Sink, looks_random, printable
from techniques.protocol_filtering import ProtocolFiltering
from tests.techniques.payload_scenes import ADDRESS, clues, seen, why

SILENT = {"first-bytes-never-acknowledged"}


def _scene(
    cuts: Callable[[bytes], bool], tried: str, *, seed: int = 7, same: bool = False, size_bytes: int = 200
) -> tuple[Scene, float]:
    """One connection for each letter: n(oise), l(etters), t(ls)."""
    scene = Scene(seed)
    server = scene.site(ADDRESS)
    server.listening[443 if "t" in tried else 8388] = server.listening[443] if "t" in tried else Sink
    scene.box(3, DropsFirstBytes(cuts))
    rng, port, noise = scene.net.rng, 443 if "t" in tried else 8388, scene.net.rng.randbytes(200)
    at_s = 1.0
    for kind in tried:
        if kind == "t":
            scene.visit(server, "weather.test", at_s=at_s, page_bytes=2_000)
        else:
            payload = printable(rng, 200) if kind == "l" else noise if same else rng.randbytes(size_bytes)
            scene.open(server, Says(payload, leave_after_s=6), at_s=at_s, port=port)
        at_s += 9
    return scene, at_s + 4


def _clues(folder: Path, *scene_and_end: object) -> set[str]:
    scene, end_s = scene_and_end
    return clues(ProtocolFiltering(), seen(scene, folder, until_s=end_s))  # type: ignore[arg-type]


def test_noise_that_fails_among_letters_that_pass_is_entropy(tmp_path: Path) -> None:
    assert _clues(tmp_path, *_scene(looks_random, "lnlnlnl")) == SILENT | {"entropy-decides"}


def test_two_outcomes_may_be_chance(tmp_path: Path) -> None:
    assert _clues(tmp_path, *_scene(looks_random, "lnl")) == SILENT | {"other-first-bytes-pass-here"}
    assert _clues(tmp_path, *_scene(looks_random, "lnnl")) == SILENT | {"exempt-bytes-pass-here"}


def test_one_payload_alone_may_be_a_signature(tmp_path: Path) -> None:
    assert "entropy-decides" not in _clues(tmp_path, *_scene(looks_random, "lnlnlnl", same=True))


def test_noise_among_tls_does_not_tell_entropy_from_protocol(tmp_path: Path) -> None:
    found = _clues(tmp_path, *_scene(looks_random, "tntntnt"))
    assert found == SILENT | {"first-bytes-decide"}


def test_letters_that_fail_among_tls_are_no_question_of_entropy(tmp_path: Path) -> None:
    assert _clues(tmp_path, *_scene(lambda data: data[:1] != b"\x16", "tnltnltl" + "t")) == SILENT | {
        "only-known-protocols-pass"
    }


def test_nothing_that_passes_leaves_it_open(tmp_path: Path) -> None:
    scene, end_s = _scene(lambda _: True, "lnln")
    capture = seen(scene, tmp_path, until_s=end_s)
    assert clues(ProtocolFiltering(), capture) == set()
    assert "nothing else passed" in why(ProtocolFiltering(), capture)[0]


def test_what_passed_only_before_may_have_met_a_server_that_still_lived(tmp_path: Path) -> None:
    scene, end_s = _scene(looks_random, "lllnnn")
    capture = seen(scene, tmp_path, until_s=end_s)
    assert clues(ProtocolFiltering(), capture) == set()
    assert "outage" in why(ProtocolFiltering(), capture)[0]


def test_all_that_passes_is_no_concern(tmp_path: Path) -> None:
    scene, end_s = _scene(lambda _: False, "lnln")
    capture = seen(scene, tmp_path, until_s=end_s)
    assert list(ProtocolFiltering().analyse(capture)) == []
