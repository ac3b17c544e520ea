"""The services of `fingerprint.lab.services` and HTTP/3 on the hosts of a simulated path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from fingerprint.lab import services
from fingerprint.lab.packet import UDP, Packet
from fingerprint.lab.simulated import certificate
from fingerprint.lab.simulated.host import Host
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.tcp import Connection

if TYPE_CHECKING:
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection


class Talker(App):
    """One TCP connection to one of the services."""

    def __init__(self, port: int) -> None:
        self._port, self._answered = port, False

    def opened(self, connection: Connection) -> None:
        """Greet."""
        if words := services.greeting(self._port):
            connection.send(words)

    def received(self, connection: Connection, data: bytes) -> None:
        """Answer the first words; what follows is only read."""
        if self._answered:
            return
        self._answered = True
        answer = services.reply(self._port, data)
        if answer is None:
            connection.close()
        elif answer:
            connection.send(answer)


def serve(host: Host) -> None:
    """All of them."""
    for port in services.TCP_PORTS:
        host.listening[port] = lambda p=port: Talker(p)  # type: ignore[misc]
    for port in services.UDP_PORTS:
        host.datagrams[port] = _answering(host, port)


def _answering(host: Host, port: int) -> Callable[[Packet], None]:
    def take(packet: Packet) -> None:
        answer = services.datagram(port, packet.payload, (packet.source, packet.sport))
        if answer is not None:
            host.datagram(back(packet, answer))

    return take


def back(packet: Packet, payload: bytes) -> Packet:
    """A datagram to where this one came from."""
    return Packet(
        source=packet.destination, destination=packet.source, protocol=UDP, sport=packet.dport, dport=packet.sport,
        payload=payload,
    )  # fmt: skip


class QuicServer:
    """QUIC on one UDP port: aioquic's connections, fed by hand. Unknown versions get a Version Negotiation."""

    def __init__(self, host: Host) -> None:
        from aioquic.quic.configuration import QuicConfiguration

        self._host = host
        self._configuration: QuicConfiguration = QuicConfiguration(is_client=False, alpn_protocols=["h3", "doq"])
        with TemporaryDirectory() as folder:
            file = Path(folder) / "lab.pem"
            file.write_bytes(certificate.pem())
            self._configuration.load_cert_chain(file, file)
        self._known: dict[tuple[str, int], QuicConnection] = {}

    def __call__(self, packet: Packet) -> None:
        """One datagram of some client."""
        from aioquic.buffer import Buffer  # type: ignore[attr-defined]
        from aioquic.quic.connection import QuicConnection
        from aioquic.quic.packet import QuicPacketType, encode_quic_version_negotiation, pull_quic_header

        peer = (packet.source, packet.sport)
        connection = self._known.get(peer)
        if connection is None:
            try:
                header = pull_quic_header(Buffer(data=packet.payload), host_cid_length=8)
            except ValueError:
                return
            if header.version is not None and header.version not in self._configuration.supported_versions:
                told = encode_quic_version_negotiation(
                    source_cid=header.destination_cid,
                    destination_cid=header.source_cid,
                    supported_versions=list(self._configuration.supported_versions),
                )
                self._host.datagram(back(packet, told))
                return
            if header.packet_type != QuicPacketType.INITIAL or len(packet.payload) < 1200:
                return
            connection = QuicConnection(
                configuration=self._configuration, original_destination_connection_id=header.destination_cid
            )
            self._known[peer] = connection
        connection.receive_datagram(packet.payload, peer, now=self._host.network.clock.now_s)
        self._say(connection, packet)

    def _say(self, connection: QuicConnection, packet: Packet) -> None:
        while connection.next_event() is not None:
            pass
        clock = self._host.network.clock
        for datagram, _ in connection.datagrams_to_send(now=clock.now_s):
            self._host.datagram(back(packet, datagram))
        due_s = connection.get_timer()
        if due_s is not None:
            clock.at(max(0.0, due_s - clock.now_s), lambda: self._timer(connection, packet, due_s))

    def _timer(self, connection: QuicConnection, packet: Packet, due_s: float) -> None:
        """What was not acknowledged is said again, until the connection ends of itself."""
        if connection.get_timer() == due_s:
            connection.handle_timer(now=self._host.network.clock.now_s)
            self._say(connection, packet)
