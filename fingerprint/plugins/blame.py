"""Where in a plugin something went wrong: its own file and line, however deep in other code it showed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FunctionType, GeneratorType
from typing import Any

# Frames of these say where it was noticed, not where it went wrong.
_NOT_AT_FAULT = ("overdue.py", "contextlib.py")


def file_of(code: Callable[..., Any] | object) -> str | None:
    """The path of the file that a function, method or generator was written in; None where there is none."""
    if isinstance(code, GeneratorType):
        return code.gi_code.co_filename
    if isinstance(code, partial):
        return file_of(code.func)
    function = inspect.unwrap(getattr(code, "__func__", code)) if callable(code) else None
    return function.__code__.co_filename if isinstance(function, FunctionType) else None


def at(error: BaseException, file: str | None) -> str:
    """``stamped_reset.py:41``: the innermost line of ``file`` that the exception passed, else the innermost of all."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    guilty = [place for place in places if Path(place[0]).name not in _NOT_AT_FAULT] or places
    own = [place for place in guilty if place[0] == file]
    path, line = (own or guilty or [("an unknown place", 0)])[-1]
    return f"{Path(path).name}:{line}"


def stands_at(steps: object, file: str | None) -> str:
    """``stamped_reset.py:41``: where a generator waits just now; empty for another iterator."""
    place = ""
    while isinstance(steps, GeneratorType) and steps.gi_frame is not None:
        frame = steps.gi_frame
        if not place or frame.f_code.co_filename == file:
            place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
        steps = steps.gi_yieldfrom
    return place


def said(error: BaseException) -> str:
    """An exception as half a sentence, on one line."""
    words = " ".join(str(error).split())
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
