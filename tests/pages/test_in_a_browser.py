"""Pages as a browser shows them: no fault on its console, no request, nothing over the edge, nothing for axe to say."""

from __future__ import annotations

import by_hand
import pytest
from reading import written

from fingerprint.verbs import analysing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def incident_looks(look, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "incident.html"
    file.write_text(written(by_hand.incident(), by_hand.accounts()), "utf-8")
    return file, *look(file)


@pytest.fixture(scope="module")
def report_looks(look, tmp_path_factory):
    from fingerprint.report import save

    file = tmp_path_factory.mktemp("page") / "report.html"
    samples = [
        by_hand.files(by_hand.captures) / "samples" / s / "capture.pcapng" for s in ("sni_ttl_sweep", "dns_race")
    ]
    save(analysing.judged([str(s) for s in samples], analysing.registry((), (), ()), jobs=1), file, form="html")
    return file, *look(file)


@pytest.fixture(params=["incident", "report"])
def looks(request):
    return request.getfixturevalue(f"{request.param}_looks")


def test_two_widths_in_two_schemes_were_looked_at(looks):
    _, seen, folder = looks
    assert {(s["width"], s["scheme"]) for s in seen} == {(w, s) for w in (1280, 390) for s in ("light", "dark")}
    assert all((folder / f"{s['width']}-{s['scheme']}.png").stat().st_size > 10_000 for s in seen)


def test_nothing_is_said_on_the_console(looks):
    assert [s["console"] for s in looks[1]] == [[], [], [], []]


def test_the_file_is_the_only_thing_that_is_asked_for(looks):
    assert [s["requests"] for s in looks[1]] == [[looks[0].as_uri()]] * 4


def test_the_page_does_not_go_over_its_edge(looks):
    assert [s["overflow"] for s in looks[1]] == [0, 0, 0, 0]


def test_no_label_of_a_drawing_lies_over_another(looks):
    assert [s["overlaps"] for s in looks[1]] == [[], [], [], []]


def test_axe_finds_no_serious_fault(looks):
    grave = [f for s in looks[1] for f in s["faults"] if f["impact"] in {"serious", "critical"}]
    assert not grave


def test_it_is_there_in_seconds(looks):
    assert all(s["loaded_ms"] < 5000 for s in looks[1])
