"""Which service a name is: the exact name, then the longest pattern, within its dates."""

from __future__ import annotations

from fingerprint.services.model import Endpoint, Service, Services, keys


def endpoint(name, role="web", *, port=443, protocol="tcp", since=None, until=None):
    return Endpoint(
        role=role, name=name, ports=(port, port), protocol=protocol, path=None, from_ns=since, until_ns=until,
        source="here", standing="read", probe=False,
    )  # fmt: skip


def known(*endpoints):
    made = Service(
        id="forum", title="Forum", version="1", about="-", kind="social", sensitive=False, endpoints=endpoints, controls=(),
        neighbours=(), sha256="0" * 64,
    )  # fmt: skip
    return Services(services=(made,))


def test_the_exact_name_comes_before_any_pattern():
    table = known(endpoint("*.forum.test", "other"), endpoint("a.forum.test", "image"))
    assert table.of("a.forum.test", 0) == ("forum", "image")
    assert table.of("b.forum.test", 0) == ("forum", "other")


def test_the_longer_pattern_comes_before_the_shorter():
    table = known(endpoint("*.forum.test", "other"), endpoint("*.video.forum.test", "video"))
    assert table.of("a.b.video.forum.test", 0) == ("forum", "video")
    assert table.of("video.forum.test", 0) == ("forum", "other")


def test_a_pattern_is_not_the_name_that_it_ends_in_nor_one_that_looks_like_it():
    table = known(endpoint("*.forum.test"))
    assert table.of("forum.test", 0) is None
    assert table.of("myforum.test", 0) is None
    assert table.of("forum.test.example", 0) is None


def test_case_and_a_final_dot_do_not_matter():
    assert known(endpoint("forum.test")).of("Forum.Test.", 0) == ("forum", "web")


def test_dates_are_half_open_and_rows_may_follow_each_other():
    table = known(endpoint("forum.test", "web", until=100), endpoint("forum.test", "image", since=100, until=200))
    assert [table.of("forum.test", t) for t in (99, 100, 199)] == [
        ("forum", "web"),
        ("forum", "image"),
        ("forum", "image"),
    ]


def test_a_name_outside_its_dates_is_nobodys():
    assert known(endpoint("forum.test", until=100)).of("forum.test", 100) is None
    assert known(endpoint("forum.test", since=100)).of("forum.test", 99) is None


def test_a_pattern_that_is_valid_stands_in_for_a_name_that_is_not():
    table = known(endpoint("a.forum.test", "image", until=100), endpoint("*.forum.test", "other"))
    assert table.of("a.forum.test", 100) == ("forum", "other")


def test_where_a_name_has_several_roles_the_port_decides_and_else_the_first_row():
    table = known(
        endpoint("*.forum.test", "web"),
        endpoint("*.forum.test", "media", port=8801, protocol="udp"),
        endpoint("*.forum.test", "chat", port=5222),
    )
    assert table.of("a.forum.test", 0, ((8801, "udp"),)) == ("forum", "media")
    assert table.of("a.forum.test", 0, ((5222, "tcp"),)) == ("forum", "chat")
    assert table.of("a.forum.test", 0, ((8801, "tcp"),)) == ("forum", "web")
    assert table.of("a.forum.test", 0) == ("forum", "web")


def test_quic_is_said_over_udp():
    table = known(endpoint("forum.test", "web"), endpoint("forum.test", "video", protocol="quic"))
    assert table.of("forum.test", 0, ((443, "udp"),)) == ("forum", "video")


def test_an_address_has_no_suffix_that_could_match_a_name():
    table = known(endpoint("149.154.167.51", "chat"))
    assert table.of("149.154.167.51", 0) == ("forum", "chat")
    assert table.of("1.149.154.167.51", 0) is None


def test_hostile_names_match_nothing_and_end():
    assert known(endpoint("forum.test")).of("\x1b[31m" + "." * 300, 0) is None
    assert list(keys("")) == [""]
