"""Targets of a report as tests ask for them."""

from __future__ import annotations


def only(targets, name="news.example"):
    """The one target of that name; there must be no second run."""
    assert len(targets[name]) == 1
    return targets[name][0]


def nodes(target):
    """The nodes that are claimed of it."""
    return [m["mechanism"] for m in target["mechanisms"]]
