"""tls-interception: what a flight that comes too soon means, and which of two certificates is the server's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from fingerprint import tables
from fingerprint.capture import Capture
from fingerprint.technique import Evidence, Finding, Inconclusive
from fingerprint.verdict.judge import judge
from techniques.tls_interception import PRODUCT, TlsInterception
from tests.conversations.certificates_talk import flight, greeting, leaf, visit
from tests.conversations.resets_talk import Talk

OWN = leaf("news.example", "Some Authority", "Some")
OTHER = leaf("park.example", "Some Authority", "Some")
FORGED = leaf("news.example", "State Root", "State", key="forged")
ITSELF = leaf("news.example", "news.example", key="itself")


def _capture(talks: Talk | Iterable[Talk], folder: Path) -> Capture:
    talks = [talks] if isinstance(talks, Talk) else list(talks)
    joined = Talk(packets=[p for t in talks for p in t.packets])
    return replace(joined.capture(folder), known=tables.built_in())


def _findings(talks: Talk | Iterable[Talk], folder: Path) -> list[Finding]:
    return list(TlsInterception().analyse(_capture(talks, folder)))


def _clues(talks: Talk | Iterable[Talk], folder: Path, name: str = "news.example") -> set[str]:
    found = [f for f in _findings(talks, folder) if isinstance(f, Evidence)]
    return {f.clue.id for f in found if f.subject.name == name}


def _node(talks: Talk | Iterable[Talk], folder: Path) -> str | None:
    capture = _capture(talks, folder)
    verdicts = judge(capture, [("tls-interception", f) for f in TlsInterception().analyse(capture)])
    return next((m.node for v in verdicts if v.target == "news.example" for m in v.mechanisms), None)


def _turns(answer: bytes, *, times: int = 3, others: float = 40, **how: object) -> Talk:
    """news.example is answered so, park.example by the server, in turn."""
    talk = Talk()
    for i in range(times):
        visit(talk, 3000 * i, "park.example", flight(OTHER), port=41000 + i, took=others)
        visit(talk, 3000 * i + 1500, "news.example", answer, port=42000 + i, **how)  # type: ignore[arg-type]
    return talk


def test_an_answer_sooner_than_the_round_trip_is_nobody_s_at_the_far_end(tmp_path: Path) -> None:
    talk = _turns(flight(FORGED), took=10, ttl=60, stamps=False)
    assert {"answer-sooner-than-the-server", "flight-of-another-machine"} <= _clues(talk, tmp_path)
    assert _node(talk, tmp_path) == "tls.mitm.ca_signed"


def test_where_the_headers_are_copied_the_time_is_enough(tmp_path: Path) -> None:
    assert _node(_turns(flight(FORGED), took=10), tmp_path) == "tls.mitm"


def test_where_the_certificate_signed_itself_the_node_says_so(tmp_path: Path) -> None:
    assert _node(_turns(flight(ITSELF), took=10), tmp_path) == "tls.mitm.self_signed"


def test_tls_1_3_hides_the_certificate_and_not_the_time(tmp_path: Path) -> None:
    talk = _turns(flight(None, version=0x0304), took=10)
    assert _node(talk, tmp_path) == "tls.mitm"


def test_an_answer_in_time_is_nothing_whoever_signed(tmp_path: Path) -> None:
    talk = _turns(flight(FORGED))
    assert _findings(talk, tmp_path) == []


def test_what_meets_every_name_alike_is_a_proxy(tmp_path: Path) -> None:
    found = _findings(_turns(flight(FORGED), took=10, others=10), tmp_path)
    assert found
    assert all(isinstance(f, Inconclusive) and "proxy" in f.why for f in found)


def test_a_clock_that_was_set_back_makes_no_answer_soon(tmp_path: Path) -> None:
    assert "answer-sooner-than-the-server" not in _clues(_turns(flight(FORGED), took=-5), tmp_path)


@pytest.mark.parametrize("alert", [42, 46, 48])
def test_a_client_that_turns_the_signer_away_and_takes_others_is_a_witness(tmp_path: Path, alert: int) -> None:
    talk = _turns(flight(ITSELF), alert=alert)
    assert "client-turns-the-signer-away" in _clues(talk, tmp_path)
    assert _node(talk, tmp_path) is None, "a bad certificate alone is no interception"


def test_an_expired_certificate_says_nothing_about_who_signed(tmp_path: Path) -> None:
    assert "client-turns-the-signer-away" not in _clues(_turns(flight(OWN), alert=45), tmp_path)


def test_a_client_that_takes_no_certificate_is_no_witness(tmp_path: Path) -> None:
    talk = Talk()
    for i, name in enumerate(("news.example", "park.example") * 2):
        visit(talk, 1500 * i, name, flight(ITSELF if name == "news.example" else OTHER), port=41000 + i, alert=48)
    found = _findings(talk, tmp_path)
    assert "client-turns-the-signer-away" not in {f.clue.id for f in found if isinstance(f, Evidence)}
    assert any(isinstance(f, Inconclusive) and "takes no other" in f.why for f in found)


def test_the_same_hello_in_two_pieces_that_is_shown_another_certificate_convicts(tmp_path: Path) -> None:
    talk, whole = _turns(flight(ITSELF), alert=48), greeting("news.example")
    cut = whole.find(b"news") + 2
    for i in range(3):
        pieces = (whole[:cut], whole[cut:])
        visit(talk, 12000 + 1500 * i, "news.example", flight(OWN), port=43000 + i, pieces=pieces)
    assert "self-signed-beside-form" in _clues(talk, tmp_path)
    assert _node(talk, tmp_path) == "tls.mitm.self_signed"


def test_a_default_certificate_for_somebody_else_is_no_forgery(tmp_path: Path) -> None:
    default = leaf("localhost", "localhost")
    away = Talk(server="192.0.2.77")
    for i in range(3):
        visit(away, 3000 * i + 700, "news.example", flight(default), port=44000 + i, alert=48)
    talks = [_turns(flight(OWN)), away]
    assert not {c for c in _clues(talks, tmp_path) if "beside" in c}
    assert _node(talks, tmp_path) is None


def test_two_authorities_for_one_name_are_a_front_s_custom(tmp_path: Path) -> None:
    talk = _turns(flight(OWN))
    for i in range(3):
        visit(talk, 12000 + 1500 * i, "news.example", flight(FORGED), port=43000 + i)
    assert _findings(talk, tmp_path) == []


def test_a_renewal_by_the_same_authority_is_no_contradiction_even_where_it_comes_soon(tmp_path: Path) -> None:
    talk = _turns(flight(leaf("news.example", "Some Authority 2", "Some", key="next")), took=10)
    for i in range(2):
        visit(talk, 12000 + 1500 * i, "news.example", flight(OWN), port=43000 + i)
    assert not {c for c in _clues(talk, tmp_path) if "beside" in c}


def test_a_state_s_root_is_known_by_its_name(tmp_path: Path) -> None:
    der = leaf("news.example", "Information Security Certification Authority", "ISCA", key="forged")
    talk = _turns(flight(der), took=10)
    assert "signed-under-a-state-root" in _clues(talk, tmp_path)
    assert _node(talk, tmp_path) == "tls.mitm.ca_signed"


@pytest.mark.parametrize(
    ("issuer", "organisation"), [("FG100", "Fortinet"), ("ESET SSL Filter CA", ""), ("Zscaler Root CA", "Zscaler Inc.")]
)
def test_a_product_explains_whatever_else_is_seen(tmp_path: Path, issuer: str, organisation: str) -> None:
    talk = _turns(flight(leaf("news.example", issuer, organisation, key="forged")), took=10, ttl=60, stamps=False)
    assert _clues(talk, tmp_path) == {PRODUCT.id}
    assert _node(talk, tmp_path) is None


def test_without_the_table_of_anchors_the_state_s_interception_is_still_one(tmp_path: Path) -> None:
    der = leaf("news.example", "Information Security Certification Authority", "ISCA", key="forged")
    capture = _turns(flight(der), took=10, ttl=60, stamps=False).capture(tmp_path)
    verdicts = judge(capture, [("tls-interception", f) for f in TlsInterception().analyse(capture)])
    assert [m.node for v in verdicts for m in v.mechanisms] == ["tls.mitm.ca_signed"]


@pytest.mark.parametrize("junk", [b"", b"\x30", b"\x30\x82\xff\xff", OWN[:80], bytes(300)], ids=len)
def test_a_certificate_that_does_not_parse_is_one_sentence(tmp_path: Path, junk: bytes) -> None:
    found = _findings(_turns(flight(junk)), tmp_path)
    assert all(isinstance(f, Inconclusive) and "does not parse" in f.why for f in found)
    assert len(found) == 3


@pytest.mark.parametrize(
    ("block", "rtt", "node"),
    [("45.77.80", 8, "tls.mitm"), ("45.77.80", 2, None), ("10.4.2", 8, None)],
    ids=["on the way", "the client's own machine", "a block that its owner stretches"],
)
def test_a_server_nearer_than_its_neighbours_whose_signer_is_turned_away_is_intercepted(
    tmp_path: Path, block: str, rtt: int, node: str | None
) -> None:
    near, far = Talk(server=f"{block}.20"), Talk(server=f"{block}.9")
    for i in range(3):
        visit(far, 3000 * i, "park.example", flight(None, version=0x0304), port=41000 + i, rtt=60, took=60)
        visit(near, 3000 * i + 1500, "news.example", flight(None, version=0x0304), port=42000 + i, rtt=rtt, alert=48)
    assert _node([near, far], tmp_path) == node


def test_nearer_than_its_neighbours_is_nothing_where_the_client_takes_the_certificate(tmp_path: Path) -> None:
    near, far = Talk(server="45.77.80.20"), Talk(server="45.77.80.9")
    for i in range(3):
        visit(far, 3000 * i, "park.example", flight(OTHER), port=41000 + i, rtt=60, took=60)
        visit(near, 3000 * i + 1500, "news.example", flight(OWN), port=42000 + i, rtt=8, took=8)
    assert _findings([near, far], tmp_path) == []
