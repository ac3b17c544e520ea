"""What is wrong with a technique's class before it has looked at anything, with the line to mend."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fingerprint.technique import Clue, Technique


def technique_id(kind: type[Technique]) -> str:
    """``DnsInjection`` is ``dns-injection``; ``TcpRstInjection`` is ``tcp-rst-injection``."""
    return technique_id_of(kind.__name__)


def technique_id_of(class_name: str) -> str:
    """The id that a class of this name has."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", class_name).lower()


def fault(kind: type[Technique], file: Path) -> str | None:
    """What is wrong with a technique's class, ``line 12: `` in front; None if nothing is."""
    if complaint := of_class(kind, file):
        return f"{class_line(kind)}{complaint}"
    for number, clue in enumerate(kind.clues):
        if complaint := of_clue(clue) or (twice(clue) if clue.id in {c.id for c in kind.clues[:number]} else None):
            return f"{clue_line(clue, file) or class_line(kind)}{complaint}"
    return None


def of_class(kind: type[Technique], file: Path) -> str | None:
    """What is wrong with the class itself."""
    if kind.analyse is Technique.analyse:
        return f"{kind.__name__} has no analyse(self, capture); it is the one method that a technique must have"
    for method, wanted in ((kind.analyse, "capture"), (kind.probe, "target")):
        if not takes_one(method):
            return f"{kind.__name__}.{method.__name__} must take (self, {wanted}), not {inspect.signature(method)}"
    if not dataclasses.is_dataclass(kind) or "__dataclass_fields__" not in vars(kind):
        return f"{kind.__name__} is no dataclass; write @dataclass(frozen=True, slots=True, kw_only=True) above it"
    bare = [f.name for f in dataclasses.fields(kind) if not has_default(f)]
    if bare:
        return f"{kind.__name__}.{bare[0]} has no default; every threshold needs one"
    if not isinstance(kind.clues, tuple) or not all(isinstance(clue, Clue) for clue in kind.clues):
        return f"{kind.__name__}.clues must be a tuple of Clue"
    if file.stem.replace("_", "-") != technique_id(kind):
        return f"{kind.__name__} is {technique_id(kind)!r} but the file is {file.name}; let the names agree"
    return None


def takes_one(method: Callable[..., Any]) -> bool:
    """Whether it can be called with one positional argument beside ``self``, and needs no other."""
    parameters = list(inspect.signature(method).parameters.values())
    return len(parameters) == 2 and all(p.kind not in (p.KEYWORD_ONLY, p.VAR_KEYWORD) for p in parameters)


def has_default(field: dataclasses.Field[Any]) -> bool:
    """Whether a field need not be given."""
    missing = dataclasses.MISSING
    return not field.init or field.default is not missing or field.default_factory is not missing


def of_clue(clue: Any) -> str | None:
    """What is wrong with a clue: what the sum of evidence could not be made with."""
    texts = {"id": clue.id, "says": clue.says, "group": clue.group, "source": clue.source}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            return f"clue {clue.id!r} has no {name}"
    if not isinstance(clue.given, Mapping):
        return f"clue {clue.id!r}: given must map explanations to probabilities"
    if clue.given and "*" not in clue.given:
        return f"clue {clue.id!r}: given has no '*', the probability under everything that it does not name"
    for hypothesis, p in clue.given.items():
        if not isinstance(hypothesis, str) or not isinstance(p, int | float) or not 0 < p <= 1:
            return f"clue {clue.id!r}: given[{hypothesis!r}] is {p!r}; want a probability above 0 and at most 1"
    return None


def twice(clue: Clue) -> str:
    """The complaint about an id that two clues have."""
    return f"two clues are called {clue.id!r}; an id names one"


def class_line(kind: type[Technique]) -> str:
    """``line 12: `` where the class begins; empty where nobody knows."""
    try:
        return f"line {inspect.getsourcelines(kind)[1]}: "
    except (OSError, TypeError):
        return ""


def clue_line(clue: Clue, file: Path) -> str:
    """``line 12: `` where the file makes that clue; empty where it cannot be seen."""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            said = [k.value.value for k in node.keywords if k.arg == "id" and isinstance(k.value, ast.Constant)]
            if said == [clue.id]:
                return f"line {node.lineno}: "
    return ""
