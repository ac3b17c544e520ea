"""The files of a run: made together, never over anything, deleted together."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from captures.errors import TargetError
from captures.write import Link, write
from fingerprint import script
from fingerprint.live import runs
from fingerprint.script import Script
from fingerprint.vantages import given as vantage_given
from fingerprint.vantages.vantage import Vantage


def told(**more):
    fields = {
        "tool": "t", "seed": 1, "order": "fixed", "hello": "stdlib", "recorder": "af-packet", "capture_all": False,
        "residual_s": 1.0, "began_ns": 1, "ended_ns": 2, "targets": (), "steps": (),
    }  # fmt: skip
    return Script(**{**fields, **more})


def made(folder):
    path = folder / "run.pcapng"
    files = runs.create(path)
    files.note(told())
    files.close()
    write(path, [], links=[Link(link_type=1)], application="censorship-fingerprint")
    return path


def test_the_default_name_tells_target_and_time():
    now = datetime(2026, 11, 24, 23, 15, tzinfo=UTC)
    assert runs.default_path("forum.test", now) == Path("forum.test-20261124T231500Z.pcapng")
    assert runs.default_path("2a0e:97c0::1", now).name == "2a0e_97c0_1-20261124T231500Z.pcapng"
    assert runs.default_path("../../etc", now).name == "etc-20261124T231500Z.pcapng"


def test_files_are_for_their_owner_s_eyes(tmp_path):
    path = made(tmp_path)
    assert {p.stat().st_mode & 0o777 for p in (path, tmp_path / "run.script.json")} == {0o600}


@pytest.mark.parametrize("there", ["run.pcapng", "run.script.json"])
def test_nothing_is_overwritten_not_even_a_dangling_link(tmp_path, there):
    (tmp_path / there).symlink_to(tmp_path / "nowhere")
    with pytest.raises(TargetError, match="not overwritten"):
        runs.create(tmp_path / "run.pcapng")


CAFE = Vantage(name="cafe", provider="Example Net", asn=64500, country="PK", note='a "quoted" word')


def test_where_somebody_said_where_it_is_taken_a_sidecar_says_so_and_is_forgotten_with_the_run(tmp_path):
    files = runs.create(tmp_path / "run.pcapng", CAFE)
    files.note(told())
    files.close()
    sidecar = tmp_path / "run.vantage.toml"
    assert sidecar.stat().st_mode & 0o777 == 0o600
    assert vantage_given.of(str(tmp_path / "run.pcapng")).vantage == CAFE
    assert sidecar in runs.forget(tmp_path / "run.pcapng")
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_said_anything_there_is_no_sidecar_and_one_made_by_hand_stays(tmp_path):
    (tmp_path / "run.vantage.json").write_text('{"name": "by hand"}')
    made(tmp_path)
    assert vantage_given.of(str(tmp_path / "run.pcapng")).vantage == Vantage(name="by hand")


@pytest.mark.parametrize("there", ["run.vantage.toml", "run.vantage.json"])
def test_a_sidecar_is_not_overwritten_and_no_second_one_is_made(tmp_path, there):
    (tmp_path / there).write_text("name = 'precious'")
    with pytest.raises(TargetError, match="not overwritten"):
        runs.create(tmp_path / "run.pcapng", CAFE)
    assert [p.name for p in tmp_path.iterdir()] == [there]


def test_a_shorter_script_leaves_nothing_of_a_longer_one(tmp_path):
    files = runs.create(tmp_path / "run.pcapng")
    files.note(told(partial="x" * 100_000))
    files.note(told(partial="short"))
    assert script.read(tmp_path / "run.script.json").partial == "short"
    files.close()
    assert (tmp_path / "run.script.json").stat().st_size < 1000


def test_forget_deletes_capture_and_script_and_leaves_the_neighbours(tmp_path):
    path = made(tmp_path)
    (tmp_path / "run.txt").write_text("a note")
    (tmp_path / "run2.pcapng").write_text("another")
    assert {p.name for p in runs.forget(path)} == {"run.pcapng", "run.script.json"}
    assert {p.name for p in tmp_path.iterdir()} == {"run.txt", "run2.pcapng"}


def test_forget_takes_the_script_s_name_as_well(tmp_path):
    made(tmp_path)
    runs.forget(tmp_path / "run.script.json")
    assert list(tmp_path.iterdir()) == []


def test_a_foreign_capture_is_never_deleted(tmp_path, samples):
    alone = tmp_path / "alone.pcapng"
    write(alone, [], links=[Link(link_type=1)], application="censorship-fingerprint")
    foreign = made(tmp_path)
    write(foreign, [], links=[Link(link_type=1)], application="dumpcap")
    for path in (foreign, alone, tmp_path / "absent.pcapng"):
        with pytest.raises(TargetError):
            runs.forget(path)
    assert foreign.exists()
    assert alone.exists()


def test_a_json_file_that_is_no_script_is_left_alone(tmp_path):
    (tmp_path / "x.script.json").write_text("{}")
    with pytest.raises(TargetError, match="left alone"):
        runs.forget(tmp_path / "x.script.json")
