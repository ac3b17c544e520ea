"""The table of techniques and mechanisms is what the code does: on paper, and on every sample."""

from __future__ import annotations

import json
import re
import runpy
from functools import cache
from pathlib import Path

import pytest

from fingerprint.plugins import registry
from fingerprint.plugins.carrying import carried
from fingerprint.technique import Clue, Technique
from fingerprint.testing.conformance import capture_of, convicted
from fingerprint.testing.named import named
from fingerprint.verdict import taxonomy

ROOT = Path(__file__).parents[1]
GENERATOR = ROOT / "docs" / "generate.py"
TECHNIQUES = dict(registry.load().techniques)
CONFORMANCE = json.loads((Path(__file__).parent / "techniques" / "conformance.json").read_text())
# Nodes that no clue names: what is left of a family when its other triggers are ruled out, and an address that is a
# known block page's, which takes a table of such addresses.
LEFT_OVER = {"tls.reset.other", "tls.timeout.other", "dns.injection.blockpage"}


@cache
def page() -> dict[str, dict[str, tuple[bool, bool]]]:
    """Node → technique → (opens, by name), as the page shows it."""
    rows = {}
    for line in runpy.run_path(str(GENERATOR))["finders"]():
        if cells := re.fullmatch(r"\| `(\S+)` \| (.*) \| (.*) \|", line):
            rows[cells[1]] = {
                link[1]: (opens, not link[2])
                for opens, cell in ((True, cells[2]), (False, cells[3]))
                for link in re.finditer(r"\[([a-z-]+)\]\(techniques/\1\.md\)(\\\*)?", cell)
            }
    return rows


@pytest.mark.skipif(not GENERATOR.exists(), reason="the documentation is not installed")
def test_the_page_has_a_row_for_every_node_and_says_what_the_clues_say():
    told = {node: {} for node in taxonomy.NODES}
    for known, technique in TECHNIQUES.items():
        for node, how in carried(technique).items():
            told[node][known] = (how.opens, how.by_name)
    assert page() == told


def test_every_node_is_found_by_somebody():
    found = {node for technique in TECHNIQUES.values() for node in carried(technique)}
    assert set(taxonomy.NODES) - found <= LEFT_OVER


@pytest.mark.parametrize("known", TECHNIQUES)
def test_what_a_technique_convicts_alone_stands_in_its_row(known, samples):
    told, it = carried(TECHNIQUES[known]), named(known)
    for sample in samples:
        for target, nodes in convicted(it, capture_of(sample)):
            stray = [node for node in nodes if node not in told or (not told[node].opens and node.count(".") < 2)]
            assert not stray, f"{known} finds {stray} for {target} in {sample.parent.name}"


@pytest.mark.parametrize("known", CONFORMANCE)
def test_the_kinds_that_it_is_said_to_carry_are_those_it_opens(known):
    opened = {".".join(node.split(".")[:2]) for node, how in carried(TECHNIQUES[known]).items() if how.opens}
    assert set(CONFORMANCE[known]["kinds"]) <= opened


def test_a_node_is_spoken_for_where_it_is_likelier_than_the_least_likely():
    class One(Technique):
        clues = (
            Clue(id="a", says="a", group="a", given={"tls.reset": 0.5, "tcp.reset": 0.01, "*": 0.01}, source="a"),
            Clue(id="b", says="b", group="b", given={"*.reset.sni": 0.5, "*.close": 0.5, "*": 0.01}, source="b"),
            Clue(id="c", says="c", group="c", given={}, source="c"),
        )

    told = {node: (how.opens, how.by_name) for node, how in carried(One).items()}
    assert told == {
        "tls.reset": (True, True),
        "tls.reset.sni": (False, False),
        "tls.close": (False, False),
        "http.close": (False, False),
        "quic.close": (False, False),
    }
