"""HTTP in the clear: a client that asks for one page and a server that has it."""

from __future__ import annotations

from captures.samples.recipe_tcp import App, Connection

PAGE = b"<!doctype html><html><head><title>Welcome</title></head><body>" + b"<p>An ordinary page.</p>" * 40

LEGAL = (
    b"<!doctype html><html><head><title>Unavailable</title></head><body><h1>Not available in your country</h1>"
    b"<p>We cannot show this page to visitors from your country for legal reasons.</p></body></html>"
)


def response(status: str, body: bytes, *headers: str) -> bytes:
    """A whole response with its length."""
    head = [f"HTTP/1.1 {status}", "Server: nginx", "Content-Type: text/html", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


class HttpClient(App):
    """GET, read to the length, close."""

    def __init__(self, name: str, path: str = "/") -> None:
        self.name, self.path, self.heard = name, path, b""

    def opened(self, connection: Connection) -> None:
        """Ask."""
        lines = (
            f"GET {self.path} HTTP/1.1",
            f"Host: {self.name}",
            "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
            "Accept: text/html,application/xhtml+xml",
            "Accept-Language: en-US,en;q=0.5",
            "Connection: keep-alive",
        )
        connection.send("\r\n".join([*lines, "", ""]).encode())

    def received(self, connection: Connection, data: bytes) -> None:
        """Close when the body is whole."""
        self.heard += data
        head, gap, body = self.heard.partition(b"\r\n\r\n")
        length = next(
            (int(x.split(b":")[1]) for x in head.split(b"\r\n") if x.lower().startswith(b"content-length")), 0
        )
        if gap and len(body) >= length:
            connection.close()


class HttpServer(App):
    """Has a page for every host; `manners` may say reset, hang, forbidden, unavailable or upgrade for some, or "*"."""

    def __init__(self, manners: dict[str, str] | None = None) -> None:
        self.manners, self.heard = manners or {}, b""

    def received(self, connection: Connection, data: bytes) -> None:
        """Answer a whole request."""
        self.heard += data
        if b"\r\n\r\n" not in self.heard:
            return
        host = next(x[5:].strip() for x in self.heard.split(b"\r\n") if x.startswith(b"Host:")).decode()
        self.heard = b""
        match self.manners.get(host, self.manners.get("*")):
            case "reset":
                connection.abort()
            case "hang":
                pass
            case "forbidden":
                connection.send(response("403 Forbidden", b"<html><body><h1>403 Forbidden</h1></body></html>"))
            case "unavailable":
                connection.send(response("451 Unavailable For Legal Reasons", LEGAL))
            case "upgrade":
                connection.send(response("301 Moved Permanently", b"", f"Location: https://{host}/"))
            case _:
                connection.net.at(0.008, lambda: connection.send(response("200 OK", PAGE)))
