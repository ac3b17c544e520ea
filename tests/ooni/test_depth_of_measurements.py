"""What measurements of OONI are enough for, and what they are not."""

from __future__ import annotations

import pytest

from tests.ooni.measurements import (
    BOGON,
    ELSEWHERE,
    SITE,
    connect,
    control,
    handshake,
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

LIE = {
    "queries": [query(addresses=(BOGON,))],
    "tcp_connect": [connect(BOGON, failure="generic_timeout_error")],
    "tls_handshakes": [],
    "requests": [request(failure="generic_timeout_error")],
}
# Asked from a phone's own line, a provider's resolver is asked with nobody between.
PHONE = {"annotations": {"platform": "android", "network_type": "mobile"}}
DENIED = {
    "queries": [query(addresses=(), failure="dns_nxdomain_error")],
    "tcp_connect": [],
    "tls_handshakes": [],
    "requests": [request(failure="dns_nxdomain_error")],
}
OTHER_PAGE = {
    "status_code_match": False,
    "body_length_match": False,
    "headers_match": False,
    "title_match": False,
}
BLOCK_PAGE = OTHER_PAGE | {
    "requests": [request("http://news.example/", code=403, body="<iframe src='http://10.10.34.34?type=Invalid'>")],
}


def only(targets, name="news.example"):
    assert len(targets[name]) == 1
    return targets[name][0]


def nodes(target):
    return [m["mechanism"] for m in target["mechanisms"]]


def hours(make, count, beside=None):
    """The same measurement hour after hour, with another beside each."""
    return [m for h in range(count) for m in (make(later(h)), *([beside(later(h + 0.05))] if beside else []))]


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


def test_an_address_that_nobody_can_have_needs_repeats_and_names_that_are_answered(judge):
    assert only(judge(web(top=PHONE, **LIE)))["state"] == "insufficient"
    repeated = only(judge(*hours(lambda at: web(at, top=PHONE, **LIE), 4, other_site)))
    assert nodes(repeated) == ["dns.injection.bogon"]
    assert repeated["mechanisms"][0]["trigger"] == {"field": "dns.qname", "value": "news.example"}


@pytest.mark.parametrize("address", [BOGON, "0.0.0.0", "127.0.0.1", "192.168.1.1"])
def test_on_the_line_of_a_house_a_box_may_have_answered_before_the_provider(judge, address):
    lie = LIE | {"queries": [query(addresses=(address,))], "tcp_connect": [connect(address, failure="eof_error")]}
    target = only(judge(*hours(lambda at: web(at, **lie), 6, other_site)))
    assert (target["state"], target["mechanisms"]) == ("insufficient", [])
    assert "or a box in the house before it" in target["cause"]["says"]


def test_an_address_that_stands_in_for_the_name_where_the_name_answers_is_a_proxys(judge):
    def by_proxy(at, name="news.example", address="198.18.0.5", failure=None):
        return web(
            at,
            queries=[query(name, (address,))],
            tcp_connect=[connect(address)],
            tls_handshakes=[handshake(name, f"{address}:443", failure)],
            requests=[request(f"https://{name}/", failure=failure)],
            top={"input": f"https://{name}/", **PHONE},
        )

    working = only(judge(*hours(by_proxy, 6, other_site)))
    assert working["state"] == "ok"
    assert "a proxy stands between" in working["observations"][0]["says"]
    # What fails behind the proxy of which another name works is no lie of the resolver's either.
    failing = hours(lambda at: by_proxy(at, failure="eof_error"), 6, other_site)
    beside = hours(lambda at: by_proxy(at, "weather.example", "198.18.0.9"), 6)
    assert only(judge(*failing, *beside))["state"] == "insufficient"
    assert nodes(only(judge(*failing))) == ["dns.injection.bogon"]


def test_what_fails_at_a_false_address_says_nothing_of_the_true_one(judge):
    for count in (1, 6):
        target = only(judge(*hours(lambda at: web(at, **LIE), count, other_site)))
        assert not [n for n in nodes(target) if not n.startswith("dns.")]


def test_a_denial_by_the_networks_own_resolver_counts_and_by_a_chosen_one_does_not(judge):
    own = only(judge(*hours(lambda at: web(at, top=PHONE, **DENIED), 5, other_site)))
    assert nodes(own) == ["dns.nxdomain"]
    house = only(judge(*hours(lambda at: web(at, **DENIED), 5, other_site)))
    assert house["state"] == "insufficient"
    chosen = {"resolver_asn": "AS64999", **PHONE}
    there = only(
        judge(*hours(lambda at: web(at, top=chosen, **DENIED), 5, lambda at: other_site(at, resolver_asn="AS64999")))
    )
    assert there["state"] == "insufficient"
    assert there["alternatives"][0]["hypothesis"] in ("chosen-filter", "dns.nxdomain")


@pytest.mark.parametrize("failure", ["dns_nxdomain_error", "dns_no_answer", "generic_timeout_error"])
def test_a_name_that_has_one_type_of_address_is_not_denied_for_the_want_of_the_other(judge, failure):
    both = [query(), query(addresses=(), failure=failure, query_type="AAAA")]
    working = only(judge(*hours(lambda at: web(at, queries=both, top=PHONE), 6, other_site)))
    assert (working["state"], working["observations"]) == ("ok", [])
    reset = hours(lambda at: reset_after_hello(at, queries=both, top=PHONE), 6, other_site)
    assert nodes(only(judge(*reset))) == ["tls.reset.sni"]


def test_a_name_that_nobody_knows_is_down(judge):
    helper = control(addresses=(), dns={"failure": "dns_name_error", "addrs": []})
    helper["http_request"] |= {"failure": "dns_lookup_error", "status_code": -1}
    assert only(judge(web(helper=helper, **DENIED)))["state"] == "down"


@pytest.mark.parametrize("failure", ["dns_servfail_error", "android_dns_cache_no_data", "dns_lookup_error"])
def test_failures_that_name_no_mechanism_are_remarks(judge, failure):
    broken = DENIED | {"queries": [query(addresses=(), failure=failure)]}
    target = only(judge(*hours(lambda at: web(at, **broken), 5, other_site)))
    assert target["state"] == "insufficient"
    assert any(failure in o["says"] for o in target["observations"])


def test_the_address_of_a_known_notice_page_is_enough_in_its_country(judge):
    notice = LIE | {"queries": [query(addresses=("10.10.34.34",))]}
    for where in ("IR", "ZZ"):
        assert nodes(only(judge(web(top={"probe_cc": where}, **notice)))) == ["dns.injection.blockpage"]
    # Elsewhere a private address is anybody's.
    assert only(judge(web(top={"probe_cc": "DE"}, **notice)))["state"] == "insufficient"


def test_two_content_networks_are_no_lie(judge):
    cdn = {
        "queries": [query(addresses=(ELSEWHERE,))],
        "tcp_connect": [connect(ELSEWHERE)],
        "tls_handshakes": [handshake(address=f"{ELSEWHERE}:443")],
    }
    assert only(judge(*hours(lambda at: web(at, **cdn), 5)))["state"] == "ok"
    # Also where the page could not be had: a certificate of the name vouches for the address.
    broken = cdn | {"requests": [request(failure="generic_timeout_error")]}
    assert only(judge(*hours(lambda at: web(at, **broken), 5, other_site)))["state"] == "insufficient"


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


def test_a_known_page_at_the_address_that_a_false_answer_gave_is_the_answers_mechanism(judge):
    there = BLOCK_PAGE | {
        "queries": [query(addresses=(ELSEWHERE,))],
        "tcp_connect": [connect(ELSEWHERE, 80)],
    }
    assert nodes(only(judge(*hours(lambda at: plain(at, **there), 2, other_site)))) == ["dns.injection.blockpage"]
    # The same address with a page that nobody knows may be a content network's.
    unknown = there | {"requests": [request("http://news.example/", body="hello")]}
    assert only(judge(*hours(lambda at: plain(at, **unknown), 2, other_site)))["state"] == "insufficient"


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


def test_a_host_that_is_reset_where_another_passes_is_by_host(judge):
    failing = {"requests": [request("http://news.example/", failure="connection_reset")], "status_code_match": None}
    other = {"queries": [query("cooking.example")], "requests": [request("http://cooking.example/")]}

    def beside(at):
        made = plain(at, **other)
        return made | {"input": "http://cooking.example/"}

    target = only(judge(*hours(lambda at: plain(at, **failing), 3, beside)))
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
