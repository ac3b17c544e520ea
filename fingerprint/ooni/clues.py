"""How likely each thing that a socket reports is, under each explanation.

Sockets tell nothing of who sent a packet, so that these are weaker than the clues of the techniques; what gives them
weight is the test helper, which did the same from elsewhere at the same time, and another name at the same address.
None of them was measured on labelled measurements: all are set by hand (n = 0) and print `uncalibrated`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from fingerprint.technique import Clue

# What the test helper found at the same time: it reached the service, nobody asked it, or it failed as well.
REACHED, UNASKED, FAILED = "reached", "unasked", "failed"
SAID = {
    REACHED: "the test helper reached it at the same time",
    UNASKED: "no test helper was asked",
    FAILED: "the test helper failed there too",
}
_SOURCE = "OONI, df-007 (what a failure means) and ts-017 (what the test helper does); set by hand"
# A filter at home or at work shows a page, or a certificate of its own, rather than a reset (Durumeric et al., NDSS
# 2017); a probe that it covers is rare, and is told by its network.
_FILTERS = ("corporate-proxy", "chosen-filter")

# Failure × what the helper found → likelihoods of the innocents. What the helper reached is up; it may still refuse
# this country's clients, which looks like a reset or silence as well (McDonald et al., IMC 2018: geo-blocking).
_RESET = {
    REACHED: {
        "server-refuses": 0.1, "ordinary": 0.005, "nat-timeout": 0.003, "captive-portal": 0.05, "local-network": 0.02,
        "capture-fault": 0.01, **dict.fromkeys(_FILTERS, 0.02), "innocent": 0.002, "*": 0.002,
    },
    UNASKED: {
        "server-refuses": 0.3, "ordinary": 0.02, "server-down": 0.05, "nat-timeout": 0.01, "captive-portal": 0.05,
        "local-network": 0.05, "capture-fault": 0.02, **dict.fromkeys(_FILTERS, 0.05), "innocent": 0.01, "*": 0.01,
    },
}  # fmt: skip
_TIMEOUT = {
    REACHED: {
        "server-refuses": 0.1, "server-down": 0.02, "path-failure": 0.2, "pmtu": 0.3, "loss": 0.02, "congestion": 0.02,
        "slow-access": 0.02, "split-tcp": 0.02, "nat-timeout": 0.005, "local-network": 0.05, "captive-portal": 0.02,
        "capture-fault": 0.02, **dict.fromkeys(_FILTERS, 0.05), "ordinary": 0.003, "innocent": 0.003, "*": 0.003,
    },
    UNASKED: {
        "server-refuses": 0.3, "server-down": 0.6, "path-failure": 0.3, "pmtu": 0.3, "loss": 0.05, "congestion": 0.05,
        "slow-access": 0.05, "split-tcp": 0.1, "nat-timeout": 0.01, "local-network": 0.1, "captive-portal": 0.05,
        "capture-fault": 0.05, **dict.fromkeys(_FILTERS, 0.1), "ordinary": 0.01, "innocent": 0.01, "*": 0.01,
    },
}  # fmt: skip
_CLOSE = {
    REACHED: {**_RESET[REACHED], "ordinary": 0.02, "split-tcp": 0.02},
    UNASKED: {**_RESET[UNASKED], "ordinary": 0.05, "server-down": 0.2},
}
# RFC 9293 section 3.10.7.1: a closed port answers with a reset, which a socket calls refused.
_REFUSED = {
    REACHED: {**_RESET[REACHED], "server-refuses": 0.3, "server-down": 0.05},
    UNASKED: {**_RESET[UNASKED], "server-refuses": 0.3, "server-down": 0.85},
}
# Whoever fails from two places fails for reasons of its own.
_BOTH = {"server-down": 0.9, "server-refuses": 0.03, "ordinary": 0.002, "innocent": 0.002, "*": 0.002}
_INNOCENTS = {"reset": _RESET, "timeout": _TIMEOUT, "close": _CLOSE, "refused": _REFUSED}
# SYNs carry no payload that could be looked at.
_NO_PAYLOAD = {
    "reset": {"tcp.reset.payload": 0.0001},
    "timeout": {"tcp.timeout.payload": 0.0001, "tcp.timeout.entropy": 0.0001},
}
_HOW = {
    "reset": "was reset", "timeout": "timed out", "close": "was closed in the middle", "refused": "was refused",
}  # fmt: skip


def _failing(action: str, control: str) -> Clue:
    innocents = _BOTH if control == FAILED else _INNOCENTS[action][control]
    blocked = 0.01 if control == FAILED else 0.9
    return Clue(
        id=f"socket-{action}-{control}",
        says=f"{{step}} with {{where}} {_HOW[action]}; {SAID[control]} (line {{line}})",
        group="socket",
        given={f"*.{action}": blocked, **_NO_PAYLOAD.get(action, {}), **innocents},
        source=_SOURCE,
    )


SOCKET: Mapping[tuple[str, str], Clue] = MappingProxyType(
    {(action, control): _failing(action, control) for action in _INNOCENTS for control in SAID}
)

FAILS_THERE_TOO = Clue(
    id="fails-for-the-helper-too",
    says="the request to {name} failed ({failure}), and so did the test helper's ({theirs}) (line {line})",
    group="socket",
    # Of all endings silence is the one that a failure without a name can always stand for.
    given={"*.timeout": 0.01, **_BOTH},
    source="ts-017: what fails from two places fails for its own reasons; set by hand",
)

_BY_NAME = ("reset", "timeout", "close", "alert")
_NAMED = {
    **{f"*.{action}": 0.02 for action in _BY_NAME},
    **{f"*.{action}.{leaf}": 0.9 for action in _BY_NAME for leaf in ("sni", "host")},
    # A Host that passes with its own path leaves open which of the two was minded.
    **{f"http.{action}.{leaf}": 0.3 for action in ("reset", "timeout") for leaf in ("path", "keyword")},
}


def _passing(control: str, refuses: float, where: str) -> Clue:
    return Clue(
        id=f"other-name-passes-here-{control}",
        says=f"{{control}} passes on {{where}}, {where}, and {{name}} does not ({{lines}})",
        group="name-pair",
        given={
            **_NAMED, "server-refuses": refuses, "path-failure": 0.3, "loss": 0.3, "server-down": 0.02,
            "split-tcp": 0.05, "pmtu": 0.05, "local-network": 0.02, "captive-portal": 0.01,
            **dict.fromkeys(_FILTERS, 0.8), "innocent": 0.1, "*": 0.01,
        },
        source="DESIGN: another name passes on the same address; a filter minds names as a censor does; set by hand",
    )  # fmt: skip


# A server that serves the helper this very name, and this client others, would have to choose by both.
PASSING: Mapping[str, Clue] = MappingProxyType(
    {
        REACHED: _passing(REACHED, 0.03, "from where the test helper is served"),
        UNASKED: _passing(UNASKED, 0.5, "which no test helper tried"),
        "foreign": _passing("foreign", 0.3, "where neither name need be served"),
    }
)
RESET_ON_THE_WAY = Clue(
    id="reset-on-the-way",
    says="{name} is reset with packets that live {hop} hops; with as many {control} dies on the way to {where}"
    " (line {line})",
    group="place",
    given={
        "*.reset": 0.8, **dict.fromkeys((*_FILTERS, "captive-portal", "split-tcp", "local-network"), 0.02),
        "path-failure": 0.002, "innocent": 0.0005, "*": 0.001,
    },
    source="RFC 791: what died on the way was read by nobody behind; OONI, ts-037; set by hand",
)  # fmt: skip
# Versions of ts-037 before `so_error` keep no report of a router: silence may be a line that was dead for a moment.
RESET_BEFORE_AN_ANSWER = Clue(
    id="reset-before-an-answer",
    says="{name} is reset with packets that live {hop} hops; {control} is answered at {where} with {far} and, from"
    " {hop} on, with no fewer (line {line})",
    group="place",
    given={
        "*.reset": 0.8, **dict.fromkeys((*_FILTERS, "captive-portal", "split-tcp", "local-network"), 0.05),
        "path-failure": 0.02, "loss": 0.05, "server-refuses": 0.05, "innocent": 0.02, "*": 0.02,
    },
    source="RFC 791: what died on the way was read by nobody behind; OONI, ts-037 before so_error; set by hand",
)  # fmt: skip
RESET_IN_THE_HOUSE = Clue(
    id="reset-in-the-house",
    says=RESET_ON_THE_WAY.says,
    group="place",
    given={
        **RESET_ON_THE_WAY.given, **dict.fromkeys((*_FILTERS, "captive-portal", "local-network"), 0.8),
    },
    source="as reset-on-the-way, no farther than a home or an office reaches; set by hand",
)  # fmt: skip
CERTIFICATE = MappingProxyType(
    {
        REACHED: Clue(
            id="certificate-not-believed-reached",
            says="a certificate for {name} at {where} is not believed ({failure}), the test helper's is (line {line})",
            group="certificate",
            given={
                "tls.mitm": 0.7, "ordinary": 0.02, "server-refuses": 0.02, "captive-portal": 0.5, "local-network": 0.1,
                "capture-fault": 0.3, "corporate-proxy": 0.7, "chosen-filter": 0.5, "innocent": 0.003, "*": 0.003,
            },
            source="OONI, ontology section 10: a probe's own list of authorities may be old; set by hand",
        ),
        UNASKED: Clue(
            id="certificate-not-believed-unasked",
            says="the certificate for {name} at {where} is not believed ({failure}); nobody else looked (line {line})",
            group="certificate",
            given={
                "tls.mitm": 0.7, "ordinary": 0.2, "server-refuses": 0.05, "captive-portal": 0.5, "local-network": 0.2,
                "capture-fault": 0.3, "corporate-proxy": 0.7, "chosen-filter": 0.5, "innocent": 0.01, "*": 0.01,
            },
            source="as certificate-not-believed-reached; set by hand",
        ),
        FAILED: Clue(
            id="certificate-not-believed-failed",
            says="the certificate for {name} at {where} is not believed ({failure}); the test helper was not served"
            " either (line {line})",
            group="certificate",
            given={"tls.mitm": 0.01, **_BOTH},
            source="as certificate-not-believed-reached; set by hand",
        ),
    }
)  # fmt: skip
