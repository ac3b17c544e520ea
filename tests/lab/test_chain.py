"""What boxes in a row do to packets, without any wire."""

from __future__ import annotations

import pytest

from fingerprint.lab.censor import Action, Delay, Direction, Drop, Inject, Pass, Rewrite
from fingerprint.lab.chain import Chain
from fingerprint.lab.packet import RST, SYN, Packet

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT
SYN_PACKET = Packet(source="81.17.24.10", destination="45.83.220.10", sport=40000, dport=443, flags=SYN, time_s=5.0)
RESET = Packet(source="45.83.220.10", destination="81.17.24.10", sport=443, dport=40000, flags=RST)


class Saying:
    """Answers every packet with one action, and remembers what it saw."""

    def __init__(self, action: Action) -> None:
        self.action = action
        self.seen: list[tuple[Packet, Direction]] = []

    def inspect(self, packet: Packet, direction: Direction) -> Action:
        self.seen.append((packet, direction))
        return self.action


def left(chain: Chain, direction: Direction = TO_SERVER) -> list[tuple[Packet, Direction, float, int | None]]:
    return [(o.packet, o.direction, o.after_s, o.box) for o in chain.arrive(SYN_PACKET, direction, b"as it came")]


def test_without_boxes_a_packet_goes_on_as_the_bytes_it_came_with():
    (onward,) = Chain(()).arrive(SYN_PACKET, TO_CLIENT, b"as it came")
    assert (onward.wire_bytes, onward.direction, onward.box) == (b"as it came", TO_CLIENT, None)


@pytest.mark.parametrize(("direction", "order"), [(TO_SERVER, [0, 1, 2]), (TO_CLIENT, [2, 1, 0])])
def test_boxes_are_met_in_the_order_in_which_they_stand(direction, order):
    met = []

    class Numbered:
        def __init__(self, number: int) -> None:
            self.number = number

        def inspect(self, packet: Packet, direction: Direction) -> Action:
            met.append(self.number)
            return Pass()

    Chain([Numbered(n) for n in range(3)]).arrive(SYN_PACKET, direction)
    assert met == order


def test_a_dropped_packet_is_not_seen_further_on():
    behind = Saying(Pass())
    assert left(Chain([Saying(Drop()), behind])) == []
    assert behind.seen == []


def test_a_sniffer_cannot_drop_rewrite_or_hold_back():
    for action in (Drop(), Rewrite(RESET), Delay(1.0)):
        assert left(Chain([Saying(action)], on_path=True)) == [(SYN_PACKET, TO_SERVER, 0.0, None)]
        (onward,) = Chain([Saying(action)], on_path=True).arrive(SYN_PACKET, TO_SERVER, b"as it came")
        assert onward.raw == b"as it came"


def test_a_sniffer_injects_and_the_packet_goes_on_before_what_was_injected():
    sniffer = Chain([Saying(Inject(((RESET, TO_CLIENT),), drop=True, after_s=0.002))], on_path=True)
    assert left(sniffer) == [(SYN_PACKET, TO_SERVER, 0.0, None), (RESET, TO_CLIENT, 0.002, None)]


def test_in_path_an_injection_may_drop():
    assert left(Chain([Saying(Inject(((RESET, TO_CLIENT),), drop=True))])) == [(RESET, TO_CLIENT, 0.0, None)]


def test_a_rewritten_packet_is_seen_as_such_further_on_and_its_bytes_are_made_anew():
    other = SYN_PACKET.with_(ttl=9, time_s=0.0)
    behind = Saying(Pass())
    (onward,) = Chain([Saying(Rewrite(other)), behind]).arrive(SYN_PACKET, TO_SERVER, b"as it came")
    assert behind.seen == [(other, TO_SERVER)]
    assert behind.seen[0][0].time_s == 5.0
    assert onward.wire_bytes == other.to_bytes()


def test_an_injected_packet_meets_the_boxes_further_along_its_own_way_and_not_its_maker():
    near, maker, far = Saying(Pass()), Saying(Inject(((RESET, TO_CLIENT),))), Saying(Pass())
    Chain([near, maker, far]).arrive(SYN_PACKET, TO_SERVER)
    assert near.seen == [(SYN_PACKET, TO_SERVER), (RESET, TO_CLIENT)]
    assert maker.seen == far.seen == [(SYN_PACKET, TO_SERVER)]


def test_an_injected_packet_can_be_dropped_on_its_way():
    class DropsResets:
        def inspect(self, packet: Packet, direction: Direction) -> Action:
            return Drop() if packet.flags & RST else Pass()

    chain = Chain([DropsResets(), Saying(Inject(((RESET, TO_CLIENT),)))])
    assert left(chain) == [(SYN_PACKET, TO_SERVER, 0.0, None)]


def test_a_delayed_packet_meets_the_next_box_when_its_wait_is_over():
    behind = Saying(Pass())
    chain = Chain([Saying(Delay(0.5)), behind])
    (held,) = chain.arrive(SYN_PACKET, TO_SERVER, b"as it came")
    assert (held.after_s, held.box, behind.seen) == (0.5, 1, [])
    (onward,) = chain.resume(held, 5.5)
    assert behind.seen[0][0].time_s == 5.5
    assert (onward.box, onward.after_s, onward.wire_bytes) == (None, 0.0, b"as it came")


def test_an_injection_that_waits_meets_the_next_box_only_then():
    near = Saying(Pass())
    chain = Chain([near, Saying(Inject(((RESET, TO_CLIENT),), after_s=0.25))])
    _, held = chain.arrive(SYN_PACKET, TO_SERVER)
    assert (held.after_s, held.box) == (0.25, 0)
    assert near.seen == [(SYN_PACKET, TO_SERVER)]
    (onward,) = chain.resume(held, 5.25)
    assert near.seen[-1] == (RESET, TO_CLIENT)
    assert onward.direction is TO_CLIENT
