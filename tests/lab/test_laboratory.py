"""The laboratory between namespaces: everybody is there, and answers from where they should."""

from __future__ import annotations

import json

import pytest

from fingerprint.lab import world
from fingerprint.lab.laboratory import Settings
from fingerprint.lab.world import Path as Way
from tests.lab.laboratories import as_client, needs_a_laboratory


@pytest.fixture(autouse=True)
def _laboratory():
    needs_a_laboratory()


SWEEP = """
import json, socket, sys
far, six, hops = sys.argv[1], ":" in sys.argv[1], int(sys.argv[2])
family, icmp = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if six else (socket.AF_INET, socket.IPPROTO_ICMP)
ear = socket.socket(family, socket.SOCK_RAW, icmp)
ear.settimeout(2)
heard = []
for ttl in range(1, hops + 1):
    out = socket.socket(family, socket.SOCK_DGRAM)
    level, option = (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if six else (socket.IPPROTO_IP, socket.IP_TTL)
    out.setsockopt(level, option, ttl)
    out.sendto(b"anybody there", (far, 33434))
    while True:
        packet, sender = ear.recvfrom(2048)
        kind = packet[0] if six else packet[20]
        if kind == (3 if six else 11):
            heard.append(sender[0])
            break
print(json.dumps(heard))
"""


@pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])
def test_every_router_answers_from_its_own_address(family):
    heard = json.loads(as_client(SWEEP, Settings(path=Way(hops=5, at=3)), world.SERVER_A[family], "5"))
    assert heard == [world.router(k)[family] for k in range(1, 6)]


ASK = """
import json, sys
import dns.message, dns.query, dns.exception
out = []
for resolver, name, rtype in json.loads(sys.argv[1]):
    try:
        answer = dns.query.udp(dns.message.make_query(name, rtype), resolver, timeout=1)
        out.append([answer.rcode().name, sorted(r.to_text() for s in answer.answer for r in s)])
    except dns.exception.Timeout:
        out.append(["silence", []])
print(json.dumps(out))
"""


def asked(settings, *questions):
    return json.loads(as_client(ASK, settings, json.dumps(questions)))


def test_resolvers_know_the_names_of_the_laboratory_and_deny_all_others():
    said = asked(
        Settings(),
        (world.RESOLVER[0], "forum.test", "A"),
        (world.PUBLIC_RESOLVER[0], "garden.test", "AAAA"),
        (world.RESOLVER[1], "nobody-ever-registered-this.example", "A"),
        (world.NO_RESOLVER[0], "garden.test", "A"),
    )
    assert said == [
        ["NOERROR", [world.SERVER_A[0]]],
        ["NOERROR", [world.SERVER_B[1]]],
        ["NXDOMAIN", []],
        ["silence", []],
    ]


def test_a_resolver_that_lies_lies_alone():
    said = asked(
        Settings(censor="dns-lying-resolver"),
        (world.RESOLVER[0], "forum.test", "A"),
        (world.PUBLIC_RESOLVER[0], "forum.test", "A"),
        (world.RESOLVER[0], "garden.test", "A"),
    )
    assert said[0][1] != [world.SERVER_A[0]]
    assert [said[1][1], said[2][1]] == [[world.SERVER_A[0]], [world.SERVER_B[0]]]


GREET = """
import json, socket, ssl, sys, time
out = []
context = ssl._create_unverified_context()
for address, name in json.loads(sys.argv[1]):
    started = time.monotonic()
    try:
        raw = socket.create_connection((address, 443), timeout=3)
        took = time.monotonic() - started
        with context.wrap_socket(raw, server_hostname=name) as tls:
            tls.sendall(f"GET / HTTP/1.1\\r\\nHost: {name}\\r\\nConnection: close\\r\\n\\r\\n".encode())
            out.append([tls.recv(15).decode(), took])
    except (OSError, ssl.SSLError) as error:
        out.append([type(error).__name__, None])
print(json.dumps(out))
"""


def greeted(settings, *pairs):
    return json.loads(as_client(GREET, settings, json.dumps(pairs)))


def test_both_web_servers_serve_any_name_over_both_families_at_the_distance_of_the_path():
    pairs = [(a, n) for a in (*world.SERVER_A, *world.SERVER_B) for n in ("forum.test", "any.example")]
    said = greeted(Settings(path=Way(before_s=0.01, behind_s=0.03)), *pairs)
    assert {words for words, _ in said} == {"HTTP/1.1 200 OK"}
    assert all(0.08 <= took < 0.2 for _, took in said)


def test_a_censor_on_the_wire_minds_its_name_and_no_other():
    said = greeted(
        Settings(censor="gfw-rst", residual_s=0.0),
        (world.SERVER_A[0], "herbs.test"), (world.SERVER_A[0], "forum.test"), (world.SERVER_B[0], "garden.test"),
    )  # fmt: skip
    assert [words for words, _ in said] == ["HTTP/1.1 200 OK", "ConnectionResetError", "HTTP/1.1 200 OK"]


def test_a_server_that_refuses_one_name_serves_the_others():
    said = greeted(
        Settings(censor="server-reset-name"), (world.SERVER_A[0], "forum.test"), (world.SERVER_A[0], "herbs.test")
    )
    assert [words for words, _ in said] == ["ConnectionResetError", "HTTP/1.1 200 OK"]


BOX = '''
"""Drops every packet of one connection's data."""
from fingerprint.lab.censor import Drop, Pass

class Deaf:
    """Swallows what clients say on port 443."""
    def inspect(self, packet, direction):
        return Drop() if packet.dport == 443 and packet.payload else Pass()
'''


def test_a_box_in_a_file_of_ones_own_stands_on_the_wire(tmp_path):
    (tmp_path / "deaf.py").write_text(BOX)
    said = greeted(Settings(censor=f"{tmp_path}/deaf.py:Deaf"), (world.SERVER_A[0], "herbs.test"))
    assert said[0][0] == "TimeoutError"
