"""A box that speaks for the server: who signed what the client is shown, and what the server hears of it."""

import ssl

import pytest
from cryptography import x509

from fingerprint.lab.chain import Chain
from fingerprint.lab.packet import RST
from fingerprint.lab.presets import preset
from fingerprint.lab.simulated.host import Host
from fingerprint.lab.simulated.network import Network
from fingerprint.lab.simulated.programs import App
from fingerprint.lab.simulated.web import TlsApp
from fingerprint.lab.world import CLIENT, SERVER_A, Path, Servers


class Browser(App):
    def __init__(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        self.shaken, self.page = False, b""

    def opened(self, connection):
        self.go_on(connection)

    def received(self, connection, data):
        self.incoming.write(data)
        self.go_on(connection)

    def go_on(self, connection):
        try:
            if not self.shaken:
                self.tls.do_handshake()
                self.shaken = True
                self.tls.write(b"GET /large HTTP/1.1\r\nHost: x.test\r\n\r\n")
            while len(self.page) < 400_000:
                self.page += self.tls.read(65_536)
        except ssl.SSLWantReadError:
            pass
        if self.outgoing.pending:
            connection.send(self.outgoing.read())


@pytest.mark.parametrize("version", [0, 1], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize(
    ("name", "issuer"), [("forum.test", "CN=State Trust Network"), ("herbs.test", "CN=laboratory.test")]
)
def test_a_minded_name_is_shown_a_certificate_of_the_states_root(name, issuer, version):
    network = Network(Path(), Chain(preset("kazakhstan-mitm").boxes(0.0)))
    client, server = Host(network, CLIENT), Host(network, SERVER_A)
    heard = []
    server.listening[443] = lambda: TlsApp(Servers())
    network.receivers[SERVER_A[version]] = lambda p: (heard.append(p), server.receive(p))
    browser = Browser(name)
    client.connect(SERVER_A[version], 443, browser)
    network.clock.run(5.0)
    shown = x509.load_der_x509_certificate(browser.tls.getpeercert(binary_form=True))
    assert shown.issuer.rfc4514_string() == issuer
    assert len(browser.page) >= 400_000
    taken_over = any(p.flags & RST for p in heard) and not any(p.payload for p in heard)
    assert taken_over is (name == "forum.test")
