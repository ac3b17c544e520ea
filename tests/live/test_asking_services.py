"""Services as targets: a word becomes the names that stand for its roles, and whatever is sensitive is told."""

from __future__ import annotations

from datetime import date

import pytest

from captures.errors import TargetError
from fingerprint import services
from fingerprint.live import asking, consent
from fingerprint.live.asking import Named, Wish
from fingerprint.services.fields import day_ns

KNOWN = services.built_in()
THE_EVENING, LATER = day_ns(date(2020, 5, 17)), day_ns(date(2026, 11, 1))


def wanted(*words, controls=(), at_ns=LATER):
    return asking.wanted(words, controls, KNOWN, at_ns)


def test_a_service_is_asked_under_the_names_of_the_day():
    assert {"x.com", "api.x.com", "pbs.twimg.com", "video.twimg.com", "t.co"} <= {
        t.name for t in wanted("twitter").targets
    }
    then = {t.name for t in wanted("twitter", at_ns=THE_EVENING).targets}
    assert "twitter.com" in then
    assert "x.com" not in then


def test_its_controls_are_taken_unless_others_are_named():
    assert wanted("whatsapp").controls == ("example.com", "www.debian.org", "www.meta.com")
    assert wanted("whatsapp", controls=["Kernel.org"]).controls == ("kernel.org",)
    assert wanted("forum.test").controls == ()


def test_several_services_share_their_controls_once():
    found = wanted("whatsapp", "instagram", "zoom")
    assert len(set(found.controls)) == len(found.controls)
    assert {"web.whatsapp.com", "www.instagram.com", "zoom.us"} <= {t.name for t in found.targets}


def test_a_target_is_never_its_own_control():
    assert "example.com" not in wanted("zoom", "example.com").controls


def test_hosts_stay_what_they_were():
    found = wanted("forum.test:8443", "https://forum.test/a", "192.0.2.7", "router")
    assert found.targets == (Named(name="forum.test", path="/a"), Named(name="192.0.2.7"), Named(name="router"))
    assert found.controls == found.sensitive == ()


def test_a_path_of_the_table_is_asked_for():
    assert Named(name="dns.google", path="/dns-query") in wanted("google-dns").targets


def test_a_word_that_is_nearly_a_service_is_asked_back_before_anybody_resolves_it():
    with pytest.raises(TargetError, match=r"no service twiter; did you mean twitter\?"):
        wanted("twiter")
    assert wanted("twiter.").targets == (Named(name="twiter"),)


@pytest.mark.parametrize("word", ["periscope", "skype"])
def test_a_service_that_has_ended_cannot_be_asked(word):
    assert wanted(word, at_ns=THE_EVENING).targets
    with pytest.raises(TargetError, match="known to live today"):
        wanted(word)


def test_sensitive_names_are_found_however_they_were_named():
    assert wanted("signal").sensitive == ("signal.org", "updates.signal.org")
    assert wanted("zoom.us", "www.torproject.org").sensitive == ("www.torproject.org",)
    assert wanted("zoom").sensitive == ()


def test_consent_names_each_sensitive_name():
    found = wanted("tor", "zoom")
    asked = Wish(targets=found.targets, controls=found.controls, sensitive=found.sensitive)
    said = list(consent.explain(asked.plan({}, ("192.0.2.53",), "none"), (), asked.sensitive))
    careful = [line for line in said if "Careful:" in line]
    assert len(careful) == len(wanted("tor").targets)
    assert not any("zoom" in line for line in careful)
