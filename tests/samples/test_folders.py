"""Every sample is complete, says what should be concluded, and is made again byte for byte by its recipe."""

import ast
import hashlib
import importlib
import json
import lzma
from pathlib import Path

import pytest

import captures

SAMPLES = Path(captures.__file__).parent / "samples"
FOLDERS = sorted(p.parent for p in SAMPLES.glob("*/make.py"))
SINGLE = [f for f in FOLDERS if not f.name.startswith("sequence_")]
SEQUENCES = [f for f in FOLDERS if f.name.startswith("sequence_")]
STATES = {"ok", "down", "blocked", "insufficient", "invalid"}
POSITIONS = {"on-path", "in-path", "resolver", "server", "unknown"}
QUALITY = {"dropped", "snaplen", "one-sided", "mid-flow", "duplicates"}


def ident(folder):
    return folder.name


def captures_in(folder):
    return sorted((*folder.glob("*.pcapng"), *folder.glob("*.pcapng.xz")))


def expected(folder):
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def contents(capture):
    data = capture.read_bytes()
    return lzma.decompress(data) if capture.suffix == ".xz" else data


def test_there_are_samples_of_every_kind():
    assert len(SINGLE) >= 40
    assert len(SEQUENCES) == 19
    blocked = [f for f in SINGLE if any(t["state"] == ["blocked"] for t in expected(f)["targets"].values())]
    innocent = [f for f in SINGLE if not any("blocked" in t["state"] for t in expected(f)["targets"].values())]
    assert len(blocked) >= 20
    assert len(innocent) >= 20


@pytest.mark.parametrize("folder", SINGLE, ids=ident)
def test_a_sample_has_one_capture_and_its_story(folder):
    assert len(captures_in(folder)) == 1
    assert 5 <= len((folder / "about.md").read_text(encoding="utf-8").splitlines()) <= 16
    assert expected(folder)["recipe"]


@pytest.mark.parametrize("folder", SEQUENCES, ids=ident)
def test_a_sequence_has_both_ends_and_an_innocent_twin(folder):
    assert [c.name for c in captures_in(folder)] == ["benign.pcapng", "client.pcapng", "server.pcapng"]
    says = expected(folder)
    assert set(says["sequence_in"]) == {c.name for c in captures_in(folder)}
    assert says["sequence_in"]["server.pcapng"] == says["sequence"]
    assert says["not_blocked_in"] == ["benign.pcapng"]
    assert says["sequence"] in (folder / "about.md").read_text(encoding="utf-8")


def test_the_nineteen_sequences_are_nineteen():
    assert len({expected(f)["sequence"] for f in SEQUENCES}) == 19


@pytest.mark.parametrize("folder", SINGLE, ids=ident)
def test_an_expectation_uses_the_words_of_the_report(folder):
    says = expected(folder)
    assert says["others"] == "not blocked"
    assert says["targets"]
    assert set(says.get("quality", ())) <= QUALITY
    for target in says["targets"].values():
        assert target["state"]
        assert set(target["state"]) <= STATES
        assert ("blocked" in target["state"]) == ("mechanism" in target) == ("position" in target)
        assert set(target.get("position", ())) <= POSITIONS


@pytest.mark.parametrize("folder", SINGLE, ids=ident)
def test_a_sample_is_small(folder):
    (capture,) = captures_in(folder)
    assert capture.stat().st_size < (1_500_000 if capture.suffix == ".xz" else 200_000)


def test_all_samples_together_stay_small():
    assert sum(c.stat().st_size for f in FOLDERS for c in captures_in(f)) < 12_000_000


# Every eighth in each run, all of them in .ci/run.
AGAIN = [pytest.param(f, marks=() if i % 8 == 0 else pytest.mark.slow) for i, f in enumerate(FOLDERS)]


@pytest.mark.parametrize("folder", AGAIN, ids=ident)
def test_a_recipe_makes_the_same_packets_again(folder, tmp_path):
    importlib.import_module(f"captures.samples.{folder.name}.make").make(tmp_path)
    for capture in captures_in(folder):
        # What is inside a compressed file is ours; how the compressor packs it is its own business.
        again = hashlib.sha256(contents(tmp_path / capture.name)).hexdigest()
        assert again == hashlib.sha256(contents(capture)).hexdigest(), capture.name


@pytest.mark.parametrize("module", sorted(SAMPLES.rglob("*.py")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_recipes_share_nothing_with_the_code_that_is_tested(module):
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert not name.startswith(("fingerprint", "techniques")), name
            assert not name.startswith("captures") or name.startswith("captures.samples.recipe"), name
            assert name != "scapy.all"
