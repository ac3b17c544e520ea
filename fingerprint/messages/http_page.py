"""What an answer to a request says, as far as its first kilobytes tell: a redirect, a refusal, a page, or no HTTP.

Facts about bytes, never about who sent them. However long a page is, `LOOKED_AT_BYTES` of it are looked at; a coding
or a character set that is unknown or broken leaves less to read, and is no error.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fingerprint.messages.http import HttpResponse, read_response, text

# Block pages have 100 to 6,000 bytes in OONI's and Censored Planet's published sets; marks stand in their beginning.
LOOKED_AT_BYTES: Final = 16_384
# RFC 9110 section 15.4: those of 3xx that send the client elsewhere.
REDIRECTS: Final = frozenset({300, 301, 302, 303, 307, 308})
# A server's own word for "not for you": 403 Forbidden, 451 Unavailable for legal reasons (RFC 7725).
REFUSALS: Final = frozenset({403, 451})
# Character sets that are decoded. Python knows codecs beyond those of the web, some of them slow.
_CHARSETS: Final = re.compile(
    r"utf-?8|us-ascii|ascii|iso-8859-(?:1|2|5|6|9|15)|windows-125[01246]|koi8-[ru]|gb2312|gbk|gb18030|big5|euc-kr"
    r"|euc-jp|shift_jis|tis-620|utf-16(?:le|be)?|utf-32"
)
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,20})", re.IGNORECASE)
_TITLE: Final = re.compile(r"<title[^>]{0,200}>([^<]{0,300})", re.IGNORECASE)
_MARKUP: Final = re.compile(r"<[^>]{0,2000}>")
_HTML: Final = re.compile(r"<(?:!doctype|html|head|body|title|meta|iframe|h1|script)\b", re.IGNORECASE)
_ELSEWHERE: Final = re.compile(
    r"<iframe[^>]{1,300}src\s*=|http-equiv\s*=\s*[\"']?refresh|location(?:\.href)?\s*=\s*[\"']", re.IGNORECASE
)
# Words by which refusals say what they are, in the languages of the published sets of block pages (OONI, Citizen Lab,
# Censored Planet): they tell a page of refusal from another forged page, and convict nobody.
_WORDS: Final = re.compile(
    r"\bblock(?:ed|ing|page)?\b|prohibit|forbidden|\bdenied\b|restricted|\bcensor|not accessible|unavailable for legal"
    r"|surf safely|court order|order of the|banned|illegal|contravene|violat"
    r"|заблокирован|ограничен|запрещ|доступ к|роскомнадзор|محجوب|محظور|حجب|مسدود|فیلتر|پیوندها|erişim|engellen|karar"
    r"|diblokir|internet positif|internet sehat|trustpositif|bloquead|bloqué|prohibid|interdit|gesperrt|oscurat"
    r"|sequestr|차단|불법|已被|禁止|屏蔽|封鎖|ระงับ|ปิดกั้น|chặn|अवरुद्ध|blocat|zablokowan|bllokuar",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The beginning of an answer. ``kind`` is redirect, refusal, error, page or other (no HTTP and no HTML)."""

    kind: str
    status: int | None  # None where it has no status line
    location: str | None
    title: str
    words: str  # the text without its markup, printable, blanks folded
    body: str  # as far as it is looked at, decoded, markup and all
    head: HttpResponse | None

    @property
    def fields(self) -> dict[str, str]:
        """The header fields by name in lower case; the first of each name counts."""
        named = self.head.headers if self.head is not None else ()
        return {name.lower(): value for name, value in reversed(named)}

    @property
    def is_http(self) -> bool:
        """It begins with a status line, as RFC 9112 section 4 wants."""
        return self.head is not None

    def gist(self, host: str) -> str | None:
        """What it says but for the host that was asked for and numbers (times, references); None if that is too little.

        A redirect to the host itself (to TLS, to another path) says nothing.
        """
        said = f"{self.location or ''} {self.words}".lower()
        own = host.lower().removeprefix("www.")
        if self.kind == "redirect" and own and own in (self.location or "").lower():
            return None
        said = said.replace(own, "*") if own else said
        said = re.sub(r"\d+", "#", said).strip()
        return f"{self.status} {said}" if len(said) >= _TELLING else None


# Less than this of text and address is too little to be called the same.
_TELLING: Final = 24


def read_page(stream: bytes) -> Page:
    """The answer that these bytes of a server's stream begin with."""
    return _read(stream[: 2 * LOOKED_AT_BYTES])


# The same few pages are read in every judgement of a growing recording.
@lru_cache(maxsize=64)
def _read(stream: bytes) -> Page:
    head = read_response(stream)
    body = (head.body_start if head is not None else stream)[:LOOKED_AT_BYTES]
    if head is not None:
        body = _unpacked(_unchunked(body, head), head)
    said = _decoded(body, head)
    status = head.status if head is not None else None
    title = text(" ".join(found[1].split()).encode("utf-8", "replace")) if (found := _TITLE.search(said)) else ""
    words = " ".join(_MARKUP.sub(" ", said).split())
    return Page(
        kind=_kind(status, said, words, head),
        status=status,
        location=head.location if head is not None else None,
        title=title,
        words="".join(c if c.isprintable() else " " for c in words),
        body=said,
        head=head,
    )


def _kind(status: int | None, said: str, words: str, head: HttpResponse | None) -> str:
    refuses = bool(_WORDS.search(words) or (_ELSEWHERE.search(said) and _WORDS.search(said)))
    if status in REDIRECTS and head is not None and head.location:
        return "redirect"
    if status is not None and status >= 400:
        # The words of the status itself say nothing more than the status does.
        own = words.replace(head.reason, "").replace(str(status), "") if head is not None and head.reason else words
        refuses = status in REFUSALS and len(own.strip()) >= _TELLING
        return "refusal" if refuses else "error"
    if status is None and not _HTML.search(said):
        return "other"
    return "refusal" if refuses else "page"


def _unchunked(body: bytes, head: HttpResponse) -> bytes:
    """The body without chunk sizes (RFC 9112 section 7.1), as far as they are well-formed."""
    if "chunked" not in (head.header("transfer-encoding") or "").lower():
        return body
    out, at = b"", 0
    while at < len(body):
        line = body[at : at + 20].split(b"\r\n", 1)
        size = line[0].split(b";")[0].strip()
        if len(line) < 2 or not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size):
            break
        start = at + len(line[0]) + 2
        out += body[start : start + int(size, 16)]
        at = start + int(size, 16) + 2
        if not int(size, 16):
            break
    return out


def _unpacked(body: bytes, head: HttpResponse) -> bytes:
    """The body without gzip or deflate; no more comes out than is looked at, however small the page was packed."""
    coding = (head.header("content-encoding") or "").lower()
    if not any(name in coding for name in ("gzip", "deflate")):
        return body
    for bits in (47, -15):  # zlib.decompressobj: gzip or zlib by their heads, else raw deflate
        try:
            return zlib.decompressobj(bits).decompress(body, LOOKED_AT_BYTES)
        except zlib.error:
            continue
    return b""


def _decoded(body: bytes, head: HttpResponse | None) -> str:
    named = _CHARSET.search((head.header("content-type") or "").encode("utf-8", "replace")) if head else None
    named = named or _CHARSET.search(body[:1024])
    charset = named[1].decode("ascii").lower() if named else "utf-8"
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        charset = "utf-16"
    return body.decode(charset if _CHARSETS.fullmatch(charset) else "latin-1", "replace")
