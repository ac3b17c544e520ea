"""Packets at rest: captures read into columns, and the way back from a row to its bytes.

>>> from captures import inputs, read
>>> for path in inputs(["captures/samples"]):  # doctest: +SKIP
...     recording = read(path)
"""

from __future__ import annotations

from captures.columns import COLUMNS, Columns, Flows, Mark, State
from captures.errors import CaptureError, FingerprintError, PluginError, PrivilegeError, TargetError
from captures.files import inputs
from captures.packet import Icmp, Ip, Malformed, Packet, Tcp, Udp
from captures.reading import core_in_use, read
from captures.recording import Interface, Recording, Source

__all__ = [
    "COLUMNS",
    "CaptureError",
    "Columns",
    "FingerprintError",
    "Flows",
    "Icmp",
    "Interface",
    "Ip",
    "Malformed",
    "Mark",
    "Packet",
    "PluginError",
    "PrivilegeError",
    "Recording",
    "Source",
    "State",
    "TargetError",
    "Tcp",
    "Udp",
    "core_in_use",
    "inputs",
    "read",
]
