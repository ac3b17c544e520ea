"""An incident made by hand: three services in six roles, four vantages, one evening, from samples that come with the tool.

What each cell shows was found by analysing a real sample; names, services and times are then written over it, so that a
page has real ladders, curves, evidence and alternatives to show. It is marked as a simulation, because it is one.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from hashlib import sha256
from importlib.resources import files

import captures
from fingerprint.accounts import Account
from fingerprint.incident.making import Knowledge, make
from fingerprint.report import as_dict
from fingerprint.report.numbers import timestamp
from fingerprint.vantages.vantage import Clock, Vantage
from fingerprint.verbs import analysing

S = 1_000_000_000
MINUTE = 60 * S
# 17 May 2020, 15:00 UTC.
START = 1_589_727_600 * S
SIMULATION = "an evening made by hand from samples"

VANTAGES = (
    Vantage(
        name="Alpha", provider="Alpha Broadband", asn=64500, country="PK", place="Lahore",
        clock=Clock(error_s=0.5, source="ntp"), simulated=SIMULATION,
    ),
    Vantage(name="Beta", provider="Beta Telecom", asn=64501, country="PK", clock=Clock(error_s=0.4), simulated=SIMULATION),
    Vantage(name="Gamma", provider="Gamma Mobile", asn=64502, country="PK", place="Karachi", simulated=SIMULATION),
    Vantage(name="VPN", provider="Hosting Nord", asn=64503, country="DE", clock=Clock(error_s=0.1), simulated=SIMULATION),
)  # fmt: skip
TITLES = {"chatter": "Chatter", "streamcast": "Streamcast", "meeting": "Meeting"}
ROLES = {
    "chatter": ("web", "image", "api"),
    "streamcast": ("web", "video"),
    "meeting": ("web",),
}
# Vantage → service → (sample, first round, last round) of what is not simply working.
HAPPENS = {
    "Alpha": {
        "chatter/web": ("sni_forged_reset", 12, 29), "chatter/image": ("sni_forged_reset_alone", 12, 29),
        "chatter/api": ("sni_ttl_sweep", 12, 29), "streamcast/web": ("sni_hello_dropped", 12, 29),
        "streamcast/video": ("throttled_policer", 12, 29), "meeting/web": ("server_sends_alert", 2, 6),
    },
    "Beta": {
        "chatter/web": ("dns_race", 12, 28), "chatter/image": ("dns_bogon", 12, 28), "chatter/api": ("dns_race", 13, 28),
        "streamcast/web": ("http_blockpage_injected", 12, 28), "streamcast/video": ("quic_sni_dropped", 12, 28),
        "meeting/web": ("server_sends_alert", 2, 6),
    },
    "Gamma": {
        "streamcast/video": ("throttled_shaper", 15, 36), "chatter/image": ("insufficient_snaplen", 10, 14),
        "meeting/web": ("server_sends_alert", 2, 6),
    },
    "VPN": {"meeting/web": ("server_sends_alert", 2, 6)},
}  # fmt: skip
ROUNDS, EVERY = 36, 10


@cache
def analysed(sample):
    """The document of a sample, ladders and curves included."""
    folder = files(captures) / "samples" / sample
    file = next(str(f) for f in folder.iterdir() if f.name.startswith("capture."))
    registry = analysing.registry((), (), ())
    return as_dict(analysing.judged([file], registry, jobs=1), pictures=True)


def of_state(sample, state):
    """The first target of that state."""
    return next(t for t in analysed(sample)["targets"] if t["state"] == state)


def renamed(value, old, new):
    """The same document with one name in place of another."""
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, list):
        return [renamed(v, old, new) for v in value]
    if isinstance(value, dict):
        return {k: renamed(v, old, new) for k, v in value.items()}
    return value


def name_of(service, role):
    return f"{'www' if role == 'web' else role}.{service}.test"


def target(service, role, vantage, number):
    """What a cell shows in one round."""
    sample, first, last = HAPPENS[vantage.name].get(f"{service}/{role}", ("", 1, 0))
    if first <= number <= last:
        found = next(t for t in analysed(sample)["targets"] if t["state"] != "ok")
    else:
        found = of_state("sni_forged_reset", "ok")
    name = name_of(service, role)
    at_ns = START + number * EVERY * MINUTE + (ord(vantage.name[0]) % 7) * 17 * S
    return {
        **renamed(deepcopy(found), found["target"], name),
        "service": service, "role": role, "vantage": None, "endpoints": [f"{address(service, role)}:443/tcp"],
        "first": timestamp(at_ns), "last": timestamp(at_ns + 20 * S), "worked": None, "failed": None,
    }  # fmt: skip


def address(service, role):
    digest = sha256(f"{service} {role}".encode()).digest()
    return f"{20 + digest[0] % 150}.{digest[1]}.{digest[2]}.{1 + digest[3] % 200}"


def control(vantage, number):
    found = deepcopy(of_state("sni_forged_reset", "ok"))
    at_ns = START + number * EVERY * MINUTE
    times = {"first": timestamp(at_ns), "last": timestamp(at_ns + 20 * S), "worked": None, "failed": None}
    return {**found, "target": "weather.test", "service": None, "role": "control", "vantage": None, **times}


def account(vantage, number):
    """One round at one vantage."""
    targets = [target(s, r, vantage, number) for s, roles in ROLES.items() for r in roles]
    targets.append(control(vantage, number))
    document = deepcopy(analysed("sni_forged_reset"))
    file = f"{vantage.name.lower()}-{number:02}.pcapng"
    sha = sha256(file.encode()).hexdigest()
    first, last = min(t["first"] for t in targets), max(t["last"] for t in targets)
    document["captures"][0].update(file=file, sha256=sha, first=first, last=last)
    document["targets"] = targets
    return Account(kind="packets", file=file, sha256=sha, document=document, vantage=vantage)


@cache
def accounts():
    return tuple(account(v, n) for v in VANTAGES for n in range(ROUNDS))


@cache
def incident():
    return make(accounts(), knowledge=Knowledge(titles=TITLES))
