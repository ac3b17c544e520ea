"""MaxMind's .mmdb, through their own reader (Apache-2.0), which is an extra and imported here alone."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from captures.errors import PrivilegeError
from fingerprint.networks.network import Network, address_of, prefix_of

# MaxMind DB file format, section "Binary Search Tree Section": what stands before the metadata.
MARKER = b"\xab\xcd\xefMaxMind.com"
# Of GeoLite2-ASN and DB-IP; of IPinfo.
NUMBERS = ("autonomous_system_number", "asn")
NAMES = ("autonomous_system_organization", "as_name", "name")


class Mmdb:
    """The file, looked up address by address."""

    def __init__(self, content: bytes) -> None:
        """Raises PrivilegeError without the reader, ValueError for what is no such file."""
        try:
            import maxminddb
        except ImportError:
            raise PrivilegeError(
                "an .mmdb wants the package maxminddb; install it with pip install 'censorship-fingerprint[asn]'"
            ) from None
        try:
            self._reader: Any = maxminddb.open_database(io.BytesIO(content), maxminddb.MODE_FD)
            self._broken: type[Exception] = maxminddb.InvalidDatabaseError
        except maxminddb.InvalidDatabaseError as error:
            raise ValueError(f"it is broken ({error})") from None

    @property
    def built(self) -> date:
        """When it was made, by its own metadata."""
        return datetime.fromtimestamp(self._reader.metadata().build_epoch, UTC).date()

    def find(self, key: bytes) -> Network | None:
        """See `Table`."""
        address = address_of(key)
        try:
            record, length = self._reader.get_with_prefix_len(str(address))
        except (ValueError, self._broken):  # an address of the other family; a pointer that leads nowhere
            return None
        asn = _number(record) if isinstance(record, Mapping) else None
        if asn is None:
            return None
        bits = length + (128 - address.max_prefixlen if address.version == 4 else 0)
        masked = int.from_bytes(key) >> (128 - bits) << (128 - bits)
        name = next((record[field] for field in NAMES if isinstance(record.get(field), str)), None)
        return Network(asn=asn, prefix=prefix_of(masked.to_bytes(16), bits), name=name, origins=(asn,))


def _number(record: Mapping[str, object]) -> int | None:
    """An AS number above zero, as a number or as ``AS64500``."""
    said = next((record[field] for field in NUMBERS if field in record), None)
    found = re.fullmatch(r"(?:AS)?(\d{1,10})", str(said))
    return int(found[1]) or None if found else None
