"""Names are chosen by strangers: none becomes markup, a handler, a link, or text that reads backwards."""

from __future__ import annotations

import io
import re

import by_hand
import pytest
from reading import Page

from fingerprint.accounts import Account
from fingerprint.incident.making import Knowledge, make
from fingerprint.pages import write_html, write_markdown
from fingerprint.vantages.vantage import Vantage

HOSTILE = (
    "<script>alert(1)</script>",
    '"onload="alert(1)',
    "</title></svg><img src=x onerror=alert(1)>",
    "</style></script><b>",
    "evil\u202egnp.exe",
    "two\nlines\x1b[31m",
    "{{ 7 * 7 }}",
    "a|b](https://evil.test) `x` **y**",
)


@pytest.fixture(scope="module", params=HOSTILE)
def evil(request):
    """One vantage, service, role, name, file and sentence of that spelling."""
    word = request.param
    vantage = Vantage(name=word, provider=word, place=word, note=word, simulated=word)
    accounts = []
    for number in range(20):
        target = by_hand.target("chatter", "web", by_hand.VANTAGES[0], number)
        target = by_hand.renamed(target, "www.chatter.test", f"www.{word}")
        target |= {"service": word, "role": word, "next": [word]}
        for alternative in target["alternatives"]:
            alternative["against"] = word
        plain = by_hand.account(by_hand.VANTAGES[0], number)
        document = plain.document | {"targets": [target]}
        document["captures"][0]["quality"] = [{"issue": word, "detail": word, "packets": []}]
        accounts.append(Account(kind="packets", file=word, sha256=plain.sha256, document=document, vantage=vantage))
    return word, make(accounts, knowledge=Knowledge(titles={word: word})), accounts


def test_no_hostile_word_becomes_markup(evil):
    word, incident, accounts = evil
    out = io.StringIO()
    write_html(incident, accounts, out)
    page = Page(out.getvalue())
    tags = [t for t, _ in page.elements]
    assert not page.crossed
    assert tags.count("script") == tags.count("style") == 1
    assert "img" not in tags
    assert "b" not in tags
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {n for n in names if n.startswith("on") or n == "style"}
    assert len(page.ids) == len(set(page.ids))
    assert word in page.words or word != "{{ 7 * 7 }}"


def test_nothing_steers_the_reader(evil):
    _, incident, accounts = evil
    for writer in (write_html, write_markdown):
        out = io.StringIO()
        writer(incident, accounts, out)
        assert not set("\u202e\u2066\u2069\x1b\x00") & set(out.getvalue())


def test_markdown_has_no_link_no_heading_and_no_cell_of_theirs(evil):
    _, incident, accounts = evil
    out = io.StringIO()
    write_markdown(incident, accounts, out)
    text = out.getvalue()
    # What stands behind a backslash, or in fixed type, is a letter like any other.
    steering = re.sub(r"`[^`\n]*`", "", re.sub(r"\\.", "", text))
    assert not {"](", "<", "://", "www."} & {s for s in ("](", "<", "://", "www.") if s in steering}
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in table}) == 1
    assert all(line.startswith(("# Incident", "## ")) for line in text.splitlines() if line.startswith("#"))
