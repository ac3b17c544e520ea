"""`analyse --store` judges a capture once for as long as it would be judged the same, and its report is the same."""

from __future__ import annotations

import contextlib
import io
import json
import lzma
import shutil
from dataclasses import dataclass

import pytest

from captures.errors import CaptureError, FingerprintError, TargetError
from fingerprint import store
from fingerprint.__main__ import leave
from fingerprint.cli import keeping_options
from fingerprint.cli.main import app
from fingerprint.plugins import registry
from fingerprint.store import made_by, resuming
from fingerprint.vantages.vantage import Vantage
from tests.report.by_hand import CLIENT, capture, report, verdict
from tests.store.made import SAMPLE


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


def analyse(*words, cwd):
    """The command in this process: one start for all tests."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = app(["analyse", *map(str, words)], standalone_mode=False)
        except FingerprintError as error:
            code = leave(error)
    return Done(code or 0, out.getvalue(), err.getvalue())


@pytest.fixture
def folder(tmp_path, samples):
    (tmp_path / "captures").mkdir()
    for case in ("sni_forged_reset", "dns_bogon", "throttled_policer"):
        sample = next(s for s in samples if s.parent.name == case)
        shutil.copy(sample, tmp_path / "captures" / f"{case}.pcapng")
    return tmp_path


def stored(folder, name="s"):
    return store.entries(folder / name)[0]


def told(done):
    [line] = [line for line in done.stderr.splitlines() if "judged already" in line]
    return line


def test_what_comes_out_of_the_store_is_what_was_judged(folder):
    plain = analyse("captures", "--json", cwd=folder)
    for _ in range(2):
        assert analyse("captures", "--store", "s", "--json", cwd=folder).stdout == plain.stdout


@pytest.mark.parametrize("form", [[], ["--format", "jsonl"], ["--all"]])
def test_it_reads_the_same_today_and_next_year(folder, form):
    first = analyse("captures", "--store", "s", *form, cwd=folder)
    again = analyse("captures", "--store", "s", *form, cwd=folder)
    assert first.stdout == again.stdout
    assert told(first).endswith("0 captures were judged already, 3 are new")
    assert told(again).endswith("3 captures were judged already, 0 are new")
    assert len(stored(folder)) == 3


def test_it_goes_on_where_it_was_interrupted(folder):
    analyse("captures/dns_bogon.pcapng", "--store", "s", cwd=folder)
    assert "1 captures were judged already, 2 are new" in told(analyse("captures", "--store", "s", cwd=folder))


def test_what_was_put_away_is_not_judged_again_either(folder):
    analyse("captures/dns_bogon.pcapng", "--store", "s", cwd=folder)
    lines = folder / "s" / store.FILE
    (folder / "s" / f"{store.FILE}.xz").write_bytes(lzma.compress(lines.read_bytes()))
    lines.unlink()
    assert "1 captures were judged already, 2 are new" in told(analyse("captures", "--store", "s", cwd=folder))
    assert len(stored(folder)) == 3


@pytest.mark.parametrize(
    ("change", "new"),
    [
        (["--set", "dns-injection.listen_s=5"], 3),
        (["--technique", "dns-injection"], 3),
        (["--parts", "10m"], 3),
        (["--provider", "Example Net"], 3),
        (["--with-vantage"], 3),
        (["--why"], 3),
        (["--all"], 0),
        (["--jobs", "1"], 0),
    ],
)
def test_another_judge_judges_again_and_another_view_does_not(folder, change, new):
    analyse("captures", "--store", "s", cwd=folder)
    done = analyse("captures", "--store", "s", *change, cwd=folder)
    assert told(done).endswith(f"{3 - new} captures were judged already, {new} are new")
    assert len(stored(folder)) == 3, "the later judgement replaces the earlier"


def test_sums_are_shown_of_what_is_stored_too_and_nothing_is_kept_twice(folder):
    plain = analyse("captures", "--why", cwd=folder)
    analyse("captures", "--store", "s", cwd=folder)
    assert analyse("captures", "--store", "s", "--why", cwd=folder).stdout == plain.stdout
    assert store.entries(folder / "s")[1] == ()


def test_a_sidecar_that_is_mended_later_counts(folder):
    analyse("captures", "--store", "s", cwd=folder)
    (folder / "captures" / "vantages.toml").write_text(
        "[[vantage]]\nfiles = ['dns*']\nname = 'cafe'\n[vantage.clock]\noffset_s = 2"
    )
    assert "2 captures were judged already, 1 are new" in told(analyse("captures", "--store", "s", cwd=folder))
    assert {e.account.vantage.name for e in stored(folder)} == {None, "cafe"}
    assert len(stored(folder)) == 3


def test_a_copy_of_a_capture_is_the_same_capture(folder):
    shutil.copy(folder / "captures" / "dns_bogon.pcapng", folder / "captures" / "copy.pcapng")
    analyse("captures", "--store", "s", cwd=folder)
    assert len(stored(folder)) == 3
    assert store.entries(folder / "s")[1] == ()


def test_what_cannot_be_read_is_told_and_tried_again(folder):
    (folder / "captures" / "junk.pcapng").write_bytes(b"junk" * 100)
    for _ in range(2):
        done = analyse("captures", "--store", "s", "--json", cwd=folder)
        assert done.returncode == 3
        assert [e["file"] for e in json.loads(done.stdout)["errors"]] == ["junk.pcapng"]
    assert len(stored(folder)) == 3


@pytest.mark.parametrize("open_", [False, True])
def test_clients_stay_out_of_a_store_unless_they_are_asked_for(tmp_path, open_):
    made = report(verdict(next=(f"ask from {CLIENT}",)), captures=(capture(clients=(CLIENT,)),))
    keeping = resuming.Keeping(store=tmp_path, made_by={}, vantage=Vantage(), with_vantage=open_)
    resuming.keep(resuming.documented(made, keeping), keeping, "-")
    assert (CLIENT in (tmp_path / store.FILE).read_text()) is open_


@pytest.mark.parametrize("words", [["--together"], ["-Y", "dns"]])
def test_half_a_capture_or_several_as_one_have_no_place_in_a_store(folder, words):
    done = analyse("captures", "--store", "s", *words, cwd=folder)
    assert done.returncode == 2
    assert f"leave {words[0]} out" in done.stderr
    assert not (folder / "s").exists()


def test_a_store_of_a_later_version_is_not_written_to(folder):
    (folder / "s").mkdir()
    (folder / "s" / store.FILE).write_text('{"schema": "fingerprint/store/2"}\n')
    done = analyse("captures", "--store", "s", cwd=folder)
    assert done.returncode == 1
    assert "install that version" in done.stderr
    assert (folder / "s" / store.FILE).read_text() == '{"schema": "fingerprint/store/2"}\n'


def test_what_made_a_judgement_is_the_same_in_every_process(folder):
    analyse("captures", "--store", "s", cwd=folder)
    here = made_by.made_by(registry.load(), {})
    assert {e.made_by["techniques"] for e in stored(folder)} == {here["techniques"]}


def test_options_are_told_by_what_they_say(tmp_path):
    from functools import partial

    judge = partial(dict, registry=1, vantage=2, together=False, display_filter=None, part_s=600.0, networks=None)
    assert keeping_options.options(judge.keywords) == {"part_s": 600.0}


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "s").write_text("")
    done = analyse(SAMPLE.resolve(), "--store", "s", cwd=tmp_path)
    assert done.returncode == 2
    assert "name a folder" in done.stderr
    assert issubclass(CaptureError, ValueError)
    assert issubclass(TargetError, ValueError)
