"""The page of an incident: it holds together, opens nothing, and shows what the incident says."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import by_hand
import pytest
from reading import Page, digest, written

from fingerprint.incident.model import Comparison, Doubt
from fingerprint.vantages.vantage import Vantage


@pytest.fixture(scope="module")
def page():
    return Page(written(by_hand.incident(), by_hand.accounts()))


def test_two_writings_are_equal_byte_for_byte():
    incident, accounts = by_hand.incident(), by_hand.accounts()
    assert written(incident, accounts) == written(incident, accounts)


def test_what_opens_closes(page):
    assert not page.open
    assert not page.crossed


def test_every_id_stands_once(page):
    assert len(page.ids) == len(set(page.ids))


def test_every_link_leads_to_something_in_the_page(page):
    hrefs = [a["href"] for t, a in page.elements if t == "a"]
    assert hrefs
    assert {h[1:] for h in hrefs} <= set(page.ids)
    assert all(h.startswith("#") for h in hrefs)


def test_every_cell_of_the_matrix_leads_to_its_detail(page):
    hrefs = {a["href"] for t, a in page.elements if t == "a" and a["href"].startswith("#cell-")}
    assert {f"#cell-{n + 1}" for n in range(len(by_hand.incident().cells))} == hrefs


def test_whatever_is_named_by_an_id_exists(page):
    named = {word for name in ("aria-labelledby", "aria-describedby") for v in page.all(name) for word in v.split()}
    assert named
    assert named <= set(page.ids)


def test_only_the_style_and_the_script_that_are_in_the_file_may_act(page):
    (style,), (script,) = page.texts["style"], page.texts["script"]
    assert f"style-src '{digest(style)}'" in page.policy
    assert f"script-src '{digest(script)}'" in page.policy
    assert "default-src 'none'" in page.policy
    assert "unsafe" not in page.policy


def test_nothing_is_loaded_from_anywhere(page):
    assert set(page.all("src")) == set()
    assert [a["href"] for t, a in page.elements if t == "link"] == ["data:,"]
    assert not re.search(r"@import|url\((?!#)", page.texts["style"][0])
    assert not re.search(r"\b(src|href|action|poster|data|xlink:href)\s*=\s*[\"']?\s*(https?:)?//", page.html)


def test_no_element_carries_a_style_or_a_handler_of_its_own(page):
    # The policy would stop them; a page that needs them would look broken.
    names = {name for _, attributes in page.elements for name in attributes}
    assert not {n for n in names if n == "style" or n.startswith("on")}


def test_headings_are_in_order(page):
    levels = [int(t[1]) for t, _ in page.elements if re.fullmatch("h[1-6]", t)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))


def test_every_drawing_has_a_title_and_a_description(page):
    drawings = [a for t, a in page.elements if t == "svg" and a.get("role") == "img"]
    assert len(drawings) > 20
    assert all(len(a["aria-labelledby"].split()) == 2 for a in drawings)


def test_a_state_is_said_by_sign_and_word(page):
    for sign, word in (("✗", "blocked"), ("↓", "down"), ("✓", "works")):
        assert re.search(rf'aria-hidden="true">{sign}</span> {word}</span>', page.html)


def test_headers_of_tables_say_what_they_head(page):
    assert all(a.get("scope") in {"col", "row", "rowgroup"} for t, a in page.elements if t == "th")


def test_a_simulation_is_called_one_before_anything_else(page):
    body = page.html.partition("<body>")[2]
    assert body.index("This is a simulation") < body.index("<h1>")
    assert "Nothing on this page was measured" in page.words
    assert page.html.count('class="about mark">simulated') == len(by_hand.VANTAGES)


def test_what_was_measured_has_no_such_banner():
    real = replace(
        by_hand.incident(), simulated=(), sources=tuple(replace(s, simulated=None) for s in by_hand.incident().sources),
        vantages=tuple(replace(v, simulated=None) for v in by_hand.incident().vantages),
    )  # fmt: skip
    html = written(real, by_hand.accounts())
    assert 'class="banner"' not in html
    assert ">simulated<" not in html


def test_a_mixture_says_which_is_which():
    incident = by_hand.incident()
    sources = tuple(replace(s, simulated=None) if s.vantage == "VPN" else s for s in incident.sources)
    words = Page(written(replace(incident, sources=sources), by_hand.accounts())).words
    assert "Part of this is a simulation" in words
    assert "Not simulated: VPN." in words


def test_a_probability_is_never_rounded_to_certainty(page):
    assert "100.00" not in page.words
    assert "100 %" not in page.words


def test_an_event_shows_its_test_and_what_the_test_assumes(page):
    assert re.search(r"p = 0\.\d+ by all [\d,]+ arrangements", page.words)
    assert "What the test assumes" in page.words


def test_the_time_line_is_there_in_words_too(page):
    stretches = sum(len(c.stretches) for c in by_hand.incident().cells)
    table = page.html.partition("The time line as a table")[2].partition("</table>")[0]
    assert table.count("<tr>") == stretches + 1


def test_provenance_names_every_file_by_hash_up_to_a_number_and_counts_the_rest(page):
    shown = [s for s in by_hand.incident().sources if s.sha256 in page.html]
    assert len(shown) == 120
    assert f"{len(by_hand.incident().sources) - 120}\u00a0more files" in page.html
    assert all(sha256 in page.html for _, _, sha256 in by_hand.incident().tables)


def test_doubts_and_earlier_incidents_are_told():
    incident = replace(
        by_hand.incident(),
        doubts=(Doubt(kind="clock", says="the clock of Gamma was set during the evening", files=("gamma-04.pcapng",)),),
        comparisons=(
            Comparison(
                file="march.json", sha256="ab" * 32, answer="same technique", says="both reset by name",
                shared=("tls.reset.sni",), differing=("position",),
            ),
        ),
    )  # fmt: skip
    words = Page(written(incident, by_hand.accounts())).words
    assert "The clock of Gamma was set during the evening." in words
    assert "march.json same technique" in words


def test_an_incident_of_nothing_is_a_page_all_the_same():
    empty = replace(
        by_hand.incident(), answer="insufficient", cells=(), events=(), sightings=(), services=(), roles=(), vantages=(),
        sources=(), unknown=(), next=(),
    )  # fmt: skip
    page = Page(written(empty, ()))
    assert not page.crossed
    assert "cannot tell" in page.words


def test_a_vantage_of_which_nobody_said_anything_is_a_column_all_the_same():
    incident = replace(by_hand.incident(), vantages=(*by_hand.incident().vantages, Vantage()))
    assert "unnamed" in Page(written(incident, by_hand.accounts())).words
