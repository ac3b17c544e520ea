"""Whether code asks the world for anything: files, sockets, programs, the clock, chance, the environment, a terminal.

What is forbidden is forbidden to the technique and to the analysis that it calls; the reader of captures and the
libraries below may do their own work. A call is noted with its line, and fails.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import logging
import os
import random
import secrets
import sys
import sysconfig
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any
from unittest import mock

import numpy as np

import captures
import fingerprint
from fingerprint import tables
from fingerprint.plugins import overdue

_STANDARD = (sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"], "<frozen ")
_PROJECT = str(Path(fingerprint.__file__).parent)
# They read captures and tables, and stop what does not end: all of them work for the engine.
_EXEMPT = (str(Path(captures.__file__).parent), str(Path(tables.__file__).parent), overdue.__file__, __file__)
_LIBRARIES = tuple(f"{os.sep}{name}{os.sep}" for name in ("numpy", "scipy", "dns", "h11", "cryptography"))
# Audit events (PEP 578) by how they begin.
_EVENTS = {
    "open": "opens a file", "socket.": "uses a socket", "subprocess.": "starts a program", "os.": "asks the system",
    "shutil.": "handles files", "urllib.": "fetches a page", "tempfile.": "makes a file", "glob.": "looks for files",
    "pathlib.": "looks for files", "builtins.input": "asks a person",
}  # fmt: skip
_CLOCKS = (
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "thread_time",
    "sleep", "localtime", "gmtime", "ctime",
)  # fmt: skip
_CHANCE = (
    "random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform", "gauss", "betavariate",
    "expovariate", "normalvariate", "triangular", "getrandbits", "randbytes", "seed",
)  # fmt: skip
_NUMPY_CHANCE = (
    "random", "rand", "randn", "randint", "choice", "shuffle", "permutation", "normal", "uniform", "seed",
    "random_sample", "poisson", "exponential",
)  # fmt: skip


class Impure(Exception):
    """Something that analysis may not ask for; it is noted as well, in case somebody catches this."""


_watching = threading.local()


def _heard(event: str, _args: tuple[Any, ...]) -> None:
    """The audit hook. It stays for as long as the process lives and costs one look while nobody watches."""
    noted: list[str] | None = getattr(_watching, "noted", None)
    if noted is None:
        return
    for beginning, says in _EVENTS.items():
        if event == beginning or (beginning.endswith(".") and event.startswith(beginning)):
            _refuse(noted, says)


def _refuse(noted: list[str], says: str) -> None:
    """Note and raise, if the technique or the analysis it called is behind it."""
    guilty = _behind(sys._getframe(2))  # noqa: SLF001  # who called is the question
    if guilty is not None:
        noted.append(f"{Path(guilty.f_code.co_filename).name}:{guilty.f_lineno} {says}")
        raise Impure(noted[-1])


def _behind(frame: FrameType | None) -> FrameType | None:
    """The nearest frame that is no standard library's, unless it works for the engine."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return None
        if file in _EXEMPT or file.startswith(tuple(f"{e}{os.sep}" for e in _EXEMPT)):
            return None
        if any(name in file for name in _LIBRARIES):
            return None
        ours = file.startswith(_PROJECT) or "site-packages" in file
        if ours or not file.startswith(_STANDARD):
            return frame
        frame = frame.f_back
    return None


def _forbidden(noted: list[str], real: Callable[..., Any], says: str) -> Callable[..., Any]:
    @wraps(real)
    def call(*args: Any, **kwargs: Any) -> Any:
        _refuse(noted, says)
        return real(*args, **kwargs)

    return call


def _seeded_only(noted: list[str], real: Callable[..., Any]) -> Callable[..., Any]:
    def made(*args: Any, **kwargs: Any) -> Any:
        if not args and not kwargs:
            _refuse(noted, "draws from chance without a seed")
        return real(*args, **kwargs)

    return made


def _replaced(noted: list[str]) -> Iterator[tuple[Any, str, Any]]:
    """(module or class, attribute, what stands there meanwhile)."""
    for name in _CLOCKS:
        yield time, name, _forbidden(noted, getattr(time, name), "asks the clock")
    for name in _CHANCE:
        yield random, name, _forbidden(noted, getattr(random, name), "draws from chance without a seed")
    for name in _NUMPY_CHANCE:
        yield np.random, name, _forbidden(noted, getattr(np.random, name), "draws from chance without a seed")
    yield np.random, "default_rng", _seeded_only(noted, np.random.default_rng)
    yield random, "Random", _seeded_only(noted, random.Random)
    for module, names in (
        (os, ("urandom",)),
        (uuid, ("uuid1", "uuid4")),
        (secrets, ("token_bytes", "token_hex", "randbelow", "randbits", "choice")),
    ):
        for name in names:
            yield module, name, _forbidden(noted, getattr(module, name), "draws from chance")
    yield type(os.environ), "__getitem__", _forbidden(noted, os.environ.__class__.__getitem__, "reads the environment")
    yield logging.Logger, "makeRecord", _forbidden(noted, logging.Logger.makeRecord, "writes a log")

    class Datetime(dt.datetime):
        now = classmethod(_forbidden(noted, lambda _kind, tz=None: _DATETIME.now(tz), "asks the clock"))
        utcnow = classmethod(_forbidden(noted, lambda _kind: _DATETIME.now(dt.UTC), "asks the clock"))
        today = classmethod(_forbidden(noted, lambda _kind: _DATETIME.now(), "asks the clock"))

    yield dt, "datetime", Datetime


_DATETIME = dt.datetime
_hooked: list[bool] = []


@contextlib.contextmanager
def pure(*modules: ModuleType | None) -> Iterator[list[str]]:
    """Forbid it all within; gives the list of what was tried nevertheless, ``file.py:12 asks the clock``.

    ``modules`` are those that may have imported a clock by name.
    """
    if not _hooked:
        sys.addaudithook(_heard)
        _hooked.append(True)
    noted: list[str] = []
    printed = io.StringIO()
    with contextlib.ExitStack() as stack:
        by_name = {}
        for home, name, instead in _replaced(noted):
            by_name[id(getattr(home, name))] = instead
            stack.enter_context(mock.patch.object(home, name, instead))
        for module in filter(None, modules):
            for name, thing in list(vars(module).items()):
                if id(thing) in by_name:
                    stack.enter_context(mock.patch.object(module, name, by_name[id(thing)]))
        stack.enter_context(contextlib.redirect_stdout(printed))
        _watching.noted = noted
        try:
            yield noted
        finally:
            _watching.noted = None
    if printed.getvalue():
        noted.append(f"prints {printed.getvalue().strip()[:40]!r}")
