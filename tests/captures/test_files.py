"""Which files a command line means."""

from __future__ import annotations

import os

import pytest

from captures import CaptureError, inputs
from tests.captures.craft import pcap


@pytest.fixture
def folder(tmp_path):
    for name in ("b.pcap", "a/z.pcapng", "a/y.cap.gz", ".hidden.pcap", ".git/x.pcap", "notes.txt", "a/about.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_a_directory_is_all_captures_below_it_sorted(folder):
    assert [path.removeprefix(f"{folder}/") for path in inputs([folder])] == ["b.pcap", "a/y.cap.gz", "a/z.pcapng"]


def test_a_capture_in_a_directory_is_known_by_its_first_bytes_too(folder):
    (folder / "a" / "trace").write_bytes(pcap([]))
    assert f"{folder}/a/trace" in inputs([folder])


def test_a_pipe_in_a_directory_is_left_alone(folder):
    os.mkfifo(folder / "pipe")
    assert f"{folder}/pipe" not in inputs([folder])


def test_a_glob_is_expanded_and_nothing_is_listed_twice(folder):
    assert inputs([f"{folder}/*.pcap", f"{folder}/b.pcap"]) == (f"{folder}/b.pcap",)
    assert inputs([f"{folder}/**/*.pcapng"]) == (f"{folder}/a/z.pcapng",)


def test_a_file_named_outright_may_have_any_name_or_be_missing(folder):
    assert inputs([f"{folder}/notes.txt", "-", "none.pcap"]) == (f"{folder}/notes.txt", "-", "none.pcap")


def test_nothing_found_is_an_error_that_says_what_to_do(folder):
    with pytest.raises(CaptureError, match="matches no file; check the pattern"):
        inputs([f"{folder}/*.erf"])
    (folder / "empty").mkdir()
    with pytest.raises(CaptureError, match="name the files themselves"):
        inputs([folder / "empty"])
