"""One report as a page and as prose: targets with the packets that decided them, and what could not be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from reading import Page, digest

import captures
from fingerprint.report import write
from fingerprint.verbs import analysing

SAMPLES = Path(captures.__file__).parent / "samples"


@pytest.fixture(scope="module")
def report():
    files = [str(SAMPLES / s / "capture.pcapng") for s in ("sni_ttl_sweep", "icmp_prohibited", "server_sends_alert")]
    return analysing.judged([*files, "missing.pcap"], analysing.registry((), (), ()), jobs=1)


@pytest.fixture(scope="module")
def html(report):
    return in_form(report, "html")


def in_form(report, form):
    out = io.StringIO()
    write(report, out, form=form)
    return out.getvalue()


def test_a_report_is_a_page_that_holds_together(html):
    page = Page(html)
    assert not page.open
    assert not page.crossed
    assert len(page.ids) == len(set(page.ids))
    assert {a["href"][1:] for t, a in page.elements if t == "a"} <= set(page.ids)
    assert f"style-src '{digest(page.texts['style'][0])}'" in page.policy


def test_every_target_that_does_not_work_is_told_and_every_other_is_named(html):
    page = Page(html)
    assert {"target-1", "target-2", "target-3"} <= set(page.ids)
    assert "weather.test" in page.words
    assert "ClientHello chatter.test" in page.words


def test_what_a_router_reports_is_drawn_as_no_word_of_the_servers(html):
    assert "reported to the client: ICMP time exceeded" in html
    assert "server to client: ICMP" not in html


def test_what_could_not_be_read_stands_on_the_page(report, html):
    assert "missing.pcap" in html
    assert "missing.pcap" in in_form(report, "md")


def test_no_client_address_is_on_the_page(report, html):
    clients = {c for capture in report.captures for c in capture.clients}
    assert clients
    for text in (html, in_form(report, "md")):
        assert not any(f"{c}<" in text or f"{c} " in text or f"{c}:" in text for c in clients)


def test_prose_has_the_packets_of_each_sentence(report):
    text = in_form(report, "md")
    assert text.startswith("# 5 targets: 2 blocked, 1 down, 2 work\n")
    assert "`tls.reset.sni`" in text
    assert "(packets 103, 104)" in text


def test_the_same_report_is_written_the_same(report, html):
    assert in_form(report, "html") == html


def test_a_report_of_nothing_is_a_page_all_the_same():
    nothing = analysing.judged(["missing.pcap"], analysing.registry((), (), ()), jobs=1)
    page = Page(in_form(nothing, "html"))
    assert not page.crossed
    assert "No service was contacted" in page.words
    assert in_form(nothing, "md").startswith("# No service was contacted")
