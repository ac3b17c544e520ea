"""What failed connects, handshakes and requests of one measurement are evidence of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from fingerprint.conversations.http.answers import HOUSE_HOPS
from fingerprint.ooni import clues
from fingerprint.ooni.beside import Beside, greeted, plain, related, trusted
from fingerprint.ooni.clues import FAILED, REACHED, UNASKED
from fingerprint.ooni.evidence_of_lookups import cited, subject
from fingerprint.ooni.facts import ENDINGS, NOT_BELIEVED, WEIGHED, Connect, Greeting, Measurement
from fingerprint.ooni.fields import written
from fingerprint.technique import Evidence, Facets, Location, Trigger, cite

STEPS = {"tcp": "the TCP handshake", "tls": "the TLS handshake", "quic": "the QUIC handshake", "http": "the request"}
# Paths of one length differ by a hop or two where routers share the load; so many steps without an answer do not.
SILENT_STEPS = 3
# Of a failure in the words of a system, so much is quoted.
NAMED_CHARS = 60
FIELDS = {"tls": "tls.sni", "http": "http.host"}


def of_sockets(m: Measurement, beside: Beside) -> Iterator[Evidence]:
    """Failures at addresses that can be the name's own, with what the test helper and other names met there."""
    yield from _traces(m)
    for connect in m.connects:
        action = ENDINGS.get(connect.failure or "")
        if action in ("reset", "timeout", "refused") and trusted(m, connect.address):
            yield _failing(m, "tcp", action, connect.address, connect.port, _of_connect(m, connect))
    for g in greeted(m):
        if trusted(m, g.address):
            yield from _greeting(m, g, beside)
    yield from _requests(m, beside)
    if m.control and m.control.failed and m.exchanges and (failure := m.exchanges[-1].failure):
        last = m.exchanges[-1]
        if failure not in WEIGHED and related(last.host, m.target):
            words: dict[str, Any] = {"name": m.target, "failure": failure[:NAMED_CHARS], "theirs": m.control.met}
            yield cite(
                clues.FAILS_THERE_TOO, subject(m, "tls" if last.secure else "http"), cited(m), line=m.line, **words
            )


def _failing(m: Measurement, layer: str, action: str, address: str, port: int, control: str) -> Evidence:
    where = written(address, port)
    return cite(
        clues.SOCKET[action, control], subject(m, layer, address, port), cited(m), step=STEPS[layer], where=where,
        line=m.line,
    )  # fmt: skip


def _passing(m: Measurement, beside: Beside, layer: str, address: str, port: int, control: str) -> Iterator[Evidence]:
    """Another name that passes where this one fails. Where the helper failed too, it shows nothing about a censor."""
    other = beside.other_name(m, address, port, layer)
    if other is None or control == FAILED:
        return
    clue = clues.PASSING["foreign" if m.foreign else control]
    words: dict[str, Any] = {
        "control": other.name,
        "where": written(address, port),
        "name": m.target,
        "lines": f"lines {other.line} and {m.line}",
    }
    facets = Facets(trigger=Trigger(field=FIELDS[layer], value=m.target))
    yield cite(clue, subject(m, layer, address, port), cited(m), facets=facets, line=m.line, **words)


def _by_name(failing: Evidence, *passing: Evidence) -> Iterator[Evidence]:
    """A failure, which has a trigger if another name passes where it failed, and those passes."""
    yield replace(failing, facets=passing[0].facets) if passing else failing
    yield from passing


def _of_connect(m: Measurement, connect: Connect) -> str:
    """What the helper met where this connection failed."""
    if m.control is None:
        return UNASKED
    met = m.control.connects.get(written(connect.address, connect.port))
    if met is None:
        return FAILED if m.control.failed else UNASKED
    return REACHED if met else FAILED


def _of_greeting(m: Measurement, g: Greeting) -> str:
    """What the helper met in TLS. Before v0.5 it told of the page alone: over TLS, so it was greeted somewhere."""
    if m.control is None or m.foreign:
        return UNASKED
    met = m.control.greetings.get(written(g.address, g.port))
    if met is None:
        secure = bool(m.exchanges) and m.exchanges[0].secure
        return (REACHED if m.control.served and secure else UNASKED) if not m.control.failed else FAILED
    return REACHED if met else FAILED


def _greeting(m: Measurement, g: Greeting, beside: Beside) -> Iterator[Evidence]:
    control, layer = _of_greeting(m, g), "quic" if g.quic else "tls"
    if g.failure in NOT_BELIEVED and m.foreign:
        return  # whoever speaks a name to a stranger is shown the stranger's certificate
    if (g.failure in NOT_BELIEVED) and not g.quic:
        words: dict[str, Any] = {
            "name": m.target,
            "where": written(g.address, g.port),
            "failure": g.failure,
            "line": m.line,
        }
        yield cite(clues.CERTIFICATE[control], subject(m, "tls", g.address, g.port), cited(m), **words)
        return
    action = ENDINGS.get(g.failure or "")
    # QUIC is refused by no reset; sockets see nothing but silence.
    if action is None or action == "refused" or (g.quic and action != "timeout"):
        return
    failing = _failing(m, layer, action, g.address, g.port, control)
    beside_it = _passing(m, beside, "tls", g.address, g.port, control) if g.sni and not g.quic else ()
    yield from _by_name(failing, *beside_it)


def _requests(m: Measurement, beside: Beside) -> Iterator[Evidence]:
    """Requests in the clear that failed after a handshake that did not, at the one address that was connected to.

    An answer that began and did not end in time is none of them: it was asked for, and let through.
    """
    connected = sorted({c.address for c in m.connects if c.port == 80 and c.failure is None})
    refused = any(c.port == 80 and c.failure is not None and trusted(m, c.address) for c in m.connects)
    for x in plain(m):
        action = ENDINGS.get(x.failure or "")
        address = x.address or (connected[0] if len(connected) == 1 else None)
        if x.status and action == "timeout":
            continue
        if action not in ("reset", "timeout", "close") or refused or not address or not trusted(m, address):
            continue
        control = UNASKED
        if m.control:
            control = REACHED if m.control.served else FAILED if m.control.failed else UNASKED
        failing = _failing(m, "http", action, address, 80, control)
        yield from _by_name(failing, *_passing(m, beside, "http", address, 80, control))


def _traces(m: Measurement) -> Iterator[Evidence]:
    """ts-037: two names at one address, with packets that live one hop longer each time."""
    for address, port in dict.fromkeys((g.address, g.port) for g in m.greetings if g.ttl_hops):
        steps = [g for g in m.greetings if g.ttl_hops and (g.address, g.port) == (address, port)]
        mine = sorted((g for g in steps if g.sni == m.target), key=_ttl)
        others = sorted((g for g in steps if g.sni != m.target), key=_ttl)
        passed = next((g for g in others if g.failure is None), None)
        ended = next((g for g in mine if g.failure is None or ENDINGS.get(g.failure) == "reset"), None)
        if not mine or passed is None:
            continue
        longest = ended or mine[-1]
        action = ENDINGS.get(longest.failure or "")
        # Silence counts only with packets that live as long as the control's, which was answered.
        if longest.failure is None or action not in ("reset", "timeout", "close") or longest.expired:
            continue
        if action != "reset" and _ttl(longest) < _ttl(passed):
            continue
        failing = _failing(m, "tls", action, address, port, UNASKED)
        words: dict[str, Any] = {
            "control": passed.sni,
            "where": written(address, port),
            "name": m.target,
            "line": m.line,
        }
        facets = Facets(trigger=Trigger(field="tls.sni", value=m.target))
        about = subject(m, "tls", address, port)
        clue = clues.PASSING["foreign" if m.foreign else UNASKED]
        yield from _by_name(failing, cite(clue, about, cited(m), facets=facets, lines=f"line {m.line}", **words))
        if action != "reset" or not _unheard(mine, longest):
            continue
        hop = _ttl(longest)
        place = Facets(trigger=facets.trigger, location=Location(hop=hop, link=(hop - 1, hop) if hop > 1 else None))
        if _dies(others, longest):
            near = clues.RESET_IN_THE_HOUSE if hop <= HOUSE_HOPS else clues.RESET_ON_THE_WAY
            yield cite(near, about, cited(m), facets=place, hop=hop, **words)
        elif hop > HOUSE_HOPS and _silent(others, longest, passed):
            yield cite(clues.RESET_BEFORE_AN_ANSWER, about, cited(m), facets=place, hop=hop, far=_ttl(passed), **words)


def _ttl(g: Greeting) -> int:
    return g.ttl_hops or 0


def _dies(others: list[Greeting], reset: Greeting) -> bool:
    """Whether the control, with packets of the same life, is reported dead by a router."""
    return any(g.ttl_hops == reset.ttl_hops and g.failure is not None and g.expired for g in others)


def _silent(others: list[Greeting], reset: Greeting, passed: Greeting) -> bool:
    """Whether nothing answers the control with packets of this life, nor of any longer one below the first that did."""
    between = [g for g in others if _ttl(reset) <= _ttl(g) < _ttl(passed)]
    return len(between) >= SILENT_STEPS and all(ENDINGS.get(g.failure or "") == "timeout" for g in between)


def _unheard(mine: list[Greeting], reset: Greeting) -> bool:
    """Whether the target itself met silence with every shorter life: this one is the first that was answered."""
    return all(g.expired or ENDINGS.get(g.failure or "") == "timeout" for g in mine if _ttl(g) < _ttl(reset))
