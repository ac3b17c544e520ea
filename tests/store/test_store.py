"""A store keeps what it was given, once, whoever writes to it and however that ends."""

from __future__ import annotations

import json
import lzma
import multiprocessing
import stat
import time

import pytest

from captures.errors import CaptureError, TargetError
from fingerprint import store
from fingerprint.accounts.stored import accounts
from fingerprint.vantages.vantage import Clock, Vantage
from tests.store.made import account, document

CAFE = Vantage(
    name="cafe",
    provider="Example Net",
    asn=64500,
    country="PK",
    place="Lahore",
    note="wired",
    clock=Clock(offset_s=1.5),
)


def lines(folder):
    return (folder / store.FILE).read_bytes()


def says(problems):
    return " | ".join(p.says for p in problems)


def test_what_was_stored_comes_back_whole_and_in_order(tmp_path):
    for number in range(3):
        store.append(tmp_path / "s", account(number, CAFE))
    found, problems = accounts(tmp_path / "s")
    assert found == tuple(account(number, CAFE) for number in range(3))
    assert problems == ()


def test_the_file_itself_is_as_good_as_its_folder_and_its_owners_alone(tmp_path):
    store.append(tmp_path, account())
    assert accounts(tmp_path / store.FILE) == accounts(tmp_path)
    assert stat.S_IMODE((tmp_path / store.FILE).stat().st_mode) == 0o600


def test_lines_that_were_put_away_are_read_before_the_others_from_the_folder_or_by_name(tmp_path):
    store.append(tmp_path, account(0))
    (tmp_path / "accounts.jsonl.xz").write_bytes(lzma.compress(lines(tmp_path)))
    (tmp_path / store.FILE).unlink()
    assert accounts(tmp_path) == accounts(tmp_path / "accounts.jsonl.xz") == ((account(0),), ())
    store.append(tmp_path, account(1))
    assert accounts(tmp_path) == ((account(0), account(1)), ())


def test_the_same_account_twice_makes_the_same_bytes(tmp_path):
    store.append(tmp_path / "a", account())
    store.append(tmp_path / "b", account())
    assert lines(tmp_path / "a") == lines(tmp_path / "b")


def test_the_same_account_twice_counts_once_and_is_named(tmp_path):
    for number in (0, 1, 0):
        store.append(tmp_path, account(number))
    found, problems = accounts(tmp_path)
    assert len(found) == 2
    assert "line 3 of accounts.jsonl repeat" in says(problems)


def test_of_two_judgements_of_one_capture_the_later_counts_and_the_other_is_named(tmp_path):
    store.append(tmp_path, account(0), {"tool": "one"})
    store.append(tmp_path, account(1), {"tool": "one"})
    store.append(tmp_path, account(0), {"tool": "two"})
    found, problems = store.entries(tmp_path)
    assert [made.made_by for made in found] == [{"tool": "one"}, {"tool": "two"}]
    assert "line 1 of accounts.jsonl judge captures that are judged again below" in says(problems)


def test_a_capture_whose_vantage_was_mended_is_another_account_and_replaces_the_first(tmp_path):
    store.append(tmp_path, account(0, Vantage(name="cafe")))
    store.append(tmp_path, account(0, CAFE))
    found, _ = accounts(tmp_path)
    assert [a.vantage for a in found] == [CAFE]


def test_judgements_that_share_some_captures_are_both_kept_and_named(tmp_path):
    both = document(0)
    both["captures"].append(document(1)["captures"][0])
    first = account(0)
    store.append(tmp_path, type(first)(kind="packets", file="x", sha256="0" * 64, document=both, vantage=Vantage()))
    store.append(tmp_path, account(1))
    found, problems = accounts(tmp_path)
    assert len(found) == 2
    assert "share some of their captures" in says(problems)


@pytest.mark.parametrize("kept", [1, 40, 400])
def test_a_torn_last_line_is_named_and_skipped_and_the_next_writer_closes_it_off(tmp_path, kept):
    store.append(tmp_path, account(0))
    whole = lines(tmp_path)
    store.append(tmp_path, account(1))
    (tmp_path / store.FILE).write_bytes(lines(tmp_path)[: len(whole) + kept])
    found, problems = accounts(tmp_path)
    assert found == (account(0),)
    assert "last line of accounts.jsonl is torn" in says(problems)
    store.append(tmp_path, account(2))
    found, problems = accounts(tmp_path)
    assert found == (account(0), account(2))
    assert "line 2 of accounts.jsonl cannot be read (it is no JSON)" in says(problems)


def test_a_last_line_that_lacks_only_its_end_is_whole(tmp_path):
    store.append(tmp_path, account(0))
    (tmp_path / store.FILE).write_bytes(lines(tmp_path)[:-1])
    assert accounts(tmp_path) == ((account(0),), ())
    store.append(tmp_path, account(1))
    assert accounts(tmp_path) == ((account(0), account(1)), ())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[1]", "no object"),
        (b'{"schema": "something else"}', "its schema is 'something else'"),
        (b'{"schema": "fingerprint/store/1"}', "it has no document"),
        (b'{"schema": "fingerprint/report/1"}', "no captures, or no targets"),
        (b"\xff\xfe", "it is no JSON"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_line_that_is_no_account_is_named_and_the_others_count(tmp_path, line, why):
    store.append(tmp_path, account(0))
    (tmp_path / store.FILE).write_bytes(line + b"\n" + lines(tmp_path))
    found, problems = accounts(tmp_path)
    assert found == (account(0),)
    assert why in says(problems)
    assert "line 1" in says(problems)


def test_lines_of_the_first_version_are_read_and_named(tmp_path):
    bare = b"".join(json.dumps(document(n)).encode() + b"\n" for n in (0, 1))
    (tmp_path / store.FILE).write_bytes(bare)
    found, problems = accounts(tmp_path)
    assert [a.document for a in found] == [document(0), document(1)]
    assert [a.vantage for a in found] == [Vantage(), Vantage()]
    assert "lines 1, 2 of accounts.jsonl are of an older version (fingerprint/store/0" in says(problems)


def test_a_line_of_the_first_version_keeps_the_vantage_that_its_report_names(tmp_path):
    told = document(0)
    told["captures"][0]["vantage"] |= {"provider": "Example Net", "country": "PK"}
    (tmp_path / store.FILE).write_text(json.dumps(told))
    found, _ = accounts(tmp_path)
    assert found[0].vantage == Vantage(provider="Example Net", country="PK")


@pytest.mark.parametrize("schema", ["fingerprint/store/2", "fingerprint/report/2"])
def test_a_line_of_a_later_version_stops_the_reader_which_says_what_to_do(tmp_path, schema):
    store.append(tmp_path, account(0))
    with (tmp_path / store.FILE).open("a") as file:
        file.write(json.dumps({"schema": schema}) + "\n")
    with pytest.raises(CaptureError, match=r"line 2 was written by a later version .*; install"):
        accounts(tmp_path)


def test_no_store_is_an_error_and_never_an_empty_one(tmp_path):
    with pytest.raises(CaptureError, match="No such file"):
        accounts(tmp_path)


def test_where_nothing_can_be_written_a_sentence_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError, match="name another folder"):
        store.append(tmp_path / "file" / "store", account())


def _write(folder, first):
    for number in range(first, first + 20):
        store.append(folder, account(number))


def test_two_writers_at_once_spoil_no_line(tmp_path):
    context = multiprocessing.get_context("fork")
    account()  # the sample is judged once, before the fork
    writers = [context.Process(target=_write, args=(tmp_path, first)) for first in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    found, problems = accounts(tmp_path)
    assert {a.file for a in found} == {f"runs/{n}.pcapng" for n in (*range(20), *range(100, 120))}
    assert problems == ()


def test_captures_that_lie_in_the_store_are_at_hand_and_others_are_not(tmp_path):
    for number in (0, 1):
        store.append(tmp_path, account(number))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "1.pcapng").touch()
    found, _ = accounts(tmp_path)
    assert [a.captures for a in found] == [(None,), (tmp_path / "runs" / "1.pcapng",)]


def test_ten_thousand_verdicts_load_in_about_two_seconds(tmp_path):
    made = [account(number) for number in range(2000)]
    targets = [made[0].document["targets"][0]] * 5
    for one in made:
        one.document["targets"] = targets
    from fingerprint.store.entry import entry, line

    (tmp_path / store.FILE).write_bytes(b"".join(line(entry(one)) for one in made))
    began = time.process_time()
    found, _ = accounts(tmp_path)
    took_s = time.process_time() - began
    assert sum(len(a.document["targets"]) for a in found) == 10_000
    assert took_s < 4.0, f"{took_s:.1f} s of computing; a machine of 2020 takes about one"
