"""Whatever bytes a store holds, its reader finishes, and names what it leaves out."""

from __future__ import annotations

import random

import pytest

from captures.errors import CaptureError
from fingerprint import store
from fingerprint.accounts import Problem
from fingerprint.accounts.stored import accounts
from tests.store.made import account


def mangled(whole: bytes, drawn: random.Random) -> bytes:
    """The file with some of its bytes changed, cut out or said twice."""
    out = bytearray(whole)
    for _ in range(drawn.randrange(1, 8)):
        at, size = drawn.randrange(len(out)), drawn.randrange(1, 200)
        match drawn.randrange(4):
            case 0:
                out[at] = drawn.randrange(256)
            case 1:
                del out[at : at + size]
            case 2:
                out[at:at] = out[at : at + size]
            case _:
                out[at : at + 4] = drawn.choice([b"null", b'"x":', b"1e99", b"{}, ", b"[]\n[", b"true"])
    return bytes(out)


@pytest.mark.parametrize("seed", range(60))
def test_a_mangled_store_gives_whole_accounts_problems_or_one_error(tmp_path, seed):
    for number in range(3):
        store.append(tmp_path, account(number))
    file = tmp_path / store.FILE
    whole = file.read_bytes()
    file.write_bytes(mangled(whole, random.Random(seed)))
    try:
        found, problems = accounts(tmp_path)
    except CaptureError as error:
        found, problems = (), (Problem(file=store.FILE, says=str(error)),)
    assert len(found) <= 6
    assert all(isinstance(p.says, str) and p.says for p in problems)
    assert all(isinstance(a.document["captures"], list) and isinstance(a.document["targets"], list) for a in found)
    if len(found) < 3:
        assert problems
