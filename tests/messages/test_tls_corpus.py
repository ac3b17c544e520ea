"""ClientHellos of the corpus, over TCP and in QUIC Initials, against what tshark makes of the same files."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from fingerprint.messages.quic import Kind, read_initials
from fingerprint.messages.tls import client_hello, sni_of
from tests.conftest import BESIDE_THE_CHECKOUT

CORPUS = Path(os.environ.get("FINGERPRINT_CORPUS") or BESIDE_THE_CHECKOUT)
# Enough of a ClientHello over TCP, or the versions of QUIC whose Initials open, to be worth tshark's time.
HELLO = re.compile(rb"\x16\x03[\x00-\x04]..\x01\x00..\x03[\x00-\x04]", re.DOTALL)
QUIC = re.compile(rb"[\xc0-\xff](?:\x00\x00\x00\x01|\x6b\x33\x43\xcf|\xff\x00\x00[\x1b-\x22])[\x00-\x14]")
LARGEST_BYTES = 3_000_000

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.slow,
    pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus of captures; set FINGERPRINT_CORPUS to its folder"),
    pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed"),
]

HELLO_FIELDS = (
    "frame.number",
    "tls.handshake.random",
    "tls.handshake.extensions_server_name",
    "tls.handshake.ja3_full",
    "tls.handshake.ja3",
    "tls.handshake.ciphersuite",
    "tls.handshake.extension.type",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.sig_hash_alg",
    "tls.handshake.sig_hash_alg_len",
    "tls.handshake.version",
    "udp.stream",
)


@dataclass(frozen=True)
class Witness:
    """What tshark says of one ClientHello."""

    file: str
    frame: str
    random: bytes
    sni: str
    ja3: str
    ja3_md5: str
    ja4: str
    udp_stream: str


def tshark(file: Path, condition: str, fields: tuple[str, ...], *options: str) -> list[list[str]]:
    asked = [each for field in fields for each in ("-e", field)]
    command = ["tshark", "-n", "-r", str(file), *options, "-Y", condition, "-T", "fields", "-E", "separator=/t", *asked]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120, check=False)
    return [line.split("\t") for line in done.stdout.splitlines()]


def grease(value: int) -> bool:
    return value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF


def listed(text: str) -> list[int]:
    return [n for n in (int(each, 0) for each in text.split(",") if each) if not grease(n)]


def ja4_of(row: dict[str, str]) -> str:
    """JA4 made from the fields that tshark dissected, by the letter of the specification."""
    suites, kinds = listed(row["tls.handshake.ciphersuite"]), listed(row["tls.handshake.extension.type"])
    versions = listed(row["tls.handshake.extensions.supported_version"]) or listed(row["tls.handshake.version"])
    version = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10", 0x300: "s3"}.get(max(versions), "00")
    alpn = row["tls.handshake.extensions_alpn_str"].split(",")[0]
    ends = alpn[0] + alpn[-1] if alpn else "00"
    signatures = ",".join(f"{n:04x}" for n in signature_algorithms(row))
    first = ",".join(sorted(f"{n:04x}" for n in suites))
    second = ",".join(sorted(f"{n:04x}" for n in kinds if n not in (0, 16)))
    second += f"_{signatures}" if signatures else ""
    hashes = [hashlib.sha256(each.encode()).hexdigest()[:12] if each else "0" * 12 for each in (first, second)]
    hashes[1] = hashes[1] if kinds else "0" * 12
    start = "q" if row["udp.stream"] else "t"
    return f"{start}{version}{'d' if 0 in kinds else 'i'}{min(len(suites), 99):02}{min(len(kinds), 99):02}{ends}_{hashes[0]}_{hashes[1]}"


def signature_algorithms(row: dict[str, str]) -> list[int]:
    """Those of extension 13: the same field also shows the lists of delegated credentials (34) and of certificates (50)."""
    values = [int(each, 0) for each in row["tls.handshake.sig_hash_alg"].split(",") if each]
    sizes = [int(each) // 2 for each in row["tls.handshake.sig_hash_alg_len"].split(",") if each]
    kinds = [n for n in listed(row["tls.handshake.extension.type"]) if n in {13, 34, 50}]
    start = 0
    for kind, size in zip(kinds, sizes, strict=False):
        if kind == 13:
            return [n for n in values[start : start + size] if not grease(n)]
        start += size
    return []


def witnesses(file: Path) -> list[Witness]:
    found = []
    # One hello a frame: of several, the fields of a row cannot be told apart.
    for cells in tshark(file, "tls.handshake.type == 1", HELLO_FIELDS):
        row = dict(zip(HELLO_FIELDS, cells, strict=True))
        if row["tls.handshake.random"].count(",") or not row["tls.handshake.ja3"]:
            continue
        found.append(
            Witness(
                file=file.name,
                frame=row["frame.number"],
                random=bytes.fromhex(row["tls.handshake.random"]),
                sni=row["tls.handshake.extensions_server_name"].split(",")[0].lower().removesuffix("."),
                ja3=row["tls.handshake.ja3_full"],
                ja3_md5=row["tls.handshake.ja3"],
                ja4=ja4_of(row),
                udp_stream=row["udp.stream"],
            )
        )
    return found


def tcp_streams(file: Path) -> list[bytes]:
    """Each direction's bytes, joined by sequence number from the first that was seen."""
    pieces: dict[tuple[str, str], list[tuple[int, bytes]]] = defaultdict(list)
    for stream, port, seq, payload in tshark(
        file, "tcp.len > 0", ("tcp.stream", "tcp.srcport", "tcp.seq_raw", "tcp.payload")
    ):
        if "," not in stream + seq + payload and payload:
            pieces[stream, port].append((int(seq), bytes.fromhex(payload)))
    joined = []
    for segments in pieces.values():
        base = segments[0][0]
        out = b""
        for seq, payload in sorted(((seq - base + (1 << 31)) % (1 << 32), payload) for seq, payload in segments):
            at = seq - (1 << 31)
            if 0 <= at <= len(out):
                out += payload[len(out) - at :]
        joined.append(out)
    return joined


def corpus_files(shape: re.Pattern[bytes]) -> list[Path]:
    files = (f for f in sorted(CORPUS.rglob("*")) if f.is_file() and f.stat().st_size <= LARGEST_BYTES)
    return [f for f in files if f.suffix not in {".json", ".md", ".py"} and shape.search(f.read_bytes())]


def disagreements(witness: Witness, hello) -> list[str]:
    if hello is None:
        return [f"{witness.file} frame {witness.frame}: no hello"]
    # A string for JA3 with fewer than five parts: tshark gave up in the middle of the hello.
    if witness.ja3.count(",") < 4:
        where = f"{witness.file} frame {witness.frame}"
        return [] if hello.malformed or not hello.complete else [f"{where}: malformed to tshark, not here"]
    mine = {"sni": hello.sni or "", "ja3": hello.ja3, "ja3_md5": hello.ja3_md5, "ja4": hello.ja4}
    return [
        f"{witness.file} frame {witness.frame} {name}: {value!r} but tshark {getattr(witness, name)!r}"
        for name, value in mine.items()
        if value != getattr(witness, name)
    ]


def test_hellos_over_tcp_read_as_tshark_reads_them(record_property):
    wrong, compared = [], 0

    def work(file: Path):
        asked = [w for w in witnesses(file) if not w.udp_stream]
        return asked, tcp_streams(file) if asked else []

    with ThreadPoolExecutor(2) as workers:
        for asked, streams in workers.map(work, corpus_files(HELLO)):
            for witness in asked:
                places = [(s, at) for s in streams if (at := s.find(witness.random)) >= 11 and s[at - 11] == 22]
                if not places:
                    continue  # in a tunnel, a fragment, or a record that begins elsewhere
                stream, at = places[0]
                compared += 1
                wrong += disagreements(witness, client_hello(stream[at - 11 :]))
                if (sni_of(stream[at - 11 :]) or "") != witness.sni:
                    wrong.append(f"{witness.file} frame {witness.frame}: the fast look differs")
    record_property("hellos", compared)
    assert not wrong, "\n".join(wrong)
    assert compared >= 100


def udp_sides(file: Path) -> dict[str, tuple[list[bytes], list[bytes]]]:
    """Datagrams of each UDP stream, of the side that spoke first and of the other."""
    sides: dict[str, tuple[list[bytes], list[bytes]]] = defaultdict(lambda: ([], []))
    first: dict[str, str] = {}
    for stream, port, payload in tshark(file, "udp.payload", ("udp.stream", "udp.srcport", "udp.payload")):
        if "," not in stream + payload:
            sides[stream][first.setdefault(stream, port) != port].append(bytes.fromhex(payload))
    return sides


def test_hellos_in_quic_initials_read_as_tshark_reads_them(record_property):
    wrong, compared = [], 0

    def work(file: Path):
        asked = [w for w in witnesses(file) if w.udp_stream]
        return asked, udp_sides(file) if asked else {}

    with ThreadPoolExecutor(2) as workers:
        for asked, sides in workers.map(work, corpus_files(QUIC)):
            for stream in sorted({w.udp_stream for w in asked}):
                if stream not in sides:
                    continue
                opening = read_initials(*sides[stream])
                of_stream = [w for w in asked if w.udp_stream == stream]
                if not any(p.kind is Kind.INITIAL for p in opening.packets):
                    continue  # DTLS
                witness = next((w for w in of_stream if w.random == opening.client_crypto[6:38]), of_stream[0])
                compared += 1
                wrong += disagreements(witness, opening.client_hello)
    record_property("hellos", compared)
    assert not wrong, "\n".join(wrong)
    assert compared >= 10
