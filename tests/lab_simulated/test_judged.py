"""What the analysis makes of simulated recordings: plain pairs of steps, without the engine's order."""

import asyncio

import pytest

from fingerprint.engine import analyse
from fingerprint.lab.presets import PRESETS
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import NO_RESOLVER, PUBLIC_RESOLVER, RESOLVER, SERVER_A, SERVER_B
from fingerprint.plugins import registry
from fingerprint.steps import Hello, Query, Request, Transfer

MINDED = {
    "gfw-rst-i": ("tls.reset.sni", "on-path"),
    "gfw-rst-ii": ("tls.reset.sni", "on-path"),
    "gfw-rst-iii": ("tls.reset.sni", "on-path"),
    "gfw-rst": ("tls.reset.sni", "on-path"),
    "henan": ("tls.reset.sni", "on-path"),
    "turkmenistan-rst": ("tls.reset.sni", "on-path"),
    "airtel": ("tls.reset.sni", "on-path"),
    "packetlogic": ("tls.reset.sni", "on-path"),
    "tspu-sni-4": ("tls.timeout.sni", "in-path"),
    "kazakhstan-timeout": ("tls.timeout.sni", "in-path"),
    "sni-drop": ("tls.timeout.sni", "in-path"),
    "gfw-dns-1": ("dns.injection.other", "on-path"),
    "gfw-dns-2": ("dns.injection.other", "on-path"),
    "gfw-dns-3": ("dns.injection.other", "on-path"),
    "turkmenistan-dns": ("dns.injection.bogon", "on-path"),
    "iran-dns": ("dns.injection.bogon", "on-path"),
    "sni-shaper": ("tls.throttle.sni", "in-path"),
}
TECHNIQUES = registry.load()


def verdict(preset, folder, *, version=0):
    """Two pairs of hellos and of transfers, and of queries at three places, control first."""
    carrier = SimulatedCarrier(preset, folder=folder, residual_s=2.0, seed=1)
    here, there = SERVER_A[version], SERVER_B[version]

    async def go():
        for _ in range(2):
            for name, address in (("garden.test", there), ("herbs.test", here), ("forum.test", here)):
                for resolver in (RESOLVER, PUBLIC_RESOLVER, NO_RESOLVER):
                    rtype = ("A", "AAAA")[version]
                    await carrier.perform(Query(resolver=resolver[version], name=name, rtype=rtype), listen_s=2.0)
                await carrier.perform(Hello(address=address, name=name), listen_s=5.0)
                await carrier.perform(Request(address=address, host=name), listen_s=3.0)
                await carrier.wait(3.0)
            for name in ("herbs.test", "forum.test"):
                message = Transfer(address=here, name=name, path="/large", size_bytes=1_500_000, seconds=8.0)
                await carrier.perform(message, listen_s=8.0)
                await carrier.wait(3.0)
        return await carrier.flush()

    report = analyse([str(asyncio.run(go()))], techniques=TECHNIQUES)
    assert not report.errors
    return {v.target: v for v in report.verdicts}


@pytest.mark.parametrize(
    ("preset", "version"),
    [(preset, 0) for preset in MINDED] + [(preset, 1) for preset in ("gfw-rst-ii", "tspu-sni-4", "gfw-dns-3")],
)
def test_a_censor_is_told_by_mechanism_and_position_and_only_for_its_name(preset, version, tmp_path):
    found = verdict(preset, tmp_path, version=version)
    minded = found["forum.test"]
    node, position = MINDED[preset]
    assert minded.state == "blocked", minded
    assert (node, position) in {(m.node, m.position) for m in minded.mechanisms}
    assert all(found[name].state != "blocked" for name in ("herbs.test", "garden.test"))


@pytest.mark.parametrize("preset", [p.name for p in PRESETS.values() if p.kind == "innocent"])
def test_an_innocent_is_never_called_a_censor(preset, tmp_path):
    assert all(v.state != "blocked" for v in verdict(preset, tmp_path).values())
