"""Our findings in OONI's formats: the fields of the specification, nothing of the client, and no claim that grows."""

from __future__ import annotations

import json

import pytest

from fingerprint.accounts import ooni, reports
from fingerprint.accounts.captured import Judging
from fingerprint.accounts.captured import accounts as captured
from fingerprint.ooni import exporting, ontology
from fingerprint.ooni.facts import ENDINGS
from fingerprint.plugins import registry
from fingerprint.report import as_dict
from fingerprint.verbs import analysing
from fingerprint.verdict.taxonomy import NODES, ancestors
from tests.ooni.measurements import written
from tests.report.by_hand import report, verdict

# Fields of ooni/spec as of 2024: df-000, df-001, df-002, df-005, df-006, df-008.
TOP = {
    "annotations", "data_format_version", "extensions", "input", "measurement_start_time", "options", "probe_asn",
    "probe_cc", "probe_ip", "probe_network_name", "report_id", "resolver_asn", "resolver_ip", "resolver_network_name",
    "software_name", "software_version", "test_helpers", "test_keys", "test_name", "test_runtime", "test_start_time",
    "test_version",
}  # fmt: skip
ENTRIES = {
    "queries": {
        "answers", "engine", "failure", "hostname", "query_type", "raw_response", "rcode", "resolver_address", "t0",
        "t", "transaction_id",
    },
    "tcp_connect": {"ip", "port", "status", "t0", "t", "transaction_id"},
    "tls_handshakes": {
        "network", "address", "cipher_suite", "failure", "negotiated_protocol", "no_tls_verify", "peer_certificates",
        "server_name", "t0", "t", "tags", "tls_version", "transaction_id",
    },
    "quic_handshakes": {
        "network", "address", "failure", "no_tls_verify", "server_name", "t0", "t", "tags", "transaction_id",
    },
    "requests": {"network", "address", "failure", "request", "response", "t0", "t", "transaction_id"},
    "network_events": {
        "address", "failure", "num_bytes", "operation", "proto", "t0", "t", "tags", "transaction_id",
    },
}  # fmt: skip
FAILURES = {*ENDINGS, "ssl_failed_handshake", "dns_nxdomain_error", "dns_refused_error", "dns_servfail_error",
            "dns_no_answer", None}  # fmt: skip


@pytest.fixture(scope="module")
def how():
    return Judging(registry=registry.load())


@pytest.fixture(scope="module")
def exported(samples, how):
    """Every sample's accounts, and what is written of them."""
    made = [(path, captured(str(path), how)[0]) for path in samples]
    return [(path, accounts, list(exporting.measurements(accounts))) for path, accounts in made if accounts]


def test_every_sample_is_written_in_the_fields_of_the_specification(exported):
    seen = set()
    for _, _, measurements in exported:
        for m in measurements:
            assert set(m) == TOP
            for key, fields in ENTRIES.items():
                for entry in m["test_keys"][key] or ():
                    assert set(entry) == fields, key
                    assert entry.get("failure") in FAILURES
                    assert entry["t0"] <= entry["t"]
                    seen.add(key)
    assert seen == set(ENTRIES)


def test_times_count_from_the_whole_second_in_which_the_target_was_first_seen(exported):
    for _, _, measurements in exported:
        for m in measurements:
            times = [e["t0"] for key in ENTRIES for e in m["test_keys"][key] or ()]
            assert min(times, default=0) >= 0
            assert max(times, default=0) <= m["test_runtime"] + 1e-6
            assert len(m["measurement_start_time"]) == len("2024-03-01 12:00:00")


def test_the_client_is_nowhere(exported, how):
    for path, _, measurements in exported[::10]:
        judged = analysing.judged([str(path)], how.registry)
        servers = {e.rpartition("/")[0].rpartition(":")[0].strip("[]") for v in judged.verdicts for e in v.endpoints}
        clients = {c for capture in judged.captures for c in capture.clients} - servers
        text = json.dumps(measurements)
        assert not [c for c in clients if f'"{c}"' in text or f'"{c}:' in text or f"[{c}]" in text]
        assert all(m["probe_ip"] == "127.0.0.1" for m in measurements)


def test_reading_our_own_export_claims_no_more_than_the_report_had(exported, tmp_path):
    read = 0
    for _, accounts, measurements in exported:
        claimed = {}
        for target in accounts[0].document["targets"]:
            claims = claimed.setdefault(target["target"], ({target["state"]}, set()))
            claims[0].add(target["state"])
            claims[1].update(a for m in target["mechanisms"] for a in ancestors(m["mechanism"]))
        again, _ = ooni.accounts(written(tmp_path / "a.jsonl", *measurements))
        for target in (t for account in again for t in account.document["targets"]):
            states, nodes = claimed[target["target"]]
            assert {m["mechanism"] for m in target["mechanisms"]} <= nodes
            assert target["state"] != "blocked" or "blocked" in states
            assert target["state"] != "ok" or "ok" in states
            read += 1
    assert read > len(exported)


def test_a_report_whose_capture_is_gone_says_what_it_concluded_and_invents_no_socket():
    document = as_dict(report(verdict(), verdict("b.test", "insufficient")))
    accounts, _ = reports.of_document(document, "x.json")
    blocked, open_ = exporting.measurements(accounts)
    assert all(blocked["test_keys"][key] is None for key in ENTRIES)
    (mechanism,) = blocked["test_keys"]["mechanisms"]
    assert (mechanism["node"], mechanism["ontology_node"]) == ("tls.reset.sni", "tls.reset.sni")
    assert mechanism["evidence"][0]["packets"] == [12, 14]
    assert blocked["test_keys"]["label"] == {
        "verdict": "blocked",
        "mechanisms": ["tls.reset.sni"],
        "locus": {"tls.reset.sni": "network"},
        "taxonomy_version": "v1",
    }
    assert (open_["test_keys"]["label"]["verdict"], open_["test_keys"]["mechanisms"]) == ("unknown", [])
    assert (blocked["probe_asn"], blocked["probe_cc"], blocked["report_id"]) == ("AS0", "ZZ", "")


def test_annotations_name_the_tool_and_every_table_by_version_and_hash(exported):
    said = exported[0][2][0]["annotations"]
    assert said["engine_name"] == "censorship-fingerprint"
    assert len(said["source_sha256"]) == 64
    assert len(said["table_injectors"].split()[-1]) == 64
    assert all(isinstance(value, str) for value in said.values())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("tls.reset.sni", "tls.reset.sni"),
        ("tls.timeout.sni", "tls.timeout"),
        ("tls.close.sni", "tls"),
        ("dns.servfail", "dns"),
        ("ip.drop", "ip"),
        ("http.reset.path", "http"),
        ("quic.timeout.sni", None),
        ("udp.timeout", None),
        ("x.plugin.node", None),
    ],
)
def test_a_node_is_said_by_its_deepest_ancestor_that_ooni_has(ours, theirs):
    assert ontology.node(ours) == theirs


def test_every_node_of_ours_is_said_or_has_no_layer_there():
    unsaid = {n.split(".")[0] for n in NODES if ontology.node(n) is None}
    assert unsaid == {"quic", "udp"}


def test_two_nodes_of_one_layer_are_said_by_what_they_share():
    mechanisms = [
        {"mechanism": n, "position": p} for n, p in (("tls.reset.sni", "on-path"), ("tls.timeout.sni", "in-path"))
    ]
    told = ontology.label(
        {"state": "blocked", "mechanisms": [*mechanisms, {"mechanism": "dns.nxdomain", "position": "server"}]}
    )
    assert told["mechanisms"] == ["dns.nxdomain", "tls"]
    assert told["locus"] == {"dns.nxdomain": "server_side", "tls": "network"}


def test_a_socket_hears_nothing_after_its_reset(exported):
    (measurements,) = [m for path, _, m in exported if path.parent.name == "sni_forged_reset"]
    keys = next(m["test_keys"] for m in measurements if m["test_keys"]["state"] == "blocked")
    assert {h["failure"] for h in keys["tls_handshakes"]} == {"connection_reset"}
    for handshake in keys["tls_handshakes"]:
        told = [e for e in keys["network_events"] if e["transaction_id"] == handshake["transaction_id"]]
        assert [e["failure"] for e in told] == [None, None, "connection_reset"]
        assert told[-1]["t"] == handshake["t"]
