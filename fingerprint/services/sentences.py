"""One sentence about a service by its roles: "the web page loads; image and video hosts do not"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fingerprint.services.roles import ROLES, Role

# State → what is said of one, and of many. The order is that of the clauses.
SAID = {
    "ok": ("works", "work"),
    "slow": ("is slowed", "are slowed"),
    "blocked": ("is blocked", "are blocked"),
    "down": ("is down", "are down"),
    "unknown": ("", ""),
}
# After "works", a bare denial says enough, as long as nothing else could be meant.
DENIED = ("does not", "do not")


def sentence(states: Mapping[str, str]) -> str:
    """What works of a service and what does not, without a capital or a full stop.

    ``states`` maps a role to ok, slow, blocked, down or unknown. Roles of equal state share a clause, in the order of
    the vocabulary; roles that it does not have come last. Raises ValueError for another state.
    """
    for role, state in states.items():
        if state not in SAID:
            raise ValueError(f"{role}: there is no state {state}; want one of {', '.join(SAID)}")
    groups = {state: _ordered(role for role in states if states[role] == state) for state in SAID}
    groups = {state: roles for state, roles in groups.items() if roles}
    plain = "ok" in groups and not {"slow", "down"} & set(groups)
    clauses = [_clause(state, roles, plain=plain) for state, roles in groups.items()]
    return "; ".join(clauses) or "nothing was seen of it"


def _clause(state: str, roles: Sequence[str], *, plain: bool) -> str:
    """``plain``: nothing is slowed or down here, and something works."""
    who, many = _subject(roles), len(roles) > 1 or _role(roles[0]).many
    if state == "unknown":
        return f"nothing is settled about {who}"
    if state == "ok" and roles == ("web",):
        return f"{who} loads"
    verbs = DENIED if state == "blocked" and plain else SAID[state]
    return f"{who} {verbs[many]}"


def _ordered(roles: object) -> tuple[str, ...]:
    places = {role: i for i, role in enumerate(ROLES)}
    return tuple(sorted(roles, key=lambda role: (places.get(role, len(places)), role)))  # type: ignore[call-overload]


def _subject(roles: Sequence[str]) -> str:
    """The roles as one subject, those of one head together: "the web page, image hosts and STUN servers"."""
    words: dict[str, list[str]] = {}
    for role in map(_role, roles):
        words.setdefault(role.head or role.word, []).append(role.word if role.head else "")
    parts = [f"{_listed(some)} {head}" if all(some) else head for head, some in words.items()]
    nested = any(" and " in part for part in parts)
    return _listed(parts, comma=nested)


def _role(role: str) -> Role:
    return ROLES.get(role) or Role(word=role, head="hosts", says="")


def _listed(parts: Sequence[str], *, comma: bool = False) -> str:
    """One, two or many; ``comma`` before "and" even where there are two only, because a part has an "and" itself."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])}{',' if comma else ''} and {parts[-1]}"


__all__ = ["sentence"]
