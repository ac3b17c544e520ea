"""One report as a page and as prose: targets with the packets that decided them, and what could not be read."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from reading import Page, digest

import captures
from fingerprint.pages import report_page
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
    first, _, second, *_ = text.splitlines()
    assert (
        first == "# 5 targets: 2 blocked, 1 down, 2 work"
    )  # chatter.test is blocked in one capture and works in another
    assert "A reset cuts the connection after the TLS ClientHello." in second
    assert "`tls.reset.sni`" in text
    assert "(packets 103, 104, and 4 times more)" in text


def test_the_same_report_is_written_the_same(report, html):
    assert in_form(report, "html") == html


def test_a_report_of_nothing_is_a_page_all_the_same():
    nothing = analysing.judged(["missing.pcap"], analysing.registry((), (), ()), jobs=1)
    page = Page(in_form(nothing, "html"))
    assert not page.crossed
    assert "No service was contacted" in page.words
    assert in_form(nothing, "md").startswith("# No service was contacted")


def document(*targets):
    """As much of a document as a headline reads."""
    made = [{"target": name, "state": state, "reach": reach, "mechanisms": []} for name, state, reach in targets]
    states = {s: sum(t["state"] == s for t in made) for s in ("blocked", "down", "insufficient", "invalid", "ok")}
    return {"targets": made, "summary": {"targets": len(made), "states": states}}


def counted(*targets):
    """The headline with plain spaces; on the page a number and its noun stay on one line."""
    return report_page.answer(document(*targets)).replace("\N{NO-BREAK SPACE}", " ")


def test_the_headline_names_what_is_blocked_where_few_are_and_it_works_nowhere_else():
    a, b = ("a.test", "blocked", "full"), ("b.test", "blocked", "degraded")
    works = ("c.test", "ok", "none")
    assert report_page.answer(document(a, works)) == "a.test is blocked"
    assert report_page.answer(document(a, b)) == "a.test and b.test are blocked or slowed"
    assert report_page.answer(document(b, works)) == "b.test is slowed"
    assert counted(a, ("a.test", "ok", "none")) == "2 targets: 1 blocked, 1 works"
    assert counted(works, works) == "2 targets: 2 work"
    assert counted(a, *((f"{n}.test", "blocked", "full") for n in range(3))) == "4 targets: 4 blocked"
