"""What the tests of boxes say to them: segments of one client, hellos that name somebody, queries."""

import ssl
from struct import pack

from fingerprint.lab.censor import Direction, Inject
from fingerprint.lab.packet import ACK, PSH, SYN, UDP, Packet
from fingerprint.lab.world import CLIENT, MINDED, PUBLIC_RESOLVER, SERVER_A

UP, DOWN = Direction.TO_SERVER, Direction.TO_CLIENT
STAMPS = b"\x01\x01\x08\x0a" + bytes(8)


def hello(name=MINDED):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()


def request(name=MINDED):
    return f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode()


def up(payload=b"", *, flags=PSH | ACK, sport=40000, dport=443, seq=1001, at_s=0.0, **more):
    fields = {"ack": 5001, "options": STAMPS, "ttl": 62, "ip_id": 0x1234} | more
    return Packet(
        source=CLIENT[0], destination=SERVER_A[0], sport=sport, dport=dport, seq=seq, flags=flags, payload=payload,
        time_s=at_s, **fields,
    )  # fmt: skip


def down(payload=b"", *, flags=PSH | ACK, sport=40000, dport=443, seq=5001, at_s=0.0, **more):
    fields = {"ack": 1001, "options": STAMPS, "ttl": 62, "ip_id": 0x4321} | more
    return Packet(
        source=SERVER_A[0], destination=CLIENT[0], sport=dport, dport=sport, seq=seq, flags=flags, payload=payload,
        time_s=at_s, **fields,
    )  # fmt: skip


def query(name=MINDED, *, rtype=1, resolver=PUBLIC_RESOLVER[0], number=77, **more):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    message = pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + pack("!HH", rtype, 1)
    fields = {"ttl": 62, "ip_id": 0x1234} | more
    return Packet(
        source=CLIENT[0], destination=resolver, protocol=UDP, sport=50000, dport=53, payload=message, **fields
    )


def shake(box, *, sport=40000, dport=443, at_s=0.0):
    """A handshake past the box; what it did to SYN, SYN-ACK and ACK."""
    return (
        box.inspect(up(flags=SYN, sport=sport, dport=dport, seq=1000, ack=0, at_s=at_s), UP),
        box.inspect(down(flags=SYN | ACK, sport=sport, dport=dport, seq=5000, at_s=at_s), DOWN),
        box.inspect(up(flags=ACK, sport=sport, dport=dport, at_s=at_s), UP),
    )


def forged(action, direction):
    """What was injected that way."""
    assert isinstance(action, Inject)
    return [p for p, d in action.packets if d is direction]
