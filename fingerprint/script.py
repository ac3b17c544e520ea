"""The script of a run: what was sent and why. Written beside the capture, read again by the analysis if it is there.

It is optional knowledge and never a second code path: no finding rests on it, for it is a claim and no packet.
It tells which names were controls, when the recorder began and ended, and that a run was cut short.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SCHEMA = "fingerprint/script/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptStep:
    """One step that was performed. Times are nanoseconds since the epoch, by the recorder's clock."""

    number: int
    target: str
    technique: str
    label: str
    role: str
    seeks: str
    trial: int
    kind: str  # class of the message: Query, Hello, Transfer ...
    message: dict[str, Any]  # its fields; bytes as hex
    from_ns: int
    until_ns: int
    listen_s: float
    local_port: int | None
    outcome: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTarget:
    """A target as it was resolved before the first step."""

    name: str
    addresses: tuple[str, ...]
    port: int
    secure: bool
    path: str
    controls: tuple[tuple[str, tuple[str, ...]], ...]  # (name, addresses)
    resolvers: tuple[str, ...]
    seed: int
    stopped: str = ""  # why no more steps were taken: decided, budget, nothing left, interrupted
    packets: int = 0  # recorded for this target, both directions
    decided_after_pkts: int | None = None  # how many of them the verdict took


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """The whole run. ``partial`` says why it was cut short, None if it was not."""

    tool: str
    seed: int
    order: str  # adaptive or fixed
    hello: str  # which library made the ClientHellos: utls or stdlib
    recorder: str  # af-packet, dumpcap or simulated
    capture_all: bool
    residual_s: float
    began_ns: int
    ended_ns: int
    targets: tuple[ScriptTarget, ...]
    steps: tuple[ScriptStep, ...]
    partial: str | None = None
    errors: tuple[str, ...] = ()  # plugins that stopped probing, each with its file and line

    @property
    def homes(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Targets and controls with the addresses that they had before the first step."""
        return tuple(
            (name, addresses)
            for t in self.targets
            for name, addresses in ((t.name, t.addresses), *t.controls)
            if name not in addresses
        )

    @property
    def control_names(self) -> frozenset[str]:
        """Names that were sent as controls and are no target."""
        named = {name for t in self.targets for name, _ in t.controls}
        return frozenset(named - {t.name for t in self.targets})

    @property
    def made_up_names(self) -> frozenset[str]:
        """Names that a probe made up to ask a resolver for: nobody registered them, and nobody asks about them."""
        asked = {str(s.message["name"]) for s in self.steps if s.kind == "Query" and s.role == "control"}
        return frozenset(asked - self.control_names - {t.name for t in self.targets})


def path_of(capture: Path) -> Path:
    """Where the script of a capture lies: ``run.pcapng`` → ``run.script.json``."""
    return capture.with_name(capture.name.split(".pcap")[0] + ".script.json")


def beside(capture: Path) -> Path | None:
    """The script that lies beside a capture; in the folder of a sample it is called ``script.json``."""
    places = [path_of(capture)]
    if capture.name.split(".pcap")[0] == "capture":
        places.append(capture.with_name("script.json"))
    return next((place for place in places if place.is_file()), None)


def write(script: Script, path: Path) -> None:
    """Write it in one piece: whoever looks finds the whole script or the one before."""
    half = path.with_name(path.name + ".part")
    half.write_text(text(script), encoding="utf-8")
    half.replace(path)


def text(script: Script) -> str:
    """The script as a file holds it."""
    return json.dumps({"schema": SCHEMA, **asdict(script)}, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> Script:
    """Raises ValueError in one sentence for what is no script of this schema."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("schema") != SCHEMA:
            raise ValueError("another schema")  # noqa: TRY301  # one sentence for everything that does not fit
        targets = tuple(
            ScriptTarget(
                **{
                    **t,
                    "addresses": tuple(t["addresses"]),
                    "resolvers": tuple(t["resolvers"]),
                    "controls": tuple((name, tuple(addresses)) for name, addresses in t["controls"]),
                }
            )
            for t in document.pop("targets")
        )
        steps = tuple(ScriptStep(**s) for s in document.pop("steps"))
        errors = tuple(document.pop("errors", ()))
        script = Script(**document, targets=targets, steps=steps, errors=errors)
        _check(script)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, RecursionError) as error:
        raise ValueError(f"{path.name} is no script of {SCHEMA} ({error}); it is left out") from None
    return script


def _check(script: Script) -> None:
    """Raises TypeError where a field that the analysis reads is of another kind."""
    numbers = [script.began_ns, script.ended_ns, *(n for step in script.steps for n in (step.number, step.from_ns))]
    words = [*(name for t in script.targets for name, _ in t.controls), *(t.name for t in script.targets)]
    if not all(type(n) is int for n in numbers) or not all(isinstance(w, str) for w in [*words, script.partial or ""]):
        raise TypeError("a number or a name is none")
