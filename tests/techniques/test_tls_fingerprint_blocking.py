"""tls-fingerprint-blocking: who greets, told from whom the hello is for."""

from __future__ import annotations

from pathlib import Path

from fingerprint.technique import Evidence, Finding, Inconclusive
from techniques.sni_filtering import SniFiltering
from techniques.tls_fingerprint_blocking import TlsFingerprintBlocking
from tests.conversations.certificates_talk import OLD, flight, greeting, visit
from tests.conversations.resets_talk import Talk
from tests.techniques.test_ech_blocking import lost, reset

ANSWER = flight(None, version=0x0304)


def turns(*, fate=lost, spared: tuple[str, ...] = (), names=("news.example", "park.example"), size: int = 400) -> Talk:
    """Each name as the new client says it, which passes, and as the old one does, which fails, in turn."""
    talk = Talk()
    for i in range(3):
        for j, name in enumerate(names):
            at, port = 40000.0 * i + 20000 * j, 41000 + 100 * j + 2 * i
            visit(talk, at, name, ANSWER, port=port, pieces=(greeting(name),))
            hello = greeting(name, ciphers=OLD, size=size)
            if name in spared:
                visit(talk, at + 6000, name, ANSWER, port=port + 1, pieces=(hello,))
            else:
                fate(talk, at + 6000, hello, port=port + 1)
    for j, name in enumerate(names):
        visit(talk, 130000.0 + 1000 * j, name, ANSWER, port=45000 + j, pieces=(greeting(name),))
    return talk


def findings(talk: Talk, folder: Path) -> list[Finding]:
    return list(TlsFingerprintBlocking().analyse(talk.capture(folder)))


def clues(talk: Talk, folder: Path, name: str = "news.example") -> set[str]:
    return {f.clue.id for f in findings(talk, folder) if isinstance(f, Evidence) and f.subject.name == name}


def test_two_names_that_fail_as_one_client_says_them_fail_for_the_client(tmp_path: Path) -> None:
    assert clues(turns(), tmp_path) == {"client-decides-unheard", "other-names-fail-as-that-client"}
    assert clues(turns(fate=reset), tmp_path) == {"client-decides-reset", "other-names-fail-as-that-client"}


def test_where_other_names_pass_as_that_client_says_them_the_name_is_minded(tmp_path: Path) -> None:
    talk = turns(spared=("park.example",))
    assert "that-client-passes-with-other-names" in clues(talk, tmp_path)
    groups = {f.clue.group for f in SniFiltering().analyse(talk.capture(tmp_path)) if isinstance(f, Evidence)}
    assert "name-pair" in groups


def test_the_name_is_not_blamed_where_every_name_fails_as_that_client_says_it(tmp_path: Path) -> None:
    groups = {f.clue.group for f in SniFiltering().analyse(turns().capture(tmp_path)) if isinstance(f, Evidence)}
    assert "name-pair" not in groups


def test_a_larger_hello_may_be_lost_for_its_size(tmp_path: Path) -> None:
    assert "client-decides-unheard-larger" in clues(turns(size=1400), tmp_path)


def test_a_client_that_also_passes_is_not_minded(tmp_path: Path) -> None:
    talk = turns()
    visit(talk, 140000, "news.example", ANSWER, port=46000, pieces=(greeting("news.example", ciphers=OLD),))
    assert clues(talk, tmp_path) == set()


def test_once_is_not_enough(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(2):
        visit(talk, 30000 * i, "news.example", ANSWER, port=41000 + i, pieces=(greeting("news.example"),))
    lost(talk, 9000, greeting("news.example", ciphers=OLD), port=42000)
    found = findings(talk, tmp_path)
    assert [f for f in found if isinstance(f, Inconclusive)]
    assert not [f for f in found if isinstance(f, Evidence)]


def test_a_hello_cut_within_its_name_that_passes_is_no_other_client(tmp_path: Path) -> None:
    talk = Talk()
    for i in range(3):
        whole = greeting("news.example")
        cut = whole.find(b"news") + 2
        visit(talk, 20000 * i, "news.example", ANSWER, port=41000 + i, pieces=(whole[:cut], whole[cut:]))
        lost(talk, 20000 * i + 6000, greeting("news.example", ciphers=OLD), port=42000 + i)
    assert findings(talk, tmp_path) == []
