"""QUIC version 1 as far as a recipe needs it: Initials that anyone can decrypt, and short packets that nobody can.

RFC 9000 for the packets, RFC 9001 section 5 for their protection. A server that speaks QUIC answers an Initial with its
own and then with data; a client repeats its Initial with growing pauses, as section 6.2 of RFC 9002 has it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from captures.samples.recipe import Scene
from captures.samples.recipe_dns import reply_to
from captures.samples.recipe_packets import Packet
from captures.samples.recipe_tcp import Host
from captures.samples.recipe_tls import client_hello, server_flight

# RFC 9001 section 5.2.
SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
# RFC 9000 section 14.1: a client pads datagrams with Initials to 1200 bytes.
DATAGRAM_BYTES = 1200
TRIES, FIRST_PAUSE_S = 5, 0.3
CRYPTO, ACK, PADDING = 6, 2, 0


def _expand(secret: bytes, label: bytes, size: int) -> bytes:
    full = b"tls13 " + label
    head = struct.pack(">HB", size, len(full)) + full + b"\x00"
    return HKDFExpand(algorithm=hashes.SHA256(), length=size, info=head).derive(secret)


def _extract(material: bytes) -> bytes:
    mac = hashes.Hash(hashes.SHA256())
    inner, outer = (bytes(x ^ b for x in SALT.ljust(64, b"\0")) for b in (0x36, 0x5C))
    mac.update(inner + material)
    last = hashes.Hash(hashes.SHA256())
    last.update(outer + mac.finalize())
    return last.finalize()


def initial(
    frames: bytes, *, keyed_by: bytes, destination: bytes, source: bytes, number: int, client: bool, size_bytes: int
) -> bytes:
    """A protected Initial of ``size_bytes``; ``keyed_by`` is the connection id of the client's first packet."""
    secret = _expand(_extract(keyed_by), b"client in" if client else b"server in", 32)
    key, iv, mask_key = (
        _expand(secret, b"quic key", 16),
        _expand(secret, b"quic iv", 12),
        _expand(secret, b"quic hp", 16),
    )
    ids = bytes((len(destination),)) + destination + bytes((len(source),)) + source
    head = b"\xc1" + struct.pack(">I", 1) + ids + b"\x00"
    room = size_bytes - len(head) - 2 - 2 - 16
    plain = frames + bytes(max(0, room - len(frames)))
    head += struct.pack(">HH", 0x4000 | (2 + len(plain) + 16), number)
    nonce = bytes(a ^ b for a, b in zip(iv, number.to_bytes(12, "big"), strict=True))
    sealed = AESGCM(key).encrypt(nonce, plain, head)
    # The sample for header protection starts four bytes behind the start of the packet number.
    mask = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor().update(sealed[2:18])  # noqa: S305 - RFC 9001
    first = bytes((head[0] ^ mask[0] & 0x0F,))
    hidden = bytes(a ^ b for a, b in zip(head[-2:], mask[1:3], strict=True))
    return first + head[1:-2] + hidden + sealed


def crypto(message: bytes) -> bytes:
    """A CRYPTO frame from offset 0."""
    return struct.pack(">BBH", CRYPTO, 0, 0x4000 | len(message)) + message


def short(rng: random.Random, size_bytes: int) -> bytes:
    """A 1-RTT packet: a first byte with the fixed bit, and bytes that only the ends can read."""
    return bytes((0x40 | rng.getrandbits(5),)) + rng.randbytes(size_bytes - 1)


class QuicServer:
    """Answers each client Initial with its own and, once spoken to, with a page of short packets."""

    def __init__(self, host: Host, *, page_pkts: int = 6) -> None:
        self.host, self.page_pkts = host, page_pkts
        self.met: dict[int, bool] = {}
        self.ip_id = host.net.rng.randrange(65536)
        host.udp = self.heard

    def heard(self, p: Packet) -> None:
        """One datagram from a client."""
        if p.destination_port != 443:
            return
        rng = self.host.net.rng
        if p.payload[0] & 0x80 and p.source_port not in self.met:
            self.met[p.source_port] = False
            destination = p.payload[6 : 6 + p.payload[5]]
            source = p.payload[7 + p.payload[5] :][: p.payload[6 + p.payload[5]]]
            hello = server_flight(bytes(76), rng)
            hello = hello[5 : 5 + int.from_bytes(hello[3:5], "big")]
            frames = bytes((ACK, 0, 0, 0, 0)) + crypto(hello)
            answer = initial(
                frames, keyed_by=destination, destination=source, source=rng.randbytes(8), number=0, client=False,
                size_bytes=DATAGRAM_BYTES,
            )  # fmt: skip
            for payload in (answer, short(rng, 1200), short(rng, 900)):
                self._send(p, payload)
        elif not p.payload[0] & 0x80 and not self.met.get(p.source_port, True):
            self.met[p.source_port] = True
            for _ in range(self.page_pkts):
                self._send(p, short(rng, 1200))

    def _send(self, p: Packet, payload: bytes) -> None:
        self.ip_id = (self.ip_id + 1) & 0xFFFF
        self.host.net.send(reply_to(p, payload, ttl_hops=self.host.ttl_hops, ip_id=self.ip_id))


class QuicClient:
    """One visit: an Initial, repeated until answered; a request; then whatever comes."""

    def __init__(self, scene: Scene, server: str, name: str) -> None:
        self.scene, self.server, self.name = scene, server, name
        rng = scene.net.rng
        self.port, self.destination, self.source = scene.port(), rng.randbytes(8), rng.randbytes(8)
        self.hello = client_hello(name, rng, size_bytes=0, quic=True)[5:]
        self.number, self.answered, self.asked = 0, False, False
        below = scene.client.udp

        def udp(p: Packet) -> None:
            if p.destination_port == self.port and p.source == self.server:
                self._heard()
            elif below:
                below(p)

        scene.client.udp = udp

    def start(self) -> None:
        """Send the Initial, and again after a pause that doubles."""
        if self.answered or self.number == TRIES:
            return
        packet = initial(
            crypto(self.hello), keyed_by=self.destination, destination=self.destination, source=self.source,
            number=self.number, client=True, size_bytes=DATAGRAM_BYTES,
        )  # fmt: skip
        self._send(packet)
        self.number += 1
        self.scene.net.at(FIRST_PAUSE_S * 2 ** (self.number - 1), self.start)

    def _heard(self) -> None:
        self.answered = True
        if not self.asked:
            self.asked = True
            frames = bytes((ACK, 0, 0, 0, 0))
            seen = self.destination
            closing = initial(
                frames, keyed_by=seen, destination=seen, source=self.source, number=self.number, client=True,
                size_bytes=DATAGRAM_BYTES,
            )  # fmt: skip
            self._send(closing)
            self._send(short(self.scene.net.rng, 120))
        elif self.scene.net.rng.random() < 0.5:
            self._send(short(self.scene.net.rng, 36))

    def _send(self, payload: bytes) -> None:
        net = self.scene.net
        ip_id = net.rng.randrange(65536)
        net.send(
            Packet(
                source=net.client,
                destination=self.server,
                protocol="udp",
                ip_id=ip_id,
                source_port=self.port,
                destination_port=443,
                payload=payload,
            )
        )


def visit(scene: Scene, server: str, name: str, *, at_s: float, tell: Callable[[int], object] = lambda _: None) -> None:
    """A visit over QUIC; ``tell`` hears the source port before the first packet leaves."""

    def start() -> None:
        client = QuicClient(scene, server, name)
        tell(client.port)
        client.start()

    scene.net.when(at_s, start)
