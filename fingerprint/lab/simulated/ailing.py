"""A web server whose service is down: what stands in front of it still answers, and says so."""

from __future__ import annotations

from fingerprint.lab.boxes import reading
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.tcp import Connection

# RFC 8446 section 6.2: a record of type alert, fatal, internal_error.
_INTERNAL_ERROR = bytes((21, 3, 3, 0, 2, 2, 80))
# RFC 9110 section 15.6.4.
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nServer: lab\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class AilingTls(App):
    """Every hello is answered with an alert, whomever it names."""

    def __init__(self) -> None:
        self._heard, self._answered = b"", False

    def received(self, connection: Connection, data: bytes) -> None:
        """Once the hello is whole, as a server does."""
        self._heard += data
        if not self._answered and reading.hello_is_whole(self._heard):
            self._answered = True
            connection.send(_INTERNAL_ERROR)
            connection.close()


class AilingWeb(App):
    """Every request is answered with 503."""

    def __init__(self) -> None:
        self._heard = b""

    def received(self, connection: Connection, data: bytes) -> None:
        """Once the request is whole."""
        self._heard += data
        if reading.request_is_whole(self._heard):
            connection.send(UNAVAILABLE)
            connection.close()
