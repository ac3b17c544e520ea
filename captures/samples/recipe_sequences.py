"""Connections that end early, each made twice: by a device in the path, and by an innocent client.

One connection per capture, two where silence needs a witness. `tampered` writes both ends' views of the same
connection; `innocent` writes the server's view of a client that ends the same way by itself. Resets are pairs of flags
and the offset of the number in the acknowledgement field from the right one; None leaves that of a bare RST at zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

# Boxes and programs share one signature each, whether they need all of it or not.
from captures.samples.recipe import Forge, Scene, TlsClient, key_of
from captures.samples.recipe_boxes import Key
from captures.samples.recipe_network import Line
from captures.samples.recipe_packets import Packet
from captures.samples.recipe_tcp import Connection

ADDRESS, RTT_S, HOPS = "151.101.193.140", 0.080, 9
Resets = tuple[tuple[str, int | None], ...]


class Cut(Forge):
    """In-path: lets a connection come to a stage, sends resets to both ends, and drops all that follows.

    Stages: syn (the SYN was sent), ack (the handshake's ACK), psh (the first data), data (the second).
    """

    def __init__(self, stage: str, resets: Resets, *, ttl_hops: int = 119) -> None:
        segments = [(flags, {} if offset is None else {"ack_offset": offset}) for flags, offset in resets]
        super().__init__(lambda _: False, *segments, to_server=True, ttl_hops=ttl_hops)
        self.segments = tuple(segments)
        self.stage = stage
        self.sent: dict[Key, list[int]] = {}
        self.cut: set[Key] = set()

    def see(self, packet: Packet, line: Line, *, outbound: bool) -> Iterable[Packet]:
        """Pass until the stage is reached; the packet that reaches it passes too."""
        key = key_of(packet, outbound=outbound)
        if key in self.cut:
            return ()
        if outbound and self._reached(packet, key):
            self.cut.add(key)
            self.fire(packet, line)
        return (packet,)

    def _reached(self, packet: Packet, key: Key) -> bool:
        if self.stage == "syn":
            return packet.flags == "S"
        if self.stage == "ack":
            return packet.flags == "A"
        seen = self.sent.setdefault(key, [])
        if packet.payload and packet.seq not in seen:
            seen.append(packet.seq)
        return len(seen) == (1 if self.stage == "psh" else 2)


def tampered(folder: Path, *, seed: int, stage: str, resets: Resets) -> None:
    """Write client.pcapng and server.pcapng: a visit to chatter.test that a device on router 4 ends at a stage."""
    scene = Scene(seed)
    web = scene.site(ADDRESS, rtt_s=RTT_S, hops=HOPS)
    scene.box(4, Cut(stage, resets))
    # A client that waits before it speaks lets the reset come first where the handshake is the last thing seen.
    scene.visit(web, "chatter.test", at_s=1, page_bytes=4_000, hello_after_s=0.5 if stage == "ack" else 0.0)
    if stage == "ack" and not resets:
        # The same again later: only another packet shows that the recording went on while the first kept silent.
        scene.visit(web, "chatter.test", at_s=12, page_bytes=4_000, hello_after_s=0.5)
    scene.record(folder / "client.pcapng", until_s=20)
    scene.record(folder / "server.pcapng", until_s=20, tap="server")


class Leaves(TlsClient):
    """Resets the connection by itself when a stage is reached, with its own headers."""

    def __init__(self, stage: str, resets: Resets) -> None:
        super().__init__(
            "library.test", page_bytes=4_000, done=self._page, hello_after_s=9 if stage == "ack" else 0.0, linger_s=1
        )
        self.stage, self.resets = stage, resets
        self.mine: Connection | None = None

    def opened(self, connection: Connection) -> None:
        """Handshake or hello, then goodbye."""
        super().opened(connection)
        self.mine = connection
        if self.stage in ("ack", "psh"):
            connection.net.at(0.010, lambda: _leave(connection, self.resets))

    def _page(self) -> None:
        if self.stage == "data" and self.mine is not None:
            connection = self.mine
            connection.net.at(0.010, lambda: _leave(connection, self.resets))


def _leave(connection: Connection, resets: Resets) -> None:
    right = connection.peer_first + connection.got
    for flags, offset in resets:
        ack = right if "A" in flags else 0 if offset is None else right + offset
        connection._emit(flags, connection.nxt, window=0, options=(), ack=ack)  # noqa: SLF001 - a rude client
    connection.forget()


def innocent(folder: Path, *, seed: int, stage: str, resets: Resets) -> None:
    """Write benign.pcapng: a client that ends the same way by itself, seen from the server."""
    scene = Scene(seed)
    # The server thinks longer than a round trip, so that a client's goodbye finds nothing on its way.
    web = scene.site(
        ADDRESS, rtt_s=RTT_S, hops=HOPS, think_s=0.3 if stage == "psh" else 0.0, pages={"library.test": 4_000}
    )
    if not resets:
        # The client's own radio goes silent.
        scene.box(1, Cut(stage, ()))
        for at_s in (1, 12) if stage == "ack" else (1,):
            scene.visit(web, "library.test", at_s=at_s, hello_after_s=30 if stage == "ack" else 0.0)
    elif stage == "syn":
        _probe(scene, resets)
    else:
        scene.open(web, Leaves(stage, resets), at_s=1)
    scene.record(folder / "benign.pcapng", until_s=20, tap="server")


def _probe(scene: Scene, resets: Resets) -> None:
    """A scanner or health check: a SYN, and resets in answer to the SYN-ACK."""
    port, first = scene.port(), scene.net.rng.getrandbits(32)
    syn = Packet(
        source=scene.net.client,
        destination=ADDRESS,
        ip_id=54321,
        df=False,
        source_port=port,
        destination_port=443,
        seq=first,
        flags="S",
        window=65535,
        options=(("MSS", 1460),),
    )

    def answered(p: Packet) -> None:
        for flags, _ in resets if p.flags == "SA" else ():
            ack = p.seq + 1 if "A" in flags else 0
            scene.net.send(replace(syn, flags=flags, seq=first + 1, ack=ack, window=0, options=()))

    scene.net.receivers[scene.net.client] = answered
    scene.net.when(1, lambda: scene.net.send(syn))
