"""From the user's file to a dated table."""

from __future__ import annotations

import gzip
import re
import zlib
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from captures.errors import PrivilegeError, TargetError
from fingerprint.networks import network
from fingerprint.networks.network import Networks

# RFC 1952 section 2.3.1.
GZIP = b"\x1f\x8b"
# A day within a file's name, as CAIDA and others write it.
DAY = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_.]?)(\d\d)\2(\d\d)(?!\d)")
WANTED = "want CAIDA's pfx2as, iptoasn's TSV (both also .gz) or an .mmdb"


def load(file: Path, dated: str | None = None) -> Networks:
    """Read a table. ``dated`` is a day such as 2020-05-17, for files that do not tell.

    Raises TargetError for a file that is none, or a date that is none; PrivilegeError without the reader of .mmdb.
    """
    given = day(dated) if dated is not None else None
    try:
        stored = file.read_bytes()
        written = datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
        content = gzip.decompress(stored) if stored.startswith(GZIP) else stored
        table, complaints, built = _table(content)
    except PrivilegeError as error:
        raise PrivilegeError(f"--networks {file}: {error}") from None
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or "it ends too early, or is broken"
        raise TargetError(f"--networks {file}: {why}; {WANTED}") from None
    except ValueError as error:
        raise TargetError(f"--networks {file}: {error}; {WANTED}") from None
    dates = (
        (given, network.BY_OPTION),
        (built, network.BY_METADATA),
        (in_name(file.name), network.BY_NAME),
        (written, network.BY_FILE_TIME),
    )
    on, by = next((when, how) for when, how in dates if when is not None)
    return Networks(
        file=file.name,
        sha256=sha256(stored).hexdigest(),
        dated=on,
        dated_by=by,
        table=table,
        complaints=tuple(f"{file.name}: {says}" for says in complaints),
    )


def _table(content: bytes) -> tuple[network.Table, tuple[str, ...], date | None]:
    from fingerprint.networks import lines, mmdb

    if mmdb.MARKER in content[-128 * 1024 :]:
        made = mmdb.Mmdb(content)
        return made, (), made.built
    text = content.decode("utf-8", "replace")
    match lines.kind(text):
        case "pfx2as":
            return *lines.pfx2as(text), None
        case "iptoasn":
            return *lines.iptoasn(text), None
    raise ValueError("it is no table of networks")


def day(text: str) -> date:
    """Raises TargetError for what is no day."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise TargetError(f"--networks-date {text}: want a day such as 2020-05-17") from None


def in_name(name: str) -> date | None:
    """The first day that a file's name tells."""
    for found in DAY.finditer(name):
        try:
            return date(int(found[1]), int(found[3]), int(found[4]))
        except ValueError:
            continue
    return None
