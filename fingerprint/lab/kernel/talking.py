"""The services of `fingerprint.lab.services` on real sockets, on each address by itself, until killed.

python -m fingerprint.lab.kernel.talking ADDRESS…
"""

from __future__ import annotations

import asyncio
import sys
from typing import cast

from fingerprint.lab import services

_FIRST_WORDS_BYTES = 65_536


class Datagrams(asyncio.DatagramProtocol):
    """One UDP port."""

    def __init__(self, port: int) -> None:
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it to answer by."""
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        """Answer, if there is an answer."""
        answer = services.datagram(self._port, data, (peer[0], peer[1]))
        if answer is not None:
            self._transport.sendto(answer, peer)


async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One TCP connection: greet, hear, answer, and read on until the other end leaves."""
    port = writer.get_extra_info("sockname")[1]
    writer.write(services.greeting(port))
    heard = await reader.read(_FIRST_WORDS_BYTES)
    answer = services.reply(port, heard) if heard else None
    if answer is not None:
        writer.write(answer)
        while await reader.read(_FIRST_WORDS_BYTES):
            pass
    writer.close()


async def main(addresses: list[str]) -> None:
    """Answers to datagrams have to come from where they were sent."""
    loop = asyncio.get_running_loop()
    for address in addresses:
        for port in services.UDP_PORTS:
            await loop.create_datagram_endpoint(lambda p=port: Datagrams(p), local_addr=(address, port))  # type: ignore[misc]
        for port in services.TCP_PORTS:
            await asyncio.start_server(meet, address, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
