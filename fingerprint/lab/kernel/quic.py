"""HTTP/3 servers on port 443, and what listens for DNS over QUIC: aioquic with one page for everybody.

python -m fingerprint.lab.kernel.quic CERTIFICATE KEY
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ProtocolNegotiated, QuicEvent

from fingerprint.lab.services import ENCRYPTED_DNS_PORT
from fingerprint.lab.world import PUBLIC_RESOLVER, SERVER_A, SERVER_B

_PAGE = b"<p>herbs and gardens</p>\n" * 240


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


async def main(certificate: str, key: str) -> None:
    """Serve until killed, on each address by itself: answers to datagrams have to come from where they were sent."""
    configuration = QuicConfiguration(is_client=False, alpn_protocols=[*H3_ALPN, "doq"])
    configuration.load_cert_chain(certificate, key)
    arguments: dict[str, Any] = {"configuration": configuration, "create_protocol": Page}
    for address in (*SERVER_A, *SERVER_B, *PUBLIC_RESOLVER):
        await serve(address, 443, **arguments)
    for address in PUBLIC_RESOLVER:
        await serve(address, ENCRYPTED_DNS_PORT, **arguments)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
