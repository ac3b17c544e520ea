"""HTTP/1.1 as a probe says it: requests of equal length whatever the name, and answers read as far as needed."""

from __future__ import annotations

import re

# One segment on every link; a longer path or name takes the next multiple.
REQUEST_BYTES = 512
# More than any head that servers send (nginx: 8 buffers of 8 KB at most).
HEAD_BYTES = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)


def request(
    host: str, path: str, *, body_bytes: int | None = None, first_bytes: int | None = None, form: str = "plain"
) -> bytes:
    """A GET, or with ``body_bytes`` the head of a POST; padded, so that requests for two names are equally long.

    ``first_bytes`` asks for no more of the body than that (RFC 9110 section 14.1.2).
    """
    field = {"more-blanks": "Host:  \t ", "mixed-field": "hOsT: "}.get(form, "Host: ")
    path = f"http://{host}{path}" if form == "absolute" else path
    host = "".join(c.upper() if i % 2 else c for i, c in enumerate(host)) if form == "mixed-host" else host
    wanted = f"Range: bytes=0-{first_bytes - 1}\r\n" if first_bytes else ""
    method, length = ("GET", "") if body_bytes is None else ("POST", f"Content-Length: {body_bytes}\r\n")
    head = (
        f"{method} {path} HTTP/1.1\r\n{field}{host}\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n"
        f"Accept-Encoding: identity\r\n{length}{wanted}Connection: close\r\n"
    ).encode("utf-8", "replace")
    filler = b"Pragma: "
    missing = -(len(head) + len(filler) + 4) % REQUEST_BYTES
    return head + filler + b"x" * missing + b"\r\n\r\n"


def pieces(said: bytes, host: str, form: str) -> tuple[bytes, ...]:
    """A request in the segments of its form."""
    at = said.lower().find(b"\nhost:")
    cut = said.lower().find(host.lower().encode("utf-8", "replace"), at) + max(1, len(host) // 2)
    return (said[:cut], said[cut:]) if form == "split-at-host" and at >= 0 else (said,)


def host_of(name: str | None, address: str) -> str:
    """What the Host field says: the name, or the address as a URL has it."""
    return name or (f"[{address}]" if ":" in address else address)


class Answer:
    """An HTTP answer, read as its bytes come in. Counts the body and keeps nothing of it."""

    def __init__(self, *, enough_bytes: int) -> None:
        """``enough_bytes`` of body are all that is wanted."""
        self.enough_bytes = enough_bytes
        self.body_bytes = 0
        self.expected_bytes: int | None = None
        self.chunked = False
        self.head: bytes | None = None  # None until it is complete
        self.is_http = True
        self._heard = b""

    def hear(self, data: bytes) -> None:
        """Take in bytes of the answer."""
        if self.head is not None:
            self._body(data)
            return
        self._heard += data
        self.is_http = self._heard[:5] == b"HTTP/"[: len(self._heard)]
        head, found, body = self._heard.partition(b"\r\n\r\n")
        if found:
            self.head, self._heard = head, b""
            said = _LENGTH.search(head + b"\r\n")
            self.expected_bytes = int(said[1]) if said else None
            self.chunked = _CHUNKED.search(head) is not None
            self._body(body)

    def _body(self, data: bytes) -> None:
        self.body_bytes += len(data)
        self._heard = (self._heard + data)[-5:]

    @property
    def complete(self) -> bool:
        """All of it came, or as much as is wanted, or it is none."""
        if not self.is_http or len(self._heard) > HEAD_BYTES:
            return True
        if self.head is None:
            return False
        if self.body_bytes >= self.enough_bytes:
            return True
        if self.chunked:
            return self._heard == b"0\r\n\r\n"
        return self.expected_bytes is not None and self.body_bytes >= self.expected_bytes
