"""The same stories on other networks: other ports and numbers, nearer and farther servers, more jitter. Same verdicts.

Whoever tunes a threshold to the samples as they are fails here.
"""

import importlib

import pytest

from captures.samples import recipe
from tests.samples.test_verdicts import KNOWN_GAPS, SINGLE, capture_of, complaints, expected, ident, report_on

__all__ = ["report_on"]

# These choose ports, or the moment that recording starts, by hand: elsewhere they would tell another story.
TIED_TO_THEIR_NETWORK = {"equal_cost_path", "insufficient_mid_flow"}
STORIES = [f for f in SINGLE if f.name not in KNOWN_GAPS and f.name not in TIED_TO_THEIR_NETWORK]


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "factor"), [(1000, 0.4), (2000, 2.5)], ids=["nearer", "farther"])
@pytest.mark.parametrize("folder", STORIES, ids=ident)
def test_a_story_is_judged_alike_on_another_network(folder, seed, factor, report_on, tmp_path, monkeypatch):
    class Elsewhere(recipe.Network):
        def __init__(self, number, **options):
            super().__init__(number + seed, **options)

        def line(self, server, *, rtt_s=0.080, hops=9, jitter_s=0.0004):
            # A host on the client's own link stays there.
            return super().line(server, rtt_s=rtt_s * factor, hops=hops + 2 * bool(hops), jitter_s=5 * jitter_s)

    monkeypatch.setattr(recipe, "Network", Elsewhere)
    importlib.import_module(f"captures.samples.{folder.name}.make").make(tmp_path)
    says = expected(folder)
    for target in says["targets"].values():
        # Packet numbers belong to the packets of the bundled capture.
        target.pop("packets", None)
    assert list(complaints(report_on(capture_of(tmp_path)), says)) == []
