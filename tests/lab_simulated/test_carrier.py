"""The carrier of a simulated path: every message, what it replies, what it records."""

import asyncio
import time

import pytest

import captures
from fingerprint.lab.packet import ACK, FIN, RST, SYN, parse
from fingerprint.lab.presets import PRESETS
from fingerprint.lab.simulated import icmp
from fingerprint.lab.simulated.carrier import SimulatedCarrier
from fingerprint.lab.simulated.clock import EPOCH_NS
from fingerprint.lab.world import (
    CLIENT,
    NO_RESOLVER,
    PUBLIC_RESOLVER,
    RESOLVER,
    SERVER_A,
    SERVER_B,
    Path,
    router,
)
from fingerprint.probing import crafting
from fingerprint.steps import FORMS, Crafted, Decoy, Handshake, Hello, Query, Request, Transfer


class Run:
    """One carrier, its replies and what passed the client's interface."""

    def __init__(self, preset, folder, **how):
        self.carrier = SimulatedCarrier(preset, folder=folder, **how)
        self.seen = []
        tap = self.carrier.network.tap

        def see(packet):
            self.seen.append((self.carrier.clock.now_ns / 1e9, packet))
            tap(packet)

        self.carrier.network.tap = see

    def do(self, message, listen_s=3.0):
        return asyncio.run(self.carrier.perform(message, listen_s=listen_s))

    def wait(self, seconds):
        asyncio.run(self.carrier.wait(seconds))

    def sent(self):
        return [(at, p) for at, p in self.seen if p.source in CLIENT]

    def flush(self):
        return asyncio.run(self.carrier.flush())


@pytest.fixture
def run(tmp_path):
    return lambda preset="none", **how: Run(preset, tmp_path, **how)


VERSIONS = pytest.mark.parametrize("version", [0, 1], ids=["IPv4", "IPv6"])


@VERSIONS
def test_every_kind_of_message_is_answered_on_a_path_without_boxes(run, version):
    path = run()
    server = SERVER_A[version]
    for message in (
        Handshake(address=server), Hello(address=server, name="herbs.test"), Request(address=server, host="herbs.test"),
        Transfer(address=server, name="herbs.test", path="/large", size_bytes=300_000),
        Transfer(address=server, name="herbs.test", path="/large", size_bytes=300_000, upload=True),
        Transfer(address=server, name="herbs.test", port=80, secure=False, path="/large", size_bytes=300_000),
    ):  # fmt: skip
        replies = path.do(message)
        assert (replies.outcome, replies.took_s) == ("answered", pytest.approx(0.05, abs=0.001)), message
        if isinstance(message, Transfer):
            assert (replies.sent_bytes if message.upload else replies.received_bytes) >= 300_000
            assert replies.span_s > 0


@VERSIONS
@pytest.mark.parametrize("over", ["udp", "tcp"])
def test_resolvers_know_the_names_and_where_nobody_lives_nobody_answers(run, version, over):
    path, rtype = run(), ("A", "AAAA")[version]
    for resolver in (RESOLVER[version], PUBLIC_RESOLVER[version]):
        assert path.do(Query(resolver=resolver, name="garden.test", rtype=rtype, over=over)).answers == (
            SERVER_B[version],
        )
        never = path.do(Query(resolver=resolver, name="never.test", rtype=rtype, over=over))
        assert (never.outcome, never.answers) == ("answered", ())
    silent = path.do(Query(resolver=NO_RESOLVER[version], name="garden.test", over=over))
    assert silent.outcome == ("silent" if over == "udp" else "unanswered")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_hello_is_understood_by_the_server(run, form):
    assert run().do(Hello(address=SERVER_A[0], name="herbs.test", form=form)).passed


def test_a_hello_limited_in_hops_goes_no_farther_but_its_handshake_does(run):
    path = run()
    replies = path.do(Hello(address=SERVER_A[0], name="herbs.test", ttl_hops=3), listen_s=4.0)
    assert (replies.outcome, replies.answers) == ("silent", (router(3)[0],))
    sent = path.sent()
    assert [p.ttl for _, p in sent[:2]] == [64, 64], "SYN and ACK"
    hellos = [(at, p) for at, p in sent if p.payload]
    assert len(hellos) >= 4, "repeated by the client's own backoff"
    assert hellos[-1][0] - hellos[0][0] > 2
    assert {p.ttl for _, p in sent[2:]} == {3}
    assert sent[-1][1].flags & RST, "and forgotten at the end, within the same limit"


def test_a_handshake_limited_in_hops_is_refused_by_the_router(run):
    replies = run().do(Handshake(address=SERVER_A[0], ttl_hops=2))
    assert (replies.outcome, replies.answers) == ("unreachable", (router(2)[0],))


def test_a_query_limited_in_hops_names_its_routers(run):
    path = run()
    heard = [path.do(Query(resolver=PUBLIC_RESOLVER[0], name="garden.test", ttl_hops=n)) for n in range(1, 6)]
    assert [r.answers for r in heard] == [(router(n)[0],) for n in range(1, 5)] + [(SERVER_B[0],)]


def test_an_icmp_error_quotes_what_was_sent(run):
    path = run()
    path.do(Hello(address=SERVER_A[0], name="herbs.test", ttl_hops=2), listen_s=0.2)
    hello = next(p for _, p in path.sent() if p.payload)
    kind, about = next(told for _, p in path.seen if (told := icmp.quoted(p)))
    assert kind == "expired"
    assert (about.flow, about.seq, about.ip_id, about.ttl) == (hello.flow, hello.seq, hello.ip_id, 1)


def test_a_decoy_lies_on_the_wire_where_the_real_hello_will(run):
    path = run()
    decoyed = Hello(address=SERVER_A[0], name="herbs.test", decoy=Decoy(name="forum.test", ttl_hops=3))
    assert path.do(decoyed).outcome == "answered", "it dies before the server"
    decoy, real = [p for _, p in path.sent() if p.payload][:2]
    assert (decoy.seq, len(decoy.payload), decoy.ttl, real.ttl) == (real.seq, len(real.payload), 3, 64)
    assert b"forum.test" in decoy.payload
    assert b"herbs.test" in real.payload
    for hops, outcome in ((2, "answered"), (3, "reset")):
        message = Hello(address=SERVER_A[0], name="herbs.test", decoy=Decoy(name="forum.test", ttl_hops=hops))
        assert run("gfw-rst-i").do(message).outcome == outcome


def test_a_dropped_hello_is_repeated_at_least_four_times_over_two_seconds(run):
    path = run("sni-drop")
    assert path.do(Hello(address=SERVER_A[0], name="forum.test"), listen_s=4.0).outcome == "silent"
    times = [at for at, p in path.sent() if p.payload]
    assert len(times) >= 5
    assert times[-1] - times[0] > 2


def test_a_conversation_that_is_done_ends_with_fins_and_no_reset(run):
    path = run()
    path.do(Hello(address=SERVER_A[0], name="herbs.test"))
    path.wait(1.0)
    flags = [p.flags for _, p in path.seen]
    assert not any(f & RST for f in flags)
    assert sum(bool(f & FIN) for f in flags) == 2


def test_crafted_packets_go_as_they_are(run):
    path = run()
    ends = crafting.Ends(destination=SERVER_A[0], dport=443)
    replies = path.do(Crafted(packets=(crafting.syn(ends, seq=7),), address=SERVER_A[0]), listen_s=1.0)
    assert (replies.outcome, replies.took_s) == ("answered", pytest.approx(0.05, abs=0.001))
    syn, syn_ack, reset = [p for _, p in path.seen][:3]
    assert (syn.seq, syn_ack.flags, reset.flags) == (7, SYN | ACK, RST), "no socket knows it: the kernel resets"
    port = path.do(
        Crafted(packets=(crafting.syn(crafting.Ends(destination=SERVER_A[0], dport=81), seq=7),), address=SERVER_A[0])
    )
    assert port.outcome == "refused"


def test_a_handshake_in_user_space_is_not_reset_by_the_kernel(run):
    path = run()
    ends = crafting.Ends(destination=SERVER_A[0], dport=80)
    ask = b"GET / HTTP/1.1\r\nHost: herbs.test\r\n\r\n"
    packets = (crafting.syn(ends, seq=100), crafting.segment(ends, seq=101, ack=0, payload=ask))
    replies = path.do(Crafted(packets=packets, address=SERVER_A[0], user_space=True), listen_s=1.0)
    assert replies.outcome == "answered"
    assert replies.received_bytes > 6_000
    assert [p.flags for _, p in path.sent()].count(RST) == 1, "our own, at the end"


def test_a_wrong_checksum_deceives_a_box_and_no_server(run):
    for preset, outcome in (("none", "silent"), ("gfw-rst-i", "reset")):
        path = run(preset)
        ends = crafting.Ends(destination=SERVER_A[0], dport=443)
        opening = b"GET / HTTP/1.1\r\nHost: forum.test\r\n\r\n"
        good = crafting.segment(ends, seq=101, ack=0, payload=opening)
        bad = bytearray(good)
        bad[36] ^= 0x55
        message = Crafted(packets=(crafting.syn(ends, seq=100), bytes(bad)), address=SERVER_A[0], user_space=True)
        assert path.do(message, listen_s=1.0).outcome == outcome


def test_the_recording_is_what_the_interface_saw_and_witnesses_its_end(run):
    path = run()
    path.do(Query(resolver=NO_RESOLVER[0], name="garden.test"), listen_s=2.0)
    first = path.flush()
    path.do(Hello(address=SERVER_A[0], name="herbs.test"))
    path.wait(1.5)
    file = path.flush()
    assert file == first
    recording = captures.read(file)
    packets = [recording.packet(row) for row in range(len(recording.columns))]
    assert recording.ended_ns == path.carrier.now_ns() > packets[-1].time_ns + 10**9
    assert len(packets) == len(path.seen)
    assert packets[0].time_ns == EPOCH_NS
    assert [p.time_ns for p in packets] == [EPOCH_NS + round(at * 1e9) for at, _ in path.seen]


def told(path):
    """Everything but what TLS drew for itself."""
    return [(at, p.with_(payload=b"", time_s=0.0), len(p.payload)) for at, p in path.seen]


@pytest.mark.parametrize("preset", ["loss", "gfw-rst", "reordering", "tspu-sni-2", "gfw-dns-1"])
def test_the_same_seed_gives_the_same_packets_at_the_same_times(run, preset):
    def once(seed):
        path = run(preset, seed=seed, residual_s=1.0)
        path.do(Hello(address=SERVER_A[0], name="forum.test"))
        path.do(Query(resolver=PUBLIC_RESOLVER[0], name="forum.test"))
        path.do(Transfer(address=SERVER_A[0], name="herbs.test", path="/large", size_bytes=200_000))
        return told(path)

    assert once(3) == once(3)
    assert once(3) != once(4)


def test_the_same_seed_gives_the_same_bytes_where_nothing_is_encrypted(tmp_path):
    def once(folder):
        folder.mkdir()
        path = Run("gfw-dns-2", folder, seed=5)
        path.do(Query(resolver=PUBLIC_RESOLVER[0], name="forum.test"))
        path.do(Request(address=SERVER_A[0], host="forum.test"))
        return path.flush().read_bytes()

    assert once(tmp_path / "a") == once(tmp_path / "b")


@pytest.mark.parametrize(
    ("preset", "rate_bps"), [("russia-2021", 140_000), ("turkey-throttling", 150_000), ("sni-shaper", 400_000)]
)
def test_a_throttled_download_runs_at_the_presets_rate(run, preset, rate_bps):
    path = run(preset)
    fast = path.do(Transfer(address=SERVER_A[0], name="herbs.test", path="/large", size_bytes=2_000_000))
    slow = path.do(Transfer(address=SERVER_A[0], name="forum.test", path="/large", size_bytes=5_000_000, seconds=30.0))
    assert (fast.outcome, slow.outcome) == ("answered", "slow")
    arrived = [(at, len(p.payload)) for at, p in path.seen if p.destination == CLIENT[0] and p.payload]
    steady = [size for at, size in arrived if at > arrived[-1][0] - 25]
    assert sum(steady) * 8 / 25 == pytest.approx(rate_bps, rel=0.15)
    assert fast.received_bytes * 8 / fast.span_s > 20 * rate_bps


def test_a_freeze_ends_a_download_without_a_reset(run):
    path = run("freeze-16k")
    slow = path.do(Transfer(address=SERVER_A[0], name="forum.test", path="/large", size_bytes=1_000_000, seconds=8.0))
    assert slow.outcome == "slow"
    assert 12_000 < slow.received_bytes < 20_000
    assert not any(p.flags & RST for _, p in path.seen if p.source == SERVER_A[0])


def test_a_servers_own_limit_and_own_reset_are_its_own(run):
    path = run("server-limit")
    limited = path.do(
        Transfer(address=SERVER_A[0], name="forum.test", path="/large", size_bytes=5_000_000, seconds=10.0)
    )
    assert limited.received_bytes * 8 / limited.span_s == pytest.approx(400_000, rel=0.15)
    path = run("server-reset")
    refused = path.do(Hello(address=SERVER_A[0], name="herbs.test"))
    assert (refused.outcome, refused.took_s) == ("reset", pytest.approx(0.05, abs=0.001))


def test_a_residual_block_runs_out_in_virtual_time(run):
    path = run("gfw-rst-ii", residual_s=2.0)
    innocent = Hello(address=SERVER_A[0], name="herbs.test")
    assert path.do(innocent).passed
    assert path.do(Hello(address=SERVER_A[0], name="forum.test")).outcome == "reset"
    assert path.do(innocent).outcome == "reset"
    path.wait(2.0)
    assert path.do(innocent).passed


@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_box_behind_router_k_is_met_with_k_plus_1_hops(run, at):
    path = Path(hops=5, at=at)
    for hops in range(1, 6):
        one = run("gfw-rst-iii", path=path).do(
            Hello(address=SERVER_A[0], name="forum.test", ttl_hops=hops), listen_s=0.5
        )
        assert (one.outcome == "reset") is (hops > at)


def test_a_mirrored_ttl_rises_with_the_probes(run):
    path = run("gfw-dns-3")
    arrived = []
    for hops in range(1, 9):
        path.seen.clear()
        path.do(Query(resolver=NO_RESOLVER[0], name="forum.test", ttl_hops=hops), listen_s=0.5)
        arrived += [p.ttl for _, p in path.seen if p.protocol == 17 and p.destination == CLIENT[0]]
    assert arrived == [1, 2, 3, 4]


def test_five_megabytes_take_about_a_second_of_real_time(run):
    path = run("none")
    began = time.process_time()
    assert path.do(Transfer(address=SERVER_A[0], name="herbs.test", path="/large", size_bytes=5_000_000)).passed
    assert time.process_time() - began < 4


# Presets whose forged or dropped packets a hello for the minded name meets at once, and what becomes of it.
MET = {
    "gfw-rst-i": "reset", "gfw-rst-ii": "reset", "gfw-rst-iii": "reset", "gfw-rst": "reset", "henan": "reset",
    "turkmenistan-rst": "reset", "airtel": "reset", "packetlogic": "reset", "gfw-aug-2025": "refused",
    "sni-fin": "closed", "sni-alert": "alert", "tspu-sni-1": "reset", "tspu-sni-2": "stalled", "tspu-sni-4": "silent",
    "iran-filter": "silent", "kazakhstan-timeout": "silent", "sni-drop": "silent", "ip-blackhole": "unanswered",
    "server-reset": "reset", "server-reset-name": "reset", "captive-portal": "refused", "pmtu-black-hole": "stalled",
    "tspu-sni-3": "stalled", "fingerprint-reset": "reset", "fingerprint-drop": "silent", "port-drop": "unanswered",
    "ip-prohibited": "unreachable", "port-reset": "refused", "way-back-drop": "unanswered", "server-down": "unanswered",
    "server-firewall": "unanswered", "server-port-closed": "refused", "host-unreachable": "unanswered",
    "site-outage": "unanswered", "gateway-prohibits": "unreachable",
}  # fmt: skip
# Those to whom it is all the same which name is greeted there.
WHOEVER = (
    "gfw-aug-2025", "ip-blackhole", "server-reset", "captive-portal", "pmtu-black-hole", "fingerprint-reset",
    "fingerprint-drop", "port-drop", "ip-prohibited", "port-reset", "way-back-drop", "server-down", "server-firewall",
    "server-port-closed", "host-unreachable", "site-outage", "gateway-prohibits",
)  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_moves_packets_and_does_what_it_says_to_a_hello(run, preset):
    path = run(preset, residual_s=1.0)
    assert PRESETS[preset].says.endswith(".")
    assert PRESETS[preset].source
    assert path.do(Hello(address=SERVER_A[0], name="forum.test")).outcome == MET.get(preset, "answered")
    path.wait(2.0)
    if preset not in WHOEVER:
        assert path.do(Hello(address=SERVER_A[0], name="herbs.test")).outcome == "answered"
    assert all(parse(p.to_bytes()).to_bytes() == p.to_bytes() for _, p in path.seen)
