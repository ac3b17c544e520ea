"""Whatever a plugin does wrong costs only itself: it is named with file and line, and all others are heard."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

import captures
from fingerprint import engine
from fingerprint.capture import Capture
from fingerprint.live import consent
from fingerprint.plugins import looking, registry
from fingerprint.plugins.overdue import Overdue, bounded
from fingerprint.probing import engine as probing
from fingerprint.probing import lanes
from fingerprint.report import as_dict
from tests.probing.worlds import TARGET, Scripted, plan

SAMPLE = Path(captures.__file__).parent / "samples" / "sni_forged_reset" / "capture.pcapng"
HEAD = '''
"""Something broken."""
from dataclasses import dataclass
from fingerprint.technique import Cited, Clue, Evidence, Facets, Inconclusive, Subject, Technique, cite
from fingerprint.steps import Handshake, Send, Wait

SEEN = Clue(id="seen", says="seen {times} times", group="seen", given={"tls.reset": 0.9, "*": 0.0001}, source="a test")
OTHER = Clue(id="other", says="seen", group="seen", given={"tls.reset": 0.9, "*": 0.0001}, source="a test")

def subject(stream):
    return Subject(name=stream.name, address=stream.server.address, port=stream.server.port, protocol="tls")

@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(Technique):
    clues = (SEEN,)

    def analyse(self, capture):
        for stream in capture.streams:
            yield cite(SEEN, subject(stream), stream.segments[0], times=1)
'''
BODY = len(HEAD.strip().splitlines()) + 1  # the first line of what a test adds


@pytest.fixture
def broken(tmp_path):
    """A registry with a plugin that goes on with these lines of ``analyse`` (or of the class)."""

    def loaded(lines: str, depth: int = 8, name: str = "broken.py"):
        (tmp_path / name).write_text(
            HEAD.strip() + "\n" + textwrap.indent(textwrap.dedent(lines).strip("\n"), " " * depth) + "\n"
        )
        return registry.load([tmp_path / name])

    return loaded


@pytest.fixture
def impatient(monkeypatch):
    """Bounds that a test can wait for."""
    monkeypatch.setattr(looking, "LEAST_S", 0.3)
    monkeypatch.setattr(lanes, "STEP_S", 0.3)
    monkeypatch.setattr(registry, "LOADING_S", 0.5)


def others(report) -> dict:
    """A report without what the broken plugin is told for."""
    return {**as_dict(report), "errors": []}


GOOD = others(engine.analyse([str(SAMPLE)], techniques=registry.load()))

WRONG = {
    "raises": ("1 / 0", 0, "ZeroDivisionError: division by zero"),
    "leaves": ("raise SystemExit(0)", 0, "SystemExit: 0"),
    "forgets a word of the sentence": ("yield cite(SEEN, subject(stream), stream.segments[0])", 0, "KeyError: 'times'"),
    "cites nothing": ("yield cite(SEEN, subject(stream), times=1)", 0, "cites no packet"),
    "undeclared clue": ("yield cite(OTHER, subject(stream), stream.segments[0])", 0, "'other', which is not in `clues`"),
    "no such packet": ("yield Evidence(clue=SEEN, subject=subject(stream), packets=(Cited(0, 10**6),), says='x')", 0, "packet 1000000 of capture 0, which does not exist"),
    "packet zero": ("yield Inconclusive('cannot tell', (Cited(0, 0),), subject(stream))", 0, "packet 0 of capture 0"),
    "no such capture": ("yield Inconclusive('cannot tell', (Cited(7, 1),), subject(stream))", 0, "of capture 7"),
    "bare numbers": ("yield Inconclusive('cannot tell', (12,), subject(stream))", 0, "want Cited(capture, number)"),
    "no finding": ("yield 'blocked'", 0, "neither Evidence nor Inconclusive"),
    "a subject of numbers": ("yield Inconclusive('x', (), Subject(name=5))", 0, "subject of the wrong kind"),
    "an invented position": ("yield cite(SEEN, subject(stream), stream.segments[0], times=1, facets=Facets(position='there'))", 0, "facets of the wrong kind"),
    "forged but not cited": ("yield Evidence(clue=SEEN, subject=subject(stream), packets=(Cited(0, 1),), forged=(Cited(0, 2),), says='x')", 0, "forged that it does not cite"),
    "recursion": ("def down(): return down()\ndown()", 0, "RecursionError"),
}  # fmt: skip


@pytest.mark.parametrize("how", WRONG)
def test_a_technique_that_does_wrong_is_named_with_its_line_and_its_findings_are_dropped(how, broken):
    lines, at, says = WRONG[how]
    report = engine.analyse([str(SAMPLE)], techniques=broken(lines))
    (error,) = [failure.error for failure in report.errors]
    assert error.startswith(f"technique broken stopped at broken.py:{BODY + at}: ")
    assert says in error
    assert "\n" not in error
    assert others(report) == GOOD


ENDLESS = {
    "a loop": ("while True:\n    pass", (0, 1)),
    "a loop that catches exceptions": ("while True:\n    try:\n        sum(range(50))\n    except Exception:\n        pass", (0, 4)),
    "a loop that catches everything": ("while True:\n    try:\n        sum(range(50))\n    except:\n        continue", (0, 4)),
    "an expression that backtracks": ("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", (1, 1)),
    "a long sleep": ("import time\ntime.sleep(10**6)", (1, 1)),
}  # fmt: skip


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", ENDLESS)
def test_an_endless_loop_is_stopped_and_says_where_it_stood(how, broken):
    lines, (first, last) = ENDLESS[how]
    report = engine.analyse([str(SAMPLE)], techniques=broken(lines))
    (error,) = [failure.error for failure in report.errors]
    line = re.match(r"technique broken stopped at broken\.py:(\d+): did not come to an end within \d+ second", error)
    assert line, error
    assert BODY + first <= int(line[1]) <= BODY + last
    assert others(report) == GOOD
    assert sys.gettrace() is None


@pytest.mark.usefixtures("impatient")
def test_it_is_stopped_in_every_worker_process(broken, tmp_path):
    copies = [tmp_path / f"{n}.pcapng" for n in range(3)]
    for copy in copies:
        copy.write_bytes(SAMPLE.read_bytes())
    report = engine.analyse([str(c) for c in copies], techniques=broken("while True:\n    pass"), jobs=2)
    assert [failure.file for failure in report.errors] == ["0.pcapng", "1.pcapng", "2.pcapng"]
    assert all("broken.py:" in failure.error for failure in report.errors)
    assert [v.state for v in report.verdicts].count("blocked") == 3


@pytest.mark.usefixtures("impatient")
def test_it_is_stopped_outside_the_main_thread_as_well(broken):
    loaded, told = broken("while True:\n    pass"), []
    capture = Capture(recordings=(captures.read(SAMPLE),))
    thread = threading.Thread(target=lambda: told.extend(looking.look(capture, loaded.techniques)[1]))
    thread.start()
    thread.join()
    assert [name for name, _ in told] == ["broken"]


def test_findings_without_end_are_cut_off(broken):
    lines = "while True:\n    yield cite(SEEN, subject(stream), stream.segments[0], times=1)"
    (error,) = [f.error for f in engine.analyse([str(SAMPLE)], techniques=broken(lines)).errors]
    assert re.search(rf"broken\.py:{BODY + 1}: yields more than 2\d,?\d+ findings", error), error


def test_findings_that_cannot_be_judged_cost_only_their_technique(broken, monkeypatch):
    def judge(capture, findings, real=looking.judge):
        if any(name == "broken" for name, _ in findings):
            raise TypeError("no such thing")
        return real(capture, findings)

    monkeypatch.setattr(looking, "judge", judge)
    report = engine.analyse([str(SAMPLE)], techniques=broken("pass"))
    assert [f.error.split(";")[0] for f in report.errors] == [
        "technique broken: its findings cannot be judged (TypeError: no such thing)"
    ]
    assert others(report) == GOOD


def test_a_clue_without_a_default_is_found_when_the_file_is_loaded(tmp_path):
    for change, says in (
        ((', "*": 0.0001}, source="a test")\nOTHER', '}, source="a test")\nOTHER'), "line 6: clue 'seen': given has no '*'"),
        (('"tls.reset": 0.9', '"tls.reset": 1.5'), "line 6: clue 'seen': given['tls.reset'] is 1.5; want a probability"),
        (("clues = (SEEN,)", "clues = (SEEN, OTHER)\n    wait_s: float"), "Broken.wait_s has no default"),
        (("clues = (SEEN,)", "clues = (SEEN, SEEN)"), "two clues are called 'seen'"),
        (("(self, capture)", "(self, capture, more)"), "must take (self, capture)"),
        (("    clues = (SEEN,)", "    def probe(self):\n        yield Wait(1)"), "must take (self, target)"),
    ):  # fmt: skip
        assert change[0] in HEAD
        (tmp_path / "broken.py").write_text(HEAD.strip().replace(*change) + "\n")
        loaded = registry.load([tmp_path / "broken.py"])
        (failure,) = loaded.failures
        assert failure.file == "broken.py"
        assert says in failure.error
        assert re.match(r"line \d+: ", failure.error)
        assert "sni-filtering" in dict(loaded.techniques)


@pytest.mark.usefixtures("impatient")
def test_a_file_that_does_not_come_to_an_end_when_it_is_loaded(tmp_path):
    (tmp_path / "broken.py").write_text("x = 1\nwhile True:\n    x += 1\n")
    (failure,) = registry.load([tmp_path / "broken.py"]).failures
    assert re.match(r"line [23]: did not come to an end", failure.error)


PROBES = {
    "raises": ("yield Wait(0.1)\nraise KeyError('x')", "KeyError: 'x'", 2),
    "leaves": ("yield Wait(0.1)\nraise SystemExit(1)", "SystemExit: 1", 2),
    "does not come to an end": ("yield Wait(0.1)\nwhile True:\n    pass", "no step came within", (2, 3)),
    "yields what is no step": ("yield Wait(0.1)\nyield 'hello'", "is no step", 2),
    "waits and waits": ("while True:\n    yield Wait(0)", "more than 5000 steps", 2),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("how", PROBES)
async def test_a_probe_that_does_wrong_is_named_with_its_line(how, broken, tmp_path):
    lines, says, line = PROBES[how]
    loaded = broken("def probe(self, target):\n" + textwrap.indent(lines, "    "), depth=4)
    assert not loaded.failures
    script = await probing.probe(plan(techniques=("broken",)), Scripted(tmp_path), loaded)
    (error,) = script.errors
    first, last = line if isinstance(line, tuple) else (line, line)
    at = re.match(r"technique broken stopped probing at broken\.py:(\d+): ", error)
    assert at, error
    assert BODY + first <= int(at[1]) <= BODY + last
    assert says in error
    assert consent.steps_of(loaded.get("broken"), TARGET) == ()


def for_ever():
    while True:
        sum(range(100))


def test_time_that_is_not_up_stops_nobody():
    with bounded(0.5):
        assert sum(range(1000)) == 499500
    with pytest.raises(Overdue), bounded(0.1):
        for_ever()


def test_the_command_ends_with_three_and_says_why(tmp_path):
    (tmp_path / "broken.py").write_text(HEAD.strip() + "\n        raise KeyError('gone')\n")
    (tmp_path / "torn.py").write_text("def torn(:\n")
    command = [sys.executable, "-m", "fingerprint", "analyse", str(SAMPLE), "--plugins", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [e["file"] for e in document["errors"]] == ["torn.py", "capture.pcapng"]
    assert document["errors"][0]["error"].startswith("line 1: ")
    assert f"broken.py:{BODY}: KeyError" in document["errors"][1]["error"]
    assert document["targets"] == GOOD["targets"]
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_the_command_comes_back_from_an_endless_loop(tmp_path):
    (tmp_path / "broken.py").write_text(HEAD.strip() + "\n        while True:\n            pass\n")
    command = [sys.executable, "-m", "fingerprint", "analyse", str(SAMPLE), "--plugins", str(tmp_path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 3
    assert "broken.py:" in json.loads(done.stdout)["errors"][0]["error"]
