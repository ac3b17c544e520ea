"""A server that refuses some names itself: it reads the ClientHello, resets, and hands everybody else on to nginx.

python -m fingerprint.lab.kernel.refusing BEHIND_PORT NAME…     (the name * means everybody)
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

from fingerprint.lab.boxes import reading

_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: closing resets


async def serve(behind_port: int, refused: frozenset[str]) -> None:
    """Listen on port 443 of both families until killed."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opening = b""
        while not opening or not reading.hello_is_whole(opening):
            heard = await reader.read(65536)
            if not heard:
                writer.close()
                return
            opening += heard
        if "*" in refused or (reading.sni(opening) or "").lower() in refused:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
            writer.transport.abort()
            return
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", behind_port)
        there_writer.write(opening)
        await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer), return_exceptions=True)

    servers = [await asyncio.start_server(meet, host, 443, family=f) for host, f in _EVERYWHERE]
    await asyncio.gather(*(server.serve_forever() for server in servers))


_EVERYWHERE = (("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6))  # noqa: S104  # in a namespace of our own


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while heard := await reader.read(65536):
        writer.write(heard)
        await writer.drain()
    writer.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), frozenset(sys.argv[2:])))
