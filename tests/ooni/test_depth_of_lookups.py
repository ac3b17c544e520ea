"""What lookups of OONI's measurements are enough for, and what they are not."""

from __future__ import annotations

import pytest

from tests.ooni.measurements import (
    BLOCK_PAGE,
    BOGON,
    DENIED,
    ELSEWHERE,
    connect,
    control,
    handshake,
    hours,
    other_site,
    plain,
    query,
    request,
    reset_after_hello,
    web,
)
from tests.ooni.targets import nodes, only

LIE = {
    "queries": [query(addresses=(BOGON,))],
    "tcp_connect": [connect(BOGON, failure="generic_timeout_error")],
    "tls_handshakes": [],
    "requests": [request(failure="generic_timeout_error")],
}
# Asked from a phone's own line, a provider's resolver is asked with nobody between.
PHONE = {"annotations": {"platform": "android", "network_type": "mobile"}}


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


def test_a_known_page_at_the_address_that_a_false_answer_gave_is_the_answers_mechanism(judge):
    there = BLOCK_PAGE | {
        "queries": [query(addresses=(ELSEWHERE,))],
        "tcp_connect": [connect(ELSEWHERE, 80)],
    }
    assert nodes(only(judge(*hours(lambda at: plain(at, **there), 2, other_site)))) == ["dns.injection.blockpage"]
    # The same address with a page that nobody knows may be a content network's.
    unknown = there | {"requests": [request("http://news.example/", body="hello")]}
    assert only(judge(*hours(lambda at: plain(at, **unknown), 2, other_site)))["state"] == "insufficient"
