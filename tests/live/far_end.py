"""Servers of the tests: each port does one thing, and all are gone when the block ends."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
import time

from tests.live.wires import inside

SILENT, RESETS, CLOSES, HTTP, HTTPS, SLOW, HTTPS_LONG, DEAF = 7001, 7002, 7003, 80, 443, 7004, 7005, 7006
GREETS, GREETS_AND_RESETS = 7007, 7008
LINGER_ZERO = struct.pack("ii", 1, 0)


def certificate(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "forum.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=9))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def page(conn, size=2000):
    heard = b""
    while b"\r\n\r\n" not in heard:
        part = conn.recv(65536)
        if not part:
            return
        heard += part
    size = int(heard.split(b" ")[1].rsplit(b"/", 1)[1] or size)
    conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    conn.sendall(bytes(size))


class FarEnd:
    """Listens in the server's namespace, IPv4 and IPv6."""

    def __init__(self, cable, folder):
        self.cable = cable
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate(folder))
        self.sockets = []
        self.held = []
        self.heard = []
        self.over = False

    def listen(self, port, serve):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("::", port))
        sock.listen(64)
        self.sockets.append(sock)

        def one(conn):
            with contextlib.suppress(OSError, ssl.SSLError, ValueError):
                serve(conn)

        def loop():
            while not self.over:
                try:
                    conn, _ = sock.accept()
                except OSError:
                    return
                self.held.append(conn)
                threading.Thread(target=one, args=(conn,), daemon=True).start()

        threading.Thread(target=loop, daemon=True).start()

    def datagrams(self, port, serve):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sock.bind(("::", port))
        self.sockets.append(sock)

        def loop():
            while True:
                try:
                    asked, who = sock.recvfrom(4096)
                except OSError:
                    return
                if self.over:
                    return
                serve(sock, asked, who)

        threading.Thread(target=loop, daemon=True).start()

    # What the ports do

    def silent(self, conn):
        while part := conn.recv(65536):
            self.heard.append(part)

    def resets(self, conn):
        conn.recv(65536)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        conn.close()

    def closes(self, conn):
        conn.recv(65536)
        conn.close()

    def greets(self, conn):
        conn.sendall(b"220 ready\r\n")
        self.silent(conn)

    def greets_and_resets(self, conn):
        conn.sendall(b"220 ready\r\n")
        self.resets(conn)

    def https(self, conn):
        if not conn.recv(1, socket.MSG_PEEK):
            return
        with self.tls.wrap_socket(conn, server_side=True, do_handshake_on_connect=False) as safe:
            safe.do_handshake()
            page(safe)

    def slow(self, conn):
        conn.recv(65536)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100):
            conn.sendall(bytes(100))
            time.sleep(0.05)

    def answer(self, sock, asked, who):
        import dns.message

        query = dns.message.from_wire(asked)
        for late, address in ((0.0, "10.10.34.34"), (0.1, "45.83.220.10")):
            time.sleep(late)
            reply = dns.message.make_response(query)
            name, rtype = query.question[0].name, query.question[0].rdtype
            value = address if rtype == 1 else "2a0e:97c0:220::10"
            import dns.rrset

            reply.answer.append(dns.rrset.from_text(name, 60, "IN", rtype, value))
            sock.sendto(reply.to_wire(), who)


@contextlib.contextmanager
def far_end(cable, folder):
    end = FarEnd(cable, folder)
    with inside(cable.server):
        end.listen(SILENT, end.silent)
        end.listen(RESETS, end.resets)
        end.listen(CLOSES, end.closes)
        end.listen(SLOW, end.slow)
        end.listen(GREETS, end.greets)
        end.listen(GREETS_AND_RESETS, end.greets_and_resets)
        end.listen(HTTP, page)
        end.listen(HTTPS, end.https)
        end.datagrams(53, end.answer)
        end.datagrams(DEAF, lambda *_: None)
    try:
        yield end
    finally:
        end.over = True
        for sock in end.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for conn in end.held:
            conn.close()
