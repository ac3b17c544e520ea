"""A technique behind a box on the simulated path: probed, recorded and judged in virtual time, unprivileged."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from fingerprint import engine
from fingerprint.lab import laboratory, world
from fingerprint.lab.censor import Box
from fingerprint.lab.preset import Preset
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.plugins import registry
from fingerprint.probing import engine as probing
from fingerprint.probing.plan import Plan
from fingerprint.script import path_of, write
from fingerprint.steps import Control, Target
from fingerprint.technique import Technique
from fingerprint.testing.named import Named, named
from fingerprint.verdict.model import Failure, Report

# Blocks on the simulated path last as long as this; the field's would only make the recording longer.
RESIDUAL_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Some techniques, as the engine wants them."""

    techniques: Sequence[tuple[str, Technique]]
    failures: Sequence[Failure] = ()


def run_behind(
    box: Box | Callable[[], Box] | Preset | str,
    technique: Technique | type[Technique] | str | Path | None = None,
    *,
    on_path: bool = False,
    path: world.Path | None = None,
    secure: bool = True,
    page: str = "/large",
    seed: int = 1,
    folder: Path | None = None,
) -> Report:
    """The report on what a technique's probe records behind a box that stands on the way to ``forum.test``.

    ``box`` is a box, a class of boxes, a preset, the name of one of `fingerprint lab list`, or ``FILE.py:NAME``.
    ``on_path`` puts it beside the path, where it injects and cannot drop. The control is ``garden.test`` on another
    server. ``technique`` is one that is installed, by its id, or a file, class or object; it judges alone what it and
    the techniques whose steps it reads have sent. Without one, all that are installed take part. ``secure=False`` asks
    for plain HTTP.
    ``folder`` keeps the recording and its script. May be called while an event loop runs.
    """
    if folder is None:
        with TemporaryDirectory(prefix="fingerprint-behind-") as kept:
            return run_behind(
                box, technique, on_path=on_path, path=path, secure=secure, page=page, seed=seed, folder=Path(kept)
            )
    alone = None if technique is None else named(technique)
    preset = preset_of(box, on_path=on_path)
    work = _probed(preset, alone, path, _target(preset, secure=secure, page=page, seed=seed), folder)
    with ThreadPoolExecutor(1) as apart:  # a loop of its own, whether or not one runs here
        recording = apart.submit(asyncio.run, work).result()
    judges = registry.load() if alone is None else Chosen(techniques=((alone.id, alone.technique),))
    return engine.analyse([str(recording)], techniques=judges)


def blocked(report: Report) -> dict[str, tuple[str, ...]]:
    """Names that a report calls blocked, each with its mechanisms in alphabetical order."""
    return {v.target: tuple(sorted(m.node for m in v.mechanisms)) for v in report.verdicts if v.state == "blocked"}


def preset_of(box: Box | Callable[[], Box] | Preset | str, *, on_path: bool = False) -> Preset:
    """A preset with that box alone."""
    match box:
        case Preset():
            return box
        case str():
            return laboratory.chosen(box)
    return Preset(
        name="box",
        says=inspect.getdoc(box) or "A box.",
        source="a test",
        on_path=on_path,
        boxes=lambda _: (_made(box),),
    )


def _made(box: Box | Callable[[], Box]) -> Box:
    """The box itself, or a fresh one of its class."""
    if isinstance(box, type) or not hasattr(box, "inspect"):
        made: Box = box()
        return made
    return box


def _target(preset: Preset, *, secure: bool, page: str, seed: int) -> Target:
    lie = preset.servers.resolver_lies.get(world.MINDED)
    return Target(
        name=world.MINDED,
        addresses=(*filter(None, [lie]), *world.NAMES[world.MINDED]),
        port=443 if secure else 80,
        secure=secure,
        path=page,
        controls=(Control(name="garden.test", addresses=world.NAMES["garden.test"]),),
        resolvers=(world.RESOLVER[0], world.PUBLIC_RESOLVER[0]),
        seed=seed,
        residual_s=RESIDUAL_S,
    )


async def _probed(preset: Preset, alone: Named | None, path: world.Path | None, target: Target, folder: Path) -> Path:
    carrier = SimulatedCarrier(preset, path, seed=target.seed, residual_s=RESIDUAL_S, folder=folder)
    asked = (alone.id,) if alone else ()
    plan = Plan(targets=(target,), techniques=asked, seed=target.seed, residual_s=RESIDUAL_S, recorder="simulated")
    script = await probing.probe(plan, carrier, Chosen(techniques=_lenders(alone)))
    recording = await carrier.flush()
    write(script, path_of(recording))
    return recording


def _lenders(alone: Named | None) -> Sequence[tuple[str, Technique]]:
    """The technique, and the installed ones whose steps it may read."""
    installed = registry.load().techniques
    if alone is None:
        return installed
    return (*(pair for pair in installed if pair[0] != alone.id), (alone.id, alone.technique))
