"""Devices are recognised by their packets alone, with what contradicts; and nothing that convicts rests on it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

import captures
from fingerprint import engine, injectors, looking, registry, script, tables
from fingerprint.capture import Capture
from fingerprint.injectors.clusters import differences, one_device
from fingerprint.injectors.matching import complaints, matches, rows
from fingerprint.injectors.traits import Traits
from fingerprint.lab.presets import PRESETS
from fingerprint.lab.world import Path as Way
from fingerprint.report import as_dict
from fingerprint.technique import Known, Table
from tests.lab import judging

SAMPLES = Path(captures.__file__).parent / "samples"
FORGED = [
    "dns_race", "dns_race_mimicked", "dns_ttl_sweep_mirrored", "rst_two_device_types", "rst_with_payload",
    "sni_alert_injected", "sni_fin_injected", "sni_forged_reset", "sni_forged_reset_mimicked", "sni_inpath_reset",
]  # fmt: skip


def known_with(*injector_rows):
    others = tuple(t for t in tables.built_in().tables if t.name != "injectors")
    table = Table(name="injectors", version="test", sha256="0", rows=injector_rows)
    return Known(tables=(*others, table) if injector_rows else others)


def judged(file, known=None):
    """(capture, verdicts) of a file, under other tables if some are given."""
    recording = captures.read(str(file), index=0)
    beside = script.beside(Path(file))
    capture = Capture(
        recordings=(recording,), known=known or tables.built_in(), scripts={0: script.read(beside)} if beside else {}
    )
    findings, faults = looking.look(capture, registry.load().techniques)
    assert not faults
    return capture, looking.judged(capture, findings)[0]


@pytest.mark.parametrize("case", FORGED)
def test_emptying_the_table_changes_no_state_and_no_mechanism(case):
    file = next((SAMPLES / case).glob("capture.*"))
    with_table, without = (injectors.named(*judged(file, known)) for known in (None, known_with()))
    assert any(m.injector for v in with_table for m in v.mechanisms)

    def bare(verdicts):
        return [replace(v, mechanisms=tuple(replace(m, injector=()) for m in v.mechanisms)) for v in verdicts]

    assert bare(with_table) == bare(without)


def test_emptying_the_table_changes_nothing_else_in_any_report(monkeypatch):
    files = [str(next((SAMPLES / case).glob("capture.*"))) for case in FORGED]

    def report():
        told = as_dict(engine.analyse(files, techniques=registry.load()))
        for target in told["targets"]:
            for m in target["mechanisms"]:
                del m["injector"]
        return told["targets"]

    before = report()
    monkeypatch.setattr(tables, "at_hand", lambda: (known_with(), ()))
    assert json.dumps(report()) == json.dumps(before)


def test_our_table_has_no_contradictory_and_no_overlapping_rows():
    assert complaints(tables.built_in()) == ()
    assert len(rows(tables.built_in())) >= 20


# Preset of the laboratory → the row that must come first, and what of the row cannot be seen from the client.
KNOWN_DEVICES = {
    "gfw-rst-i": ["Great Firewall, resets type I"],
    "gfw-rst-ii": ["Great Firewall, resets type II"],
    "gfw-rst-iii": ["Great Firewall, resets type III"],
    "gfw-rst": ["Great Firewall, resets type I", "Great Firewall, resets type II"],
    "henan": ["Henan firewall"],
    "gfw-aug-2025": ["Great Firewall, 20 August 2025"],
    "turkmenistan-rst": ["Turkmenistan, resets"],
    "packetlogic": ["Sandvine PacketLogic, resets"],
    "airtel": ["Airtel"],
    "tspu-sni-1": ["TSPU, SNI-I"],
    "gfw-dns-1": ["Great Firewall, DNS injector 1"],
    "gfw-dns-2": ["Great Firewall, DNS injector 2"],
    "gfw-dns-3": ["Great Firewall, DNS injector 3"],
    "turkmenistan-dns": ["Turkmenistan, DNS"],
    "iran-dns": ["Iran, DNS"],
    "gfw-http-30x": ["Great Firewall, HTTP 301 of 2023", "Great Firewall, HTTP 302 of 2023"],
    "packetlogic-307": ["Sandvine PacketLogic, redirects"],
}


@cache
def seen(preset, folder, way=None):
    """The makers behind a preset, and what they resemble."""
    import asyncio

    _, recording, _ = asyncio.run(judging.simulated(preset, folder, path=way))
    capture, verdicts = judged(recording)
    made = [m for v in verdicts for m in v.mechanisms if v.target == "forum.test"]
    makers = injectors.of_mechanism(capture, made[0])
    return makers, injectors.resembles(makers, tables.built_in())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("injectors")


@pytest.mark.parametrize("preset", KNOWN_DEVICES)
def test_a_device_of_the_field_is_recognised(preset, folder):
    home = folder / preset
    home.mkdir(exist_ok=True)
    _, found = seen(preset, home)
    wanted = KNOWN_DEVICES[preset]
    assert {m.name for m in found[: len(wanted)]} == set(wanted)
    assert all(m.score == 1.0 and m.fits and not m.contradicts for m in found[: len(wanted)])
    assert all(m.source for m in found)


FAR = Way(hops=8, at=3, before_s=0.02, behind_s=0.05)


@pytest.mark.parametrize(
    "preset", ["gfw-rst-i", "gfw-rst-ii", "henan", "packetlogic", "gfw-dns-1", "iran-dns", "sni-fin"]
)
def test_one_device_is_one_whatever_the_way_to_it(preset, folder):
    near_home, far_home = folder / preset, folder / f"{preset}-far"
    for home in (near_home, far_home):
        home.mkdir(exist_ok=True)
    away = replace(FAR, timestamps=PRESETS[preset].path.timestamps)
    near, far = seen(preset, near_home)[0], seen(preset, far_home, away)[0]
    assert one_device(near, far), [differences(a, b) for a in near for b in far]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gfw-rst-i", "turkmenistan-rst"), ("gfw-rst-ii", "gfw-rst-iii"), ("packetlogic", "airtel"),
        ("gfw-rst-iii", "henan"), ("gfw-dns-1", "gfw-dns-2"), ("gfw-dns-2", "gfw-dns-3"), ("sni-fin", "gfw-rst-i"),
        ("turkmenistan-dns", "iran-dns"), ("gfw-aug-2025", "gfw-rst-ii"),
    ],
)  # fmt: skip
def test_two_devices_are_two(one, other, folder):
    for preset in (one, other):
        (folder / preset).mkdir(exist_ok=True)
    assert not one_device(seen(one, folder / one)[0], seen(other, folder / other)[0])


def traits_of(kind="reset", flows=3, **values):
    return Traits(kind=kind, flows=flows, values={k.replace("__", "."): v for k, v in values.items()})


def test_a_ttl_alone_matches_nobody():
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": {"ip.ttl": 248}}
    assert "matches anybody" in complaints(known_with(row))[0]
    lonely = {**row, "fields": {"ip.ttl": 248, "ip.id = client's": False}}
    assert matches(traits_of(ip__ttl=(248,)), known_with(lonely)) == ()


def test_what_contradicts_is_listed_and_costs():
    known = tables.built_in()
    airtel = traits_of(
        tcp__flags=("RST+ACK",), ip__id=(242,), tcp__window=(16,), ip__df=(1,), payload=("",), ip__ttl=(60,), count=(1,)
    )
    best = matches(airtel, known)[0]
    assert (best.name, best.contradicts) == ("Airtel", ("ip.df 1",))
    assert 0.75 < best.score < 1


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"ip.id": 5, "ip.idd": 5}, "no field that is compared"),
        ({"ip.id": {"min": 9, "max": 3}}, "min below max"),
        ({"ip.id": []}, "has no value"),
        ({"ip.id": 0, "ip.id = client's": True}, "at once"),
        ({"tcp.window rising by one": 5}, "want true or false"),
    ],
)
def test_a_contradictory_row_is_told_and_left_out(fields, says):
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": fields}
    assert says in complaints(known_with(row))[0]
    assert rows(known_with(row)) == ()


def test_rows_that_nothing_tells_apart_are_told():
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": {"ip.id": {"min": 1, "max": 9}}}
    both = known_with(row, {**row, "name": "y", "fields": {"ip.id": {"min": 5, "max": 20}}})
    assert complaints(both) == ("x and y overlap: no field tells them apart; add one that does",)


def test_the_command_explains_field_by_field_and_says_which_captures_show_one_device(capsys, monkeypatch):
    from fingerprint.__main__ import main

    two, payload = (str(SAMPLES / case / "capture.pcapng") for case in ("rst_two_device_types", "rst_with_payload"))
    words = ["fingerprint", "injectors", "--match", payload, "--match", two, "--match", payload, "--json"]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert [t["cluster"] for t in told] == [1, 2, 1] or [t["cluster"] for t in told] == [1, 2]
    assert told[0]["resembles"][0]["name"] == "Henan firewall"
    assert {m["name"] for m in told[1]["resembles"][:2]} == {
        "Great Firewall, resets type I",
        "Great Firewall, resets type II",
    }
