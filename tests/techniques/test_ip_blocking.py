"""Addresses that do not answer: where their SYNs end is what convicts, and nothing less."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from captures.reading import read
from captures.samples.recipe import Drop, Forge, Lose, Scene
from captures.samples.recipe_addresses import HOST, NETWORK, PORT, PROHIBITED, Refuse, sweep
from fingerprint.capture import Capture
from fingerprint.technique import Evidence, Inconclusive
from fingerprint.verdict.judge import judge
from techniques.ip_blocking import DIES_AT_THE_FAR_SIDE, UNREACHABLE_ON_THE_WAY, IpBlocking

LOST, BESIDE, FELLOW, ELSEWHERE = "151.101.66.10", "151.101.66.20", "151.101.67.30", "146.75.34.40"
HOPS = 9


def judged(scene: Scene, folder: Path, *, until_s: float) -> tuple[str, list[str], set[str], list[str]]:
    """State of the lost address, its mechanisms, clue ids, and why things stayed open."""
    scene.record(folder / "talk.pcapng", until_s=until_s)
    capture = Capture(recordings=(read(folder / "talk.pcapng"),))
    found = list(IpBlocking().analyse(capture))
    said = {v.target: v for v in judge(capture, [("ip-blocking", f) for f in found])}
    mine = said[LOST]
    clues = {f.clue.id for f in found if isinstance(f, Evidence)}
    open_ = [f.why for f in found if isinstance(f, Inconclusive)]
    return mine.state, [m.node for m in mine.mechanisms], clues, open_


def scene_of(*others: str, seed: int = 7, rtt_s: float = 0.08) -> Scene:
    scene = Scene(seed)
    for address in (LOST, *others):
        scene.site(address, rtt_s=rtt_s, hops=HOPS)
    return scene


def tried(scene: Scene, *others: str, ports: tuple[int, ...] = (443, 80)) -> None:
    for i, address in enumerate(others):
        scene.visit(address, "weather.test", at_s=1 + i / 4, page_bytes=2_000)
        scene.visit(address, "weather.test", at_s=12 + i / 4, page_bytes=2_000)
    if 443 in ports:
        scene.visit(LOST, "chatter.test", at_s=2)
    if 80 in ports:
        scene.fetch(LOST, "chatter.test", at_s=3)


def lost(p: object) -> bool:
    return p.destination == LOST  # type: ignore[attr-defined]


@pytest.mark.parametrize("hop", [2, 4, 6])
@pytest.mark.parametrize("beside", [BESIDE, FELLOW])
def test_an_address_that_ends_before_its_neighbours_is_dropped(tmp_path: Path, hop: int, beside: str) -> None:
    scene = scene_of(beside)
    scene.box(hop, Drop(lost))
    tried(scene, beside)
    end_s = sweep(scene, (beside, 443), (LOST, 443), hops=HOPS + 1, from_s=14)
    assert judged(scene, tmp_path, until_s=end_s + 4)[:2] == ("blocked", ["ip.drop"])


@pytest.mark.parametrize("hop", [8, 9])
def test_an_address_that_ends_where_its_network_begins_may_be_off(tmp_path: Path, hop: int) -> None:
    scene = scene_of(BESIDE)
    scene.box(hop, Drop(lost))
    tried(scene, BESIDE)
    end_s = sweep(scene, (BESIDE, 443), (LOST, 443), hops=HOPS + 1, from_s=14, copies=2)
    state, _, clues, _ = judged(scene, tmp_path, until_s=end_s + 4)
    assert state != "blocked"
    assert hop == 8 or DIES_AT_THE_FAR_SIDE.id in clues


def test_an_address_that_ends_at_the_first_router_may_be_filtered_at_home(tmp_path: Path) -> None:
    scene = scene_of(BESIDE)
    scene.box(1, Drop(lost))
    tried(scene, BESIDE)
    end_s = sweep(scene, (BESIDE, 443), (LOST, 443), hops=HOPS + 1, from_s=14)
    assert judged(scene, tmp_path, until_s=end_s + 4)[0] != "blocked"


def test_strangers_that_pass_convict_nobody(tmp_path: Path) -> None:
    scene = scene_of(ELSEWHERE)
    scene.box(3, Drop(lost))
    tried(scene, ELSEWHERE)
    end_s = sweep(scene, (ELSEWHERE, 443), (LOST, 443), hops=HOPS + 1, from_s=14)
    assert judged(scene, tmp_path, until_s=end_s + 4)[0] != "blocked"


def test_without_a_sweep_a_silent_address_stays_open(tmp_path: Path) -> None:
    scene = scene_of(BESIDE)
    scene.box(4, Drop(lost))
    tried(scene, BESIDE)
    state, _, _, why = judged(scene, tmp_path, until_s=20)
    assert state == "insufficient"
    assert "alike from here" in why[0]


def test_where_nothing_else_answers_the_line_may_be_down(tmp_path: Path) -> None:
    scene = scene_of(BESIDE)
    scene.box(2, Lose(1.0))
    tried(scene, BESIDE)
    state, _, clues, why = judged(scene, tmp_path, until_s=20)
    assert (state, clues) == ("insufficient", set())
    assert "line may be down" in why[0]


def test_a_single_lost_syn_is_no_silence(tmp_path: Path) -> None:
    scene = scene_of(BESIDE)
    scene.box(4, Drop(lost))
    tried(scene, BESIDE, ports=(443,))
    _, _, clues, why = judged(scene, tmp_path, until_s=2.9)
    assert clues == set()
    assert "1 unanswered SYNs, want 3" in why[0]


def test_routers_that_report_nothing_make_no_place(tmp_path: Path) -> None:
    scene = scene_of(BESIDE)
    scene.box(4, Drop(lost))
    scene.box(2, Drop(lambda p: p.protocol == "icmp", outbound=False))
    tried(scene, BESIDE)
    end_s = sweep(scene, (BESIDE, 443), (LOST, 443), hops=HOPS + 1, from_s=14)
    assert judged(scene, tmp_path, until_s=end_s + 4)[0] != "blocked"


def test_a_port_that_ends_where_another_goes_on_is_dropped_on_the_way(tmp_path: Path) -> None:
    scene = scene_of(ELSEWHERE)
    scene.box(5, Drop(lambda p: lost(p) and p.destination_port == 443))
    tried(scene, ELSEWHERE)
    end_s = sweep(scene, (LOST, 80), (LOST, 443), hops=HOPS + 1, from_s=14)
    assert judged(scene, tmp_path, until_s=end_s + 4)[:2] == ("blocked", ["tcp.timeout.port"])


def _refusal(code: int, hop: int, *, after_s: float = 0.0, ttl_hops: int = 255) -> Callable[[Path], tuple[object, ...]]:
    def run(folder: Path) -> tuple[object, ...]:
        scene = scene_of(BESIDE)
        scene.box(hop, Refuse(lost, code=code, sender=f"62.115.{hop}.1", after_s=after_s, ttl_hops=ttl_hops))
        tried(scene, BESIDE)
        return judged(scene, folder, until_s=20)

    return run


@pytest.mark.parametrize("code", [PROHIBITED, PORT])
def test_what_is_refused_sooner_than_its_neighbour_answers_is_refused_on_the_way(tmp_path: Path, code: int) -> None:
    assert _refusal(code, 4)(tmp_path)[:2] == ("blocked", ["ip.unreachable"])


@pytest.mark.parametrize("code", [NETWORK, HOST])
def test_a_router_without_a_route_is_no_censor(tmp_path: Path, code: int) -> None:
    state, _, clues, _ = _refusal(code, 4)(tmp_path)
    assert state != "blocked"
    assert clues == {UNREACHABLE_ON_THE_WAY.id}  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("code", [PROHIBITED, PORT, HOST])
def test_the_far_side_may_refuse_what_it_likes(tmp_path: Path, code: int) -> None:
    assert _refusal(code, HOPS)(tmp_path)[0] != "blocked"


def test_the_first_router_is_somebodys_own(tmp_path: Path) -> None:
    assert _refusal(PROHIBITED, 1)(tmp_path)[0] != "blocked"


def test_a_reset_of_a_syn_that_died_names_a_link(tmp_path: Path) -> None:
    scene = scene_of()
    requests = lambda p: p.flags == "S" and lost(p) and p.destination_port == 443  # noqa: E731
    scene.box(3, Forge(requests, ("RA", {}), ttl_hops=190))
    tried(scene)
    end_s = sweep(scene, (LOST, 80), (LOST, 443), hops=HOPS + 1, from_s=14)
    scene.record(tmp_path / "talk.pcapng", until_s=end_s + 4)
    capture = Capture(recordings=(read(tmp_path / "talk.pcapng"),))
    (placed,) = [
        f for f in IpBlocking().analyse(capture) if isinstance(f, Evidence) and f.clue.id == "reset-of-a-syn-that-died"
    ]
    assert placed.facets.location is not None
    assert (placed.facets.location.hop, placed.facets.position) == (4, "on-path")
    assert placed.forged
