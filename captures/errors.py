"""What can go wrong, split by who can mend it."""

from __future__ import annotations


class FingerprintError(Exception):
    """The base of all: one lower-case sentence that ends with what to do."""


class CaptureError(FingerprintError, ValueError):
    """The file is at fault."""


class PrivilegeError(FingerprintError, PermissionError):
    """The machine is at fault: a capability or a tool is missing."""


class TargetError(FingerprintError, ValueError):
    """The request is at fault."""


class PluginError(FingerprintError, RuntimeError):
    """The plugin's author is at fault."""
