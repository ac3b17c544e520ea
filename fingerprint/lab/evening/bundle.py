"""What the tool brings along of the evening: a store of its rounds, and the recordings of those that decide.

DIR/rounds/…                     every recording, whole; what is there is not played again
DIR/*.pcapng.xz, *.script.json   the rounds that are kept, bulk data cut
DIR/vantages.toml                where they were taken
DIR/store/accounts.jsonl.xz      the accounts of all other rounds
"""

from __future__ import annotations

import lzma
from collections.abc import Callable, Sequence
from pathlib import Path

from fingerprint.accounts import Account
from fingerprint.accounts.captured import Judging, accounts
from fingerprint.lab.evening import cutting
from fingerprint.lab.evening.rounds import Round, play_all
from fingerprint.lab.evening.timetable import Evening, evening
from fingerprint.plugins import registry
from fingerprint.script import path_of
from fingerprint.store.entry import entry, line
from fingerprint.store.places import PACKED
from fingerprint.vantages import given as vantage_given
from fingerprint.vantages.given import MANIFEST

STORE = "store"


def make(folder: Path, *, jobs: int, said: Callable[[str], None]) -> None:
    """Play what is not there yet, judge everything, and write the bundle into the folder. ``said`` hears of progress.

    Raises ValueError if a recording is judged otherwise once its bulk data are cut.
    """
    of = evening()
    (folder / STORE).mkdir(parents=True, exist_ok=True)
    (folder / "rounds").mkdir(exist_ok=True)
    (folder / MANIFEST).write_text(manifest(of), encoding="utf-8")
    others: list[Account] = []
    for number, (which, recording) in enumerate(play_all(folder / "rounds", jobs=jobs), 1):
        whole = _judged(recording, which)
        if (which[0].name, which[1]) in of.kept:
            _keep(folder, recording, which, whole)
        else:
            others.append(whole)
        said(f"{number} of {len(of.rounds_ns) * len(of.posts)}: {recording.stem}")
    (folder / STORE / PACKED).write_bytes(_packed(others))


def manifest(of: Evening) -> str:
    """``vantages.toml`` for the kept recordings."""
    heads = [f'[[vantage]]\nfiles = ["*-{post.name}.pcapng.xz"]\n' for post in of.posts]
    texts = [vantage_given.text(post.vantage).replace("[clock]", "[vantage.clock]") for post in of.posts]
    return "# A simulation: where the kept rounds were taken, as the timetable says.\n\n" + "\n".join(
        head + text for head, text in zip(heads, texts, strict=True)
    )


def told(account: Account) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What an account says of each name: state and mechanisms."""
    return {
        t["target"]: (t["state"], tuple(sorted(m["mechanism"] for m in t["mechanisms"])))
        for t in account.document["targets"]
    }


def _keep(folder: Path, recording: Path, which: Round, whole: Account) -> None:
    kept = cutting.packed(recording, folder / f"{recording.name}.xz")
    path_of(kept).write_bytes(path_of(recording).read_bytes())
    cut = _judged(kept, which)
    if told(cut) != told(whole):
        raise ValueError(f"{kept.name} is judged otherwise than {recording.name}; cut less of it")


def _judged(recording: Path, which: Round) -> Account:
    how = Judging(registry=registry.load(), vantage=which[0].vantage)
    (account,), problems = accounts(str(recording), how)
    if problems:
        raise ValueError(f"{recording.name}: {problems[0].says}")
    return account


def _packed(of: Sequence[Account]) -> bytes:
    lines = b"".join(line(entry(account)) for account in of)
    return lzma.compress(lines, preset=9 | lzma.PRESET_EXTREME)
