"""All rounds of the evening, played side by side. What is there already, whole, is not played again."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from fingerprint.lab.evening import playing
from fingerprint.lab.evening.timetable import Evening, Post, evening
from fingerprint.script import path_of

Round = tuple[Post, int]


def rounds(of: Evening) -> list[Round]:
    """Every vantage at every time, in order of time."""
    return [(post, round_ns) for round_ns in of.rounds_ns for post in of.posts]


def play_all(folder: Path, *, jobs: int) -> Iterator[tuple[Round, Path]]:
    """The recordings, in order of time, each as soon as those before it are there."""
    wanted = rounds(evening())
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        paths = pool.map(_played, (post.name for post, _ in wanted), (ns for _, ns in wanted), [folder] * len(wanted))
        yield from zip(wanted, paths, strict=True)


def _played(post_name: str, round_ns: int, folder: Path) -> Path:
    """One round, in a folder of its own while it is played."""
    of = evening()
    post = of.post(post_name)
    recording = folder / f"{playing.name_of(post, round_ns)}.pcapng"
    if path_of(recording).is_file() and recording.is_file():
        return recording
    made = playing.play(of, post, round_ns, folder / f"{recording.stem}.part")
    made.replace(recording)
    path_of(made).replace(path_of(recording))  # last: with it the round is whole
    made.parent.rmdir()
    return recording
