"""Findings as a table: one row a mechanism, harmless in a spreadsheet, typed in Parquet."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace

import pytest

from captures.errors import PrivilegeError, TargetError
from fingerprint.incident.model import Incident, Place, Sighting, Source
from fingerprint.report import as_dict, check, rows, save
from fingerprint.report.rows import COLUMNS, Row, of_incident, of_report, write_csv, write_parquet
from fingerprint.vantages.vantage import Vantage
from tests.report.by_hand import THROTTLED, capture, mechanism, report, verdict

ROW = Row(
    time="2020-05-17T17:31:02.123456789Z", until=None, vantage="dsl", provider="Ravi Net", asn=64500, country="PK",
    service="chatter", role="image", target="img.chatter.test", state="blocked", mechanism="tls.reset.sni",
    posterior=0.997, position="on-path", reach="full", rate_bps=None, injector=None, kind="packets", simulated=None,
    file="a.pcapng", sha256="0" * 64,
)  # fmt: skip


def table(*made):
    out = io.StringIO(newline="")
    write_csv(made, out)
    return out.getvalue()


def changed(**fields):
    return replace(ROW, **fields)


def test_a_target_has_a_row_for_each_mechanism_and_one_without_any():
    both = verdict(mechanisms=(mechanism(), THROTTLED))
    made = list(of_report(as_dict(report(both, verdict("b.test", "ok")))))
    assert [(r.target, r.state, r.mechanism) for r in made] == [
        ("a.test", "blocked", "tls.reset.sni"),
        ("a.test", "blocked", THROTTLED.node),
        ("b.test", "ok", None),
    ]
    assert made[0].injector == "X"
    assert made[1].rate_bps == as_dict(report(both))["targets"][0]["mechanisms"][1]["rate_bps"]
    assert made[2].posterior is None


def test_a_row_says_when_where_and_from_which_file():
    here = capture(vantage=Vantage(name="dsl", provider="Ravi Net", asn=64500, country="PK", simulated="evening"))
    (row,) = of_report(as_dict(report(verdict(), captures=(here,))))
    assert (row.vantage, row.provider, row.asn, row.country) == ("dsl", "Ravi Net", 64500, "PK")
    assert (row.simulated, row.kind, row.file, row.sha256) == ("evening", "packets", here.file, here.sha256)
    assert row.time == "2020-05-17T17:31:02.123456789Z"


def test_of_several_files_the_cited_one_is_named_and_none_where_nobody_knows():
    files = (capture(file="a.pcap"), capture(file="b.pcap", sha256="b" * 64))
    cited, open_ = of_report(as_dict(report(verdict(), verdict("b.test", "ok", inconclusive=()), captures=files)))
    assert cited.file == "a.pcap"
    assert open_.file is None


def test_csv_is_that_of_rfc_4180_with_a_header():
    text = table(changed(target='a "b", c', role=None))
    assert text.split("\r\n")[0] == ",".join(COLUMNS)
    assert '"a ""b"", c"' in text
    assert text.endswith("\r\n")
    assert next(csv.DictReader(io.StringIO(text)))["target"] == 'a "b", c'


@pytest.mark.parametrize("evil", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\u00a0=1", "'=1", '"=1', "\uff1d1"])
def test_what_a_spreadsheet_would_calculate_gets_an_apostrophe(evil):
    told = next(csv.DictReader(io.StringIO(table(changed(target=evil)))))
    assert told["target"] == f"'{evil}"


@pytest.mark.parametrize("plain", ["img.chatter.test", "2001:db8::1", "a-b.test", "1.2.3.4"])
def test_what_is_no_formula_stays_as_it_is(plain):
    assert next(csv.DictReader(io.StringIO(table(changed(target=plain)))))["target"] == plain


def test_a_cell_carries_no_control_and_no_line_break():
    told = table(changed(target="a\x1b[31m\r\n=1\tb\u202e"))
    assert told.count("\r\n") == 2
    assert "\x1b" not in told
    assert "\u202e" not in told


def test_parquet_has_types_keeps_its_order_and_binds_what_others_wrote(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "it's; DROP TABLE findings.parquet"
    evil = "'); DROP TABLE findings; --"
    made = [
        changed(target=evil),
        changed(target="b.test", asn=None, time=None),
        changed(target="a.test", rate_bps=14e4),
    ]
    write_parquet(made, path)
    with duckdb.connect() as database:
        types = {
            name: kind for name, kind, *_ in database.execute("DESCRIBE FROM read_parquet(?)", [str(path)]).fetchall()
        }
        read = database.execute(
            "SELECT target, asn, rate_bps, epoch_ns(time) FROM read_parquet(?)", [str(path)]
        ).fetchall()
    assert list(types) == list(COLUMNS)
    assert (types["time"], types["asn"], types["posterior"]) == ("TIMESTAMP_NS", "BIGINT", "DOUBLE")
    assert {types[n] for n in COLUMNS if n not in rows.TYPES} == {"VARCHAR"}
    assert read == [
        (evil, 64500, None, 1589736662123456789),
        ("b.test", None, None, None),
        ("a.test", 64500, 140000.0, 1589736662123456789),
    ]


def test_parquet_of_many_rows_is_whole_and_the_same_twice(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    made = [changed(target=f"{n}.test", posterior=n / 30_000) for n in range(25_000)]
    for name in ("a", "b"):
        write_parquet(made, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    with duckdb.connect() as database:
        read = database.execute("SELECT target FROM read_parquet(?)", [str(tmp_path / "a")]).fetchall()
    assert [target for (target,) in read] == [r.target for r in made]


def test_no_rows_are_an_empty_table_with_its_columns(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    write_parquet([], tmp_path / "a")
    with duckdb.connect() as database:
        assert database.execute("SELECT * FROM read_parquet(?)", [str(tmp_path / "a")]).fetchall() == []
    assert table().splitlines() == [",".join(COLUMNS)]


def test_parquet_without_duckdb_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(PrivilegeError, match=r"pip install .*\[parquet\]"):
        write_parquet([ROW], tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_parquet_that_cannot_be_written_is_the_requests_fault(tmp_path):
    pytest.importorskip("duckdb")
    with pytest.raises(TargetError, match="cannot be written"):
        write_parquet([ROW], tmp_path / "nowhere" / "a")


def test_a_report_is_saved_as_a_table(tmp_path):
    save(report(verdict()), tmp_path / "a.csv", form="csv")
    assert "tls.reset.sni" in (tmp_path / "a.csv").read_text()
    with pytest.raises(TargetError, match="name a file for it with -o"):
        check("parquet")


def test_tables_hold_all_targets_that_work(tmp_path):
    many = report(*(verdict(f"{n}.test", "ok", inconclusive=()) for n in range(1200)))
    save(many, tmp_path / "a.csv", form="csv")
    assert len((tmp_path / "a.csv").read_text().splitlines()) == 1201


def sighting(**changes):
    fields = {
        "service": "chatter", "role": "web", "target": "chatter.test", "vantage": "dsl", "first_ns": 10**18,
        "last_ns": 10**18 + 1, "worked_ns": None, "failed_ns": None, "state": "blocked", "mechanism": "tls.reset.sni",
        "posterior": 0.99, "reach": "full", "position": "on-path", "injector": "X", "rate_bps": None,
        "kind": "packets", "at": Place(account=0, target=0),
    }  # fmt: skip
    return Sighting(**fields | changes)


def source(**changes):
    fields = {
        "kind": "packets", "file": "a.pcap", "sha256": "a" * 64, "vantage": "dsl", "packets": 9, "first_ns": 10**18 - 5,
        "last_ns": 10**18 + 5, "quality": (), "simulated": "evening",
    }  # fmt: skip
    return Source(**fields | changes)


def incident(sightings, sources):
    return Incident(
        version="0", headline="", paragraph="", answer="blocked", simulated=(), sources=sources, tables=(),
        vantages=(Vantage(name="dsl", provider="Ravi Net", asn=64500, country="PK"),), services=(), roles=(),
        sightings=sightings, cells=(), events=(), comparisons=(), unknown=(), doubts=(), next=(), first_ns=0, last_ns=1,
        interval_s=None,
    )  # fmt: skip


def test_an_incident_has_a_row_a_sighting_with_its_file():
    (row,) = of_incident(
        incident((sighting(),), (source(), source(file="later.pcap", sha256="b" * 64, first_ns=10**18 + 9)))
    )
    assert (row.service, row.role, row.provider, row.mechanism) == ("chatter", "web", "Ravi Net", "tls.reset.sni")
    assert (row.file, row.simulated, row.kind) == ("a.pcap", "evening", "packets")
    assert row.time == "2001-09-09T01:46:40.000000000Z"


def test_a_sighting_that_two_files_cover_names_neither():
    (row,) = of_incident(incident((sighting(),), (source(), source(file="b.pcap", sha256="b" * 64))))
    assert (row.file, row.sha256) == (None, None)
