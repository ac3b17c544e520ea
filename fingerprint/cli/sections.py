"""The verbs by what somebody wants to do, in the order in which they are met: the list that ``--help`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from typer.core import TyperGroup

SECTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Begin": ("demo", "doctor"),
        "Judge captures": ("analyse", "incident", "evidence", "crosscheck", "convert"),
        "Measure": ("probe", "run", "watch", "forget"),
        "Look things up": ("explain", "techniques", "services", "injectors", "signatures"),
        "Make and try": ("new-technique", "lab"),
    }
)
VERBS = tuple(verb for verbs in SECTIONS.values() for verb in verbs)


class Verbs(TyperGroup):
    """A group whose help has headings."""

    # Any: typer names click's classes by another module from version to version.
    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Every verb under its heading."""
        wide = max(map(len, VERBS))
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                limit = formatter.width - wide - 6
                formatter.write_dl([(f"{v:<{wide}}", self.commands[v].get_short_help_str(limit)) for v in verbs])
