"""Fixtures of the tests about OONI's formats."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fingerprint.accounts import ooni
from tests.ooni.measurements import written

SCHEMA = Path(__file__).parents[2] / "docs/reference/report-1.schema.json"


@pytest.fixture
def judge(tmp_path):
    """Targets of a file of measurements by name and run: ``judge(*measurements)["news.example"]`` is a list."""

    def judged(*measurements):
        accounts, problems = ooni.accounts(written(tmp_path / "measurements.jsonl", *measurements))
        assert not problems, problems
        targets = {}
        for account in accounts:
            for target in account.document["targets"]:
                targets.setdefault(target["target"], []).append(target)
        return targets

    return judged


@pytest.fixture
def valid():
    """Raises what jsonschema says of a document that is no report."""
    jsonschema = pytest.importorskip("jsonschema")
    if not SCHEMA.exists():
        pytest.skip("the schema belongs to the source and is not installed")
    schema = json.loads(SCHEMA.read_text())
    return lambda document: jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(document)))
