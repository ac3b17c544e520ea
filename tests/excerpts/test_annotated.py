"""The annotated capture: only what decides, every cited packet named, and judged again it says the same."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import captures
from captures.errors import CaptureError, TargetError
from captures.write import Frame, Link, Writer
from fingerprint import engine, script
from fingerprint.__main__ import main
from fingerprint.excerpts import annotated as evidence_file
from fingerprint.excerpts import least as evidence_cut
from fingerprint.excerpts.least import answers, cut, differences
from fingerprint.lab.packet import Packet
from fingerprint.testing.conversation import EPOCH_NS
from fingerprint.verbs import analysing

SAMPLES = Path(captures.__file__).parent / "samples"
A_HANDFUL = (
    "sni_forged_reset", "sni_hello_dropped", "dns_race", "dns_lying_resolver", "http_host_reset", "quic_sni_dropped",
    "icmp_prohibited", "throttled_policer", "sni_residual", "sni_ttl_sweep", "udp_media_ports_dropped",
)  # fmt: skip


@pytest.fixture(scope="module")
def registry():
    return analysing.registry((), (), ())


def capture_of(case):
    return next(iter((SAMPLES / case).glob("capture.*")))


def made(case, registry, folder):
    file, out = capture_of(case), folder / "evidence.pcapng"
    report = engine.analyse([str(file)], techniques=registry)
    return report, cut(str(file), out, report, registry), out


def replays(report, out, registry):
    again = engine.analyse([str(out)], techniques=registry)
    assert not again.errors
    blocked = {k: a[1:] for k, a in answers(report).items() if a[1] == "blocked"}
    return {k: a[1:] for k, a in answers(again).items() if a[1] == "blocked"} == blocked


@pytest.mark.parametrize("case", A_HANDFUL)
def test_judged_again_it_says_the_same(case, registry, tmp_path):
    report, done, out = made(case, registry, tmp_path)
    assert done.differs == ()
    assert replays(report, out, registry)
    assert any(v.state == "blocked" for v in report.verdicts)


@pytest.mark.slow
def test_every_sample_with_evidence_is_cut_and_says_the_same(samples, registry, tmp_path):
    kept = 0
    for file in samples:
        report = engine.analyse([str(file)], techniques=registry)
        out = tmp_path / f"{file.parent.name}.pcapng"
        try:
            done = cut(str(file), out, report, registry)
        except CaptureError:
            assert not any(v.state == "blocked" for v in report.verdicts), file.parent.name
            continue
        assert done.differs == (), file.parent.name
        assert replays(report, out, registry), file.parent.name
        kept += done.packets < done.of_packets
    assert kept > 20


def tshark(file, *arguments):
    if not shutil.which("tshark"):
        assert not os.environ.get("CI"), "tshark is missing"
        pytest.skip("tshark is not installed")
    told = subprocess.run(["tshark", "-n", "-r", str(file), *arguments], capture_output=True, text=True, check=True)
    return told.stdout.splitlines()


def test_wireshark_finds_the_comments_with_one_filter_and_the_original_numbers_in_them(registry, tmp_path):
    report, _, out = made("sni_forged_reset", registry, tmp_path)
    lines = tshark(out, "-Y", 'frame.comment contains "fingerprint: "', "-T", "fields", "-e", "frame.comment")
    cited = {c.number for v in report.verdicts for m in v.mechanisms for w in m.evidence for c in w.evidence.packets}
    assert {int(line.split("frame ")[1].split(" ")[0]) for line in lines} == cited
    assert all(line.startswith("fingerprint: frame ") for line in lines)
    assert any("RST" in line and "chatter.test tls.reset.sni" in line for line in lines)


def test_the_original_s_hash_and_the_tool_stand_in_the_first_lines_of_the_file(registry, tmp_path):
    _, _, out = made("sni_forged_reset", registry, tmp_path)
    head = out.read_bytes()[:2000]
    assert captures.read(capture_of("sni_forged_reset")).sha256.encode() in head
    assert b"censorship-fingerprint" in head


def test_a_cited_packet_is_the_packet_of_that_number(registry, tmp_path):
    _, _, out = made("dns_race", registry, tmp_path)
    original, part = captures.read(capture_of("dns_race")), captures.read(out)
    fields = ("-T", "fields", "-e", "frame.number", "-e", "frame.comment")
    lines = tshark(out, "-Y", "frame.comment", *fields)
    assert lines
    for line in lines:
        number, comment = line.split("\t")
        row, was = int(number) - 1, int(comment.split("frame ")[1].split(" ")[0]) - 1
        assert part.frame(row) == original.frame(was)
        assert part.columns.time_ns[row] == original.columns.time_ns[was]
        assert part.columns.wire_bytes[row] == original.columns.wire_bytes[was]


def bystanders(file, out, *, until_s):
    """The capture with other people's conversations before, between and behind, recorded until long after."""
    recording = captures.read(file)
    c = recording.columns
    frames = [(int(c.time_ns[row]), recording.frame(row), int(c.wire_bytes[row])) for row in range(len(c))]
    for i in range(300):
        at_ns = int(c.time_ns.min()) + i * 200_000_000
        other = Packet(source="81.17.24.99", destination="45.83.220.99", protocol=17, sport=5000 + i, dport=9, ttl=60)
        content = b"\x02" * 12 + b"\x08\x00" + other.to_bytes()
        frames.append((at_ns, content, len(content)))
    with out.open("wb") as into:
        links = [Link(link_type=i.link_type, name="wan0") for i in recording.interfaces]
        writer = Writer(into, links=links)
        for at_ns, content, size in sorted(frames):
            writer.frame(Frame(content=content, time_ns=at_ns, wire_bytes=size))
        writer.statistics(
            interface=0, received_pkts=writer.count, dropped_pkts=0, began_ns=EPOCH_NS,
            ended_ns=int(c.time_ns.max()) + int(until_s * 1e9),
        )  # fmt: skip
    return out


@pytest.mark.parametrize("case", ["sni_forged_reset", "sni_hello_dropped", "dns_race", "http_host_reset"])
def test_conversations_of_others_stay_out(case, registry, tmp_path):
    file = bystanders(capture_of(case), tmp_path / "busy.pcapng", until_s=30)
    report = engine.analyse([str(file)], techniques=registry)
    done = cut(str(file), tmp_path / "evidence.pcapng", report, registry)
    part = captures.read(tmp_path / "evidence.pcapng")
    assert done.differs == ()
    assert done.packets < done.of_packets - 250
    assert not np.isin(part.flows.port_a, range(5000, 5300)).any()
    assert replays(report, tmp_path / "evidence.pcapng", registry)


def test_the_recorder_s_last_word_is_kept_so_that_silence_stays_witnessed(registry, tmp_path):
    file = bystanders(capture_of("sni_hello_dropped"), tmp_path / "busy.pcapng", until_s=40)
    report = engine.analyse([str(file)], techniques=registry)
    cut(str(file), tmp_path / "evidence.pcapng", report, registry)
    whole, part = captures.read(file), captures.read(tmp_path / "evidence.pcapng")
    assert part.ended_ns == whole.ended_ns
    assert [i.name for i in part.interfaces] == ["wan0"]


def run_of(case, folder, *names):
    """A sample as a run whose script names these as targets, and the control."""
    file = folder / "run.pcapng"
    shutil.copy(capture_of(case), file)
    times = captures.read(file).columns.time_ns
    told = script.read(SAMPLES / "sni_controls_fail_too" / "script.json")
    home = ("151.101.65.140",)
    targets = tuple(
        replace(told.targets[0], name=name, addresses=home, controls=(("weather.test", home),)) for name in names
    )
    began, ended = int(times.min()), int(times.max())
    script.write(replace(told, targets=targets, steps=(), began_ns=began, ended_ns=ended), script.path_of(file))
    return file


@pytest.mark.parametrize(("names", "goes"), [(("chatter.test",), True), (("chatter.test", "else.test"), False)])
def test_the_script_goes_along_if_it_names_nobody_else(names, goes, registry, tmp_path, monkeypatch, capsys):
    file, out = run_of("sni_forged_reset", tmp_path, *names), tmp_path / "evidence.pcapng"
    monkeypatch.setattr("sys.argv", ["fingerprint", "evidence", str(file), "-o", str(out)])
    assert _code() == 0
    assert script.path_of(out).exists() == goes
    assert ("names others and was left" in capsys.readouterr().err) != goes
    report = engine.analyse([str(file)], techniques=registry)
    assert replays(report, out, registry)


def test_hostile_names_do_not_steer_a_terminal_through_a_comment(registry, tmp_path):
    file = tmp_path / "x\x1b[31m.pcapng"
    shutil.copy(capture_of("sni_forged_reset"), file)
    report = engine.analyse([str(file)], techniques=registry)
    notes = evidence_file.comments(report, captures.read(file))
    assert notes
    assert not any("\x1b" in note for told in notes.values() for note in told)


def test_two_cuts_are_the_same_bytes(registry, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    _, _, one = made("dns_race", registry, tmp_path / "a")
    _, _, two = made("dns_race", registry, tmp_path / "b")
    assert one.read_bytes() == two.read_bytes()


def test_where_less_does_not_say_the_same_more_is_kept(registry, tmp_path, monkeypatch):
    calls = []

    def never_the_same(whole, part):
        calls.append(1)
        yield from differences(whole, part)
        if len(calls) < 2:
            yield "not yet"

    monkeypatch.setattr(evidence_cut, "differences", never_the_same)
    file = bystanders(capture_of("sni_forged_reset"), tmp_path / "busy.pcapng", until_s=30)
    report = engine.analyse([str(file)], techniques=registry)
    done = cut(str(file), tmp_path / "evidence.pcapng", report, registry)
    assert len(calls) == 2
    assert done.differs == ()
    assert "conversations cited, the answers" not in done.kept


def test_what_never_says_the_same_is_written_and_said(registry, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evidence_cut, "differences", lambda *_: iter(["chatter.test is blocked in the whole"]))
    out = tmp_path / "evidence.pcapng"
    monkeypatch.setattr("sys.argv", ["fingerprint", "evidence", str(capture_of("sni_forged_reset")), "-o", str(out)])
    assert _code() == 3
    assert "does not say the same" in capsys.readouterr().err
    assert out.exists()


def test_without_a_citation_there_is_no_evidence(registry, tmp_path):
    report = engine.analyse([str(capture_of("quiet"))], techniques=registry)
    with pytest.raises(CaptureError, match="no verdict cites a packet"):
        cut(str(capture_of("quiet")), tmp_path / "e.pcapng", report, registry)
    assert not (tmp_path / "e.pcapng").exists()


def test_the_capture_itself_is_never_overwritten(registry, tmp_path):
    file = tmp_path / "run.pcapng"
    shutil.copy(capture_of("sni_forged_reset"), file)
    before = file.read_bytes()
    report = engine.analyse([str(file)], techniques=registry)
    with pytest.raises(TargetError, match="the capture itself"):
        cut(str(file), file, report, registry)
    assert file.read_bytes() == before


def _code():
    try:
        return main()
    except SystemExit as end:
        return end.code


def test_the_verb_and_the_option_write_the_same_file(tmp_path, monkeypatch, capsys):
    file, one, two = str(capture_of("sni_forged_reset")), tmp_path / "one.pcapng", tmp_path / "two.pcapng"
    monkeypatch.setattr("sys.argv", ["fingerprint", "evidence", file, "-o", str(one)])
    assert _code() == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert "addresses of clients" in told.err
    monkeypatch.setattr("sys.argv", ["fingerprint", "analyse", file, "-w", str(two), "--json"])
    assert _code() == 0
    assert capsys.readouterr().out.startswith("{")
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("more", [["other.pcapng"], ["--parts", "10m"]])
def test_evidence_is_of_one_verdict_on_one_file(more, tmp_path, monkeypatch, capsys):
    file = str(capture_of("sni_forged_reset"))
    monkeypatch.setattr("sys.argv", ["fingerprint", "analyse", file, *more, "-w", str(tmp_path / "e.pcapng")])
    assert _code() == 2
    assert "evidence is cut" in capsys.readouterr().err
