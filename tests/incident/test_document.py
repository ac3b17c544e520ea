"""The incident as a document: what the schema says, and what a later incident reads of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fingerprint.incident import comparing
from fingerprint.incident.document import as_dict
from fingerprint.vantages.vantage import Clock
from tests.incident.by_hand import account, incident, mechanism, rounds, target

SCHEMA = Path(__file__).parents[2] / "docs/reference/incident-1.schema.json"
CLUSTER = {"name": "unknown, cluster 12ab", "score": 0.0, "fits": [], "contradicts": [], "source": "s"}
ROW = {"name": "Airtel", "score": 0.9, "fits": ["ip.id"], "contradicts": [], "source": "table"}


def valid(document):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document, schema)
    return json.loads(json.dumps(document, allow_nan=False))


def planted(**changes):
    rows = {"tweets.test": "." * 10 + "b" * 10 + "." * 4, "meet.test": "..dd......" + "b" * 10 + "...."}
    return rounds("Alpha", rows, **{"tweets.test": changes, "meet.test": changes})


def blocked(vantage="Alpha", **changes):
    node = changes.pop("node", "tls.reset.sni")
    rows = {"tweets.test": "....bbbb"}
    return incident(rounds(vantage, rows, **{"tweets.test": {"ways": [mechanism(node, **changes)]}}))


def test_every_document_is_what_the_schema_says():
    rate = {"value": 1e5, "low": 9e4, "high": 1.1e5}
    slow = mechanism("tls.throttle.sni", rate_bps=1e5, rate_interval_bps=rate, injector=[ROW])
    place = {"hop": 3, "link": [2, 3], "address": None, "asn": None}
    for found in (
        incident(planted()),
        incident(planted(ways=[slow], reach="degraded")),
        incident(planted(ways=[mechanism(location=place)]), rounds("Beta", {"a.test": "?!"}, clock=Clock())),
        incident([account("Alpha", [], kind="told")]),
        incident([]),
    ):
        valid(as_dict(found))


def test_a_document_compared_with_itself_shares_everything():
    found = blocked(injector=[CLUSTER], trigger={"field": "tls.sni", "value": "tweets.test"})
    one = compare(found, found)
    assert one.answer == "same device"
    assert one.differing == ()


def compare(mine, earlier):
    document = valid(as_dict(earlier))
    comparing.check(document)
    return comparing.compared(mine, document, file="earlier.json", sha256="ab" * 32)


def test_the_same_cluster_under_the_same_mechanism_is_the_same_device():
    assert compare(blocked(injector=[CLUSTER]), blocked("Beta", injector=[CLUSTER])).answer == "same device"


def test_a_row_of_the_table_is_a_kind_of_device_and_not_one():
    assert compare(blocked(injector=[ROW]), blocked("Beta", injector=[ROW])).answer == "same technique"


def test_the_same_link_from_the_same_vantage_is_the_same_device_and_from_another_says_nothing():
    here = {"location": {"hop": 3, "link": [2, 3], "address": None, "asn": None}}
    assert compare(blocked(**here), blocked(**here)).answer == "same device"
    assert compare(blocked(**here), blocked("Beta", **here)).answer == "same technique"


def test_a_cluster_that_sits_elsewhere_on_the_same_line_is_no_longer_the_same_device():
    def at(a, b):
        place = {"hop": b, "link": [a, b], "address": None, "asn": None}
        return blocked(injector=[CLUSTER], location=place)

    one = compare(at(2, 3), at(5, 6))
    assert one.answer == "same technique"
    assert any(d.startswith("link 2–3 here, 5–6 there") for d in one.differing)


def test_the_same_mechanism_with_nothing_more_is_the_same_technique():
    assert compare(blocked(), blocked()).answer == "same technique"


def test_another_layer_and_action_is_unrelated():
    one = compare(blocked(), blocked(node="dns.injection.bogon"))
    assert one.answer == "unrelated"
    assert one.differing == ("only here: tls.reset.sni", "only there: dns.injection.bogon")


def test_a_sibling_is_neither_the_same_nor_unrelated():
    assert compare(blocked(), blocked(node="tls.reset.ech")).answer == "undecided"


def test_what_never_said_how_cannot_be_compared():
    one = compare(blocked(), incident(rounds("Alpha", {"tweets.test": "????"})))
    assert one.answer == "undecided"
    assert "does not say how" in one.says


def test_rates_are_compared_by_their_intervals():
    def slowed(low, high):
        rate = {"value": (low + high) / 2, "low": low, "high": high}
        return blocked(node="tls.throttle.sni", rate_bps=rate["value"], rate_interval_bps=rate)

    assert any(s.startswith("rate") for s in compare(slowed(1e5, 2e5), slowed(1.5e5, 3e5)).shared)
    assert any(s.startswith("rate") for s in compare(slowed(1e5, 2e5), slowed(5e5, 6e5)).differing)


@pytest.mark.parametrize("told", [{}, [], {"schema": "fingerprint/report/1"}, {"schema": comparing.SCHEMA}])
def test_what_is_no_incident_is_not_compared(told):
    with pytest.raises(ValueError, match=r"schema|signatures"):
        comparing.check(told)


def test_a_simulated_earlier_incident_is_called_so():
    earlier = incident(rounds("Alpha", {"tweets.test": "....bbbb"}, simulated="an evening"))
    assert "simulation" in compare(blocked(), earlier).says


def test_targets_of_another_kind_of_name_do_not_break_the_document():
    hostile = target("\x1b[31m.test", 0, service="=cmd", vantage="client 1")
    valid(as_dict(incident([account("Alpha", [hostile])])))
