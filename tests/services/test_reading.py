"""A file of a service is read as a whole or refused with the row that is wrong; users' files stand beside ours."""

from __future__ import annotations

import pytest

from fingerprint import services
from fingerprint.services.fields import host
from fingerprint.services.reading import read
from fingerprint.verbs import analysing

FORUM = """
id = "forum"
title = "Forum"
version = "1"
about = "A forum."
kind = "social"
sensitive = true

[controls]
generic = ["example.com"]
neighbours = ["weather.test"]

[[endpoint]]
role = "web"
name = "forum.test"
probe = true
source = "forum.test"
standing = "read"

[[endpoint]]
role = "image"
name = "*.img.forum.test"
port = "8801-8810"
protocol = "udp"
from = 2020-01-01
until = 2021-01-01
source = "a capture"
standing = "memory"
"""


def changed(old, new):
    assert FORUM.count(old) >= 1
    return FORUM.replace(old, new, 1).encode()


def test_a_file_becomes_a_service():
    forum = read(FORUM.encode())
    web, image = forum.endpoints
    assert (forum.id, forum.kind, forum.sensitive) == ("forum", "social", True)
    assert (forum.controls, forum.neighbours) == (("example.com",), ("weather.test",))
    assert (web.name, web.ports, web.protocol, web.probe) == ("forum.test", (443, 443), "tcp", True)
    assert (image.pattern, image.ports, image.protocol) == (True, (8801, 8810), "udp")
    assert forum.table == ("services/forum", "1", forum.sha256)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "forum"', 'id = "forum.test"', "want small letters"),
        ('title = "Forum"', "", "title is missing"),
        ('version = "1"', "version = 1", "version: want a text"),
        ("sensitive = true", 'sensitive = "yes"', "sensitive: want true or false"),
        ("sensitive = true", "", "sensitive: want true or false"),
        ('kind = "social"', 'kind = "social"\ncolour = "red"', "there is no field colour"),
        ('role = "web"', 'role = "karaoke"', r"endpoint 1: there is no role karaoke; choose from web, api"),
        ('role = "web"', 'role = "control"', "there is no role control"),
        ('name = "forum.test"', 'name = "forum"', "want a host in A-labels"),
        ('name = "forum.test"', 'name = "a..test"', "want a host in A-labels"),
        ('name = "forum.test"', 'name = "bücher.test"', "want a host in A-labels"),
        ('name = "forum.test"', 'name = "forum.test"\nport = 70000', "port 70000"),
        ('port = "8801-8810"', 'port = "8810-8801"', "port 8810-8801"),
        ('protocol = "udp"', 'protocol = "sctp"', "endpoint 2: protocol sctp: choose from tcp, udp, quic"),
        ('source = "forum.test"', "", "endpoint 1: source is missing"),
        ('standing = "read"', 'standing = "guessed"', "standing guessed: choose from read, memory"),
        ("until = 2021-01-01", "until = 2019-01-01", "it ends before it begins"),
        ("until = 2021-01-01", 'until = "soon"', "Invalid isoformat string"),
        ("until = 2021-01-01", "until = 2021-01-01T12:00:00Z", "want a day without a time"),
        ('protocol = "udp"', 'protocol = "udp"\nprobe = true', "only one name, at one port, over tcp can be probed"),
        ('generic = ["example.com"]', 'generic = ["*.example.com"]', "want hosts, no patterns"),
        ('generic = ["example.com"]', 'generic = "example.com"', "generic: want a list"),
        ("[[endpoint]]", "[[endpoints]]", "there is no field endpoints"),
    ],
)
def test_what_is_wrong_is_named(old, new, says):
    with pytest.raises(ValueError, match=says):
        read(changed(old, new))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"id = ", b"endpoint = 3"])
def test_what_is_no_service_at_all_is_refused(content):
    with pytest.raises(ValueError, match=r"\w"):
        read(content)


def test_addresses_are_compared_in_one_spelling():
    assert host("2606:4700:4700:0::1111") == "2606:4700:4700::1111"
    assert host("Forum.TEST.") == "forum.test"


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    monkeypatch.setenv("FINGERPRINT_SERVICES", str(tmp_path))
    services.at_hand.cache_clear()
    yield tmp_path
    services.at_hand.cache_clear()


def test_a_file_of_ones_own_counts_beside_ours(theirs):
    (theirs / "anything.toml").write_text(FORUM)
    known, complaints = services.at_hand()
    assert complaints == ()
    assert services.of("forum.test", 0) == ("forum", "web")
    assert known.named("twitter")
    assert known.named("forum").own


def test_broken_files_and_borrowed_ids_are_named_in_every_report(theirs, samples):
    (theirs / "broken.toml").write_bytes(changed('role = "web"', 'role = "karaoke"'))
    (theirs / "mine.toml").write_bytes(changed('id = "forum"', 'id = "twitter"'))
    (theirs / "notes.txt").write_text("no table")
    report = analysing.judged([str(samples[0])], analysing.registry((), (), ()), jobs=1)
    said = {e.file: e.error for e in report.errors}
    assert set(said) == {"broken.toml", "mine.toml"}
    assert "there is no role karaoke" in said["broken.toml"]
    assert "there is a service twitter already" in said["mine.toml"]
    assert services.of("twitter.com", 0) == ("twitter", "web")


def test_a_users_row_comes_before_ours_for_the_same_name(theirs):
    (theirs / "forum.toml").write_bytes(changed('name = "forum.test"', 'name = "pbs.twimg.com"'))
    assert services.of("pbs.twimg.com", 0) == ("forum", "web")


def test_no_folder_is_no_error(tmp_path, monkeypatch):
    monkeypatch.setenv("FINGERPRINT_SERVICES", str(tmp_path / "nowhere"))
    services.at_hand.cache_clear()
    assert services.at_hand() == (services.built_in(), ())
    services.at_hand.cache_clear()


def test_without_a_word_the_folder_is_where_the_system_keeps_data(tmp_path, monkeypatch):
    monkeypatch.delenv("FINGERPRINT_SERVICES")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert services.folder() == tmp_path / "fingerprint" / "services"
