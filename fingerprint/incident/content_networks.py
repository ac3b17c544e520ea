"""Content delivery networks: which autonomous systems they announce, and under which names they serve others' sites."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Origin networks of content delivery networks, by the operators' own registrations (RIR whois and PeeringDB, 2026).
NETWORKS: Mapping[int, str] = MappingProxyType(
    {
        13335: "Cloudflare", 54113: "Fastly", 20940: "Akamai", 16625: "Akamai", 15133: "Edgio", 22822: "Edgio",
        16509: "Amazon", 14618: "Amazon", 15169: "Google", 396982: "Google", 8075: "Microsoft", 60068: "CDN77",
        199524: "Gcore", 200325: "Bunny", 32934: "Meta",
    }
)  # fmt: skip
# Suffixes under which content delivery networks serve others' names, by the operators' documentation.
SUFFIXES: Mapping[str, str] = MappingProxyType(
    {
        "cloudfront.net": "Amazon", "akamaized.net": "Akamai", "akamaiedge.net": "Akamai", "edgesuite.net": "Akamai",
        "akamaihd.net": "Akamai", "fastly.net": "Fastly", "fastlylb.net": "Fastly", "azureedge.net": "Microsoft",
        "azurefd.net": "Microsoft", "cdn77.org": "CDN77", "b-cdn.net": "Bunny", "edgecastcdn.net": "Edgio",
        "llnwd.net": "Edgio", "gcdn.co": "Gcore",
    }
)  # fmt: skip
