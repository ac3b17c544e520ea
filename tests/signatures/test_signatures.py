"""Block pages as data: what is matched, what is left out and why, and published sets turned into tables."""

from __future__ import annotations

import time
import tomllib

import pytest

from fingerprint import signatures, tables
from fingerprint.signatures.importing import imported
from fingerprint.technique import Known


def row(**changes):
    return {"id": "x", "where": "body", "match": "contains", "pattern": "p", "scope": "nat", **changes}


def of(*rows):
    return signatures.signatures([("blockpages", r) for r in rows])


def test_our_own_rows_are_all_usable_and_need_no_expression():
    ours = signatures.of(tables.built_in())
    assert ours.complaints == ()
    assert ours.address("10.10.34.34").countries == ("IR",)
    assert ours.address("203.0.113.7") is None


def test_each_place_of_a_page_is_looked_at_for_its_own():
    found = of(
        row(id="title", where="title", match="full", pattern="Blocked"),
        row(id="body", pattern="by order"),
        row(id="place", where="header.location", match="prefix", pattern="http://notice"),
        row(id="expression", match="regexp", pattern=r"order (no|nr)\. \d+"),
    )
    page = found.page({"location": "http://notice.example/"}, "Blocked", "closed by order no. 17")
    assert [s.id for s in page] == ["title", "body", "place", "expression"]
    assert found.page({}, "", "by law") == ()


def test_a_providers_own_site_names_itself_and_is_no_block_page():
    found = of(row(where="header.location", match="prefix", pattern="http://www.zz-isp.example/"))
    there = {"location": "http://www.zz-isp.example/start"}
    assert found.page(there, "", "", host="forum.test")
    assert not found.page(there, "", "", host="zz-isp.example")
    assert not found.page(there, "", "", host="www.zz-isp.example")


def test_a_page_that_is_known_to_be_none_is_none():
    found = of(row(id="body", pattern="denied"), row(id="known", scope="fp", pattern="Apache default page"))
    assert found.page({}, "", "denied: Apache default page") == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"match": "regexp", "pattern": "(unclosed"}, "broken"),
        ({"match": "regexp", "pattern": "((a{1,900}){1,900}){1,900}"}, "broken"),
        ({"match": "glob"}, "want one of full"),
        ({"where": "footer"}, "want dns, body"),
        ({"scope": "world"}, "want one of nat"),
        ({"pattern": ""}, "no pattern"),
        ({"pattern": "a" * 5000}, "5000 characters"),
    ],
)
def test_a_row_that_cannot_be_used_costs_itself_and_one_sentence(changes, says):
    found = of(row(**changes), row(id="good"))
    assert len(found.pages) == 1
    (complaint,) = found.complaints
    assert complaint.startswith("blockpages.toml, row 1 (x): ")
    assert says in complaint


def test_two_rows_with_one_id_are_one_row_and_a_sentence():
    found = of(row(), row())
    assert (len(found.pages), len(found.complaints)) == (1, 1)


@pytest.mark.parametrize("pattern", [r"(a+)+$", r"(a|aa)+$", r"(.*a){20}$", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_an_expression_that_would_never_end_elsewhere_ends_at_once(pattern):
    found = of(row(match="regexp", pattern=pattern))
    began = time.process_time()
    found.page({}, "", "a" * 60_000 + "!")
    assert time.process_time() - began < 5  # backtracking would take longer than the universe is old


def test_only_the_beginning_of_a_long_page_is_looked_at():
    found = of(row(pattern="needle"))
    assert found.page({}, "", "x" * 70_000 + "needle") == ()
    assert found.page({}, "", "x" * 60_000 + "needle") != ()


OONI = """name,location_found,pattern_type,pattern,scope,confidence_no_fp,expected_countries,source,exp_url,notes,other_names
ooni.zz_0,body,contains,"this site, is closed",nat,10,"ZZ,YY",ooni,,,
ooni.zz_1,header.location,prefix,http://notice.example/,isp,5,ZZ,ooni,,,
ooni.zz_2,dns,full,192.0.2.7,isp,5,ZZ,ooni,,,
ooni.zz_3,body,regexp,(broken,nat,5,ZZ,ooni,,,
"""
CENSORED_PLANET = r"""{"fingerprint":"b_nat_zz_1","pattern":"closed by order no\\. 17"}
{"fingerprint":"a_prod_box","pattern":"Server: BoxFilter"}
{"fingerprint":"c_isp_zz","pattern":"http://notice\\.zz\\.example/"}

{"fingerprint":"e_vbw","pattern":"access .* denied"}
"""
CITIZEN_LAB = """name,location_found,pattern,scope,confidence_no_fp,exp_url,source,expected_countries,notes
zz_page,body,closed by the ministry,nat,9,,"['cl']","['ZZ']",
zz_server,header,Server: MinistryFilter,nat,9,,"['cl']","['ZZ']",
"""


def rows_of(tmp_path, name, text):
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    made = imported(file)
    return made, tomllib.loads(made.toml)["row"]


def test_oonis_list_becomes_a_table(tmp_path):
    made, found = rows_of(tmp_path, "fingerprints_http.csv", OONI)
    assert [r["id"] for r in found] == ["ooni.zz_0", "ooni.zz_1", "ooni.zz_2"]
    assert found[0] == {
        "id": "ooni.zz_0", "where": "body", "match": "contains", "pattern": "this site, is closed", "scope": "nat",
        "source": "ooni", "countries": ["ZZ", "YY"],
    }  # fmt: skip
    (complaint,) = made.complaints
    assert complaint.startswith("ooni.zz_3: its expression is broken")


def test_censored_planets_list_becomes_a_table(tmp_path):
    _, found = rows_of(tmp_path, "blockpage_signatures.json", CENSORED_PLANET)
    told = {r["id"]: (r["where"], r["match"], r["pattern"], r["scope"]) for r in found}
    assert told == {
        "b_nat_zz_1": ("body", "contains", "closed by order no. 17", "nat"),
        "a_prod_box": ("header.server", "contains", "BoxFilter", "prod"),
        "c_isp_zz": ("body", "contains", "http://notice.zz.example/", "isp"),
        "c_isp_zz-location": ("header.location", "prefix", "http://notice.zz.example/", "isp"),
        "e_vbw": ("body", "regexp", "access .* denied", "vbw"),
    }
    _, false = rows_of(tmp_path, "false_positive_signatures.json", CENSORED_PLANET)
    assert {r["scope"] for r in false} == {"fp"}


@pytest.mark.parametrize("form", ["csv", "json"])
def test_citizen_labs_list_becomes_a_table(tmp_path, form):
    import csv
    import io
    import json

    text = CITIZEN_LAB
    if form == "json":
        text = json.dumps(list(csv.DictReader(io.StringIO(text))))
    _, found = rows_of(tmp_path, f"http.{form}", text)
    assert [(r["where"], r["match"], r["pattern"]) for r in found] == [
        ("body", "contains", "closed by the ministry"),
        ("header.server", "prefix", "MinistryFilter"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "neither JSON nor CSV"),
        ("a,b\n1,2\n", "neither JSON nor CSV"),
        ('{"a": 1}\n{broken', "line 2 is no JSON"),
        ("[]", "no signature"),
    ],
)
def test_what_is_no_set_is_refused_in_one_sentence(tmp_path, text, says):
    from captures.errors import TargetError

    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(TargetError, match=says):
        imported(file)


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv(tables.VARIABLE, str(tmp_path / "tables"))
    tables.at_hand.cache_clear()
    yield tmp_path / "tables"
    tables.at_hand.cache_clear()


def run(monkeypatch, *words):
    from fingerprint.__main__ import main

    monkeypatch.setattr("sys.argv", ["fingerprint", *map(str, words)])
    try:
        return main() or 0
    except SystemExit as end:
        return end.code or 0


def test_an_imported_set_counts_in_every_analysis_and_is_named_in_every_report(
    tmp_path, own_folder, monkeypatch, capsys
):
    import json
    from pathlib import Path

    import captures

    file = tmp_path / "fingerprints_http.csv"
    file.write_text(OONI)
    assert run(monkeypatch, "signatures", "import", file) == 0
    assert (own_folder / "blockpages-fingerprints-http.toml").exists()
    tables.at_hand.cache_clear()
    known, complaints = tables.at_hand()
    assert complaints == ()
    assert signatures.of(known).page({}, "", "this site, is closed")
    sample = Path(captures.__file__).parent / "samples" / "quiet" / "capture.pcapng"
    capsys.readouterr()
    run(monkeypatch, "analyse", sample, "--json")
    named = {t["name"]: t for t in json.loads(capsys.readouterr().out)["tables"]}
    assert len(named["blockpages-fingerprints-http"]["sha256"]) == 64


def test_a_table_that_cannot_be_read_is_told_and_the_rest_goes_on(own_folder):
    own_folder.mkdir()
    (own_folder / "blockpages-broken.toml").write_text("version = ")
    (own_folder / "blockpages.toml").write_text("version = '1'")
    (own_folder / "cats.toml").write_text("version = '1'")
    known, complaints = tables.at_hand()
    assert known == Known(tables=tables.built_in().tables)
    assert [file for file, _ in complaints] == ["blockpages-broken.toml", "blockpages.toml", "cats.toml"]
