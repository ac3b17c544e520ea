"""mid-path-interference: what the reach of a request says about where somebody stands, and when it says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.technique import Evidence, Finding, Location
from fingerprint.verdict.judge import judge
from techniques.mid_path_interference import MidPathInterference
from tests.conversations.resets_talk import ACK, ALERT, FIN, PSH, RST, Talk, hello

FORGED = {"ttl": 61, "ip_id": 7, "df": False, "window": 1375, "stamps": False}
KINDS = {"reset": (RST | ACK, b""), "close": (FIN | ACK, b""), "alert": (PSH | ACK, ALERT)}


def _findings(talk: Talk, folder: Path) -> list[Finding]:
    return list(MidPathInterference().analyse(talk.capture(folder)))


def _places(talk: Talk, folder: Path) -> dict[str, tuple[Location, str | None]]:
    return {
        f.clue.id: (f.facets.location, f.facets.position)
        for f in _findings(talk, folder)
        if isinstance(f, Evidence) and f.facets.location
    }


def _states(talk: Talk, folder: Path) -> dict[str, tuple[str, list[str]]]:
    capture = talk.capture(folder)
    found = [("mid-path-interference", f) for f in MidPathInterference().analyse(capture)]
    return {v.target: (v.state, [m.node for m in v.mechanisms]) for v in judge(capture, found)}


def _sweep(
    talk: Talk, *, name: str = "news.example", starts: int = 99, upto: int = 7, kind: str = "reset", first: int = 0,
    passes_on: bool = True, reach: int = 99, ttl_of_forged: int | None = 61,
) -> Talk:  # fmt: skip
    """Hellos with 1, 2, 3 … hops; from ``starts`` on something is forged, from ``reach`` on the server answers."""
    for ttl in range(1, upto + 1):
        at, port = first + 3000 * ttl, 40000 + first + ttl
        hit = ttl >= starts
        end = talk.limited(at, port=port, ttl=ttl, name=name, router=ttl < reach and (passes_on or not hit))
        if hit:
            flags, payload = KINDS[kind]
            fields = FORGED | {"ttl": ttl_of_forged if ttl_of_forged is not None else ttl - 2 * (starts // 2)}
            talk.send(at + 47, "s", flags, seq=1, ack=end, payload=payload, port=port, **fields)
        if ttl >= reach:
            talk.send(at + 82, "s", ACK, seq=1, ack=end, port=port)
            talk.send(at + 83, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x01\x02", port=port)
    return talk


def _swept(**how: object) -> Talk:
    talk = Talk()
    _sweep(talk, name="park.example", first=500, reach=how.get("reach", 99))  # type: ignore[arg-type]
    return _sweep(talk, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_the_smallest_reach_that_draws_something_names_the_link(tmp_path: Path, kind: str) -> None:
    place, position = _places(_swept(starts=4, kind=kind), tmp_path)[f"{kind}-of-a-request-that-died"]
    assert place == Location(hop=4, link=(3, 4), address="192.0.2.4")
    assert position == "on-path"  # routers behind it still reported the request


@pytest.mark.parametrize("kind", KINDS)
def test_a_sweep_alone_carries_its_mechanism_and_names_the_trigger(tmp_path: Path, kind: str) -> None:
    states = _states(_swept(starts=4, kind=kind), tmp_path)
    assert states["news.example"] == ("blocked", [f"tls.{kind}.sni"])
    assert states["park.example"][0] != "blocked"


def test_who_draws_something_and_stops_the_request_stands_in_the_path(tmp_path: Path) -> None:
    assert _places(_swept(starts=4, passes_on=False), tmp_path)["reset-of-a-request-that-died"][1] == "in-path"


def test_what_begins_where_the_server_begins_says_nothing_about_the_place(tmp_path: Path) -> None:
    assert _places(_swept(starts=5, reach=5), tmp_path) == {}
    assert _places(_swept(starts=4, reach=5), tmp_path) != {}


def test_without_a_control_and_a_report_the_server_may_have_been_reached(tmp_path: Path) -> None:
    talk = Talk()
    for ttl in (3, 4, 5):
        end = talk.limited(3000 * ttl, port=40000 + ttl, ttl=ttl, router=False)
        if ttl >= 4:
            talk.send(3000 * ttl + 47, "s", RST | ACK, seq=1, ack=end, port=40000 + ttl, **FORGED)
    assert _places(talk, tmp_path) == {}


def test_without_a_control_a_report_is_enough_for_the_place(tmp_path: Path) -> None:
    place, _ = _places(_sweep(Talk(), starts=4), tmp_path)["reset-of-a-request-that-died-alone"]
    assert place.link == (3, 4)


def test_a_link_is_as_wide_as_the_sweep_was_coarse(tmp_path: Path) -> None:
    talk = Talk()
    for ttl in (2, 5, 6):
        end = talk.limited(3000 * ttl, port=40000 + ttl, ttl=ttl)
        if ttl >= 5:
            talk.send(3000 * ttl + 47, "s", RST | ACK, seq=1, ack=end, port=40000 + ttl, **FORGED)
    assert _places(talk, tmp_path)["reset-of-a-request-that-died-alone"][0].link == (2, 5)


def test_what_is_drawn_at_any_reach_is_no_place(tmp_path: Path) -> None:
    talk = Talk()
    for ttl in (3, 4, 5):
        end = talk.limited(3000 * ttl, port=40000 + ttl, ttl=ttl)
        talk.send(3000 * ttl + 47, "s", RST | ACK, seq=1, ack=end, port=40000 + ttl, **FORGED)
    assert _places(talk, tmp_path) == {}


def test_a_control_that_draws_it_as_well_is_no_control(tmp_path: Path) -> None:
    talk = _sweep(Talk(), name="park.example", first=500, starts=4)
    assert _places(_sweep(talk, starts=4), tmp_path) == {}


def test_a_server_that_ends_what_the_client_had_left_draws_nothing(tmp_path: Path) -> None:
    talk = Talk()
    _sweep(talk, name="park.example", first=500)
    for ttl in range(1, 7):
        end = talk.limited(3000 * ttl, port=40000 + ttl, ttl=ttl)
        talk.send(3000 * ttl + 1000, "c", RST | ACK, seq=end, ack=1, port=40000 + ttl, ttl=ttl)
        if ttl >= 4:
            talk.send(3000 * ttl + 2000, "s", FIN | ACK, seq=1, ack=1, port=40000 + ttl)
    assert _places(talk, tmp_path) == {}


def test_an_injector_that_copies_the_ttl_is_found_where_it_stands(tmp_path: Path) -> None:
    # Behind two routers: what leaves with TTL t is there with t - 2, and its answer arrives with t - 4.
    talk = Talk()
    _sweep(talk, name="park.example", first=500, upto=9)
    for ttl in range(1, 10):
        end = talk.limited(3000 * ttl, port=40000 + ttl, ttl=ttl)
        if ttl >= 5:
            talk.send(3000 * ttl + 47, "s", RST | ACK, seq=1, ack=end, port=40000 + ttl, **(FORGED | {"ttl": ttl - 4}))
    found = _findings(talk, tmp_path)
    place, _ = _places(talk, tmp_path)["reset-of-a-request-that-died"]
    assert place.link == (2, 3)
    assert "replies-mirror-the-ttl" in {f.clue.id for f in found if isinstance(f, Evidence)}


# Hellos that are dropped.


def _dropped(talk: Talk, *, starts: int, copies: int = 3, control: bool = True, lower: bool = True) -> Talk:
    for ttl in range(1 if lower else starts, 7):
        if control:
            talk.limited(6000 * ttl, port=41000 + ttl, ttl=ttl, name="park.example")
        talk.limited(6000 * ttl + 3000, port=40000 + ttl, ttl=ttl, router=ttl < starts, copies=copies)
    return talk


def test_reports_that_stop_for_one_name_and_go_on_for_another_name_the_link_of_a_drop(tmp_path: Path) -> None:
    place, position = _places(_dropped(Talk(), starts=3), tmp_path)["timeout-before-the-next-router"]
    assert (place, position) == (Location(hop=3, link=(2, 3), address="192.0.2.3"), "in-path")


@pytest.mark.parametrize("how", [{"control": False}, {"lower": False}])
def test_routers_that_are_silent_to_all_or_at_every_distance_are_no_drop(tmp_path: Path, how: dict[str, bool]) -> None:
    assert _places(_dropped(Talk(), starts=3, **how), tmp_path) == {}


def test_one_missing_report_is_a_routers_limit(tmp_path: Path) -> None:
    talk = Talk()
    for ttl in (2, 3):
        talk.limited(6000 * ttl, port=41000 + ttl, ttl=ttl, name="park.example")
        talk.limited(6000 * ttl + 3000, port=40000 + ttl, ttl=ttl, router=ttl < 3, copies=1)
    assert _places(talk, tmp_path) == {}


def test_a_report_from_farther_on_refutes_a_drop(tmp_path: Path) -> None:
    talk = _dropped(Talk(), starts=3)
    talk.limited(50_000, port=40100, ttl=6)
    assert _places(talk, tmp_path) == {}


# Decoys.


def _armed(
    talk: Talk, at: float, *, port: int, ttl: int, hit: str | None = None, reported: bool = True,
    real: str = "park.example", decoy: str = "news.example",
) -> Talk:  # fmt: skip
    talk.handshake(at, port=port)
    talk.send(at + 41, "c", PSH | ACK, seq=1, ack=1, payload=hello(decoy), port=port, ttl=ttl)
    if reported:
        talk.dies(at + 50, f"192.0.2.{ttl}")
    end = 1 + len(hello(real))
    talk.send(at + 42, "c", PSH | ACK, seq=1, ack=1, payload=hello(real), port=port)
    if hit == "reset":
        return talk.send(at + 83, "s", RST | ACK, seq=1, ack=end, port=port)
    if hit == "timeout":
        for i in range(1, 4):
            talk.send(at + 42 + 700 * i, "c", PSH | ACK, seq=1, ack=1, payload=hello(real), port=port)
        return talk
    talk.send(at + 83, "s", ACK, seq=1, ack=end, port=port)
    return talk.send(at + 84, "s", PSH | ACK, seq=1, ack=end, payload=b"\x16\x03\x03\0\x40" + bytes(64), port=port)


def _armed_sweep(kind: str, *, starts: int = 3, reported: bool = True) -> Talk:
    talk = Talk().works(0, port=42000)
    for ttl in range(1, 6):
        hit = kind if ttl >= starts else None
        _armed(talk, 4000 * ttl, port=40000 + ttl, ttl=ttl, hit=hit, reported=reported)
    return talk


@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_the_smallest_reach_of_a_decoy_that_does_harm_names_the_link(tmp_path: Path, kind: str) -> None:
    place, position = _places(_armed_sweep(kind), tmp_path)[f"{kind}-behind-a-decoy"]
    assert place == Location(hop=3, link=(2, 3), address="192.0.2.3")
    assert position == "in-path"


@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_harm_behind_a_decoy_speaks_of_its_name_and_not_of_the_innocent_one(tmp_path: Path, kind: str) -> None:
    states = _states(_armed_sweep(kind), tmp_path)
    assert states["news.example"][0] == ("blocked" if kind == "reset" else "insufficient")  # silence may be loss
    assert states["park.example"][0] != "blocked"


def test_a_decoy_that_may_have_reached_the_server_proves_nothing(tmp_path: Path) -> None:
    talk = _armed_sweep("reset", reported=False)
    assert _places(talk, tmp_path) == {}
    assert "news.example" not in _states(talk, tmp_path)  # nor did the decoy's name pass


def test_harm_at_every_reach_is_harm_of_another_kind(tmp_path: Path) -> None:
    talk = Talk()
    for ttl in range(2, 6):
        _armed(talk, 4000 * ttl, port=40000 + ttl, ttl=ttl, hit="reset")
    assert _places(talk, tmp_path) == {}


def test_routers_and_what_they_saw_are_told_beside_the_verdict(tmp_path: Path) -> None:
    talk = _swept(starts=4)
    talk.limited(90_000, port=40090, ttl=2, router=False)
    talk.dies(90_060, "192.0.2.202", change={1: 0x28})  # another path, and another traffic class
    said = [f.says for f in _findings(talk, tmp_path) if isinstance(f, Evidence) and not f.clue.given]
    assert any("2: 192.0.2.2 or 192.0.2.202" in words for words in said)
    assert any("192.0.2.202 saw the request with another traffic class" in words for words in said)
