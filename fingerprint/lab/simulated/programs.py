"""What a program may do with a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fingerprint.lab.simulated.tcp import Connection


class App:
    """What a program does with a connection; every method may be left as it is."""

    def opened(self, connection: Connection) -> None:
        """The handshake is complete."""

    def received(self, connection: Connection, data: bytes) -> None:
        """Bytes arrived in order."""

    def drained(self, connection: Connection) -> None:
        """There is room to write more."""

    def ended(self, connection: Connection) -> None:
        """The other end sent FIN; the polite answer is to close as well."""
        connection.close()

    def broken(self, connection: Connection, why: str) -> None:
        """A reset arrived (``reset``, ``refused``), ICMP said no (``unreachable``), or we gave up (``time``)."""
