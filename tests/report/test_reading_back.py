"""A report that is read back from its document and written again is the same document."""

from __future__ import annotations

import json

import pytest

from fingerprint import engine
from fingerprint.plugins import registry
from fingerprint.report import as_dict
from fingerprint.report.numbers import timestamp
from fingerprint.report.reading import nanoseconds, report
from tests.report.by_hand import THROTTLED, verdict
from tests.report.by_hand import report as by_hand


def same(document, **how):
    assert json.loads(json.dumps(as_dict(report(document), **how))) == document


@pytest.fixture(scope="module")
def techniques():
    return registry.load()


def test_the_reports_of_all_samples_survive_being_written_and_read(samples, techniques):
    for sample in samples:
        made = engine.analyse([str(sample)], techniques=techniques)
        same(
            json.loads(json.dumps(as_dict(made, all_ok=True, why=True, pictures=True))),
            all_ok=True,
            why=True,
            pictures=True,
        )


def test_so_does_a_report_on_several_files_judged_together(samples, techniques):
    made = engine.analyse([str(s) for s in samples[:6]], techniques=techniques, together=True)
    same(json.loads(json.dumps(as_dict(made, all_ok=True))), all_ok=True)


def test_so_do_rates_with_their_intervals_and_errors():
    same(json.loads(json.dumps(as_dict(by_hand(verdict(mechanisms=(THROTTLED,)), verdict("b.test", "ok"))))))


@pytest.mark.parametrize("time_ns", [0, 1, 1_589_736_600_123_456_789, 10**18, None])
def test_times_are_exact_to_the_nanosecond(time_ns):
    assert nanoseconds(timestamp(time_ns)) == time_ns
