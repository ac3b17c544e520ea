"""Devices are recognised by their packets alone, with what contradicts; and nothing that convicts rests on it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest

import captures
from fingerprint import engine, injectors, script, tables
from fingerprint.capture import Capture
from fingerprint.injectors.clusters import cluster_name, differences, one_device
from fingerprint.injectors.matching import complaints, matches, rows
from fingerprint.injectors.traits import Traits
from fingerprint.lab.presets import PRESETS
from fingerprint.lab.world import Path as Way
from fingerprint.plugins import looking, registry
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


def bare(verdicts):
    return [replace(v, mechanisms=tuple(replace(m, injector=()) for m in v.mechanisms)) for v in verdicts]


@pytest.mark.parametrize("case", FORGED)
def test_emptying_the_table_changes_no_state_and_no_mechanism(case):
    file = next((SAMPLES / case).glob("capture.*"))
    with_table, without = (injectors.named(*judged(file, known)) for known in (None, known_with()))
    assert any(m.injector for v in with_table for m in v.mechanisms)
    assert bare(with_table) == bare(without)


def without_injectors(files):
    told = as_dict(engine.analyse(files, techniques=registry.load()))
    for target in told["targets"]:
        for m in target["mechanisms"]:
            del m["injector"]
    return json.dumps(told["targets"])


@pytest.mark.slow
def test_emptying_the_table_changes_nothing_else_in_the_report_on_any_sample(monkeypatch):
    files = [str(f) for f in sorted(SAMPLES.glob("*/capture.*"))]
    before = without_injectors(files)
    monkeypatch.setattr(tables, "at_hand", lambda: (known_with(), ()))
    assert without_injectors(files) == before


def test_our_table_has_no_contradictory_and_no_overlapping_rows():
    assert complaints(tables.built_in()) == ()
    assert len(rows(tables.built_in())) >= 20


# Preset of the laboratory → the rows that must come first.
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
    "iran-filter": ["Iran, empty pushes"],
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
    mine = next(v for v in verdicts if v.target == "forum.test")
    makers = injectors.of_mechanism(capture, mine.mechanisms[0], mine)
    return makers, injectors.resembles(makers, tables.built_in())


def at_home(folder, preset):
    home = folder / preset
    home.mkdir(exist_ok=True)
    return home


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("injectors")


# At the laboratory's distance the TTLs are not those that the sources saw; that, and nothing else, contradicts.
ON_THE_WAY = {"ip.ttl"}


@pytest.mark.slow
@pytest.mark.parametrize("preset", KNOWN_DEVICES)
def test_a_device_of_the_field_is_recognised(preset, folder):
    _, found = seen(preset, at_home(folder, preset))
    wanted = KNOWN_DEVICES[preset]
    assert {m.name for m in found[: len(wanted)]} == set(wanted)
    assert all(m.fits and ON_THE_WAY.issuperset(m.contradicts) for m in found[: len(wanted)])
    assert all(m.source and 0.4 < m.score < 1 for m in found)


def test_the_ttl_that_another_vantage_saw_is_listed_as_what_contradicts(folder):
    makers, (best, *_) = seen("henan", at_home(folder, "henan"))
    assert best.contradicts == ("ip.ttl",)
    told = {f.name: (f.seen, f.row) for f in injectors.explained(makers, tables.built_in())[0].fields if not f.fits}
    assert told == {"ip.ttl": ("56", "58")}


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["sni-fin", "sni-alert", "port-reset", "dns-nxdomain", "openvpn-tcp-reset"])
def test_a_device_that_nobody_described_resembles_none(preset, folder):
    makers, found = seen(preset, at_home(folder, preset))
    assert found == ()
    unknown = injectors.unknown(makers)
    assert unknown.name == f"unknown, cluster {cluster_name(makers)}"
    assert unknown.source.startswith(makers[0].kind)


@pytest.mark.slow
def test_false_answers_of_others_are_not_the_great_firewalls(folder):
    for preset in ("turkmenistan-dns", "iran-dns"):
        _, found = seen(preset, at_home(folder, preset))
        assert not [m.name for m in found if m.name.startswith("Great Firewall")]


FAR = Way(hops=8, at=3, before_s=0.02, behind_s=0.05)


@pytest.mark.slow
@pytest.mark.parametrize(
    "preset", ["gfw-rst-i", "gfw-rst-ii", "henan", "packetlogic", "gfw-dns-1", "iran-dns", "sni-fin", "iran-filter"]
)
def test_one_device_is_one_whatever_the_way_to_it(preset, folder):
    away = replace(FAR, timestamps=PRESETS[preset].path.timestamps)
    near, far = seen(preset, at_home(folder, preset))[0], seen(preset, at_home(folder, f"{preset}-far"), away)[0]
    assert one_device(near, far), [differences(a, b) for a in near for b in far]
    assert cluster_name(near) == cluster_name(far)


@pytest.mark.slow
def test_two_devices_are_two(folder):
    alone = [p for p in KNOWN_DEVICES if p != "gfw-rst"]  # of which each half is another preset
    for one, other in combinations([*alone, "sni-fin"], 2):
        mine, theirs = (seen(p, at_home(folder, p))[0] for p in (one, other))
        assert not one_device(mine, theirs), (one, other)
        assert cluster_name(mine) != cluster_name(theirs), (one, other)


@pytest.mark.slow
def test_a_name_says_no_more_than_its_flows(folder):
    (maker,) = seen("turkmenistan-rst", at_home(folder, "turkmenistan-rst"))[0]
    assert cluster_name((maker,)) == f"{cluster_name((replace(maker, flows=1),))}-{cluster_name((maker,))[5:]}"


def traits_of(kind="reset", flows=3, **values):
    return Traits(kind=kind, flows=flows, values={k.replace("__", "."): v for k, v in values.items()})


def test_a_ttl_alone_matches_nobody():
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": {"ip.ttl": 248}}
    assert "matches anybody" in complaints(known_with(row))[0]
    lonely = {**row, "fields": {"ip.ttl": 248, "ip.id = trigger's": False}}
    assert matches(traits_of(ip__ttl=(248,)), known_with(lonely)) == ()


def test_what_contradicts_is_listed_and_costs():
    known = tables.built_in()
    airtel = traits_of(
        tcp__flags=("RST+ACK",), ip__id=(242,), tcp__window=(16,), ip__df=(1,), payload=("",), ip__ttl=(60,), count=(1,)
    )
    best = matches(airtel, known)[0].match
    assert (best.name, best.contradicts) == ("Airtel", ("ip.df",))
    assert best.score < matches(replace(airtel, values={**airtel.values, "ip.df": (0,)}), known)[0].match.score


def test_few_fields_that_fit_never_score_high():
    bare = traits_of(tcp__flags=("RST",), ip__df=(0,), ip__id=(0,), count=(1,))
    (only,) = matches(bare, tables.built_in())
    assert only.match.name == "Great Firewall, resets type I"
    assert only.match.score < 0.6


def test_ids_that_count_up_in_the_wrong_byte_order_are_named_as_a_trap():
    counting = traits_of(ip__id=(0x0100, 0x0200, 0x0300), **{"ip.id swapped counter": (True,)})
    assert matches(counting, tables.built_in())[0].match.name.startswith("trap")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"ip.id": 5, "ip.idd": 5}, "no field that is compared"),
        ({"ip.id": {"min": 9, "max": 3}}, "min below max"),
        ({"ip.id": []}, "has no value"),
        ({"ip.id": 0, "ip.id = trigger's": True}, "at once"),
        ({"tcp.window rising by one": 5}, "want true or false"),
        ({"tcp.window rising by one": True, "tcp.window": 16}, "is one value"),
        ({"tcp.ack_without_flag": 1, "tcp.flags": "RST+ACK"}, "ACK is among tcp.flags"),
        ({"dns.aa": 1}, "no field of kind reset"),
        ({"ip.id": 1.5}, "wants a number or text"),
        ({"ip.id": {"min": 1}}, "min below max"),
        ({"ip.id": {"min": "a", "max": "b"}}, "min below max"),
    ],
)
def test_a_contradictory_row_is_told_and_left_out(fields, says):
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": fields}
    assert says in complaints(known_with(row))[0]
    assert rows(known_with(row)) == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"first_seen": "2021", "last_seen": "2019-05"}, "last seen (2019-05) before it was first seen (2021)"),
        ({"ends": "nowhere"}, "ends is 'nowhere'"),
        ({"kind": "smoke"}, "kind is 'smoke'"),
        ({"standing": "sure"}, "standing is 'sure'"),
        ({"source": ""}, "no source"),
        ({"fields": 5}, "no field but a TTL"),
    ],
)
def test_a_row_with_a_wrong_word_is_told_with_its_table_and_number(changes, says):
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": {"ip.id": 5}, **changes}
    (told,) = complaints(known_with(row))
    assert told.startswith("injectors.toml, row 1 (x): ")
    assert says in told
    assert told.endswith("it is left out")


def test_a_row_that_another_one_contains_is_told():
    row = {"name": "x", "kind": "reset", "source": "s", "standing": "read", "fields": {"ip.id": {"min": 1, "max": 9}}}
    inside = {**row, "name": "y", "fields": {"ip.id": 5, "tcp.window": 8}}
    (told,) = complaints(known_with(row, inside))
    assert told == "x overlaps y: whatever fits this fits that as well; add a field to it"
    (twice,) = complaints(known_with(row, {**inside, "name": "x"}))
    assert twice == "x stands in two rows; give each its own name"


def test_a_broken_table_of_the_users_is_in_the_errors_of_a_report(tmp_path, monkeypatch):
    (tmp_path / "injectors-mine.toml").write_text(
        'version = "1"\n[[row]]\nname = "mine"\nkind = "reset"\nsource = "me"\nstanding = "read"\n'
        'fields = { "ip.id" = { min = 9, max = 3 } }\n'
    )
    (tmp_path / "injectors-torn.toml").write_text("version = ")
    monkeypatch.setenv(tables.VARIABLE, str(tmp_path))
    tables.at_hand.cache_clear()
    file = next((SAMPLES / "rst_with_payload").glob("capture.*"))
    report = engine.analyse([str(file)], techniques=registry.load())
    tables.at_hand.cache_clear()
    said = [e.error for e in report.errors]
    assert any(s.startswith("injectors-mine.toml, row 1 (mine): ip.id wants {min, max}") for s in said)
    assert any(e.file == "injectors-torn.toml" for e in report.errors)
    assert "injectors-mine" in [name for name, _, _ in report.tables]


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
    assert [t["device"] for t in told] in ([1, 2, 1], [1, 2])
    assert told[0]["cluster"] != told[1]["cluster"]
    assert told[0]["resembles"][0]["name"] == "Henan firewall"
    assert {m["name"] for m in told[1]["resembles"][:2]} == {
        "Great Firewall, resets type I",
        "Great Firewall, resets type II",
    }


def run(capsys, monkeypatch, *words):
    from fingerprint.__main__ import main

    monkeypatch.setattr("sys.argv", ["fingerprint", "injectors", *words])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_the_command_lists_the_table(capsys, monkeypatch):
    code, out, err = run(capsys, monkeypatch)
    assert (code, err) == (0, "")
    assert "Henan firewall" in out
    assert "payload 01020304050607080900" in out
    _, as_json, _ = run(capsys, monkeypatch, "--json")
    told = {row["name"]: row for row in json.loads(as_json)}
    assert len(told) == len(rows(tables.built_in()))
    assert told["Great Firewall, resets type III"]["n"] == 4366
    assert all(row["source"] and row["standing"] for row in told.values())


def test_a_capture_without_forged_packets_or_none_at_all_is_told(capsys, monkeypatch, tmp_path):
    code, out, _ = run(capsys, monkeypatch, "--match", str(SAMPLES / "quiet" / "capture.pcapng"))
    assert (code, out) == (0, "No packet of these captures is convicted as forged: there is nothing to compare.\n")
    code, out, err = run(capsys, monkeypatch, "--match", str(tmp_path / "nothing.pcap"), "--json")
    assert (code, json.loads(out)) == (1, [])
    assert err == "fingerprint: nothing.pcap: there is no such file; check the path\n"
    _, out, _ = run(capsys, monkeypatch, "--match", str(tmp_path / "nothing.pcap"))
    assert out == ""


def test_names_of_the_users_table_cannot_steer_the_terminal(capsys, monkeypatch, tmp_path):
    (tmp_path / "injectors-mine.toml").write_text(
        'version = "1"\n[[row]]\nname = "\\u001b[31mred [bold]x[/]"\nkind = "reset"\nsource = "me\\nand you"\n'
        'standing = "read"\nfields = { "payload" = "\\u001b[0m" }\n'
    )
    monkeypatch.setenv(tables.VARIABLE, str(tmp_path))
    tables.at_hand.cache_clear()
    _, out, _ = run(capsys, monkeypatch)
    tables.at_hand.cache_clear()
    assert "\x1b" not in out
    assert "\\x1b[31mred [bold]x[/]" in out
