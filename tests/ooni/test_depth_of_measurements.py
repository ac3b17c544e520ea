"""What measurements of OONI are enough for, and what they are not."""

from __future__ import annotations

import pytest

from tests.ooni.measurements import (
    BLOCK_PAGE,
    DENIED,
    ELSEWHERE,
    OTHER_PAGE,
    SITE,
    connect,
    control,
    handshake,
    hours,
    later,
    measurement,
    other_site,
    plain,
    query,
    request,
    reset_after_hello,
    traced,
    web,
)
from tests.ooni.targets import nodes, only


def test_what_worked_is_ok_and_names_when(judge):
    target = only(judge(web()))
    assert target["state"] == "ok"
    assert target["worked"] == ["2024-03-01T12:00:00.000000000Z", "2024-03-01T12:00:04.000000000Z"]
    assert target["failed"] is None


@pytest.mark.parametrize("count", [1, 2, 10])
def test_a_reset_without_another_name_is_never_enough_however_often(judge, count):
    target = only(judge(*hours(reset_after_hello, count)))
    assert target["state"] == "insufficient"
    assert "sockets do not tell who did it" in target["cause"]["says"]
    assert target["alternatives"][0]["posterior"] > 0.2


def test_a_single_pair_is_not_enough(judge):
    assert only(judge(reset_after_hello(), other_site()))["state"] == "insufficient"


def test_resets_beside_another_name_at_the_same_address_are_by_name(judge):
    targets = judge(*hours(reset_after_hello, 3, other_site))
    blocked = only(targets)
    assert (blocked["state"], nodes(blocked), blocked["reach"]) == ("blocked", ["tls.reset.sni"], "full")
    mechanism = blocked["mechanisms"][0]
    assert mechanism["trigger"] == {"field": "tls.sni", "value": "news.example"}
    assert (mechanism["position"], mechanism["calibrated"]) == ("unknown", None)
    assert any("cooking.example passes on" in e["says"] for e in mechanism["evidence"])
    assert only(targets, "cooking.example")["state"] == "ok"


def test_another_name_at_another_address_shows_nothing_of_the_name(judge):
    elsewhere = judge(*hours(reset_after_hello, 3, lambda at: other_site(at, address=ELSEWHERE)))
    assert only(elsewhere)["state"] == "insufficient"


def test_a_sister_of_the_name_is_no_control(judge):
    sister = judge(*hours(reset_after_hello, 3, lambda at: other_site(at, name="img.news.example")))
    assert only(sister)["state"] == "insufficient"


def test_another_name_an_hour_later_is_no_control(judge):
    late = judge(*hours(reset_after_hello, 1), *(other_site(later(h + 1)) for h in range(3)))
    assert only(late)["state"] == "insufficient"


@pytest.mark.parametrize("failure", ["connection_reset", "generic_timeout_error", "eof_error"])
def test_where_the_test_helper_fails_too_the_server_is_down(judge, failure):
    down = reset_after_hello(helper=control(up=False), tls_handshakes=[handshake(failure=failure)])
    target = only(judge(down, other_site()))
    assert (target["state"], target["cause"]["hypothesis"]) == ("down", "server-down")
    assert not target["mechanisms"]


def test_a_test_helper_that_nobody_reached_controls_nothing(judge):
    alone = reset_after_hello(helper={}, control_failure="generic_timeout_error")
    target = only(judge(alone))
    assert target["state"] == "insufficient"
    assert "no test helper was asked" in target["cause"]["says"]


def test_a_reset_on_the_way_is_placed_by_the_control_that_dies_there(judge):
    target = only(judge(traced()))
    mechanism = target["mechanisms"][0]
    assert mechanism["mechanism"] == "tls.reset.sni"
    assert (mechanism["location"]["hop"], mechanism["location"]["link"]) == (4, [3, 4])


def test_a_reset_within_the_house_may_be_its_owners_filter(judge):
    target = only(judge(traced(reset_at=2)))
    assert (target["state"], target["mechanisms"]) == ("insufficient", [])


def test_a_reset_from_no_nearer_than_the_server_is_not_placed(judge):
    assert only(judge(traced(reset_at=8)))["state"] == "insufficient"
    assert only(judge(traced(dies=False)))["state"] == "insufficient"


def test_a_name_that_passes_at_a_stranger_is_no_service_that_works(judge):
    target = only(judge(traced(reset_at=None)))
    assert (target["state"], target["worked"]) == ("insufficient", None)


@pytest.mark.parametrize("failure", ["dns_servfail_error", "android_dns_cache_no_data", "dns_lookup_error"])
def test_failures_that_name_no_mechanism_are_remarks(judge, failure):
    broken = DENIED | {"queries": [query(addresses=(), failure=failure)]}
    target = only(judge(*hours(lambda at: web(at, **broken), 5, other_site)))
    assert target["state"] == "insufficient"
    assert any(failure in o["says"] for o in target["observations"])


def test_a_known_block_page_in_the_clear_is_enough_where_the_helper_gets_the_site(judge):
    target = only(judge(plain(**BLOCK_PAGE)))
    assert nodes(target) == ["http.blockpage"]
    assert target["mechanisms"][0]["position"] == "unknown"


def test_a_redirect_to_a_known_block_page_is_a_redirect(judge):
    chain = [
        request("http://notice.example/blocked", body="<iframe src='http://10.10.34.34'>"),
        request("http://news.example/", code=302, body="", headers=[("Location", "http://notice.example/blocked")]),
    ]
    target = only(judge(plain(**(BLOCK_PAGE | {"requests": chain}))))
    assert nodes(target) == ["http.redirect"]


def test_a_stranger_with_a_certificate_of_its_own_is_not_the_site(judge):
    chain = [
        request("https://notice.example/", body="<title>Notice</title>"),
        request("http://news.example/", code=302, body="", headers=[("Location", "https://notice.example/")]),
    ]
    led = plain(requests=chain, status_code_match=None, body_length_match=None, headers_match=None, title_match=None)
    assert only(judge(led))["state"] == "insufficient"
    home = [
        request("https://www.news.example/"),
        chain[1] | {"response": {"code": 301, "headers_list": [["Location", "https://www.news.example/"]]}},
    ]
    assert only(judge(plain(requests=home)))["state"] == "ok"


def test_two_ways_of_asking_are_two_runs_and_what_works_makes_the_block_partial(judge):
    both = [
        m for h in range(4) for m in (plain(later(h + 0.1)), reset_after_hello(later(h)), other_site(later(h + 0.05)))
    ]
    found = {t["state"]: t for t in judge(*both)["news.example"]}
    assert set(found) == {"ok", "blocked"}
    assert found["blocked"]["reach"] == "partial"


def test_a_block_page_over_tls_with_the_right_certificate_is_the_servers_own(judge):
    own = web(requests=[request(body="<iframe src='http://10.10.34.34'>", code=403)])
    target = only(judge(own))
    assert target["state"] == "ok"
    assert any("status 403" in o["says"] for o in target["observations"])


@pytest.mark.parametrize("status", [403, 451])
def test_a_refusal_by_status_is_a_remark_and_no_block(judge, status):
    refused = OTHER_PAGE | {"requests": [request("http://news.example/", code=status, body="no")]}
    target = only(judge(*hours(lambda at: plain(at, **refused), 5)))
    assert target["state"] == "insufficient"
    assert any(f"status {status}" in o["says"] for o in target["observations"])


def test_a_certificate_that_is_not_believed_may_be_the_probes_own_fault(judge):
    refused = {
        "tls_handshakes": [handshake(failure="ssl_unknown_authority")],
        "requests": [request(failure="ssl_unknown_authority")],
    }
    assert only(judge(*hours(lambda at: web(at, **refused), 5)))["state"] == "insufficient"


def cooking(at):
    """Another host that is served in the clear at the same address."""
    keys = {"queries": [query("cooking.example")], "requests": [request("http://cooking.example/")]}
    return plain(at, **keys) | {"input": "http://cooking.example/"}


def test_a_host_that_is_reset_where_another_passes_is_by_host(judge):
    failing = {"requests": [request("http://news.example/", failure="connection_reset")], "status_code_match": None}
    target = only(judge(*hours(lambda at: plain(at, **failing), 3, cooking)))
    assert nodes(target) == ["http.reset"]
    assert only(judge(*hours(lambda at: plain(at, **failing), 3)))["state"] == "insufficient"


def test_silence_of_one_port_is_never_a_block(judge):
    silent = {
        "tcp_connect": [connect(failure="generic_timeout_error")],
        "tls_handshakes": [],
        "requests": [request(failure="generic_timeout_error")],
    }
    assert only(judge(*hours(lambda at: web(at, **silent), 6, other_site)))["state"] == "insufficient"


def test_no_way_to_ipv6_is_no_failure_of_anybody(judge):
    there = {"tcp_connect": [connect("2a00:1450::1", failure="network_unreachable"), connect()]}
    assert only(judge(web(**there)))["state"] == "ok"


def test_an_answer_that_began_and_did_not_end_in_time_was_let_through(judge):
    begun = request("http://news.example/", code=200) | {"failure": "generic_timeout_error"}
    slow = {"requests": [begun], "status_code_match": None}
    target = only(judge(*hours(lambda at: plain(at, **slow), 4, cooking)))
    assert "did not come to an end, for reasons that name no mechanism" in target["cause"]["says"]
    assert "began with status 200 and did not come to its end" in target["observations"][0]["says"]
    asked = {"requests": [request("http://news.example/", failure="generic_timeout_error")], "status_code_match": None}
    assert "the request with" in only(judge(*hours(lambda at: plain(at, **asked), 4, cooking)))["cause"]["says"]


@pytest.mark.parametrize("failure", ["unknown_failure: tls: bad record MAC", "response_never_received"])
def test_what_fails_in_other_words_where_the_helper_fails_is_down(judge, failure):
    failed = {"requests": [request("http://news.example/", failure=failure)], "status_code_match": None}
    assert only(judge(plain(helper=control(up=False), **failed)))["state"] == "down"
    assert only(judge(plain(**failed)))["state"] == "insufficient"


def test_a_strangers_page_is_alike_by_the_page_and_not_by_the_names_of_its_fields(judge):
    chain = [
        request("http://portal.example/", body="<title>Welcome</title>"),
        request("http://news.example/", code=302, headers=[("Location", "http://portal.example/")], body=""),
    ]
    unlike = {"requests": chain, "body_length_match": False, "title_match": False}
    assert only(judge(plain(**unlike)))["state"] == "insufficient"
    assert only(judge(plain(**(unlike | {"title_match": True}))))["state"] == "ok"


def test_a_page_of_a_client_that_believes_any_certificate_may_be_anybodys(judge):
    def fetched(*, anybody):
        keys = {
            "tcp_connect": [connect()],
            "tls_handshakes": [handshake(no_tls_verify=anybody)],
            "requests": [request()],
        }
        return only(judge(measurement("urlgetter", keys)))["state"]

    assert (fetched(anybody=False), fetched(anybody=True)) == ("ok", "insufficient")


def test_an_onset_lies_between_two_runs(judge):
    works = [web(later(h)) for h in range(3)]
    fails = [m for h in range(3, 6) for m in (reset_after_hello(later(h)), other_site(later(h + 0.05)))]
    before, after = judge(*fails, *works)["news.example"]
    assert (before["state"], before["last"][:16]) == ("ok", "2024-03-01T14:00")
    assert (after["state"], after["first"][:16]) == ("blocked", "2024-03-01T15:00")


def test_what_nobody_looked_at_for_a_day_is_another_run(judge):
    assert len(judge(web(), web(later(30)))["news.example"]) == 2
    assert len(judge(web(), web(later(10)))["news.example"]) == 1


def visit(failure=None, endpoint="20.8.8.8:853"):
    """What dnscheck keeps of one address of a resolver."""
    answered = [query("example.org", () if failure else (SITE,), failure, engine="dot", resolver_address=endpoint)]
    return {
        "failure": failure,
        "queries": answered,
        "tcp_connect": [connect("20.8.8.8", 853)],
        "tls_handshakes": [handshake("dns.example", endpoint, failure)],
        "requests": None,
        "network_events": None,
    }


def test_an_encrypted_resolver_that_answers_works(judge):
    keys = {"bootstrap": {"queries": [query("dns.example", ("20.8.8.8",))]}, "lookups": {"dot://20.8.8.8:853": visit()}}
    target = only(judge(measurement("dnscheck", keys, input="dot://dns.example:853")), "dns.example")
    assert (target["state"], target["role"]) == ("ok", "resolver")


def test_an_encrypted_resolver_that_is_reset_is_insufficient_without_a_control(judge):
    keys = {"bootstrap": None, "lookups": {"dot://20.8.8.8:853": visit("connection_reset")}}
    made = [measurement("dnscheck", keys, later(h), input="dot://dns.example:853") for h in range(4)]
    assert only(judge(*made), "dns.example")["state"] == "insufficient"


def got(at, sni=None, failure=None, host="front.example"):
    """A urlgetter handshake at a front, under its own or another name."""
    keys = {"tcp_connect": [connect()], "tls_handshakes": [handshake(sni or host, failure=failure)], "requests": None}
    options = [f"TLSServerName={sni}"] if sni else []
    return measurement("urlgetter", keys, at, input=f"tlshandshake://{host}:443", options=options)


def test_urlgetter_shows_a_trigger_by_its_own_pairs_if_they_repeat(judge):
    pairs = [m for h in range(8) for m in (got(later(h), "news.example", "connection_reset"), got(later(h + 0.05)))]
    few, many = only(judge(*pairs[:2])), only(judge(*pairs))
    assert few["state"] == "insufficient"
    # Nobody else tried: a server may refuse a name that it does not host, so that no number of repeats convicts.
    assert many["state"] == "insufficient"
    assert many["alternatives"][0]["hypothesis"] in ("tls.reset.sni", "server-refuses")


def test_a_lookup_alone_is_not_work_done(judge):
    keys = {"queries": [query()], "tcp_connect": None, "tls_handshakes": None, "requests": None}
    target = only(judge(measurement("urlgetter", keys, input="dnslookup://news.example")))
    assert (target["state"], target["worked"]) == ("insufficient", None)


def test_version_four_without_the_helpers_handshakes_is_read_as_well(judge):
    old = [reset_after_hello(later(h), helper=control(greeted=False)) for h in range(3)]
    beside = [other_site(later(h + 0.05)) for h in range(3)]
    assert nodes(only(judge(*old, *beside))) == ["tls.reset.sni"]
