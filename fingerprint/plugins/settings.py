"""Thresholds given on the command line: ``--set dns-injection.listen_s=5`` replaces a field of the technique."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from typing import Any, Union, get_args, get_origin, get_type_hints

from captures.errors import TargetError
from fingerprint.technique import Technique

YES_NO = {"yes": True, "true": True, "on": True, "1": True, "no": False, "false": False, "off": False, "0": False}


def apply(technique_id: str, kind: type[Technique], settings: Mapping[str, str]) -> Technique:
    """The technique with its own fields replaced. Raises TargetError for a field or value that does not fit."""
    types_of = get_type_hints(kind)
    fields = {f.name: types_of[f.name] for f in dataclasses.fields(kind)}
    given: dict[str, Any] = {}
    for setting, text in settings.items():
        owner, _, field = setting.partition(".")
        if owner != technique_id:
            continue
        if field not in fields:
            known = ", ".join(fields) or "none"
            raise TargetError(f"--set {setting}: {technique_id} has no such setting; it has {known}")
        try:
            given[field] = convert(text, fields[field])
        except ValueError as error:
            raise TargetError(f"--set {setting}={text}: {error}") from None
    return kind(**given)


def convert(text: str, wanted: Any) -> Any:
    """``text`` as the annotated type: int, float, bool, str, a tuple of these, or None where that is allowed.

    Raises ValueError saying what is wanted.
    """
    origin = get_origin(wanted)
    if origin in (Union, types.UnionType):
        kinds = [k for k in get_args(wanted) if k is not type(None)]
        return None if text.lower() == "none" and len(kinds) < len(get_args(wanted)) else convert(text, kinds[0])
    if origin is tuple:
        return tuple(convert(part.strip(), get_args(wanted)[0]) for part in text.split(",") if part.strip())
    if wanted not in READ:
        raise ValueError("this one cannot be set from the command line")
    read, words = READ[wanted]
    try:
        return read(text)
    except (ValueError, KeyError):
        raise ValueError(f"want {words}") from None


def whole(text: str) -> int:
    """A whole number, underscores and 0x allowed."""
    return int(text, 0)


READ: dict[Any, tuple[Callable[[str], Any], str]] = {
    int: (whole, "a whole number"),
    float: (float, "a number"),
    bool: (lambda text: YES_NO[text.lower()], "yes or no"),
    str: (str, "text"),
}
