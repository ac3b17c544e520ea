"""A store whose lines were put away with xz: read like any other, and lines that came later after them."""

from __future__ import annotations

import lzma

import pytest

from captures.errors import CaptureError
from fingerprint.accounts import stored
from fingerprint.store import append, is_store
from fingerprint.store.places import FILE, PACKED


def packed(folder):
    plain = folder / FILE
    (folder / PACKED).write_bytes(lzma.compress(plain.read_bytes()))
    plain.unlink()


def test_lines_that_were_put_away_are_read(tmp_path, told_accounts):
    for account in told_accounts:
        append(tmp_path, account)
    before = stored.accounts(tmp_path)
    packed(tmp_path)
    assert is_store(tmp_path)
    assert stored.accounts(tmp_path) == before
    assert before[0]


def test_what_came_later_stands_after_them_and_hides_nothing(tmp_path, told_accounts):
    first, *others = told_accounts
    append(tmp_path, first)
    packed(tmp_path)
    for account in others:
        append(tmp_path, account)
    assert [a.vantage for a in stored.accounts(tmp_path)[0]] == [a.vantage for a in told_accounts]


def test_a_packed_store_that_is_torn_is_an_error_that_says_so(tmp_path, told_accounts):
    append(tmp_path, told_accounts[0])
    packed(tmp_path)
    whole = (tmp_path / PACKED).read_bytes()
    (tmp_path / PACKED).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CaptureError, match="no whole xz file"):
        stored.accounts(tmp_path)


@pytest.fixture
def told_accounts():
    from importlib.resources import files
    from pathlib import Path

    from fingerprint.accounts import told

    return told.accounts(Path(str(files("captures"))) / "evening" / "public-facts.toml")[0]
