"""ClientHellos, and the TLS clients behind them: who makes them, how long they are, and in which pieces they leave.

Control and trigger differ in the name alone. What one name is shorter than another, junk at the end of the ALPN list
makes up for: that extension is in every hello and JA4 reads its first entry only, so that length, segmentation and
fingerprint stay equal.
The server's certificate is not verified: who answers is the question of the analysis.
"""

from __future__ import annotations

import ssl
from functools import cache
from ipaddress import ip_address
from random import Random
from struct import pack, unpack_from
from typing import Any

from fingerprint.steps import BARE, ESNI, IN_THE_CLEAR, NAMED_BY_SERVER, OTHER_CLIENT, VEILED

# RFC 8200 section 5: payloads below 1200 bytes pass every link. OpenSSL and Chrome without post-quantum key share fit.
SMALL_BYTES = 1000
# Chrome's hello with a post-quantum key share, in two segments; both below 1200 bytes, so that no path MTU matters.
LARGE_BYTES = 2017
LARGE_SPLIT_BYTES = 1150
# RFC 7301 section 3.1: an entry of the ALPN list has 1 to 255 bytes and one of length before it.
ENTRY_BYTES = 256
# Chrome draws the length of its GREASE extensions anew for every hello; four values, so that a few tries meet one.
TRIES = 40
# Chrome 148: the newest preset whose hello without the post-quantum key share stays below SMALL_BYTES.
PRESET = "chrome:148"
# IANA, TLS supported groups: X25519MLKEM768, the 1,216 bytes that make a hello large.
POST_QUANTUM = 4588
# RFC 9849: the extension that carries an inner hello; what it holds is random for whoever has no key.
ECH_EXTENSION, ECH_BYTES = 0xFE0D, 190
# draft-ietf-tls-esni-02 section 4.1: an encrypted name padded to 260 bytes, with key share, digest and tag.
ESNI_EXTENSION, ESNI_BYTES = 0xFFCE, 370
# Forms that OpenSSL makes whether or not there is a browser's hello, so that one client says them all; and what their
# veils add behind it.
OPENSSL_FORMS = {NAMED_BY_SERVER: 0, IN_THE_CLEAR: 0, BARE: 0, VEILED: ECH_BYTES, ESNI: ESNI_BYTES, OTHER_CLIENT: 0}
# What another client offers: no ciphers that lack forward secrecy, as Go does, and one group only.
OTHER_CIPHERS, OTHER_GROUP = "ECDHE+AESGCM:ECDHE+CHACHA20", "prime256v1"


@cache
def library() -> str:
    """``utls`` if it is installed (BoringSSL, a browser's hello), else ``stdlib``."""
    try:
        import utls  # noqa: F401  # only whether it is there
    except ImportError:
        return "stdlib"
    return "utls"


def spelled(name: str | None, form: str) -> str | None:
    """The name as this form of hello spells it; None if it names nobody (an address is no name, RFC 6066 section 3)."""
    if name is None or form in ("no-name", NAMED_BY_SERVER, ESNI):
        return None
    try:
        ip_address(name)
    except ValueError:
        pass
    else:
        return None
    if form == "mixed-case":
        return "".join(c.upper() if i % 2 else c.lower() for i, c in enumerate(name))
    return f"{name}." if form == "trailing-dot" else name


class Tls:
    """A TLS client without IO: `hello` first, then `hear` what came and write `outgoing`."""

    def __init__(
        self, name: str | None, *, size_bytes: int, seed: int, using: str | None = None, form: str = "plain"
    ) -> None:
        """``name`` as it is to be spelled; ``size_bytes`` is the ClientHello's length, longer if it cannot be less.

        Of the forms those in the clear allow TLS 1.2 at most, whose certificate any box can read.
        """
        self.library = using or ("stdlib" if form in OPENSSL_FORMS else library())
        self.in_the_clear = form in (NAMED_BY_SERVER, IN_THE_CLEAR)
        # Beside a browser's hello OpenSSL's own is another client's.
        self.other = form == OTHER_CLIENT and library() == "stdlib"
        self._ssl: Any = ssl if self.library == "stdlib" else __import__("utls")
        self.name = name
        self.hello = b""
        junk = 0
        for _ in range(TRIES):
            self._start(size_bytes, seed, junk)
            missing = size_bytes - len(self.hello)
            if not missing:
                return
            # An entry of one byte has none of its own: one byte alone cannot be added.
            junk = max(junk + missing, 0) if junk + missing != 1 else junk + missing + 1

    def _start(self, size_bytes: int, seed: int, junk_bytes: int) -> None:
        protocols = ["http/1.1", *_junk(junk_bytes, seed)]
        context = self._ssl.SSLContext(self._ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, self._ssl.CERT_NONE
        if self.library == "utls":
            context.set_fingerprint(_browser(self._ssl, protocols, large=size_bytes >= LARGE_BYTES))
        else:
            context.set_alpn_protocols(protocols)
            if self.in_the_clear:
                context.maximum_version = ssl.TLSVersion.TLSv1_2
            if self.other:
                context.set_ciphers(OTHER_CIPHERS)
                context.set_ecdh_curve(OTHER_GROUP)
        self._incoming, self._outgoing = self._ssl.MemoryBIO(), self._ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=self.name)
        self.shaken = self.over = False
        self.alerted = False
        self._handshake()
        self.hello = self.outgoing()

    def outgoing(self) -> bytes:
        """What is to be written now."""
        return bytes(self._outgoing.read())

    def hear(self, data: bytes) -> bytes:
        """Take in bytes of the far end; the plaintext that they complete. Sets `shaken`, `over` and `alerted`."""
        if self.over:
            return b""
        self._incoming.write(data)
        if not self.shaken:
            self._handshake()
        parts = []
        while self.shaken and not self.over:
            try:
                part = self._tls.read(65536)
            except self._ssl.SSLWantReadError:
                break
            except (self._ssl.SSLError, OSError, ValueError) as error:
                self._ended(error)
                break
            self.over = not part
            parts.append(bytes(part))
        return b"".join(parts)

    def say(self, data: bytes) -> bytes:
        """The records that carry this plaintext."""
        try:
            self._tls.write(data)
        except (self._ssl.SSLError, OSError, ValueError) as error:
            self._ended(error)
        return self.outgoing()

    def _handshake(self) -> None:
        try:
            self._tls.do_handshake()
        except self._ssl.SSLWantReadError:
            return
        except (self._ssl.SSLError, OSError, ValueError) as error:
            self._ended(error)
            return
        self.shaken = True

    def _ended(self, error: Exception) -> None:
        self.over = True
        self.alerted = "ALERT" in f"{getattr(error, 'reason', '')} {error}".upper().replace("NO_ALERT", "")


def _junk(size_bytes: int, seed: int) -> list[str]:
    """ALPN entries that nobody speaks and that take that many bytes of the list; at least two, or none."""
    draw, out, left = Random(seed), [], size_bytes  # noqa: S311  # filler, no secret
    while left >= 2:
        take = min(left, ENTRY_BYTES)
        take -= left - take == 1  # never leave one byte
        out.append("".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=take - 1)))
        left -= take
    return out


def _browser(utls: Any, protocols: list[str], *, large: bool) -> Any:
    """Chrome's hello, but for HTTP/2, which nobody here speaks."""
    fields = utls.Fingerprint.from_preset(PRESET).to_dict() | {"alpn": protocols}
    if not large:
        for groups in ("key_shares", "supported_groups"):
            fields[groups] = [g for g in fields[groups] if g != POST_QUANTUM]
    return utls.Fingerprint.from_dict(fields)


def pieces(hello: bytes, form: str, name: str | None, seed: int) -> tuple[bytes, ...]:
    """The hello as this form writes it; each piece is a segment of its own."""
    middle = _inside(hello, name)
    match form:
        case "large":
            return hello[:LARGE_SPLIT_BYTES], hello[LARGE_SPLIT_BYTES:]
        case "split-at-name" if middle:
            return hello[:middle], hello[middle:]
        case "record-split" if middle:
            return (_two_records(hello, middle),)
        case "ech" | "veiled":
            return (with_ech(hello, seed),)
        case "esni":
            return (with_esni(hello, seed),)
    return (hello,)


def _inside(hello: bytes, name: str | None) -> int:
    """The place in the middle of the name, 0 if the hello does not hold it."""
    at = hello.find(name.encode()) if name else -1
    return at + len(name or "") // 2 if at >= 0 else 0


def _two_records(hello: bytes, at: int) -> bytes:
    """The same handshake message in two TLS records (RFC 8446 section 5.1 allows it)."""
    head, first, second = hello[:3], hello[5:at], hello[at:]
    return head + pack("!H", len(first)) + first + head + pack("!H", len(second)) + second


def with_ech(hello: bytes, seed: int) -> bytes:
    """The hello with an encrypted_client_hello extension of ECH_BYTES, if it has none.

    The handshake cannot finish, for the two ends then disagree on what was said; the server's first flight comes.
    """
    # RFC 9849 section 6.2: outer, HKDF-SHA256 with AES-128-GCM, a config id, a public key of X25519, a payload.
    draw = Random(seed)  # noqa: S311  # GREASE, no secret
    body = b"\x00" + pack("!HHB", 1, 1, draw.randrange(256)) + pack("!H", 32) + draw.randbytes(32)
    body += pack("!H", ECH_BYTES - len(body) - 6) + draw.randbytes(ECH_BYTES - len(body) - 6)
    return _with_extension(hello, ECH_EXTENSION, body)


def with_esni(hello: bytes, seed: int) -> bytes:
    """The hello with an encrypted_server_name extension of ESNI_BYTES, as of the drafts of 2018 and 2019."""
    # draft-ietf-tls-esni-02 section 5.1: a suite, a key share of X25519, a digest of SHA-256, the encrypted name.
    draw = Random(seed)  # noqa: S311  # filler, no secret
    body = pack("!HHH", 0x1301, 0x001D, 32) + draw.randbytes(32) + pack("!H", 32) + draw.randbytes(32)
    left = ESNI_BYTES - 4 - len(body) - 2
    return _with_extension(hello, ESNI_EXTENSION, body + pack("!H", left) + draw.randbytes(left))


def _with_extension(hello: bytes, kind: int, body: bytes) -> bytes:
    """The hello with one extension more at its end, if it has none of that kind."""
    at, size = _extensions(hello)
    end = at + 2 + size
    if _holds(hello[at + 2 : end], kind):
        return hello
    extension = pack("!HH", kind, len(body)) + body
    longer = len(extension)
    record, message = unpack_from("!H", hello, 3)[0] + longer, int.from_bytes(hello[6:9], "big") + longer
    head = hello[:3] + pack("!H", record) + hello[5:6] + message.to_bytes(3, "big") + hello[9:at]
    return head + pack("!H", size + longer) + hello[at + 2 : end] + extension


def _extensions(hello: bytes) -> tuple[int, int]:
    """Where the length of the extensions stands in a ClientHello of one record, and what it says."""
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int(unpack_from("!H", hello, at)[0])
    at += 1 + hello[at]
    return at, int(unpack_from("!H", hello, at)[0])


def _holds(extensions: bytes, wanted: int) -> bool:
    at = 0
    while at + 4 <= len(extensions):
        kind, size = unpack_from("!HH", extensions, at)
        if kind == wanted:
            return True
        at += 4 + size
    return False
