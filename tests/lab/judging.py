"""A live run behind a preset, and what its report is worth against `expected/*.json`, which were written first."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fingerprint import engine
from fingerprint.lab import world
from fingerprint.lab.laboratory import Settings, run
from fingerprint.lab.preset import Preset
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.world import Path as Way
from fingerprint.plugins import registry
from fingerprint.probing import engine as probing
from fingerprint.probing.plan import Plan
from fingerprint.report import as_dict
from fingerprint.script import path_of, write
from fingerprint.steps import Control, Target
from tests.lab import unseen

EXPECTED = Path(__file__).with_name("expected")
# Blocks of the laboratory last as long; the field's would take minutes each.
RESIDUAL_S = 2.0
# States that claim nothing.
OPEN = ("insufficient", "invalid", "down", "ok")


@cache
def expected() -> dict[str, Any]:
    groups = [json.loads(file.read_text()) for file in sorted(EXPECTED.glob("*.json"))]
    return {
        "presets": {name: want for group in groups for name, want in group.get("presets", {}).items()},
        "innocents": [name for group in groups for name in group["innocents"]],
        "asks": {name: asks for group in groups for name, asks in group.get("asks", {}).items()},
        "targets": {name: target for group in groups for name, target in group.get("targets", {}).items()},
    }


def asks(censor: str) -> tuple[str, ...]:
    """Techniques that send only when they are asked for by name, and are asked for behind this preset."""
    return tuple(expected()["asks"].get(censor, ()))


def target_of(censor: str) -> tuple[str, int]:
    """Whom a run behind this preset is about."""
    name, port = expected()["targets"].get(censor, (world.MINDED, 443))
    return str(name), int(port)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """``result``: exact, ancestor, open (nothing claimed), wrong, false-block or failed; None where not asked."""

    censor: str
    result: str
    nodes: tuple[str, ...]
    position: str | None = None
    position_right: bool | None = None
    hop: int | None = None
    hop_right: bool | None = None
    shape: str | None = None
    seconds: float = 0.0
    packets: int = 0
    decided_after_pkts: int | None = None
    says: str = ""

    @property
    def claims_wrong(self) -> bool:
        """Something was said that is not so; everything else that is not right merely says too little."""
        return self.result in ("wrong", "false-block") or self.position_right is False or self._misplaced

    @property
    def _misplaced(self) -> bool:
        return self.hop_right is False and self.hop is not None

    @property
    def right(self) -> bool:
        want = expected()["presets"].get(self.censor)
        good = ("exact", "ancestor", "open") if want is None or want.get("ancestors") else ("exact",)
        return self.result in good and self.position_right is not False and self.hop_right is not False


def live(censor: str, folder: Path, *, settings: Settings | None = None, seed: int = 1, extra: tuple[str, ...] = ()):
    """One `fingerprint run` as the client of a fresh laboratory: (report, script, recording, what it said, seconds)."""
    settings = replace(settings or Settings.of(censor), residual_s=RESIDUAL_S)
    recording, report = folder / "run.pcapng", folder / "report.json"
    name, port = target_of(censor)
    url = f"https://{name}/large" if port == 443 else f"https://{name}:{port}/large"
    command = [
        sys.executable, "-m", "fingerprint", "run", url, "--control", "garden.test",
        "--resolver", world.RESOLVER[0], "--resolver", world.PUBLIC_RESOLVER[0], "--yes",
        "--residual", str(RESIDUAL_S), "--seed", str(seed), "-w", str(recording), "--json", "-o", str(report),
        *(word for technique in asks(censor) for word in ("--technique", technique)), *extra,
    ]  # fmt: skip
    started = time.monotonic()
    done = run(command, settings, timeout_s=240)
    seconds = time.monotonic() - started
    made = json.loads(report.read_text()) if report.exists() else None
    beside = recording.with_name("run.script.json")
    script = json.loads(beside.read_text()) if beside.exists() else None
    return made, script, recording, done.stderr, seconds


def _hop_right(want: dict[str, Any], hop: int | None, at: int) -> bool | None:
    if want["hop"] is None or (hop is None and want.get("hop_may_stay_open")):
        return None
    return hop is not None and abs(hop - at) <= 1


async def simulated(censor: str | Preset, folder: Path, *, order: str = "adaptive", path: Way | None = None):
    """The same run on the simulated path: (script, recording, path)."""
    carrier = SimulatedCarrier(censor, path, residual_s=RESIDUAL_S, folder=folder)
    name, port = target_of(carrier.preset.name)
    lie = carrier.preset.servers.resolver_lies.get(name)
    target = Target(
        name=name, addresses=(*filter(None, [lie]), *world.NAMES[name]), port=port, path="/large",
        controls=(Control(name="garden.test", addresses=world.NAMES["garden.test"]),),
        resolvers=(world.RESOLVER[0], world.PUBLIC_RESOLVER[0]), seed=1, residual_s=RESIDUAL_S,
    )  # fmt: skip
    plan = Plan(
        targets=(target,),
        techniques=asks(carrier.preset.name),
        seed=1,
        residual_s=RESIDUAL_S,
        recorder="simulated",
        order=order,
    )
    script = await probing.probe(plan, carrier, registry.load())
    recording = await carrier.flush()
    write(script, path_of(recording))
    return script, recording, carrier.path


async def unseen_run(kind: str, seed: int, folder: Path) -> tuple[str, str, str]:
    """A run against something drawn from a seed: what it is, what the report is worth, and a line about it."""
    preset, want = unseen.censor(seed) if kind == "censor" else (unseen.innocent(seed), unseen.Want())
    _, recording, path = await simulated(preset, folder)
    report = as_dict(engine.analyse([str(recording)], techniques=registry.load()))
    result = unseen.worth(want, report, path.at)
    drawn = preset.name.rpartition(" ")[2] if kind == "censor" else kind
    said = [
        f"{t['target']}: {m['mechanism']} {m['position']} {(m['location'] or {}).get('link')}"
        for t in report["targets"] if t["state"] == "blocked" for m in t["mechanisms"]
    ]  # fmt: skip
    return drawn, result, f"{preset.name} behind {path.at} of {path.hops}: {', '.join(said) or 'nothing'}"


def judged(censor: str, report: dict[str, Any] | None, *, at: int, seconds: float = 0.0, says: str = "", script=None):
    """What a report is worth. ``at`` is the router behind which the box stands."""
    packets = sum(c["packets"] for c in report["captures"]) if report else 0
    decided = next((t["decided_after_pkts"] for t in script["targets"]), None) if script else None
    common: dict[str, Any] = {
        "censor": censor, "seconds": seconds, "packets": packets, "decided_after_pkts": decided, "says": says[-300:],
    }  # fmt: skip
    if report is None:
        return Outcome(result="failed", nodes=(), **common)
    blocked = [(t["target"], m) for t in report["targets"] if t["state"] == "blocked" for m in t["mechanisms"]]
    nodes = tuple(f"{name}: {m['mechanism']}" for name, m in blocked)
    want = expected()["presets"].get(censor)
    if want is None:
        return Outcome(result="false-block" if blocked else "open", nodes=nodes, **common)
    mine = (target_of(censor)[0], *world.NAMES[target_of(censor)[0]])
    if any(name not in mine and not want.get("everybody") for name, _ in blocked):
        return Outcome(result="false-block", nodes=nodes, **common)
    if not blocked:
        return Outcome(result="open", nodes=(), **common)
    blocked.sort(key=lambda b: b[0] not in mine)  # where everybody is blocked, only the target is placed
    found = {m["mechanism"] for _, m in blocked}
    above = {".".join(n.split(".")[:i]) for n in want["nodes"] for i in range(1, n.count(".") + 1)}
    exact = found & set(want["nodes"])
    result = "wrong" if found - set(want["nodes"]) - above else "exact" if exact else "ancestor"
    best = next((m for _, m in blocked if m["mechanism"] in exact), blocked[0][1])
    link = (best["location"] or {}).get("link")
    hop = link[0] if link else None
    return Outcome(
        result=result,
        nodes=nodes,
        position=best["position"],
        position_right=best["position"] in want["positions"] if result == "exact" else None,
        hop=hop,
        hop_right=_hop_right(want, hop, at) if result == "exact" else None,
        shape=best["shape"],
        **common,
    )
