"""HTTP/3 servers, and what listens for DNS over QUIC: aioquic with one page for everybody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import QuicServer
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent

from fingerprint.lab.services import page

_PAGE = page("all names")


class Page(QuicConnectionProtocol):
    """One connection."""

    _http: H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        """Answer each request with the page."""
        if isinstance(event, ProtocolNegotiated):
            self._http = H3Connection(self._quic)
        if self._http is not None:
            for said in self._http.handle_event(event):
                self._answer(said)

    def _answer(self, said: H3Event) -> None:
        if isinstance(said, HeadersReceived) and self._http is not None:
            head = [(b":status", b"200"), (b"content-type", b"text/html")]
            self._http.send_headers(said.stream_id, head)
            self._http.send_data(said.stream_id, _PAGE, end_stream=True)
            self.transmit()


async def serve(socks: Iterable[socket.socket], certificate: str, key: str) -> None:
    """On each of these UDP sockets."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=[*H3_ALPN, "doq"])
    configuration.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()
    for sock in socks:
        await loop.create_datagram_endpoint(
            lambda: QuicServer(configuration=configuration, create_protocol=Page), sock=sock
        )
