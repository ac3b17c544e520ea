"""The vectors of RFC 9001 and RFC 9369, hand-made packets, and handshakes of another implementation."""

from __future__ import annotations

import struct
from itertools import count

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fingerprint.messages import quic_keys
from fingerprint.messages.quic import Kind, read_initials
from fingerprint.messages.quic_frames import Fragment, joined
from fingerprint.messages.quic_headers import headers

DCID = bytes.fromhex("8394c8f03e515708")

# RFC 9001 appendix A.2: the CRYPTO frame of the client's Initial; RFC 9369 appendix A.2 uses the same.
HELLO_FRAME = bytes.fromhex(
    "060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868"
    "04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578"
    "616d706c652e636f6dff01000100000a00080006001d00170018001000070005"
    "04616c706e000500050100000000003300260024001d00209370b2c9caa47fba"
    "baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400"
    "0d0010000e0403050306030203080408050806002d00020101001c0002400100"
    "3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000"
    "75300901100f088394c8f03e51570806048000ffff"
)

# RFC 9001 appendix A and RFC 9369 appendix A: keys of the client (key, iv, hp), its header, how its packet begins and
# ends (the last sixteen bytes authenticate all the others), the server's packet, a Retry.
VECTORS = {
    quic_keys.VERSION_1: (
        ("1f369613dd76d5467730efcbe3b1a22d", "fa044b2f42a3fd3b46fb255c", "9f50449e04a0e810283a1e9933adedd2"),
        "c300000001088394c8f03e5157080000449e00000002",
        "c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11",
        "e221af44860018ab0856972e194cd934",
        (
            "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a"
            "5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3"
            "dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84"
            "022f8ef4cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc4"
            "2158407dd074ee"
        ),
        "ff000000010008f067a5502a4262b5746f6b656e04a265ba2eff4d829058fb3f0f2496ba",
    ),
    quic_keys.VERSION_2: (
        ("8b1a0bc121284290a29e0971b5cd045d", "91f73e2351d8fa91660e909f", "45b95e15235d6f45a6b19cbcb0294ba9"),
        "d36b3343cf088394c8f03e5157080000449e00000002",
        "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485",
        "a18b2faa745b6fe189cf772a9f84cbfc",
        (
            "dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698"
            "baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17"
            "f9af6e16886c61bfc703106fbaf3cb4cfa52382dd16a393e42757507698075b2"
            "c984c707f0a0812d8cd5a6881eaf21ceda98f4bd23f6fe1a3e2c43edd9ce7ca8"
            "4bed8521e2e140"
        ),
        "cf6b3343cf0008f067a5502a4262b5746f6b656ec8646ce8bfe33952d955543665dcc7b6",
    ),
}


def protect(header: bytes, plain: bytes, keys: tuple[bytes, bytes, bytes], number_bytes: int = 4) -> bytes:
    """Both protections of RFC 9001 section 5, put on."""
    key, iv, header_key = keys
    number = header[-number_bytes:]
    nonce = bytes(a ^ b for a, b in zip(iv, number.rjust(12, b"\0"), strict=True))
    sealed = AESGCM(key).encrypt(nonce, plain, header)
    sample = (number + sealed)[4:20]
    mask = Cipher(algorithms.AES(header_key), modes.ECB()).encryptor().update(sample)
    masked = bytes(a ^ b for a, b in zip(number, mask[1:], strict=False))
    return bytes([header[0] ^ mask[0] & 0x0F]) + header[1:-number_bytes] + masked + sealed


def initial(
    frames: bytes,
    *,
    version: int = quic_keys.VERSION_1,
    keyed_by: bytes = DCID,
    dcid: bytes = DCID,
    scid: bytes = b"me",
    number: int = 0,
    token: bytes = b"",
    from_client: bool = True,
) -> bytes:
    keys = quic_keys.initial_keys(version, keyed_by)[0 if from_client else 1]
    first = 0xC3 | (0x10 if version == quic_keys.VERSION_2 else 0)
    plain = frames.ljust(40, b"\0")
    header = struct.pack(">BI", first, version) + bytes([len(dcid)]) + dcid + bytes([len(scid)]) + scid
    header += bytes([len(token)]) + token + struct.pack(">H", 0x4000 | len(plain) + 20) + struct.pack(">I", number)
    return protect(header, plain, (keys.key, keys.iv, keys.header_key))


def crypto(body: bytes, offset: int = 0) -> bytes:
    return b"\x06" + struct.pack(">HH", 0x4000 | offset, 0x4000 | len(body)) + body


HELLO = HELLO_FRAME[4:]


@pytest.mark.parametrize("version", VECTORS)
def test_the_keys_are_those_of_the_rfc(version):
    client, _ = quic_keys.initial_keys(version, DCID)
    assert (client.key.hex(), client.iv.hex(), client.header_key.hex()) == VECTORS[version][0]


@pytest.mark.parametrize("version", VECTORS)
def test_the_initials_of_the_rfc_open(version):
    keys, header, begins, ends, answer, _ = VECTORS[version]
    packet = protect(bytes.fromhex(header), HELLO_FRAME + bytes(917), tuple(bytes.fromhex(k) for k in keys))
    assert packet[:32].hex() == begins
    assert packet[-16:].hex() == ends
    opening = read_initials([packet], [bytes.fromhex(answer)])
    assert opening.version == version
    assert opening.sni == "example.com"
    assert opening.dcid == DCID
    assert opening.client_hello.complete
    assert opening.client_hello.alpn == ("alpn",)
    assert opening.client_hello.ja4.startswith("q13d0211an_")
    [reply] = opening.initials(from_client=False)
    assert (reply.packet_number, reply.acknowledges, reply.scid.hex()) == (1, True, "f067a5502a4262b5")
    assert opening.server_hello.version == 0x0304
    assert opening.server_answered
    assert not opening.malformed


@pytest.mark.parametrize("version", VECTORS)
def test_the_retry_of_the_rfc_is_genuine_and_a_changed_one_is_not(version):
    asked = initial(crypto(HELLO), version=version)
    retry = bytes.fromhex(VECTORS[version][5])
    genuine = read_initials([asked], [retry]).retry
    assert (genuine.authenticated, genuine.token, genuine.kind) == (True, b"token", Kind.RETRY)
    assert read_initials([asked], [retry.replace(b"token", b"tokem")]).retry.authenticated is False


@pytest.mark.parametrize("draft", [27, 28, 29, 32])
def test_drafts_that_were_deployed_open(draft):
    opening = read_initials([initial(crypto(HELLO), version=quic_keys.DRAFT + draft)])
    assert (opening.sni, opening.version_name) == ("example.com", f"draft-{draft}")


def test_a_hello_in_scattered_frames_over_datagrams_is_joined():
    pieces = [crypto(HELLO[i : i + 30], i) for i in range(0, len(HELLO), 30)]
    first, second = b"\x01".join(pieces[1::2]), bytes(3).join(pieces[::2])
    opening = read_initials([initial(first), initial(second, number=1)])
    assert opening.client_crypto == HELLO
    assert opening.sni == "example.com"
    assert opening.hello_datagrams == (0, 1)


def test_a_hole_leaves_the_hello_incomplete():
    opening = read_initials([initial(crypto(HELLO[:60])), initial(crypto(HELLO[100:], 100), number=1)])
    assert opening.client_crypto == HELLO[:60]
    assert not opening.client_hello.complete


def test_the_first_copy_of_a_byte_wins():
    assert joined([Fragment(offset_bytes=0, body=b"abc"), Fragment(offset_bytes=1, body=b"XYZ")]) == b"abcZ"


def test_coalesced_packets_are_read_one_after_the_other():
    both = initial(crypto(HELLO[:100])) + initial(crypto(HELLO[100:], 100), number=1) + bytes(20)
    opening = read_initials([both])
    assert opening.sni == "example.com"
    assert [(p.kind, p.packet_number) for p in opening.packets] == [(Kind.INITIAL, 0), (Kind.INITIAL, 1)]


def test_later_initials_of_the_client_keep_the_keys_of_its_first_connection_id():
    opening = read_initials([initial(crypto(HELLO[:100])), initial(crypto(HELLO[100:], 100), dcid=b"server", number=1)])
    assert opening.sni == "example.com"


def test_after_a_retry_the_keys_follow_the_new_connection_id():
    second = initial(crypto(HELLO), dcid=b"retried!", keyed_by=b"retried!", token=b"token")
    opening = read_initials([initial(b"\x01"), second], [initial(b"\x01", keyed_by=b"retried!", from_client=False)])
    assert (opening.sni, opening.token) == ("example.com", b"token")
    assert opening.server_answered


def test_a_forged_initial_does_not_authenticate():
    answer = bytearray(initial(crypto(b"x"), from_client=False, dcid=b"me"))
    answer[-1] ^= 1
    opening = read_initials([initial(crypto(HELLO))], [bytes(answer)])
    assert [p.authenticated for p in opening.packets] == [True, False]
    assert not opening.server_answered


def test_a_close_in_an_initial_is_told_with_its_alert():
    body = b"\x1c" + struct.pack(">H", 0x4000 | 0x0170) + b"\x06" + bytes([9]) + b"no \x1b[31m.."
    opening = read_initials([initial(crypto(HELLO))], [initial(body, from_client=False, dcid=b"me")])
    [(packet, close)] = opening.closes
    assert not packet.from_client
    assert (close.alert, close.frame_type, close.name) == (112, 6, "CRYPTO_ERROR 112")
    assert close.reason == "no \\x1b[31m."


def test_version_negotiation_lists_what_the_server_offers():
    answer = b"\x80" + bytes(4) + b"\x02me" + bytes([8]) + DCID + struct.pack(">2I", 1, 0x1A2A3A4A)
    opening = read_initials([initial(crypto(HELLO), version=quic_keys.DRAFT + 29)], [answer])
    assert opening.version_negotiation.versions == (1, 0x1A2A3A4A)


def test_versions_of_google_are_named_and_left_closed():
    opening = read_initials([b"\xc3Q046\x50" + b"c" * 8 + bytes(1200)])
    assert opening.version_name == "Q046"
    assert opening.client_hello is None


def test_a_short_header_ends_a_datagram():
    [found] = list(headers(b"\x40" + b"x" * 30))
    assert found.kind is Kind.SHORT


def test_another_implementation_is_understood_from_hello_to_server_hello():
    configuration = pytest.importorskip("aioquic.quic.configuration", reason="aioquic is not installed")
    connection = pytest.importorskip("aioquic.quic.connection", reason="aioquic is not installed")
    ticks = count()
    client = connection.QuicConnection(
        configuration=configuration.QuicConfiguration(
            is_client=True, alpn_protocols=["h3"], server_name="Blocked.Example.org"
        )
    )
    client.connect(("192.0.2.1", 443), now=float(next(ticks)))
    sent = [bytes(datagram) for datagram, _ in client.datagrams_to_send(now=float(next(ticks)))]
    opening = read_initials(sent)
    assert opening.sni == "blocked.example.org"
    assert opening.client_hello.alpn == ("h3",)
    assert opening.client_hello.complete
    assert opening.client_hello.ja4.startswith("q13d")
