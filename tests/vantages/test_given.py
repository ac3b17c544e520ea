"""Where a capture was taken is what somebody said, nearest word first; what is broken is told and takes nothing along."""

from __future__ import annotations

import json
import tomllib

import pytest

from fingerprint.vantages import given as vantage_given
from fingerprint.vantages.given import Given
from fingerprint.vantages.vantage import Clock, Vantage

MANIFEST = """
[[vantage]]
files = ["lahore/*.pcapng"]
name = "lahore"
provider = "Example Net"
asn = 64500
country = "pk"
[vantage.clock]
offset_s = -1.5
error_s = 0.2
source = "ntp"

[[vantage]]
files = ["vpn", "**/tunnel-?.pcapng"]
name = "vpn"
"""
LAHORE = Vantage(
    name="lahore", provider="Example Net", asn=64500, country="PK",
    clock=Clock(offset_s=-1.5, error_s=0.2, source="ntp"),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "vantages.toml").write_text(MANIFEST)
    for path in ("lahore/run.pcapng", "vpn/deep/run.pcapng", "a/b/tunnel-1.pcapng", "other/run.pcapng"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def of(path, options=vantage_given.NOTHING):
    return vantage_given.of(str(path), options)


def test_nobody_said_anything(tmp_path):
    assert of(tmp_path / "run.pcapng") == Given()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("lahore/run.pcapng", "lahore"),
        ("vpn/deep/run.pcapng", "vpn"),
        ("a/b/tunnel-1.pcapng", "vpn"),
        ("other/run.pcapng", None),
        ("lahore/deep/run.pcapng", None),
        ("a/b/tunnel-10.pcapng", None),
    ],
)
def test_a_manifest_names_the_captures_that_its_patterns_match_and_no_others(folder, path, name):
    assert of(folder / path).vantage.name == name


def test_a_manifest_says_everything_that_a_vantage_has(folder):
    assert of(folder / "lahore" / "run.pcapng") == Given(vantage=LAHORE)


def test_a_sidecar_counts_before_the_manifest_and_options_before_both_field_by_field(folder):
    (folder / "lahore" / "run.vantage.toml").write_text('provider = "Side Net"\nplace = "roof"')
    said = of(folder / "lahore" / "run.pcapng", Vantage(place="cellar")).vantage
    assert (said.place, said.provider, said.asn, said.clock) == ("cellar", "Side Net", 64500, LAHORE.clock)


def test_the_nearest_manifest_that_names_the_capture_counts(folder):
    (folder / "lahore" / "vantages.toml").write_text('[[vantage]]\nfiles = ["run.pcapng"]\nname = "near"')
    assert of(folder / "lahore" / "run.pcapng").vantage == Vantage(name="near")
    (folder / "lahore" / "vantages.toml").write_text('[[vantage]]\nfiles = ["another.pcapng"]\nname = "near"')
    assert of(folder / "lahore" / "run.pcapng").vantage == LAHORE


@pytest.mark.parametrize("name", ["run.pcapng", "run.pcap", "run.pcap.gz", "run.pcapng.zst", "run.cap", "run.dmp"])
def test_a_sidecar_may_be_toml_or_json_beside_any_capture(tmp_path, name):
    (tmp_path / "run.vantage.json").write_text(json.dumps({"name": "cafe", "asn": "AS64500", "note": None}))
    assert of(tmp_path / name) == Given(vantage=Vantage(name="cafe", asn=64500))


BROKEN = [
    ("name = ", "Invalid value"),
    ("provder = 'x'", "no field 'provder'"),
    ("country = 'Pakistan'", "want two letters"),
    ("country = 'P1'", "want two letters"),
    ("asn = 'Example Net'", "asn is 'Example Net'; want a number"),
    ("asn = 0", "want a number"),
    ("asn = 4294967296", "want a number"),
    ("asn = true", "want a number"),
    ("name = 7", "want text"),
    ("name = ' '", "is empty"),
    ("[clock]\noffset_s = 'late'", "want a number of seconds"),
    ("[clock]\noffset_s = nan", "want a number of seconds"),
    ("[clock]\nerror_s = -1", "not below zero"),
    ("[clock]\noffset = 1", "no field 'offset'"),
    ("clock = 3", "want a table"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_a_broken_sidecar_is_told_and_nothing_behind_it_counts(folder, text, why):
    (folder / "lahore" / "run.vantage.toml").write_text(text)
    given = of(folder / "lahore" / "run.pcapng", Vantage(place="cellar"))
    assert given.vantage == Vantage(place="cellar")
    [(file, says)] = given.complaints
    assert file == "run.vantage.toml"
    assert why in says
    assert "mend it" in says


def test_a_sidecar_that_cannot_be_decoded_or_nests_without_end_is_told(tmp_path):
    (tmp_path / "run.vantage.toml").write_bytes(b"\xff")
    assert "no text in UTF-8" in of(tmp_path / "run.pcapng").complaints[0][1]
    (tmp_path / "run.vantage.toml").unlink()
    (tmp_path / "run.vantage.json").write_text("[" * 100_000)
    assert "nested" in of(tmp_path / "run.pcapng").complaints[0][1]


def test_two_sidecars_are_one_too_many(tmp_path):
    (tmp_path / "run.vantage.toml").write_text("name = 'a'")
    (tmp_path / "run.vantage.json").write_text('{"name": "b"}')
    given = of(tmp_path / "run.pcapng")
    assert given.vantage == Vantage()
    assert "remove one of them" in given.complaints[0][1]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[[vantage]]\nname = 'x'", "wants files"),
        ("[[vantage]]\nfiles = ['*']\ncountry = 'XYZ'", "vantage 1: country"),
        ("[[vantages]]\nfiles = ['*']", "no field 'vantages'"),
        ("vantage = 3", "want [[vantage]] entries"),
        ("[[vantage]]\nfiles = ['*']\nname = 'a'\n[[vantage]]\nfiles = ['r*']\nname = 'b'", "two|2 vantages (a and b)"),
    ],
)
def test_a_broken_manifest_is_told_and_says_nothing(tmp_path, text, why):
    (tmp_path / "vantages.toml").write_text(text)
    given = of(tmp_path / "run.pcapng")
    assert given.vantage == Vantage()
    assert any(word in given.complaints[0][1] for word in why.split("|"))


def test_of_standard_input_only_the_options_speak(folder, monkeypatch):
    monkeypatch.chdir(folder / "lahore")
    assert of("-", Vantage(name="pipe")).vantage == Vantage(name="pipe")


@pytest.mark.parametrize(
    "vantage",
    [
        Vantage(),
        LAHORE,
        Vantage(name='quo"te \\ line\nbreak \x7f \u202e', note="é", clock=Clock(offset_s=1e-9), simulated="x"),
    ],
)
def test_what_is_written_as_a_sidecar_is_read_as_it_was(tmp_path, vantage):
    (tmp_path / "run.vantage.toml").write_text(vantage_given.text(vantage), encoding="utf-8")
    tomllib.loads(vantage_given.text(vantage))
    assert of(tmp_path / "run.pcapng") == Given(vantage=vantage)
