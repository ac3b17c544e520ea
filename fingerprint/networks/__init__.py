"""AS numbers and prefixes of addresses, from a dated file that the user has; none is shipped, for they age and have
owners.

Three kinds are read, by their content: CAIDA's pfx2as (``prefix  length  asn``), iptoasn's TSV (``start  end  asn
country  description``), both also as .gz, and MaxMind's .mmdb (with the extra ``asn``).

    networks = load(Path("routeviews-rv2-20200517-1200.pfx2as.gz"))
    networks.of("110.93.212.1")  # Network(asn=…, prefix="110.93.212.0/24", name=None)

Who announced a prefix changes from month to month, so a table knows its date, every report names it with its hash, and
one that is far from the capture's own date is complained of.
"""

from __future__ import annotations

from fingerprint.networks.loading import load
from fingerprint.networks.naming import named
from fingerprint.networks.network import Network, Networks

__all__ = ["Network", "Networks", "load", "named"]
