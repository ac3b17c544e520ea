"""An end for what has none: code of a plugin that does not come back is stopped, and says where it stood.

The time that counts is the processor's, so that a busy machine stops nobody; a plugin that sleeps is told by the ticks
in which it was looked at, so that a machine that stood still (a lid that was closed, a paused guest) stops nobody. In
the main thread a timer interrupts, elsewhere a second thread does. Neither reaches into a function written in C that
never looks up: such a loop ends with the process.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

# How often it is looked whether the time is up.
TICK_S = 0.25
# Who neither computes nor returns for so many times what he may compute sleeps or waits for something.
WALL_RATIO = 3.0


class Overdue(BaseException):
    """The time is up. No Exception, so that ``except Exception`` in a plugin's loop does not swallow it."""


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raise `Overdue` in the code within once it has computed for that many seconds.

    It is raised only in code that was called from within, never in the frame of the ``with`` statement itself, so that
    whoever catches it around the statement catches it always.
    """
    signalled = threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer")
    with (_by_signal if signalled else _by_thread)(_clock(seconds), sys._getframe(2)):  # noqa: SLF001  # the caller's frame
        yield


def _clock(seconds: float) -> Callable[[], bool]:
    """Whether the time of the thread that asked for this is up; any thread may call it, once a tick."""
    computing = time.process_time
    if hasattr(time, "pthread_getcpuclockid"):  # not everywhere; other threads count where it is missing
        computing = partial(time.clock_gettime, time.pthread_getcpuclockid(threading.get_ident()))
    began_s, looks = computing(), 0

    def up() -> bool:
        nonlocal looks
        looks += 1
        return computing() - began_s >= seconds or looks * TICK_S >= seconds * WALL_RATIO

    return up


@contextmanager
def _by_signal(up: Callable[[], bool], outside: FrameType) -> Iterator[None]:
    """SIGALRM comes every tick; a loop that swallows even `Overdue` is stopped at its next line, in its own handler."""
    raised = 0

    def look(_number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if frame is None or not _within(frame, outside) or not up():
            return
        raised += 1
        if raised > 1:
            _raise_at_next_line(frame, outside)
        raise Overdue

    before = signal.signal(signal.SIGALRM, look)
    left_s, every_s = signal.setitimer(signal.ITIMER_REAL, TICK_S, TICK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, left_s, every_s)
        signal.signal(signal.SIGALRM, before)


def _within(frame: FrameType, outside: FrameType) -> bool:
    """Whether the frame was called from ``outside``, and is not of this module or of `contextlib` on its behalf."""
    if frame is outside or frame.f_code.co_filename in (__file__, contextmanager.__code__.co_filename):
        return False
    step = frame.f_back
    while step is not None and step is not outside:
        step = step.f_back
    return step is outside


def _raise_at_next_line(frame: FrameType, outside: FrameType) -> None:
    def trace(_frame: FrameType, event: str, _told: Any) -> Any:
        if event == "line":
            raise Overdue
        return trace

    step: FrameType | None = frame
    while step is not None and step is not outside:
        step.f_trace = trace
        step = step.f_back
    sys.settrace(trace)


@contextmanager
def _by_thread(up: Callable[[], bool], _outside: FrameType) -> Iterator[None]:
    """A second thread looks every tick and has `Overdue` raised in this one."""
    over, mine = threading.Event(), threading.get_ident()
    turn = threading.Lock()

    def look() -> None:
        while not over.wait(TICK_S):
            with turn:
                if not over.is_set() and up():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(mine), ctypes.py_object(Overdue))

    watcher = threading.Thread(target=look, name="overdue", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        with turn:
            over.set()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(mine), None)
        watcher.join()
