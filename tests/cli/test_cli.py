"""The command line as a user meets it: what is printed, where, and with which exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fingerprint.verbs import doctor
from fingerprint.verbs.doctor import Check


def fingerprint(*words, given=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "fingerprint", *map(str, words)],
        capture_output=True,
        input=given,
        env={**os.environ, **environment},
        check=False,
        timeout=120,
    )


@pytest.fixture
def cut(tmp_path, samples):
    sample = next(s for s in samples if "sni_forged_reset" in str(s.parent))
    short = tmp_path / "cut.pcapng"
    short.write_bytes(sample.read_bytes()[:-20])
    return short


def sample_of(samples, case):
    return next(s for s in samples if s.parent.name == case)


def test_help_comes_without_numpy_or_scapy():
    code = "import sys, fingerprint.__main__, fingerprint.cli.main; print([m for m in ('numpy', 'scapy', 'rich', 'pyshark') if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_offline_analysis_never_imports_scapy(samples):
    code = (
        "import sys; from fingerprint import engine; from fingerprint.plugins import registry; "
        f"engine.analyse([{str(samples[0])!r}], techniques=registry.load()); "
        "print([m for m in sys.modules if m.split('.')[0] in ('scapy', 'pyshark')])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_help_names_every_verb_once_and_cuts_no_sentence_short():
    from fingerprint.cli.main import app
    from fingerprint.cli.sections import VERBS

    registered = [c.name or c.callback.__name__ for c in app.registered_commands]
    assert sorted(VERBS) == sorted([*registered, *(group.name for group in app.registered_groups)])
    said = fingerprint("--help", COLUMNS="80").stdout.decode()
    listed = [line.split()[0] for line in said.splitlines() if line.startswith("  ") and line.split()[0] in VERBS]
    assert listed == list(VERBS)
    assert "..." not in said.partition("Begin:")[2]


def test_blocked_is_an_answer(samples):
    done = fingerprint("analyse", sample_of(samples, "sni_forged_reset"))
    assert done.returncode == 0
    assert "blocked" in done.stdout.decode()
    assert done.stderr == b""


def test_fail_on_turns_a_state_into_exit_10(samples):
    sample = sample_of(samples, "sni_forged_reset")
    assert fingerprint("analyse", sample, "--fail-on", "blocked").returncode == 10
    assert fingerprint("analyse", sample, "--fail-on", "down").returncode == 0
    assert fingerprint("analyse", sample, "--fail-on", "sad").returncode == 2


def test_read_is_the_same_as_an_argument(samples):
    assert fingerprint("analyse", "-r", samples[0]).stdout == fingerprint("analyse", samples[0]).stdout


def test_standard_input_is_read(samples):
    sample = sample_of(samples, "sni_forged_reset")
    done = fingerprint("analyse", "-", "--json", given=sample.read_bytes())
    assert done.returncode == 0
    assert json.loads(done.stdout)["summary"]["states"]["blocked"] == 1


def test_a_cut_capture_is_answered_in_part(cut):
    done = fingerprint("analyse", cut, "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert document["captures"][0]["packets"] > 50
    assert document["errors"]
    assert b"Traceback" not in done.stderr
    assert b"cut.pcapng" in done.stderr


@pytest.mark.parametrize("content", [b"", b"not a capture at all", bytes(24)])
def test_what_cannot_be_read_is_a_valid_report_with_exit_1(tmp_path, content):
    (tmp_path / "x.pcap").write_bytes(content)
    done = fingerprint("analyse", tmp_path / "x.pcap", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"][0]["file"] == "x.pcap"
    assert str(tmp_path) not in done.stdout.decode()


@pytest.mark.parametrize("words", [("gone.pcap",), ("*.none",)])
def test_a_file_that_is_not_there_is_a_valid_report_too(tmp_path, words):
    done = fingerprint("analyse", *words, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"]
    assert done.stderr.decode().startswith("fingerprint: ")


def test_one_bad_file_does_not_cost_the_others(samples, tmp_path):
    (tmp_path / "bad.pcap").write_bytes(b"junk")
    done = fingerprint("analyse", tmp_path / "bad.pcap", sample_of(samples, "sni_forged_reset"), "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["summary"]["states"]["blocked"] == 1


@pytest.mark.parametrize(
    "words",
    [
        ("analyse",),
        ("analyse", "x.pcap", "--format", "doc"),
        ("analyse", "x.pcap", "--technique", "nope"),
        ("analyse", "x.pcap", "--set", "nope"),
        ("analyse", "x.pcap", "--set", "throttling.nope=1"),
        ("analyse", "x.pcap", "--plugins", "/nowhere/at/all"),
        ("analyse", "x.pcap", "-o", "/nowhere/at/all/out.json"),
        ("analyse", "-", "-"),
        ("explain", "nope"),
        ("dance",),
    ],
)
def test_a_slip_on_the_command_line_is_exit_2_and_one_line(words):
    done = fingerprint(*words)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr
    assert done.stderr.strip()


def test_the_report_goes_to_a_file(samples, tmp_path):
    out = tmp_path / "out.json"
    done = fingerprint("analyse", samples[0], "--json", "-o", out)
    assert done.stdout == b""
    assert json.loads(out.read_text())["schema"] == "fingerprint/report/1"


def test_several_processes_give_the_same_bytes_as_one(samples):
    words = ("analyse", *samples[:4], "--json")
    assert fingerprint(*words, "--jobs", 1).stdout == fingerprint(*words, "--jobs", 2).stdout


def test_a_setting_reaches_its_technique(samples):
    done = fingerprint(
        "analyse", samples[0], "--set", "sni-filtering.listen_s=1", "--technique", "sni-filtering", "--json"
    )
    assert done.returncode == 0


def test_a_broken_plugin_is_reported_and_the_rest_answers(samples, tmp_path):
    (tmp_path / "bad_one.py").write_text("def broken(:\n")
    done = fingerprint("analyse", samples[0], "--plugins", tmp_path, "--json")
    assert done.returncode == 3
    assert "line 1" in json.loads(done.stdout)["errors"][0]["error"]


def test_a_closed_pipe_is_no_traceback(samples):
    command = f"{sys.executable} -m fingerprint analyse {samples[0]} --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr


def test_the_demo_shows_a_block_and_what_to_try_next(tmp_path):
    done = fingerprint("demo", "--out", str(tmp_path / "page.html"))
    said = done.stdout.decode()
    assert done.returncode == 0
    assert "tls.reset.sni" in said
    assert "Try next:" in said


def test_the_demo_speaks_json_too():
    assert json.loads(fingerprint("demo", "--json").stdout)["schema"] == "fingerprint/report/1"


def test_techniques_are_listed_with_a_sentence():
    said = fingerprint("techniques").stdout.decode()
    assert "sni-filtering" in said
    assert "tcp-rst-injection" in said


def test_explain_shows_the_page_the_thresholds_and_the_clues():
    said = fingerprint("explain", "sni-filtering").stdout.decode()
    for part in ("What it looks for", "When it is wrong", "--set sni-filtering.listen_s=", "hello-never-acknowledged"):
        assert part in said


@pytest.mark.parametrize(
    "word",
    ["tls.reset.sni", "server-refuses", "dns", "blocked", "on-path", "partial", "policer", "tls.sni", "weight",
     "hello-never-acknowledged"],
)  # fmt: skip
def test_explain_knows_the_words_of_a_report(word):
    done = fingerprint("explain", word)
    assert done.returncode == 0
    assert word in done.stdout.decode()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("explain", "sni-filterng"), b"did you mean sni-filtering"),
        (("explain", "blokced"), b"did you mean blocked?"),
        (("analyse", "x.pcap", "--technique", "throtling"), b"did you mean throttling?"),
        (("lab", "run", "--censor", "gfw-rts", "--", "true"), b"did you mean gfw-rst"),
        (("incident", "x.pcap", "--service", "twiter"), b"did you mean twitter?"),
    ],
)
def test_a_slip_of_the_pen_is_met_with_the_name_that_was_meant(words, meant):
    done = fingerprint(*words)
    assert done.returncode == 2
    assert meant in done.stderr


def test_a_closed_output_is_a_failure_and_no_traceback(samples):
    command = f'"{sys.executable}" -m fingerprint analyse "{samples[0]}" >&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr == b"fingerprint: output: not writable; check the path and the space left\n"


def test_version_is_printed():
    assert fingerprint("--version").stdout == b"censorship-fingerprint 0.1.0\n"


def test_doctor_fails_only_for_what_is_required(monkeypatch, capsys):
    monkeypatch.setattr(
        doctor, "checks", lambda: iter([Check(what="nft", found="absent", good=False, remedy="get it")])
    )
    assert doctor.report() == 0
    assert "get it" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "checks", lambda: iter([Check(what="python", found="2", good=False, required=True)]))
    assert doctor.report() == 4


def test_doctor_says_which_reader_runs():
    assert "plain Python" in fingerprint("doctor", FINGERPRINT_CORE="python").stdout.decode()


def test_a_tool_outside_the_path_of_a_user_is_found():
    assert doctor.tool("no-such-tool", "testing", "nothing", which=lambda _: None).remedy == (
        "optional, for testing: apt-get install nothing"
    )


def test_the_project_never_needs_the_current_directory(tmp_path, samples):
    done = subprocess.run(
        [sys.executable, "-P", "-m", "fingerprint", "analyse", str(Path(samples[0]).resolve()), "--json"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0


@pytest.mark.parametrize("words", [("analyse",), ("convert",), ("incident", "--md", "page.md")])
def test_nothing_is_written_over_a_capture_or_over_what_is_read(samples, tmp_path, words):
    verb, *more = words
    capture = tmp_path / "mine.pcapng"
    shutil.copy(samples[0], capture)
    before = capture.read_bytes()
    for out in (capture, tmp_path, "-"):
        done = fingerprint(verb, capture, *more, "-o", out)
        assert (done.returncode, done.stdout) == (2, b"")
        assert any(words in done.stderr for words in (b"choose another name", b"name a file in it", b"leave it out"))
    assert capture.read_bytes() == before


def test_a_report_is_not_written_over_the_report_that_it_is_made_of(samples, tmp_path):
    report = tmp_path / "report.json"
    assert fingerprint("analyse", samples[0], "--json", "-o", report).stderr == f"wrote {report}\n".encode()
    done = fingerprint("convert", report, "--to", "csv", "-o", report)
    assert done.returncode == 2
    assert json.loads(report.read_text())["schema"] == "fingerprint/report/1"


def test_two_forms_of_an_incident_are_not_written_over_each_other(samples, tmp_path):
    done = fingerprint("incident", samples[0], "--html", tmp_path / "a", "--md", tmp_path / "a")
    assert done.returncode == 2
    assert b"--html goes there already" in done.stderr
