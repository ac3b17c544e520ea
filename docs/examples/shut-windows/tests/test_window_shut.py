"""What window-shut promises, on three connections that are written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fingerprint.testing import Conversation, check_technique, written


def stalled(file: Path, *, window: int, times: int) -> Path:
    """A connection whose server repeats itself with that window, once in two seconds."""
    talk = Conversation(port=80)
    talk.opens()
    talk.asks(b"POST / HTTP/1.1\r\nHost: forum.test\r\n\r\n")
    talk.answers(b"HTTP/1.1 100 Continue\r\n\r\n")
    last = next(p for p in reversed(talk.packets) if p.source == talk.server)
    for number in range(times):
        talk.packets.append(replace(last, window=window, payload=b"", time_s=talk.at_s + 2.0 * (number + 1)))
    return written(file, talk.packets)


def test_it_keeps_what_every_technique_promises(tmp_path: Path) -> None:
    """Fires on a window that stays shut, is silent on an open one, and cannot tell after a moment."""
    check_technique(
        "window-shut",
        fires_on=[stalled(tmp_path / "shut.pcapng", window=0, times=5)],
        silent_on=[stalled(tmp_path / "open.pcapng", window=8192, times=5)],
        cannot_tell_on=[stalled(tmp_path / "briefly.pcapng", window=0, times=1)],
    )
