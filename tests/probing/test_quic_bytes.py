"""Initials: read by our own reader, and answered by a server that nobody here wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from fingerprint.lab.simulated import certificate
from fingerprint.messages.quic import read_initials
from fingerprint.probing import quic_bytes
from fingerprint.probing.quic_bytes import VERSION_1, VERSION_2


@pytest.mark.parametrize("version", [VERSION_1, VERSION_2])
@pytest.mark.parametrize("frames", [1, 4])
def test_an_initial_names_its_server_to_whoever_reads_it(version, frames):
    datagram = quic_bytes.initial("forum.test", seed=7, version=version, frames=frames)
    opening = read_initials((datagram,))
    assert opening.sni == "forum.test"
    assert opening.version == version
    assert len(opening.initials(from_client=True)[0].crypto) == frames
    assert opening.client_hello.alpn == ("h3",)
    assert not opening.malformed


def test_two_initials_of_one_seed_differ_in_the_name_alone_and_not_in_length():
    one, other = (quic_bytes.initial(name, seed=7) for name in ("forum.test", "a-much-longer-name.garden.test"))
    assert len(one) == len(other) == quic_bytes.DATAGRAM_BYTES
    read = [read_initials((d,)) for d in (one, other)]
    assert read[0].dcid == read[1].dcid
    assert quic_bytes.initial("forum.test", seed=7) == one
    assert quic_bytes.initial("forum.test", seed=8) != one


def test_nobody_can_read_a_name_in_an_unknown_version():
    datagram = quic_bytes.unknown(seed=7)
    opening = read_initials((datagram,))
    assert opening.sni is None
    assert opening.version == quic_bytes.UNKNOWN_VERSION
    assert len(datagram) == quic_bytes.DATAGRAM_BYTES


def test_a_hello_that_does_not_fit_is_told_and_not_cut():
    with pytest.raises(ValueError, match="does not fit"):
        quic_bytes.initial("x" * 1100 + ".test", seed=1)


@pytest.mark.parametrize("version", [VERSION_1, VERSION_2])
@pytest.mark.parametrize("frames", [1, 3])
def test_a_server_of_others_answers_it(version, frames, tmp_path: Path):
    from aioquic.quic.configuration import QuicConfiguration
    from aioquic.quic.connection import QuicConnection

    file = tmp_path / "lab.pem"
    file.write_bytes(certificate.pem())
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["h3"])
    configuration.load_cert_chain(file, file)
    datagram = quic_bytes.initial("forum.test", seed=3, version=version, frames=frames)
    server = QuicConnection(
        configuration=configuration, original_destination_connection_id=read_initials((datagram,)).dcid
    )
    server.receive_datagram(datagram, ("198.51.100.7", 40000), now=0.0)
    answers = [data for data, _ in server.datagrams_to_send(now=0.0)]
    heard = read_initials((datagram,), answers)
    assert heard.server_answered
    assert heard.server_hello is not None
    assert not heard.closes
