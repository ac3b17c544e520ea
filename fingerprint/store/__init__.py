"""A store: a folder that keeps accounts, so that an incident can be made months after the captures are gone.

How it works
    One file, ``accounts.jsonl``, one account a line: what it is of, at which vantage, what made it, and its document of
    ``fingerprint/report/1``. Lines are added at the end and never changed. Each is on the disk before the next begins
    (fsync), and a lock keeps two writers apart, so whatever kills a writer costs at most the line that it was writing.
    That line is closed off by the next writer, and every reader names it and goes on.

What a line is called
    Its ``id`` is a hash of the captures' own hashes and of everything that took part in judging them. The same capture
    judged by the same means has the same id, which is what makes ``analyse --store`` go on where it stopped.

What counts
    Of two lines with one id, the first. Of two judgements of the same captures, the later. Both are named.

Versions
    ``fingerprint/store/1`` is this. ``fingerprint/store/0`` is what ``analyse --format json >> FILE`` makes without its
    line breaks: bare documents of ``fingerprint/report/1``, one a line; they are read as they are, and named.
    A line of a later version stops the reader, which says what to do.
"""

from __future__ import annotations

from fingerprint.store.appending import append
from fingerprint.store.entry import SCHEMA, Entry
from fingerprint.store.places import FILE, RUNS, is_store
from fingerprint.store.reading import entries

__all__ = ["FILE", "RUNS", "SCHEMA", "Entry", "append", "entries", "is_store"]
