"""The wire between namespaces, and the servers behind it: delay, loss, order, rate, and what a box can do from where."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from fingerprint.lab import world
from fingerprint.lab.laboratory import Settings
from fingerprint.lab.world import Path as Way
from tests.lab.laboratories import as_client, needs_a_laboratory


@pytest.fixture(autouse=True)
def _laboratory():
    needs_a_laboratory()


BOXES = '''
from fingerprint.lab.censor import Direction, Drop, Inject
from fingerprint.lab.censor import Pass
from fingerprint.lab.preset import Preset

class Resets:
    """Answers each SYN in the server's name, and would like to drop it."""
    def inspect(self, packet, direction):
        if packet.flags & 0x12 != 2:
            return Pass()
        reset = packet.with_(source=packet.destination, destination=packet.source, sport=packet.dport,
                             dport=packet.sport, seq=0, ack=packet.end, flags=0x14, options=b"")
        return Inject(((reset, Direction.TO_CLIENT),), drop=True)

class Greedy:
    """Would like to drop everything."""
    def inspect(self, packet, direction):
        return Drop()

class Looks:
    """Reads every packet and lets it pass."""
    def inspect(self, packet, direction):
        return Pass()

BESIDE = Preset(name="beside", says="Greedy, beside the path.", source="test", on_path=True, boxes=lambda _: (Greedy(),))
'''
CONNECT = """
import json, socket, sys, time
began = time.monotonic()
try:
    socket.create_connection((sys.argv[1], 443), timeout=1.5).close()
    outcome = "connected"
except OSError as error:
    outcome = type(error).__name__
print(json.dumps([outcome, time.monotonic() - began]))
"""


@pytest.fixture
def box(tmp_path):
    (tmp_path / "boxes.py").write_text(BOXES)
    return lambda name: f"{tmp_path}/boxes.py:{name}"


def connected(settings, address=world.SERVER_A[0]):
    return json.loads(as_client(CONNECT, settings, address))


def test_beside_the_path_a_box_cannot_drop(box):
    assert connected(Settings(censor=box("BESIDE")))[0] == "connected"


def test_in_the_path_it_can(box):
    assert connected(Settings(censor=box("Greedy")))[0] == "TimeoutError"


@pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])
def test_what_a_box_injects_comes_from_where_it_stands(box, family):
    way = Way(before_s=0.03, behind_s=0.2)
    outcome, took = connected(Settings(censor=box("Resets"), path=way), world.SERVER_A[family])
    assert outcome == "ConnectionRefusedError"
    assert 0.06 <= took < 0.2


ECHO = """
import json, os, select, socket, struct, sys, time
address, count, gap = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])

def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF

ear = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)  # of what is lost, nothing shall be lost here
sent, heard = {}, []
until = None
while until is None or time.monotonic() < until:
    if len(sent) < count:
        body = struct.pack("!BBHHH", 8, 0, 0, 7, len(sent)) + bytes(56)
        ear.sendto(body[:2] + struct.pack("!H", checksum(body)) + body[4:], (address, 0))
        sent[len(sent)] = time.monotonic()
    elif until is None:
        until = time.monotonic() + 0.5
    while select.select([ear], [], [], gap)[0]:
        packet = ear.recv(2000)
        if packet[20] == 0:
            number = struct.unpack_from("!H", packet, 26)[0]
            heard.append([number, time.monotonic() - sent[number]])
print(json.dumps(heard))
"""


def echoes(way, count=100, gap_s=0.002):
    return json.loads(as_client(ECHO, Settings(path=way), world.SERVER_A[0], str(count), str(gap_s)))


def test_a_round_trip_takes_twice_the_way_to_a_millisecond():
    times = sorted(took for _, took in echoes(Way(before_s=0.012, behind_s=0.03)))
    assert times[0] >= 0.084
    assert times[len(times) // 2] < 0.086


def test_what_the_path_loses_is_lost_at_its_ratio_on_both_ways():
    heard = echoes(Way(loss_ratio=0.2, before_s=0.001, behind_s=0.001), count=400, gap_s=0.0005)
    assert 0.55 < len(heard) / 400 < 0.73  # 0.64 arrive, three standard deviations are 0.07


def test_nothing_is_lost_and_order_is_kept_where_the_path_does_not_say_so():
    numbers = [number for number, _ in echoes(Way(), count=400, gap_s=0.0)]
    assert numbers == list(range(400))


def test_packets_that_are_held_back_are_overtaken():
    numbers = [number for number, _ in echoes(Way(reorder_ratio=0.1, reorder_s=0.01), count=300)]
    assert sorted(numbers) == list(range(300))
    late = sum(a > b for a, b in pairwise(numbers))
    assert 20 < late < 110


FETCH = """
import json, socket, ssl, sys, time
name, size, upload = sys.argv[1], int(sys.argv[2]), len(sys.argv) > 3
with socket.create_connection((sys.argv[1] if ":" in name else socket.gethostbyname(name), 443), timeout=20) as raw:
    with ssl._create_unverified_context().wrap_socket(raw, server_hostname=name) as tls:
        if upload:
            tls.sendall(f"POST /up HTTP/1.1\\r\\nHost: {name}\\r\\nContent-Length: {size}\\r\\n\\r\\n".encode())
            began = time.monotonic()
            tls.sendall(bytes(size))
            answer = tls.recv(20).decode()
        else:
            tls.sendall(f"GET /large HTTP/1.1\\r\\nHost: {name}\\r\\n\\r\\n".encode())
            answer, began = tls.recv(15).decode(), time.monotonic()
            while size > 0:
                size -= len(tls.recv(65536))
        print(json.dumps([answer, time.monotonic() - began]))
"""


def test_a_rate_holds_both_ways_over_tls():
    slow = Settings(path=Way(rate_bps=4e6, queue_bytes=60_000, before_s=0.002, behind_s=0.003))
    for direction in ([], ["up"]):
        answer, took = json.loads(as_client(FETCH, slow, "garden.test", "1000000", *direction))
        assert answer.startswith("HTTP/1.1 200")
        assert 1.7 < took < 3.5  # 2 s, and headers, less what the buffers of a sender swallow at once


def test_a_limit_of_the_server_is_for_its_name_alone():
    limited = Settings.of("server-limit")
    took = [json.loads(as_client(FETCH, limited, name, "150000"))[1] for name in ("forum.test", "herbs.test")]
    assert took[0] > 4 * took[1]
    assert 1.5 < took[0] < 6.0


CONGESTION = """
import socket, subprocess, sys
with socket.create_connection((sys.argv[1], 80)) as mine:
    mine.sendall(b"GET /large HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    mine.recv(1)
    here = mine.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\\0").decode()
    far = subprocess.run(["ip", "netns", "exec", "far", "ss", "-tinH", "sport", "80"], capture_output=True, text=True)
    print(here, *sorted({word for word in far.stdout.split() if word in ("cubic", "bbr", "reno")}))
"""


@pytest.mark.parametrize("name", ["cubic", "bbr"])
def test_both_ends_use_the_congestion_control_that_was_asked_for(name):
    said = [as_client(CONGESTION, Settings(congestion=name), address) for address in world.SERVER_A]
    assert said == [f"{name} {name}\n"] * 2


HTTP3 = """
import asyncio, ssl, sys
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived
from aioquic.quic.configuration import QuicConfiguration

class Client(QuicConnectionProtocol):
    def quic_event_received(self, event):
        for said in self.http.handle_event(event) if hasattr(self, "http") else ():
            if isinstance(said, DataReceived):
                self.heard += said.data
                if said.stream_ended:
                    self.whole.set()

async def main(address):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="forum.test", verify_mode=ssl.CERT_NONE)
    async with connect(address, 443, configuration=configuration, create_protocol=Client) as client:
        client.http, client.heard, client.whole = H3Connection(client._quic), b"", asyncio.Event()
        stream = client._quic.get_next_available_stream_id()
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"forum.test"), (b":path", b"/")]
        client.http.send_headers(stream, head, end_stream=True)
        client.transmit()
        await asyncio.wait_for(client.whole.wait(), 8)
        print(len(client.heard))

asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("address", [world.SERVER_A[0], world.SERVER_B[1]])
def test_a_server_speaks_http3_where_it_was_asked_to(address):
    assert int(as_client(HTTP3, Settings(quic=True), address)) > 5_000


SERVICES = """
import socket, ssl, struct, sys
address = sys.argv[1]
family = socket.AF_INET6 if ":" in address else socket.AF_INET

def udp(port, words):
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.connect((address, port))
        try:
            sock.send(words)
            return len(sock.recv(2048))
        except (TimeoutError, ConnectionRefusedError) as error:
            return type(error).__name__

def tcp(port, words):
    with socket.create_connection((address, port), 1) as sock:
        sock.settimeout(0.4)
        sock.sendall(words)
        try:
            return sock.recv(2048)[:8]
        except TimeoutError:
            return "silent"

stun = struct.pack("!HHI", 1, 0, 0x2112A442) + bytes(12)
print(udp(3478, stun), udp(8801, b"x"), udp(51820, b"x"), udp(4444, b"x"), tcp(22, b"SSH-2.0-Go\\r\\n"), tcp(8388, b"x" * 99))
"""


@pytest.mark.parametrize(("address", "bound"), [(world.SERVER_A[0], 32), (world.SERVER_B[1], 44)])
def test_the_other_services_answer_where_they_were_asked(address, bound):
    said = as_client(SERVICES, Settings(quic=False), address)
    assert said.split() == [str(bound), "96", "96", "ConnectionRefusedError", "b'SSH-2.0-'", "silent"]


PAGES = """
import http.client, sys
for host in sys.argv[2:]:
    there = http.client.HTTPConnection(sys.argv[1], 80, timeout=3)
    there.request("GET", "/", headers={"Host": host})
    page = there.getresponse().read()
    print(len(page), page.split(b"<title>")[1].split(b"<")[0].decode().split()[-1])
"""


def test_each_name_has_its_own_page():
    said = as_client(PAGES, Settings(quic=False), world.SERVER_A[0], "herbs.test", "Forum.test", "elsewhere.example")
    assert said.split() == ["6000", "herbs.test", "6000", "forum.test", "6000", "nobody"]


OPEN = """
import socket, sys
for end in sys.argv[1:]:
    address, _, port = end.rpartition(",")
    try:
        socket.create_connection((address, int(port)), 3).close()
        print("open")
    except ConnectionRefusedError:
        print("refused")
"""


def test_a_closed_port_is_refused_by_its_server_alone():
    ends = [
        f"{a},{p}"
        for a, p in zip((*world.SERVER_A, *world.SERVER_B, world.SERVER_A[0]), (443,) * 4 + (80,), strict=True)
    ]
    said = as_client(OPEN, Settings(censor="server-port-closed", quic=False), *ends)
    assert said.split() == ["refused", "refused", "open", "open", "open"]


ENCRYPTED_DNS = """
import socket, ssl, sys
context = ssl.create_default_context()
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
for port in (443, 853):
    with socket.create_connection((sys.argv[1], port), 2) as plain:
        with context.wrap_socket(plain, server_hostname="lookup.test") as sock:
            print(sock.version())
"""


def test_the_public_resolver_listens_for_encrypted_dns():
    assert as_client(ENCRYPTED_DNS, Settings(), world.PUBLIC_RESOLVER[0]).split() == ["TLSv1.3", "TLSv1.3"]


COST = """
import glob, json, subprocess, sys
def wire():
    out = {}
    for file in glob.glob("/proc/[0-9]*/stat"):
        fields = open(file).read().rpartition(")")[2].split()
        if fields[1] == "1":
            out[file] = int(fields[11]) + int(fields[12])
    return out
before = wire()
exec(sys.argv[1], {"__name__": "fetch"})
after = wire()
print(json.dumps(max(after[f] - before.get(f, 0) for f in after)))
"""


@pytest.mark.slow
def test_one_core_carries_a_hundred_megabits_a_second_past_a_box(box):
    """Counted in the wire's own seconds, for other tests take their share of the clock."""
    size = 40_000_000
    code = (
        FETCH.replace("sys.argv[1]", repr("garden.test"))
        .replace("int(sys.argv[2])", str(size))
        .replace("len(sys.argv) > 3", "False")
    )
    said = as_client(COST, Settings(censor=box("Looks")), code)
    ticks = json.loads(said.splitlines()[-1])
    assert size * 8 / (ticks / 100) > 100e6
