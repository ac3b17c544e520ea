"""The services that come with the tool: whole, honest about their sources, and no name in two hands."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest

from fingerprint import services
from fingerprint.services.fields import day_ns
from fingerprint.services.roles import ROLES

OURS = services.built_in().services
THE_EVENING = day_ns(date(2020, 5, 17))
LATER = day_ns(date(2026, 11, 1))
PAKISTAN = ("twitter", "periscope", "zoom")
BLOCKED_IN_PRACTICE = (
    "whatsapp", "telegram", "signal", "facebook", "instagram", "youtube", "tiktok", "discord", "reddit", "linkedin",
    "bbc", "deutsche-welle", "rferl", "voa", "wikipedia", "tor", "psiphon", "proton-vpn", "nordvpn", "mullvad",
    "cloudflare-dns", "google-dns", "quad9", "google-play", "app-store", "medium", "github", "clubhouse", "viber",
    "skype", "line", "soundcloud",
)  # fmt: skip


def of(name, at_ns):
    return services.built_in().of(name, at_ns)


def test_the_services_of_that_evening_and_those_that_get_blocked_are_there():
    assert {s.id for s in OURS} >= {*PAKISTAN, *BLOCKED_IN_PRACTICE}


@pytest.mark.parametrize("service", OURS, ids=lambda s: s.id)
def test_every_endpoint_has_a_role_of_the_vocabulary_and_says_where_it_is_known_from(service):
    for endpoint in service.endpoints:
        assert endpoint.role in ROLES
        assert endpoint.source.strip()
        assert endpoint.standing in {"read", "memory"}
    assert service.controls


def test_no_name_is_of_two_services_at_one_time():
    seen = {}
    for service in OURS:
        for endpoint in service.endpoints:
            for at_ns in (THE_EVENING, LATER):
                if endpoint.valid(at_ns):
                    assert seen.setdefault((endpoint.name, at_ns), service.id) == service.id, endpoint.name


def test_no_row_is_there_twice():
    rows = Counter((e.name, e.ports, e.protocol, e.from_ns, e.until_ns) for s in OURS for e in s.endpoints)
    assert [row for row, n in rows.items() if n > 1] == []


def test_a_control_belongs_to_no_service():
    for service in OURS:
        for name in (*service.controls, *service.neighbours):
            assert of(name, LATER) is None, f"{service.id}: {name}"


@pytest.mark.parametrize("service", OURS, ids=lambda s: s.id)
def test_whatever_lives_can_be_probed_under_one_or_two_names_a_role(service):
    ended = service.id in {"periscope", "skype"}
    probed = service.probed(LATER)
    assert bool(probed) != ended
    names = Counter(e.role for e in {e.name: e for e in probed}.values())
    assert all(n <= 4 for n in names.values()), names
    assert not any(e.pattern or e.protocol != "tcp" for e in probed)


def test_servers_with_certificates_of_their_own_authority_are_not_probed():
    # They would look like an interception: support.signal.org, and OONI's specification ts-029.
    signal = services.built_in().named("signal")
    assert {e.name for e in signal.probed(LATER)} == {"signal.org", "updates.signal.org"}


def test_servers_that_speak_no_https_are_not_probed():
    # An honest server that hangs up on a ClientHello or a request would look like one that is kept from answering.
    assert not [e.name for s in OURS for e in s.probed(LATER) if e.role in {"chat", "media", "stun", "turn", "tunnel"}]


@pytest.mark.parametrize(
    ("name", "then", "now"),
    [
        ("twitter.com", ("twitter", "web"), ("twitter", "web")),
        ("x.com", None, ("twitter", "web")),
        ("pbs.twimg.com", ("twitter", "image"), ("twitter", "image")),
        ("video.twimg.com", ("twitter", "video"), ("twitter", "video")),
        ("abs.twimg.com", ("twitter", "static"), ("twitter", "static")),
        ("api.twitter.com", ("twitter", "api"), ("twitter", "api")),
        ("t.co", ("twitter", "short-link"), ("twitter", "short-link")),
        ("www.periscope.tv", ("periscope", "web"), ("twitter", "other")),
        ("prod-fastly-us-west-1.video.pscp.tv", ("periscope", "live"), ("twitter", "live")),
        ("zoom.us", ("zoom", "web"), ("zoom", "web")),
        ("us04web.zoom.us", ("zoom", "web"), ("zoom", "web")),
        ("www.skype.com", ("skype", "web"), None),
        ("e3.whatsapp.net", ("whatsapp", "chat"), ("whatsapp", "chat")),
        ("149.154.167.51", ("telegram", "chat"), ("telegram", "chat")),
        ("r3---sn-4g5e6nsz.googlevideo.com", ("youtube", "video"), ("youtube", "video")),
        ("stun.l.google.com", None, None),
        ("example.com", None, None),
        ("nottwitter.com", None, None),
        ("twitter.com.example", None, None),
    ],
)
def test_names_on_that_evening_and_later(name, then, now):
    assert of(name, THE_EVENING) == then
    assert of(name, LATER) == now


def test_twitter_is_probed_under_the_names_of_the_day():
    twitter = services.built_in().named("twitter")
    assert [e.name for e in twitter.probed(THE_EVENING)][:2] == ["twitter.com", "api.twitter.com"]
    assert [e.name for e in twitter.probed(LATER)][:2] == ["x.com", "api.x.com"]


def test_what_zoom_speaks_on_which_port_tells_its_role():
    known = services.built_in()
    assert known.of("zoomfra1mmr.cloud.zoom.us", THE_EVENING, ((8805, "udp"),)) == ("zoom", "media")
    assert known.of("zoomfra1mmr.cloud.zoom.us", THE_EVENING, ((3478, "udp"),)) == ("zoom", "stun")
    assert known.of("zoomfra1mmr.cloud.zoom.us", THE_EVENING, ((443, "tcp"),)) == ("zoom", "signalling")
    assert known.of("www.zoomgov.com", THE_EVENING) is None
