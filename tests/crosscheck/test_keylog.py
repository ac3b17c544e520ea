"""A key log opens its own sessions; what is inside is observed, a chain counts as one in the clear would."""

from __future__ import annotations

import re

import pytest

import captures
from captures.errors import TargetError
from fingerprint import tables
from fingerprint.__main__ import main
from fingerprint.capture import Capture
from fingerprint.crosscheck.comparing import DISAGREE
from fingerprint.crosscheck.facts import KEY
from fingerprint.crosscheck.opinion import opinion
from fingerprint.plugins import looking
from fingerprint.technique import Evidence
from fingerprint.testing.conversation import Conversation, written
from fingerprint.verbs import analysing
from fingerprint.wireshark import keylog, selecting
from tests.crosscheck.session import session


@pytest.fixture
def recorded(tmp_path):
    """A capture of one TLS 1.3 session, and its key log."""
    made = session(tmp_path / "keys")
    return written(tmp_path / "run.pcapng", made.over(Conversation()).packets), made.keylog


def observed(document):
    return [o["says"] for t in document["targets"] for o in t["observations"] if o["technique"] == "keylog"]


def test_inside_are_the_certificate_the_host_and_the_status(recorded, judged):
    file, keys = recorded
    said = observed(judged(file, keylog=keys))
    assert any("certificate of CN=forum.test, signed by CN=Honest CA" in s for s in said)
    assert any("inside.forum.test is asked for" in s for s in said)
    assert any("status 418 answers" in s for s in said)


def test_without_it_nothing_is_known_of_the_inside_and_the_verdict_is_the_same(recorded, judged):
    file, keys = recorded
    plain, opened = judged(file), judged(file, keylog=keys)
    assert observed(plain) == []
    assert [(t["target"], t["state"]) for t in plain["targets"]] == [
        (t["target"], t["state"]) for t in opened["targets"]
    ]


def test_no_secret_enters_a_report(recorded, judged):
    file, keys = recorded
    told = str(judged(file, keylog=keys))
    secrets = re.findall(r"[0-9a-f]{64,}$", keys.read_text(), re.MULTILINE)
    assert secrets
    assert not any(secret in told for secret in secrets)


def test_wireshark_agrees_with_what_was_read_inside(recorded, judged):
    file, keys = recorded
    document = judged(file, keylog=keys)
    found = opinion(file, document, keylog=keys)
    assert found.agrees
    assert [c.fact for c in found.compared if c.says and c.fact == KEY]
    for target in document["targets"]:
        for o in target["observations"]:
            o["says"] = re.sub(r"key [0-9a-f]{64}", "key " + "0" * 64, o["says"])
    assert {c.fact for c in opinion(file, document, keylog=keys).of(DISAGREE)} == {KEY}


def test_the_key_log_of_another_session_is_named(recorded, tmp_path, registry):
    file, _ = recorded
    other = session(tmp_path / "others").keylog
    report = analysing.judged([str(file)], registry, jobs=1, keylog=other)
    count = len([line for line in other.read_text().splitlines() if line and not line.startswith("#")])
    assert any(f"none of its {count} secrets belongs to a session of this capture" in e.error for e in report.errors)
    assert report.verdicts


def test_crosscheck_names_it_too(recorded, tmp_path, judged):
    file, keys = recorded
    other = session(tmp_path / "others").keylog
    found = opinion(file, judged(file, keylog=keys), keylog=other)
    assert any("none of its" in c for c in found.complaints)


def test_of_two_sessions_it_opens_its_own(tmp_path, judged):
    one, other = session(tmp_path / "one", "forum.test"), session(tmp_path / "other", "chat.test")
    talks = [
        one.over(Conversation(source_port=40_001)),
        other.over(Conversation(source_port=40_002, server="45.83.220.11", at_s=3.0)),
    ]
    file = written(tmp_path / "two.pcapng", [p for talk in talks for p in talk.packets])
    document = judged(file, keylog=other.keylog)
    by_name = {t["target"]: [o for o in t["observations"] if o["technique"] == "keylog"] for t in document["targets"]}
    assert by_name["chat.test"]
    assert not by_name["forum.test"]
    capture = Capture(recordings=(captures.read(file),))
    assert len(keylog.read(other.keylog).of(capture)) == 1


def test_what_is_no_key_log_is_refused(tmp_path, recorded, registry):
    file, _ = recorded
    for text in ("", "hello\n", "CLIENT_RANDOM 00 11\n"):
        junk = tmp_path / "junk.log"
        junk.write_text(text)
        with pytest.raises(TargetError, match="no key log"):
            analysing.judged([str(file)], registry, jobs=1, keylog=junk)
    with pytest.raises(TargetError, match="cannot be read"):
        analysing.judged([str(file)], registry, jobs=1, keylog=tmp_path / "absent.log")


def test_a_state_s_signer_shows_in_tls_1_3_to_who_has_the_keys(tmp_path, registry):
    made = session(tmp_path / "keys", issuer="Qaznet Trust Network")
    file = written(tmp_path / "kz.pcapng", made.over(Conversation()).packets)
    clues = {}
    for keys in (None, made.keylog):
        read = selecting.reader(None, keys) or (lambda name, index: captures.read(name, index=index))
        capture = Capture(recordings=(read(str(file), 0),), known=tables.at_hand()[0])
        found, faults = looking.look(capture, registry.techniques)
        assert not faults
        clues[keys] = {f.clue.id for _, f in found if isinstance(f, Evidence)}
    assert "signed-under-a-state-root" not in clues[None]
    assert "signed-under-a-state-root" in clues[made.keylog]


def test_the_command_takes_one(recorded, capsys, monkeypatch):
    file, keys = recorded
    monkeypatch.setattr("sys.argv", ["fingerprint", "analyse", str(file), "--keylog", str(keys), "--json", "--all"])
    try:
        code = main()
    except SystemExit as end:
        code = end.code
    assert not code
    assert "status 418 answers" in capsys.readouterr().out
