"""Which known authority signed: the rows of the table `anchors`, told by an issuer's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from fingerprint.conversations.tls.first_flights import attribute
from fingerprint.messages.http import text

Row = Mapping[str, object]


def anchor(issuer: str | None, rows: Iterable[Row]) -> Row | None:
    """The first row that an issuer's name (RFC 4514) fits; None if it fits none. Case does not count."""
    common, organisation = attribute(issuer, "CN"), attribute(issuer, "O")
    for row in rows:
        wanted = [(row[key], has) for key, has in (("cn", common), ("o", organisation)) if key in row]
        if wanted and all(has is not None and _fits(str(want), has) for want, has in wanted):
            return row
    return None


def _fits(want: str, has: str) -> bool:
    # Names are read as printable ASCII, anything else in hexadecimal. A square bracket would begin a class of letters.
    wanted = text(want.encode()).replace("\\", "").casefold().replace("[", "[[]")
    return fnmatchcase(has.replace("\\", "").casefold()[:400], wanted)
