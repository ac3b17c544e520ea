"""One sentence about a service by its roles: true, grammatical, and the same every time."""

from __future__ import annotations

from itertools import permutations

import pytest

from fingerprint.services.roles import ROLES
from fingerprint.services.sentences import sentence

SAID = [
    ({"web": "ok", "image": "blocked", "video": "blocked"}, "the web page loads; image and video hosts do not"),
    ({"web": "ok", "image": "slow", "video": "slow"}, "the web page loads; image and video hosts are slowed"),
    ({"web": "ok", "video": "down"}, "the web page loads; video hosts are down"),
    ({"web": "ok"}, "the web page loads"),
    ({"web": "blocked"}, "the web page is blocked"),
    ({"api": "ok", "image": "blocked"}, "the API works; image hosts do not"),
    ({"web": "ok", "api": "ok", "image": "blocked"}, "the web page and the API work; image hosts do not"),
    ({"web": "blocked", "api": "ok"}, "the API works; the web page does not"),
    (
        {"web": "ok", "image": "blocked", "video": "slow"},
        "the web page loads; video hosts are slowed; image hosts are blocked",
    ),
    (
        {"web": "ok", "image": "blocked", "video": "down"},
        "the web page loads; image hosts are blocked; video hosts are down",
    ),
    (
        {"web": "blocked", "image": "blocked", "video": "blocked", "live": "blocked"},
        "the web page, and image, video and live stream hosts are blocked",
    ),
    (
        {"web": "blocked", "api": "blocked", "short-link": "blocked", "image": "blocked"},
        "the web page, the API, image hosts and short links are blocked",
    ),
    ({"stun": "blocked", "turn": "blocked", "web": "ok"}, "the web page loads; STUN and TURN servers do not"),
    ({"web": "ok", "media": "unknown"}, "the web page loads; nothing is settled about media servers"),
    ({"web": "unknown"}, "nothing is settled about the web page"),
    ({"resolver": "down"}, "the resolver is down"),
    ({"karaoke": "blocked", "web": "ok"}, "the web page loads; karaoke hosts do not"),
    ({}, "nothing was seen of it"),
]


@pytest.mark.parametrize(("states", "says"), SAID)
def test_roles_of_equal_state_share_a_clause(states, says):
    assert sentence(states) == says


def test_down_is_never_said_in_the_words_of_blocked():
    assert "do not" not in sentence({"web": "ok", "image": "blocked", "video": "down"})
    assert "blocked" not in sentence({"web": "ok", "video": "down"})


def test_the_order_in_which_roles_were_seen_changes_nothing():
    states = {"web": "ok", "image": "blocked", "video": "blocked", "stun": "unknown"}
    assert len({sentence(dict(some)) for some in permutations(states.items())}) == 1


def test_a_state_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match="there is no state insufficient"):
        sentence({"web": "insufficient"})


@pytest.mark.parametrize("role", ROLES)
def test_every_role_of_the_vocabulary_can_be_spoken_of(role):
    assert ROLES[role].says.endswith(".")
    says = sentence({role: "blocked"})
    assert says.endswith((" are blocked", " is blocked"))
    assert ("is blocked" in says) != ROLES[role].many
