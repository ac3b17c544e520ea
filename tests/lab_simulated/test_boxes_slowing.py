"""Policer, shaper, freeze and cross traffic, fed with packets at given times."""

import pytest

from fingerprint.lab.boxes.slowing import CrossTraffic, Freeze, Policer, Shaper, wire_bytes
from fingerprint.lab.censor import Delay, Drop, Pass
from fingerprint.lab.packet import ACK, SYN
from tests.lab_simulated.talking import DOWN, UP, down, hello, shake, up


def feed(box, *, seconds, every_s, sport=40000, began_s=0.0, direction=DOWN, size=1000):
    """(time, action) of equal packets; those of one flow whose hello was seen."""
    out = []
    for n in range(round(seconds / every_s)):
        at_s = began_s + n * every_s
        packet = (down if direction is DOWN else up)(bytes(size), sport=sport, at_s=at_s)
        out.append((at_s, box.inspect(packet, direction)))
    return out


def marked(box, name="forum.test", sport=40000):
    shake(box, sport=sport)
    box.inspect(up(hello(name), sport=sport), UP)
    return box


def passed_bps(fed, seconds):
    return sum(a == Pass() for _, a in fed) * wire_bytes(down(bytes(1000))) * 8 / seconds


@pytest.mark.parametrize("direction", [DOWN, UP])
def test_a_policer_lets_its_rate_pass_and_drops_the_rest(direction):
    fed = feed(marked(Policer(rate_bps=140_000, burst_bytes=17_500)), seconds=30, every_s=0.005, direction=direction)
    assert passed_bps(fed, 30) == pytest.approx(140_000, rel=0.15)
    assert {type(a) for _, a in fed} == {Pass, Drop}
    burst = next(n for n, (_, a) in enumerate(fed) if a == Drop())
    assert 15 <= burst <= 19, "a full bucket first"


def test_a_policer_of_downloads_leaves_uploads_alone():
    box = marked(Policer(rate_bps=10_000, burst_bytes=3_000, both_ways=False))
    assert {a for _, a in feed(box, seconds=1, every_s=0.005, direction=UP)} == {Pass()}


def test_only_flows_that_named_it_are_slowed_each_by_itself():
    box = marked(Policer(rate_bps=10_000, burst_bytes=3_000))
    marked(box, "herbs.test", sport=41000)
    marked(box, sport=42000)
    assert {a for _, a in feed(box, seconds=1, every_s=0.005, sport=41000)} == {Pass()}
    first = feed(box, seconds=1, every_s=0.005)
    assert feed(box, seconds=1, every_s=0.005, sport=42000) == first


def test_a_shaper_delays_and_keeps_its_rate():
    fed = feed(marked(Shaper(rate_bps=400_000, queue_bytes=48_000)), seconds=20, every_s=0.01)
    delays = [a.seconds for _, a in fed if isinstance(a, Delay)]
    assert {type(a) for _, a in fed} == {Delay, Drop}
    leaves = [at_s + a.seconds for at_s, a in fed if isinstance(a, Delay)]
    assert leaves == sorted(leaves)
    assert len(leaves) * wire_bytes(down(bytes(1000))) * 8 / leaves[-1] == pytest.approx(400_000, rel=0.05)
    assert max(delays) == pytest.approx(48_000 * 8 / 400_000, rel=0.1), "a full queue"


def test_a_freeze_passes_its_cap_and_then_nothing_either_way():
    box = marked(Freeze(cap_bytes=16_384))
    fed = feed(box, seconds=1, every_s=0.01)
    passed = [a for _, a in fed].count(Pass())
    assert 15_000 <= passed * 1000 <= 20_000
    assert {a for _, a in fed[passed:]} == {Drop()}
    assert box.inspect(up(flags=ACK, at_s=2.0), UP) == Drop()
    assert box.inspect(up(flags=SYN, at_s=3.0), UP) == Pass(), "the port is used anew"


def test_cross_traffic_delays_every_name_alike():
    box = CrossTraffic()
    seen = {"forum.test": [], "herbs.test": []}
    for n in range(2000):
        for flow, (name, delays) in enumerate(seen.items()):
            if n == 0:
                marked(box, name, sport=40000 + flow)
            action = box.inspect(down(bytes(1000), sport=40000 + flow, at_s=n * 0.004 + flow * 0.002), DOWN)
            delays.append(action.seconds if isinstance(action, Delay) else None)
    lost = [d.count(None) for d in seen.values()]
    mean = [sum(x for x in d if x) / len(d) for d in seen.values()]
    assert mean[0] == pytest.approx(mean[1], rel=0.1)
    assert lost[0] == pytest.approx(lost[1], rel=0.25, abs=10)
    assert mean[0] > 0.005
