"""The way between the client and everybody else: routers, delays, and one link with conditions and boxes.

    client – router 1 – … – router `at` ═ boxes, conditions ═ router `at + 1` – … – router n – servers
                 └ resolver of the provider

Routers are counted, not built: a packet's TTL tells before which of them it dies.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from fingerprint.lab.boxes.slowing import Queue, wire_bytes
from fingerprint.lab.censor import Direction
from fingerprint.lab.chain import Chain, Onward
from fingerprint.lab.packet import Packet
from fingerprint.lab.simulated import icmp
from fingerprint.lab.simulated.clock import Clock
from fingerprint.lab.world import WORLD, Path, World, router

Receiver = Callable[[Packet], None]


class Network:
    """Carries packets, and shows the client's interface to ``tap``."""

    def __init__(self, path: Path, chain: Chain, *, seed: int = 0, world: World = WORLD) -> None:
        self.clock = Clock(world.begins_ns)
        self.path, self.chain, self.world = path, chain, world
        self.random = Random(f"way:{path.seed}:{seed}")  # noqa: S311  # loss and order, no secret
        self.receivers: dict[str, Receiver] = {}
        self.tap: Callable[[Packet], None] = lambda _: None
        self._router_ids = Random(f"routers:{seed}").randrange(1 << 16)  # noqa: S311  # header fields
        self._queues = {
            d: Queue(path.rate_bps, path.queue_bytes) if path.rate_bps else None
            for d in (Direction.TO_SERVER, Direction.TO_CLIENT)
        }

    def send(self, packet: Packet) -> None:
        """From whoever ``packet.source`` says, at once."""
        if packet.source in self.world.client:
            self.tap(packet)
            self._from_client(packet)
        elif packet.source in self.world.resolver:
            self._later(self._hop_s, lambda: self._arrive_at_client(packet, hops=1))
        else:
            self._from_far(packet)

    @property
    def _hop_s(self) -> float:
        return self.path.before_s / max(self.path.at, 1)

    def _later(self, delay_s: float, event: Callable[[], None]) -> None:
        self.clock.at(delay_s, event)

    def _from_client(self, packet: Packet) -> None:
        if packet.destination in self.world.resolver:
            self._pass(packet, 1, 1, self._hop_s, self._deliver)
        else:
            at = self.path.at
            self._pass(packet, 1, at, self.path.before_s, lambda p: self._onto_link(p, Direction.TO_SERVER))

    def _from_far(self, packet: Packet) -> None:
        behind = self.path.hops - self.path.at
        if packet.ttl > behind:
            onto = packet.with_(ttl=packet.ttl - behind)
            self._later(self.path.behind_s, lambda: self._onto_link(onto, Direction.TO_CLIENT))

    def _pass(self, packet: Packet, first: int, last: int, delay_s: float, then: Callable[[Packet], None]) -> None:
        """Past the routers ``first`` to ``last``, away from the client, in so many seconds for all of them."""
        routers = last - first + 1
        if packet.ttl > routers:
            onward = packet.with_(ttl=packet.ttl - routers)
            self._later(delay_s, lambda: then(onward))
            return
        dies_at = first + packet.ttl - 1
        share_s = delay_s * packet.ttl / routers
        self._later(share_s, lambda: self._expired(packet.with_(ttl=1), dies_at, share_s))

    def _expired(self, packet: Packet, number: int, share_s: float) -> None:
        """Router ``number`` tells the client; what it says passes the link if the router stands behind it."""
        self._router_ids = (self._router_ids + 1) & 0xFFFF
        source = router(number)[packet.version == 6]
        told = icmp.message("expired", packet, source=source, ip_id=self._router_ids)
        if number <= self.path.at:
            self._later(share_s, lambda: self._arrive_at_client(told, hops=number - 1))
        else:
            onto = told.with_(ttl=told.ttl - (number - self.path.at - 1))
            self._later(share_s, lambda: self._onto_link(onto, Direction.TO_CLIENT))

    def _onto_link(self, packet: Packet, direction: Direction) -> None:
        now_s = self.clock.now_s
        for onward in self.chain.arrive(packet.with_(time_s=now_s), direction):
            self._onward(onward)

    def _onward(self, onward: Onward) -> None:
        if onward.after_s > 0:
            waited = Onward(packet=onward.packet, direction=onward.direction, box=onward.box)
            self._later(onward.after_s, lambda: self._onward(waited))
        elif onward.box is not None:
            for further in self.chain.resume(onward, self.clock.now_s):
                self._onward(further)
        else:
            self._conditions(onward.packet, onward.direction)

    def _conditions(self, packet: Packet, direction: Direction) -> None:
        path, wait_s = self.path, 0.0
        if path.loss_ratio and self.random.random() < path.loss_ratio:
            return
        queue = self._queues[direction]
        if queue is not None:
            through_s = queue.take(wire_bytes(packet), self.clock.now_s)
            if through_s is None:
                return
            wait_s = through_s
        if path.reorder_ratio and self.random.random() < path.reorder_ratio:
            wait_s += path.reorder_s
        if direction is Direction.TO_CLIENT:
            self._later(wait_s + path.before_s, lambda: self._arrive_at_client(packet, hops=path.at))
            return
        self._later(wait_s, lambda: self._pass(packet, path.at + 1, path.hops, path.behind_s, self._deliver))

    def _arrive_at_client(self, packet: Packet, *, hops: int) -> None:
        if packet.ttl <= hops or packet.destination not in self.world.client:
            return
        arrived = packet.with_(ttl=packet.ttl - hops)
        self.tap(arrived)
        self._deliver(arrived)

    def _deliver(self, packet: Packet) -> None:
        receiver = self.receivers.get(packet.destination)
        if receiver is not None:
            receiver(packet)
