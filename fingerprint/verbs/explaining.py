"""``fingerprint techniques`` and ``fingerprint explain``: everything comes from the technique's own file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

from captures.errors import TargetError
from fingerprint import exits
from fingerprint.plugins import registry
from fingerprint.report import glossary, wording
from fingerprint.spelling import meant
from fingerprint.technique import Clue, Technique
from fingerprint.terminal import clean, complain, console, hang
from fingerprint.verdict import taxonomy


def list_techniques(plugins: Sequence[Path]) -> int:
    """One line a technique; broken ones on standard error, with exit code 3."""
    loaded = registry.load(plugins)
    out = console()
    wide = max((len(known) for known, _ in loaded.techniques), default=0)
    for known, technique in loaded.techniques:
        hang(out, f"{known:<{wide}}  ", registry.title(type(technique)))
    for failure in loaded.failures:
        complain(f"{failure.file}: {failure.error}")
    out.print()
    out.print("fingerprint explain ID shows one of them in full.", style="dim")
    return exits.PARTIAL if loaded.failures else exits.ANSWERED


def explain(word: str, plugins: Sequence[Path]) -> None:
    """The page on a technique or a clue, or what a word of a report means. Raises TargetError for another word."""
    loaded = registry.load(plugins)
    known = dict(loaded.techniques)
    clues = {clue.id: (owner, clue) for owner, technique in loaded.techniques for clue in technique.clues}
    if word in known:
        show_technique(word, known[word])
    elif word in clues:
        owner, clue = clues[word]
        console().print(f"A clue of {owner}: `fingerprint explain {owner}`")
        show_clue(clue)
    elif means := glossary.meaning(word):
        hang(console(), "", means)
    elif word in wording.LAYERS:
        show_layer(word)
    elif word in taxonomy.NODES:
        show_node(word)
    elif word in taxonomy.INNOCENTS:
        hang(console(), "", f"{word}: {taxonomy.INNOCENTS[word]}; an innocent explanation that every verdict must beat")
    else:
        every = (*known, *taxonomy.NODES, *taxonomy.INNOCENTS, *glossary.words(), *clues)
        listed = "`fingerprint techniques` lists what can be explained, beside mechanisms such as tls.reset.sni"
        raise TargetError(f"nothing is called {word!r} here; {meant(word, every) or listed}")


def show_technique(known: str, technique: Technique) -> None:
    """The docstring of its file, its thresholds, its clues."""
    out = console(sys.stdout)
    out.print(known, style="bold")
    out.print(clean_lines(registry.page(type(technique))), soft_wrap=True)
    if settings := thresholds(type(technique)):
        out.print("\nThresholds", style="bold")
        for name, default in settings:
            out.print(f"  --set {known}.{name}={default}", soft_wrap=True)
    out.print("\nClues, and P(seen | explanation)", style="bold")
    for clue in technique.clues:
        show_clue(clue)


def show_clue(clue: Clue) -> None:
    """One clue: id, sentence, likelihoods, where the numbers come from."""
    out = console(sys.stdout)
    out.print(f"  {clue.id}", style="cyan")
    out.print(f"    {clean(clue.says)}", soft_wrap=True)
    given = ", ".join(f"{hypothesis} {p:g}" for hypothesis, p in clue.given.items())
    basis = f"measured on {clue.n} captures" if clue.n else "uncalibrated"
    out.print(f"    {given or 'an observation: it moves no verdict'}", style="dim", soft_wrap=True)
    out.print(f"    {basis}: {clean(clue.source)}; group {clue.group}", style="dim", soft_wrap=True)


def thresholds(kind: type[Technique]) -> list[tuple[str, object]]:
    """The technique's own fields with their defaults."""
    return [(f.name, "" if f.default is MISSING else f.default) for f in fields(kind)]


def show_layer(layer: str) -> None:
    """A layer, and the mechanisms that show there."""
    out = console(sys.stdout)
    out.print(layer, style="bold")
    out.print(f"  where the interference showed: {wording.LAYERS[layer]}")
    hang(out, "  mechanisms: ", ", ".join(n for n in taxonomy.NODES if n.startswith(f"{layer}.")), "dim")


def show_node(node: str) -> None:
    """A mechanism, and what stands above and below it."""
    out = console(sys.stdout)
    out.print(node, style="bold")
    out.print(f"  {wording.how(node)}")
    for label, nodes in (("part of", taxonomy.ancestors(node)[1:]), ("more exactly", taxonomy.below(node)[1:])):
        if nodes:
            out.print(f"  {label}: {', '.join(nodes)}", style="dim")


def clean_lines(text: str) -> str:
    """Sanitised, its line breaks kept: a plugin's docstring is a stranger's text too."""
    return "\n".join(clean(line) for line in text.splitlines())
