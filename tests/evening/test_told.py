"""What people told: each statement a target that is insufficient, whatever its source made of it."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from captures.errors import CaptureError
from fingerprint.accounts import TOLD
from fingerprint.accounts.told import accounts, is_told

FACTS = Path(str(files("captures"))) / "evening" / "public-facts.toml"
SCHEMA = Path(__file__).parents[2] / "docs" / "reference" / "report-1.schema.json"
HEAD = """schema = "fingerprint/told/1"
[source.paper]
publisher = "A paper"
standing = "read there"
[vantage.town]
name = "a town"
"""
STATEMENT = """[[statement]]
vantage = "town"
service = "Chatter"
what = "unreachable"
from = 2020-05-17T17:00:00Z
by = ["paper"]
"""


def told(folder, text):
    file = folder / "told.toml"
    file.write_text(text)
    return accounts(file)


def test_the_public_facts_of_the_evening_establish_nothing():
    found, problems = accounts(FACTS)
    assert not problems
    assert {account.kind for account in found} == {TOLD}
    targets = [target for account in found for target in account.document["targets"]]
    assert {target["service"] for target in targets} == {"twitter", "periscope", "zoom"}
    assert {target["state"] for target in targets} == {"insufficient"}
    assert not any(target["mechanisms"] for target in targets)
    assert all("no packet" in target["cause"]["says"] for target in targets)


def test_each_of_them_names_a_source_with_its_standing():
    found, _ = accounts(FACTS)
    says = [target["cause"]["says"] for account in found for target in account.document["targets"]]
    assert says
    assert all("[read there" in s or "[as told by" in s for s in says)


@pytest.mark.skipif(not SCHEMA.exists(), reason="the documentation is not installed")
def test_they_are_documents_of_a_report():
    schema = json.loads(SCHEMA.read_text())
    for account in accounts(FACTS)[0]:
        jsonschema.validate(account.document, schema)


def test_the_same_file_gives_the_same_accounts():
    assert accounts(FACTS) == accounts(FACTS)


def test_a_statement_keeps_service_time_and_vantage(tmp_path):
    (account,), problems = told(tmp_path, HEAD + STATEMENT)
    (target,) = account.document["targets"]
    assert not problems
    assert account.vantage.key == "a town"
    assert (target["service"], target["target"]) == ("chatter", "chatter")
    assert target["first"] == target["last"] == "2020-05-17T17:00:00.000000000Z"
    assert target["cause"]["says"].startswith("reported unreachable by A paper [read there]")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ('vantage = "nowhere"', "is none of the file"),
        ('what = "blocked"', "choose from unreachable, slow, unaffected"),
        ('by = ["somebody"]', "by names somebody"),
        ("by = []", "by names nobody"),
        ('from = "yesterday"', "want a time in UTC"),
        ("until = 2020-05-16T00:00:00Z", "ends before it begins"),
        ('mechanism = "tls.reset.sni"', "has no field 'mechanism'"),
    ],
)
def test_a_statement_that_does_not_fit_is_named_and_left_out(tmp_path, wrong, says):
    field = wrong.partition(" =")[0]
    kept = "".join(line + "\n" for line in STATEMENT.splitlines() if not line.startswith(field + " "))
    found, problems = told(tmp_path, HEAD + STATEMENT + kept + wrong + "\n")
    assert [len(account.document["targets"]) for account in found] == [1]
    assert [problem.says for problem in problems] == [next(p.says for p in problems if says in p.says)]
    assert problems[0].says.startswith("statement 2 is left out")


@pytest.mark.parametrize("text", ["schema = 1", "schema = ", "", "\x00", HEAD.replace('"a town"', "7")])
def test_a_file_of_another_kind_is_an_error_that_says_so(tmp_path, text):
    with pytest.raises(CaptureError, match=r"told\.toml"):
        told(tmp_path, text)


def test_a_file_says_of_itself_what_it_is(tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('schema = "something/else"')
    assert is_told(FACTS)
    assert not is_told(other)
    assert not is_told(tmp_path / "missing.toml")
