"""The services of `fingerprint.lab.services` and HTTP/3 on real sockets, on each address by itself, until killed.

It begins before the laboratory stands and is told when it does, for what it imports takes longer than all the rest.
What arrives before it is ready waits in its sockets.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Sequence
from importlib import import_module
from threading import Thread
from typing import cast

from fingerprint.lab import services, world
from fingerprint.lab.kernel import doors

_FIRST_WORDS_BYTES = 65_536
_QUIC = "fingerprint.lab.kernel.quic"


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


def talk(heeds: int, namespace: str, files: Sequence[str]) -> None:
    """Enter the namespace once a byte can be read from ``heeds``, and serve there; return if none comes.

    ``files`` are the certificate and its key; without them there is no HTTP/3.
    """
    learning = Thread(target=import_module, args=(_QUIC,) if files else ("socket",))
    learning.start()
    if os.read(heeds, 1):
        doors.enter(os.open(namespace, os.O_RDONLY))
        # Answers to datagrams have to come from where they were sent.
        quic = [bound(a, p, socket.SOCK_DGRAM) for a, p in _quic_ends()] if files else []
        hosts = (*world.SERVER_A, *world.SERVER_B)
        datagrams = [bound(a, p, socket.SOCK_DGRAM) for a in hosts for p in services.UDP_PORTS]
        streams = [bound(a, p, socket.SOCK_STREAM) for p in services.TCP_PORTS for a in hosts]
        learning.join()
        asyncio.run(serve(datagrams, streams, quic, files))


def _quic_ends() -> list[tuple[str, int]]:
    ends = [(address, 443) for address in (*world.SERVER_A, *world.SERVER_B, *world.PUBLIC_RESOLVER)]
    return ends + [(address, services.ENCRYPTED_DNS_PORT) for address in world.PUBLIC_RESOLVER]


def bound(address: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A socket at that end; a stream's listens."""
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    sock.bind((address, port))
    if kind is socket.SOCK_STREAM:
        sock.listen()
    return sock


async def serve(
    datagrams: Sequence[socket.socket],
    streams: Sequence[socket.socket],
    quic: Sequence[socket.socket],
    files: Sequence[str],
) -> None:
    """Until killed."""
    loop = asyncio.get_running_loop()
    for sock in datagrams:
        port = sock.getsockname()[1]
        await loop.create_datagram_endpoint(lambda p=port: Datagrams(p), sock=sock)  # type: ignore[misc]
    for sock in streams:
        await asyncio.start_server(meet, sock=sock)
    if quic:
        await import_module(_QUIC).serve(quic, *files)
    await asyncio.Event().wait()
