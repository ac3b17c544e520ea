"""The public suite finds every promise that a technique can break, and praises one that keeps them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import captures
from fingerprint.technique import Technique
from fingerprint.testing import check_technique
from fingerprint.testing.purity import pure

SAMPLES = Path(captures.__file__).parent / "samples"
FIRES, QUIET = SAMPLES / "sni_forged_reset" / "capture.pcapng", SAMPLES / "server_down" / "capture.pcapng"
CANNOT_TELL = SAMPLES / "rst_by_client" / "capture.pcapng"
HEAD = '''
"""Resets with another TTL than the handshake's.

What it looks for
    A reset in the server's name.

What it sends
    One handshake.

When it is wrong
    Always: it is made for a test.

Papers
    None.
"""
import random, time, os, socket, datetime, logging
from dataclasses import dataclass
from pathlib import Path
from fingerprint.technique import Cited, Clue, Evidence, Inconclusive, Subject, Technique, cite
from fingerprint.steps import Handshake, Send, Wait
NOW = time.time

SEEN = Clue(id="reset-seen", says="a reset", group="seen", given={"tls.reset": 0.1, "*": 0.1}, source="a test")

@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSeen(Technique):
    clues = (SEEN,)
    least: int = 1

    def probe(self, target):
        for address in target.addresses:
            yield Send(Handshake(address=address), label="handshake", shows=self.clues)

    def analyse(self, capture):
        for stream in capture.streams:
            subject = Subject(name=stream.name, address=stream.server.address, port=stream.server.port, protocol="tls")
            resets = [s for s in stream.segments if s.is_reset]
            for segment in resets:
                if segment.from_client:
                    yield Inconclusive("the client's own", (Cited(segment.capture, segment.number),), subject)
                    continue
                yield cite(SEEN, subject, segment)
'''
LOOP = "        for stream in capture.streams:\n"


@pytest.fixture
def written(tmp_path):
    def file(*changes: tuple[str, str], name: str = "reset_seen.py") -> Path:
        text = HEAD.lstrip()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return file


def broken(file, **captures_) -> str:
    asked = {"fires_on": [FIRES], "silent_on": [QUIET], "cannot_tell_on": [CANNOT_TELL], **captures_}
    with pytest.raises(AssertionError) as raised:
        check_technique(file, **asked)
    return str(raised.value)


def test_a_technique_that_keeps_its_promises_passes(written):
    check_technique(written(), fires_on=[FIRES], silent_on=[QUIET], cannot_tell_on=[CANNOT_TELL])


def test_it_may_be_named_by_id_or_be_an_object():
    check_technique("sni-filtering", fires_on=[SAMPLES / "sni_hello_dropped" / "capture.pcapng"])
    from techniques.sni_filtering import SniFiltering

    assert issubclass(SniFiltering, Technique)
    check_technique(SniFiltering, unchanged_by=())
    check_technique(SniFiltering(pairs=1), unchanged_by=())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("class ResetSeen", "class Resets"), "let the names agree"),
        (("Papers\n    None.\n", ""), "no heading 'Papers'"),
        (("    Always: it is made for a test.\n", ""), "says nothing under 'When it is wrong'"),
        (("handshake's.", "handshake's"), "is no short sentence"),
        (('"*": 0.1', '"tls.mitm": 0.1'), "given has no '*'"),
        (('"*": 0.1', '"*": 0'), "given['*'] is 0"),
        (('"tls.reset": 0.1', '"tls.rest": 0.1'), "names 'tls.rest', which is neither"),
        (('id="reset-seen"', 'id="Reset Seen"'), "small letters with hyphens"),
        (('"tls.reset": 0.1, "*": 0.1', '"tls.reset": 0.9, "*": 0.0001'), None),
        (("yield cite(SEEN, subject, segment)", "pass"), "yields no Evidence on sni_forged_reset/capture.pcapng"),
        (("yield Inconclusive", "Inconclusive"), "does not say Inconclusive on rst_by_client/capture.pcapng"),
        ((LOOP, "        open('/etc/hostname').close()\n" + LOOP), "not pure: reset_seen.py:34 opens a file"),
        ((LOOP, "        Path('/etc/hostname').read_text()\n" + LOOP), "not pure: reset_seen.py:34 opens a file"),
        ((LOOP, "        socket.socket().close()\n" + LOOP), "uses a socket"),
        ((LOOP, "        os.listdir('/')\n" + LOOP), "asks the system"),
        ((LOOP, "        time.monotonic()\n" + LOOP), "asks the clock"),
        ((LOOP, "        NOW()\n" + LOOP), "asks the clock"),
        ((LOOP, "        datetime.datetime.now()\n" + LOOP), "asks the clock"),
        ((LOOP, "        random.random()\n" + LOOP), "draws from chance without a seed"),
        ((LOOP, "        random.Random(3).random()\n" + LOOP), None),
        ((LOOP, "        random.Random().random()\n" + LOOP), "draws from chance without a seed"),
        ((LOOP, "        os.environ['PATH']\n" + LOOP), "reads the environment"),
        ((LOOP, "        print('here')\n" + LOOP), "prints 'here'"),
        ((LOOP, "        logging.getLogger('x').warning('here')\n" + LOOP), "writes a log"),
        (("for segment in resets", "for segment in sorted(resets, key=lambda s: random.random())"), "second time"),
        (("in capture.streams:", "in sorted(capture.streams, key=lambda s: hash(str(s.client))):"), "another process"),
        (("s.is_reset]", "s.is_reset and 1 / s.payload_bytes]"), "stopped at reset_seen.py:36: ZeroDivisionError"),
        (("segment.number),)", "segment.number + 10**6),)"), "which does not exist"),
        (("yield Send(", "yield (lambda *_, **__: 5)("), "is no step"),
        (('label="handshake"', 'label=""'), "a step has no label"),
        (('label="handshake"', 'label="handshake", role="both"'), "has the role 'both'"),
        (('label="handshake"', 'label="handshake", seeks="fame"'), "seeks 'fame'"),
        (("shows=self.clues", 'shows=(Clue(id="x", says="x", group="x", given={}, source="x"),)'), "which is not in `clues`"),
        (("            yield Send(", "            while True: yield Send("), "takes more than 2000 steps"),
        (("target.addresses:", "random.sample(target.addresses, len(target.addresses)):"), "other steps the second time"),
        (("for address in target.addresses", "for address in (target.addresses[0],)"), "IndexError"),
    ],
)  # fmt: skip
def test_a_broken_promise_is_told(written, change, says):
    file = written(change)
    if says is None:
        check_technique(file, fires_on=[FIRES], silent_on=[QUIET], cannot_tell_on=[CANNOT_TELL])
    else:
        assert says in broken(file)


def test_a_conviction_of_the_innocent_is_told(written):
    file = written(('"tls.reset": 0.1, "*": 0.1', '"tls.reset": 0.9, "*": 0.00001'))
    guilty = SAMPLES / "server_resets_after_hello" / "capture.pcapng"
    assert "blocked on server_resets_after_hello/capture.pcapng" in broken(file, silent_on=[guilty])


def test_a_rule_that_knows_a_name_does_not_survive_another(written):
    file = written(
        ('"tls.reset": 0.1, "*": 0.1', '"tls.reset": 0.9, "*": 0.00001'),
        ("if s.is_reset]", "if s.is_reset and stream.name == 'chatter.test']"),
    )
    assert re.search(r"other names changes its verdict on sni_forged_reset/capture.pcapng", broken(file))


def test_a_file_that_does_not_load_is_told_in_one_sentence(written):
    file = written(("def analyse(self, capture)", "def analyse(self, capture"))
    assert re.search(r"1 promises broken:\n- reset_seen.py: line \d+: ", broken(file))


def test_what_was_forbidden_is_allowed_again():
    import time

    with pure() as noted:
        pass
    assert time.time() > 0
    assert Path(__file__).read_text()
    assert noted == []
