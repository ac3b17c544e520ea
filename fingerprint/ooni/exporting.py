"""Accounts → lines in the formats of OONI: one measurement a target, under a test name of our own.

Nothing is sent anywhere. The probe's address is 127.0.0.1, as OONI writes it; what is not known is null.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import captures
from captures.errors import CaptureError
from fingerprint import tables
from fingerprint.accounts import PACKETS, Account
from fingerprint.capture import Capture
from fingerprint.incident.times import nanoseconds
from fingerprint.ooni import ontology, wire
from fingerprint.ooni.experiments import OURS
from fingerprint.ooni.fields import SECOND_NS
from fingerprint.report.numbers import timestamp
from fingerprint.verdict.targets import Target

Document = Mapping[str, Any]
# Of the form of our test keys; a change that readers must know of raises it.
TEST_VERSION = "0.1.0"
# df-000, and what a probe writes that withholds its network, country or address.
DATA_FORMAT, NO_ASN, NO_COUNTRY, NO_ADDRESS = "0.2.0", "AS0", "ZZ", "127.0.0.1"
# df-000 wants text; what was never sent to a collector has none (ooni/spec, ts-037, has such an example).
NOT_SUBMITTED = ""
# The versions of the data formats that the lists keep to.
EXTENSIONS = {"dnst": 0, "httpt": 0, "netevents": 0, "tcpconnect": 0, "tlshandshake": 0}


def measurements(accounts: Iterable[Account]) -> Iterator[dict[str, Any]]:
    """One measurement a target, in order of accounts and targets. A target of no known time is left out."""
    for account in accounts:
        conversations = _conversations(account)
        for target in account.document["targets"]:
            if target["first"] and target["last"]:
                yield _measurement(account, target, conversations)


Conversations = Mapping[tuple[str, str | None], Target]


def _conversations(account: Account) -> Conversations:
    """What the packets say, where all captures of the account are at hand; nothing else is known of them."""
    if account.kind != PACKETS or not account.captures or None in account.captures:
        return {}
    paths = dict.fromkeys(str(path) for path in account.captures)
    try:
        recordings = tuple(captures.read(path, index=n) for n, path in enumerate(paths))
    except CaptureError:
        return {}
    here = {r.index: account.vantage for r in recordings}
    return wire.filed(Capture(recordings=recordings, known=tables.at_hand()[0], vantages=here))


def _measurement(account: Account, target: Document, conversations: Conversations) -> dict[str, Any]:
    first_ns, last_ns = nanoseconds(target["first"]), nanoseconds(target["last"])
    zero_ns = first_ns - first_ns % SECOND_NS
    mine = conversations.get((target["target"], target["vantage"]))
    made = wire.entries(mine, (first_ns, last_ns), zero_ns) if mine else None
    began = (timestamp(zero_ns) or "")[:19].replace("T", " ")
    where, tool = account.vantage, account.document["tool"]
    return {
        "annotations": _annotations(account),
        "data_format_version": DATA_FORMAT,
        "extensions": EXTENSIONS,
        "input": target["target"],
        "measurement_start_time": began,
        "options": [],
        "probe_asn": f"AS{where.asn}" if where.asn else NO_ASN,
        "probe_cc": where.country or NO_COUNTRY,
        "probe_ip": NO_ADDRESS,
        "probe_network_name": where.provider,
        "report_id": NOT_SUBMITTED,
        "resolver_asn": NO_ASN,
        "resolver_ip": None,
        "resolver_network_name": None,
        "software_name": tool["name"],
        "software_version": tool["version"],
        "test_helpers": {},
        "test_keys": {**wire.lists(made), **_finding(target)},
        "test_name": OURS,
        "test_runtime": round((last_ns - zero_ns) / SECOND_NS, 6),
        "test_start_time": began,
        "test_version": TEST_VERSION,
    }


def _annotations(account: Account) -> dict[str, str]:
    """Where it comes from; OONI's annotations are text by name."""
    tool = account.document["tool"]
    said = {"engine_name": tool["name"], "engine_version": tool["version"]}
    said |= {"source_kind": account.kind, "source_sha256": account.sha256}
    said |= {f"table_{t['name']}": f"{t['version']} {t['sha256']}" for t in account.document["tables"]}
    if account.vantage.simulated:
        said["simulated"] = account.vantage.simulated
    return said


def _finding(target: Document) -> dict[str, Any]:
    """What the report says of the target, and the same as a label of OONI's ontology."""
    cause = target["cause"]
    return {
        "state": target["state"],
        "reach": target["reach"],
        "service": target["service"],
        "role": target["role"],
        "cause": cause and {"hypothesis": cause["hypothesis"], "posterior": cause["posterior"], "says": cause["says"]},
        "mechanisms": [_mechanism(m) for m in target["mechanisms"]],
        "label": ontology.label(target),
    }


def _mechanism(mechanism: Document) -> dict[str, Any]:
    keys = ("posterior", "posterior_at", "calibrated", "position", "trigger", "location", "shape", "rate_bps")
    evidence = [
        {"technique": e["technique"], "clue": e["clue"], "packets": e["packets"], "says": e["says"]}
        for e in mechanism["evidence"]
    ]
    node = mechanism["mechanism"]
    return {"node": node, "ontology_node": ontology.node(node), **{k: mechanism[k] for k in keys}, "evidence": evidence}
