"""What the report says of every sample, held against what its recipe says was done.

An ancestor of the truth is correct but imprecise; a sibling, a deeper leaf or a block of an innocent is wrong. Gaps that
are known are listed with their reason, and a gap that closes fails here until its line is removed.
"""

import json
import sys
from pathlib import Path

import pytest

import captures

SAMPLES = Path(captures.__file__).parent / "samples"
FOLDERS = sorted(p.parent for p in SAMPLES.glob("*/expected.json"))
SINGLE = [f for f in FOLDERS if not f.name.startswith("sequence_")]
SEQUENCES = [f for f in FOLDERS if f.name.startswith("sequence_")]
KNOWN_GAPS = json.loads((Path(__file__).parent / "known_gaps.json").read_text(encoding="utf-8"))


def ident(folder):
    return folder.name


def expected(folder):
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture
def report_on(monkeypatch, capsys):
    def say(file):
        if file not in REPORTS:
            from fingerprint.__main__ import main

            monkeypatch.setattr(sys, "argv", ["fingerprint", "analyse", str(file), "--json", "--all"])
            capsys.readouterr()
            try:
                code = main()
            except SystemExit as end:
                code = end.code
            assert not code
            REPORTS[file] = json.loads(capsys.readouterr().out)
        return REPORTS[file]

    return say


REPORTS = {}


def capture_of(folder):
    return next(iter((*folder.glob("capture.pcapng"), *folder.glob("capture.pcapng.xz"))))


def complaints(report, says):
    """Every way in which a report differs from what the recipe says, most serious first."""
    said = {t["target"]: t for t in report["targets"]}
    for name, target in said.items():
        if target["state"] == "blocked" and "blocked" not in says["targets"].get(name, {}).get("state", ()):
            yield f"{name} is innocent and came out as blocked: {[m['mechanism'] for m in target['mechanisms']]}"
    for name, want in says["targets"].items():
        target = said.get(name)
        if target is None:
            yield f"{name} is not in the report"
            continue
        if target["state"] not in want["state"]:
            yield f"{name} is {target['state']}, want {' or '.join(want['state'])}"
        if target["state"] != "blocked" or "mechanism" not in want:
            continue
        yield from (f"{name}: {c}" for c in differences(target["mechanisms"], want))
    issues = {q["issue"] for c in report["captures"] for q in c["quality"]}
    for issue in says.get("quality", ()):
        if issue not in issues:
            yield f"quality does not mention {issue}"


def differences(mechanisms, want):
    """What the mechanisms of a blocked target say beside the truth."""
    found = [m["mechanism"] for m in mechanisms]
    wrong = [f for f in found if not any(w == f or w.startswith(f + ".") for w in want["mechanism"])]
    if wrong:
        yield f"{wrong} is wrong, want {want['mechanism']}"
    elif not set(found) & set(want["mechanism"]):
        yield f"{found} is imprecise, want {want['mechanism']}"
    best = next((m for m in mechanisms if m["mechanism"] not in wrong), None)
    if best is None:
        return
    if best["position"] not in want["position"]:
        yield f"position {best['position']}, want {want['position']}"
    if best["shape"] != want.get("shape", best["shape"]):
        yield f"shape {best['shape']}, want {want['shape']}"
    # A rate counts payload or packets, so it may be some way off the bucket's own.
    if "rate_bps" in want and not 0.75 <= (best["rate_bps"] or 0) / want["rate_bps"] <= 1.25:
        yield f"rate {best['rate_bps']}, want about {want['rate_bps']}"
    place = best["location"] or {}
    if any(place.get(k) != v for k, v in want.get("location", {}).items()):
        yield f"location {best['location']}, want {want['location']}"
    cited = {p for m in mechanisms for e in m["evidence"] for p in e["packets"]}
    if "packets" in want and not cited & set(want["packets"]):
        yield f"cites {sorted(cited)}, want one of {want['packets']}"


@pytest.mark.parametrize("folder", SINGLE, ids=ident)
def test_a_sample_is_judged_as_its_recipe_says(folder, report_on, request):
    if folder.name in KNOWN_GAPS:
        request.applymarker(pytest.mark.xfail(reason=KNOWN_GAPS[folder.name], strict=True))
    assert list(complaints(report_on(capture_of(folder)), expected(folder))) == []


@pytest.mark.parametrize("folder", SINGLE, ids=ident)
def test_no_innocent_is_called_blocked(folder, report_on):
    found = complaints(report_on(capture_of(folder)), expected(folder))
    assert [c for c in found if "is innocent" in c] == []


@pytest.mark.parametrize("folder", SEQUENCES, ids=ident)
def test_an_innocent_ending_is_never_called_blocked(folder, report_on):
    for name in expected(folder)["not_blocked_in"]:
        report = report_on(folder / name)
        assert [t["target"] for t in report["targets"] if t["state"] == "blocked"] == []


ENDINGS = [(f, name) for f in SEQUENCES for name in expected(f)["sequence_in"]]


@pytest.mark.parametrize(("folder", "name"), ENDINGS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_an_ending_is_observed_under_its_name(folder, name, report_on, request):
    if f"{folder.name}/{name}" in KNOWN_GAPS:
        request.applymarker(pytest.mark.xfail(reason=KNOWN_GAPS[f"{folder.name}/{name}"], strict=True))
    observed = [o["says"] for t in report_on(folder / name)["targets"] for o in t["observations"]]
    assert any(expected(folder)["sequence_in"][name] in says for says in observed)


def test_known_gaps_name_samples_that_exist():
    samples = {f.name for f in SINGLE} | {f"{f.name}/{name}" for f, name in ENDINGS}
    assert set(KNOWN_GAPS) <= samples
