"""QUIC version 1 as far as a recipe needs it: Initials that anyone can decrypt, and short packets that nobody can.

Of other versions there is the shape that all versions share (RFC 8999), which a server answers by listing its own.

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
CRYPTO, ACK, PADDING, CLOSE = 6, 2, 0, 0x1C
# RFC 9001 section 5.8: what a Retry is sealed with.
RETRY_KEY, RETRY_NONCE = bytes.fromhex("be0c690b9f66575a1d766b54e368c84e"), bytes.fromhex("461599d35d632bf2239825bb")
VERSION_1, VERSION_2 = 0x00000001, 0x6B3343CF


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
    frames: bytes,
    *,
    keyed_by: bytes,
    destination: bytes,
    source: bytes,
    number: int,
    client: bool,
    size_bytes: int,
    token: bytes = b"",
) -> bytes:
    """A protected Initial of ``size_bytes``; ``keyed_by`` is the connection id of the client's first packet."""
    secret = _expand(_extract(keyed_by), b"client in" if client else b"server in", 32)
    key, iv, mask_key = (
        _expand(secret, b"quic key", 16),
        _expand(secret, b"quic iv", 12),
        _expand(secret, b"quic hp", 16),
    )
    ids = bytes((len(destination),)) + destination + bytes((len(source),)) + source
    head = b"\xc1" + struct.pack(">I", 1) + ids + bytes((len(token),)) + token
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


def long_ids(payload: bytes) -> tuple[bytes, bytes]:
    """Destination and source connection id of a long header."""
    destination = payload[6 : 6 + payload[5]]
    return destination, payload[7 + payload[5] :][: payload[6 + payload[5]]]


def closing(error: int, reason: str, *, of: bytes, number: int = 0, source: bytes = bytes(8)) -> bytes:
    """A server's Initial with a CONNECTION_CLOSE, in answer to the client's Initial ``of``."""
    destination, back = long_ids(of)
    size = struct.pack(">H", 0x4000 | error)
    frames = bytes((CLOSE,)) + size + b"\x00" + bytes((len(reason),)) + reason.encode()
    return initial(
        frames, keyed_by=destination, destination=back, source=source, number=number, client=False, size_bytes=120
    )


def negotiation(*versions: int, of: bytes) -> bytes:
    """A Version Negotiation in answer to ``of`` (RFC 9000 section 17.2.1)."""
    destination, source = long_ids(of)
    ids = bytes((len(source),)) + source + bytes((len(destination),)) + destination
    return b"\xca" + bytes(4) + ids + b"".join(struct.pack(">I", v) for v in versions)


def retry(token: bytes, *, of: bytes, source: bytes) -> bytes:
    """A Retry in answer to ``of`` (RFC 9000 section 17.2.5)."""
    destination, back = long_ids(of)
    head = b"\xf0" + struct.pack(">I", VERSION_1) + bytes((len(back),)) + back + bytes((len(source),)) + source + token
    tag = AESGCM(RETRY_KEY).encrypt(RETRY_NONCE, b"", bytes((len(destination),)) + destination + head)
    return head + tag


class QuicServer:
    """Answers each client Initial with its own and, once spoken to, with a page of short packets.

    Between ``down_s`` it is not there. ``closes`` are names that it closes on, ``retries`` makes it ask for a token
    first, ``think_s`` is how long it takes. Other versions than 1 are answered by a list of its own.
    """

    def __init__(
        self,
        host: Host,
        *,
        page_pkts: int = 6,
        down_s: tuple[float, float] = (0.0, 0.0),
        retries: bool = False,
        think_s: float = 0.0,
    ) -> None:
        self.host, self.page_pkts, self.down_s = host, page_pkts, down_s
        self.retries, self.think_s = retries, think_s
        self.told: set[int] = set()  # source ports of clients that it closes on: told, as the boxes are
        self.met: dict[int, bool] = {}
        self.ip_id = host.net.rng.randrange(65536)
        host.udp = self.heard

    def heard(self, p: Packet) -> None:
        """One datagram from a client."""
        net = self.host.net
        since_s = (net.now_ns - net.start_ns) / 1e9
        if p.destination_port != 443 or self.down_s[0] <= since_s < self.down_s[1]:
            return
        if p.payload[0] & 0x80 and p.payload[1:5] != struct.pack(">I", VERSION_1):
            self._send(p, negotiation(VERSION_1, VERSION_2, of=p.payload))
            return
        if p.source_port in self.told:
            # RFC 9001 section 4.8: 0x100 and the alert, here unrecognized_name.
            self._send(p, closing(0x170, "no such host", of=p.payload, source=b"upstairs"))
            return
        if self.retries and p.payload[0] & 0x80 and p.source_port not in self.met and not p.payload[7 + 16]:
            self._send(p, retry(b"come back with this", of=p.payload, source=b"upstairs"))
            return
        if self.think_s:
            net.at(self.think_s, lambda: self._answer(p))
        else:
            self._answer(p)

    def _answer(self, p: Packet) -> None:
        rng = self.host.net.rng
        if p.payload[0] & 0x80 and p.source_port not in self.met:
            self.met[p.source_port] = False
            destination, source = long_ids(p.payload)
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

    def __init__(self, scene: Scene, server: str, name: str, *, version: int, tries: int, to_port: int) -> None:
        self.scene, self.server, self.name, self.to_port = scene, server, name, to_port
        self.version, self.tries = version, tries
        rng = scene.net.rng
        self.port, self.destination, self.source = scene.port(), rng.randbytes(8), rng.randbytes(8)
        self.hello = client_hello(name, rng, size_bytes=0, quic=True)[5:]
        self.number, self.answered, self.asked = 0, False, False
        self.heard, self.token = 0, b""
        below = scene.client.udp

        def udp(p: Packet) -> None:
            if p.protocol == "udp" and p.destination_port == self.port and p.source == self.server:
                self._heard(p.payload)
            elif below:
                below(p)

        scene.client.udp = udp

    def start(self) -> None:
        """Send the Initial, and again after a pause that doubles."""
        if self.answered or self.number == self.tries:
            return
        if self.version != VERSION_1:
            ids = bytes((8,)) + self.destination + bytes((8,)) + self.source
            head = b"\xc0" + struct.pack(">I", self.version) + ids
            self._again(head + self.scene.net.rng.randbytes(DATAGRAM_BYTES - len(head)))
            return
        packet = initial(
            crypto(self.hello), keyed_by=self.destination, destination=self.destination, source=self.source,
            number=self.number, client=True, size_bytes=DATAGRAM_BYTES, token=self.token,
        )  # fmt: skip
        self._again(packet)

    def _again(self, packet: bytes) -> None:
        self._send(packet)
        self.number += 1
        self.scene.net.at(FIRST_PAUSE_S * 2 ** (self.number - 1), self.start)

    def _heard(self, payload: bytes) -> None:
        self.heard += 1
        if payload[0] & 0xF0 == 0xF0 and not self.token:
            # RFC 9000 section 17.2.5.2: again, with the token, to the connection id that the Retry came from.
            self.destination, self.token = long_ids(payload)[1], payload[7 + 16 : -16]
            self.start()
        elif payload[0] & 0x80 and (payload[1:5] == bytes(4) or len(payload) < DATAGRAM_BYTES // 2):
            self.answered = self.asked = True  # it is over: other versions, or a close
        elif not self.asked:
            self.answered = self.asked = True
            self._ask(tries=4)
        elif self.scene.net.rng.random() < 0.5:
            self._send(short(self.scene.net.rng, 36))

    def _ask(self, tries: int) -> None:
        """The rest of the handshake and a request; again if nothing comes of it."""
        frames, seen, heard = bytes((ACK, 0, 0, 0, 0)), self.destination, self.heard
        second = initial(
            frames, keyed_by=seen, destination=seen, source=self.source, number=self.number, client=True,
            size_bytes=DATAGRAM_BYTES,
        )  # fmt: skip
        self._send(second)
        self._send(short(self.scene.net.rng, 120))

        def again() -> None:
            if self.heard <= heard + 2 and tries > 1:
                self._ask(tries - 1)

        self.scene.net.at(FIRST_PAUSE_S * 2 ** (5 - tries), again)

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
                destination_port=self.to_port,
                payload=payload,
            )
        )


def visit(
    scene: Scene,
    server: str,
    name: str,
    *,
    at_s: float,
    tell: Callable[[int], object] = lambda _: None,
    version: int = VERSION_1,
    tries: int = TRIES,
    port: int = 443,
) -> None:
    """A visit over QUIC; ``tell`` hears the source port before the first packet leaves."""

    def start() -> None:
        client = QuicClient(scene, server, name, version=version, tries=tries, to_port=port)
        tell(client.port)
        client.start()

    scene.net.when(at_s, start)
