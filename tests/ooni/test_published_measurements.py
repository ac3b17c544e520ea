"""What is read out of measurements that were made public, beside what a person reads in them."""

from __future__ import annotations

import pytest

from tests.ooni import published
from tests.ooni.measurements import later
from tests.ooni.targets import nodes


def judged(judge, *measurements):
    (targets,) = judge(*measurements).values()
    assert len(targets) == 1
    return targets[0]


@pytest.mark.parametrize(
    ("measured", "node"),
    [
        (published.NOTICE_PAGE_IR, "dns.injection.blockpage"),
        (published.NOTICE_PAGE_BEHIND_AN_ALIAS, "dns.injection.blockpage"),
        (published.SENT_TO_A_NOTICE_PAGE, "http.redirect"),
        (published.TRACE_WITH_REPORTS, "tls.reset.sni"),
    ],
)
def test_what_names_itself_or_is_placed_is_a_block(judge, measured, node):
    target = judged(judge, measured)
    assert (target["state"], nodes(target)) == ("blocked", [node])


@pytest.mark.parametrize(
    "measured",
    [
        published.NAME_THAT_NOBODY_HAS,
        published.SEARCH_PAGE_OF_A_RESOLVER,
        published.CERTIFICATE_RUN_OUT,
        published.NULLS_DROPPED,
        published.NO_RESPONSE,
    ],
)
def test_what_the_helper_could_not_have_either_is_down_whatever_the_probe_concluded(judge, measured):
    assert judged(judge, measured)["state"] == "down"


@pytest.mark.parametrize("measured", [published.ADDRESS_FOR_A_NAME, published.NO_WAY_TO_IPV6])
def test_what_worked_is_ok(judge, measured):
    target = judged(judge, measured)
    assert (target["state"], target["observations"]) == ("ok", [])


@pytest.mark.parametrize(
    ("measured", "says"),
    [
        (published.NO_HELPER, "no test helper was asked"),
        (published.AT_A_STRANGER, "its own servers were not visited"),
        (published.A_BOXS_CERTIFICATE, "is not believed (ssl_unknown_authority)"),
        (published.ANY_CERTIFICATE_BELIEVED, "did not come to an end"),
        (published.TRACE_TOO_SHORT, "neither name was cut off where the other one passed"),
        (published.reset_three_engines(), "sockets do not tell who did it"),
    ],
)
def test_what_sockets_do_not_settle_is_insufficient_and_says_why(judge, measured, says):
    target = judged(judge, measured)
    assert (target["state"], target["mechanisms"]) == ("insufficient", [])
    assert says in target["cause"]["says"]


def test_without_reports_of_routers_a_trace_settles_nothing_alone(judge):
    once = judged(judge, published.july())
    assert (once["target"], once["state"]) == ("1337x.be", "insufficient")
    target = judged(judge, *(published.july(later(h)) for h in range(4)))
    assert nodes(target) == ["tls.reset.sni"]
    assert target["mechanisms"][0]["location"]["hop"] == 4


def test_a_type_of_address_that_a_name_lacks_is_no_failure(judge):
    said = [o["says"] for o in judged(judge, published.reset_three_engines())["observations"]]
    assert said == ["the probe itself concluded blocking: http-failure (line 1)"]
