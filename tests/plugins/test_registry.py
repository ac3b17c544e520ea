"""How techniques are found, and what happens to those that are broken."""

from __future__ import annotations

import pickle
import textwrap

import pytest

from captures.errors import TargetError
from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.plugins.settings import convert

GOOD = '''
"""Connections that exist.

What it looks for
    Any connection at all.
"""
from dataclasses import dataclass
from fingerprint.technique import Clue, Subject, Technique, cite

SEEN = Clue(id="seen", says="a connection to {address}", group="seen", given={}, source="this test")

@dataclass(frozen=True, slots=True, kw_only=True)
class AnyConnection(Technique):
    clues = (SEEN,)
    least: int = 1
    wait_s: float = 2.0
    strict: bool = False
    names: tuple[str, ...] = ()
    limit: int | None = None

    def analyse(self, capture):
        for stream in capture.streams:
            subject = Subject(name=stream.name, address=stream.server.address, port=stream.server.port, protocol="tcp")
            yield cite(SEEN, subject, stream.segments[0], address=stream.server.address)
'''


@pytest.fixture
def plugin(tmp_path):
    def written(text, name="any_connection.py"):
        (tmp_path / name).write_text(textwrap.dedent(text))
        return tmp_path / name

    return written


def ids(loaded):
    return [known for known, _ in loaded.techniques]


def test_built_in_techniques_are_found_by_being_there():
    assert {"dns-injection", "sni-filtering", "tcp-rst-injection", "throttling"} <= set(ids(registry.load()))


def test_a_technique_is_one_file_in_a_folder(plugin, samples):
    loaded = registry.load([plugin(GOOD).parent])
    assert "any-connection" in ids(loaded)
    sample = next(s for s in samples if s.parent.name == "sni_forged_reset")
    report = engine.analyse([str(sample)], techniques=loaded)
    assert not report.errors
    assert any(technique == "any-connection" for v in report.verdicts for technique, _ in v.observations)


def test_a_plugin_may_be_one_file(plugin):
    assert "any-connection" in ids(registry.load([plugin(GOOD)]))


def test_nothing_is_loaded_from_the_current_directory(plugin, monkeypatch):
    monkeypatch.chdir(plugin(GOOD).parent)
    assert "any-connection" not in ids(registry.load())


def test_the_search_path_is_left_alone(plugin):
    import sys

    before = list(sys.path)
    registry.load([plugin(GOOD)])
    assert sys.path == before


def test_only_the_techniques_that_were_asked_for_take_part():
    assert ids(registry.load(only=["throttling"])) == ["throttling"]


def test_an_unknown_technique_names_those_that_exist():
    with pytest.raises(TargetError, match=r"no technique 'nope'; choose from .*throttling"):
        registry.load(only=["nope"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("def broken(:\n", "line 1: "),
        ("\n\nimport nothing_of_this_name\n", "line 3: ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "line 1: SystemExit"),
        ("x = 1\n", "no subclass of Technique"),
        (GOOD.replace("def analyse(self, capture)", "def analyse(self)"), "must take"),
        (GOOD.replace("def analyse", "def look"), "has no analyse"),
        (GOOD.replace("AnyConnection", "Other"), "let the names agree"),
        (GOOD.replace("@dataclass(frozen=True, slots=True, kw_only=True)", ""), "no dataclass"),
        (GOOD.replace("clues = (SEEN,)", "clues = ('seen',)"), "must be a tuple of Clue"),
    ],
)
def test_a_broken_plugin_is_named_and_the_others_go_on(plugin, text, says):
    loaded = registry.load([plugin(text)])
    assert [f.file for f in loaded.failures] == ["any_connection.py"]
    assert says in loaded.failures[0].error
    assert "sni-filtering" in ids(loaded)


def test_two_techniques_of_one_name_are_a_mistake(plugin, tmp_path):
    text = GOOD.replace("AnyConnection", "SniFiltering")
    loaded = registry.load([plugin(text, "sni_filtering.py")])
    assert "another technique is called 'sni-filtering'" in loaded.failures[0].error


def test_a_plugin_that_is_not_there_is_a_slip_of_the_user(tmp_path):
    with pytest.raises(TargetError, match="no such file"):
        registry.load([tmp_path / "gone.py"])
    with pytest.raises(TargetError, match=r"holds no \.py file"):
        registry.load([tmp_path])


def test_settings_replace_thresholds_in_their_own_type(plugin):
    given = {"least": "0x10", "wait_s": "5", "strict": "yes", "names": "a, b", "limit": "none"}
    settings = {f"any-connection.{k}": v for k, v in given.items()}
    technique = registry.load([plugin(GOOD)], settings).get("any-connection")
    assert (technique.least, technique.wait_s, technique.strict, technique.names, technique.limit) == (
        16,
        5.0,
        True,
        ("a", "b"),
        None,
    )


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("throttling", "1", "want ID.FIELD"),
        ("nope.x", "1", "no technique 'nope'"),
        ("sni-filtering.nope", "1", "no such setting; it has .*listen_s"),
        ("sni-filtering.listen_s", "soon", "want a number"),
        ("sni-filtering.copies", "1.5", "want a whole number"),
    ],
)
def test_a_setting_that_does_not_fit_says_what_would(setting, value, says):
    with pytest.raises(TargetError, match=says):
        registry.load(settings={setting: value})


def test_what_has_no_form_on_the_command_line_is_refused():
    with pytest.raises(ValueError, match="cannot be set"):
        convert("x", dict)


def test_a_registry_travels_to_another_process(plugin):
    loaded = registry.load([plugin(GOOD)], {"any-connection.least": "3"})
    again = pickle.loads(pickle.dumps(loaded))
    assert again.get("any-connection").least == 3


@pytest.mark.parametrize(("known", "technique"), registry.load().techniques)
def test_every_built_in_technique_has_the_four_headings(known, technique):
    page = registry.page(type(technique))
    for heading in ("What it looks for", "What it sends", "When it is wrong", "Papers"):
        assert f"\n{heading}\n" in page, f"{known}: {heading}"
    assert registry.title(type(technique))
