"""Accounts for the tests of a store: the report on a bundled sample, and copies of it about other captures."""

from __future__ import annotations

import copy
from functools import cache
from hashlib import sha256
from pathlib import Path

import captures
from fingerprint import engine
from fingerprint.accounts import PACKETS, Account
from fingerprint.plugins import registry
from fingerprint.report import as_dict
from fingerprint.vantages.vantage import Vantage

SAMPLE = Path(captures.__file__).parent / "samples" / "sni_forged_reset" / "capture.pcapng"


@cache
def report():
    return as_dict(engine.analyse([str(SAMPLE)], techniques=registry.load()), all_ok=True, pictures=True)


def document(number: int = 0):
    """The sample's document, as if it were about capture ``number``."""
    made = copy.deepcopy(report())
    made["captures"][0] |= {"file": f"runs/{number}.pcapng", "sha256": sha256(str(number).encode()).hexdigest()}
    return made


def account(number: int = 0, vantage: Vantage | None = None, kind: str = PACKETS) -> Account:
    told = document(number)
    first = told["captures"][0]
    return Account(
        kind=kind, file=first["file"], sha256=first["sha256"], document=told, vantage=vantage or Vantage(name="cafe")
    )
